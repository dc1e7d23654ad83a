"""Taking, correcting and closing registers; announcing and justifying absences; letters, alerts and figures."""
