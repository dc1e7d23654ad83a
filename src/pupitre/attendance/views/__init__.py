"""The pages of registers and absences."""
