"""When and where lessons happen: bell schedules, weeks A and B, rooms, lessons, substitutions, holidays and the calendar feed."""
