"""The timetable's decisions, pure: reading the files of timetable programs, bells, the calendar, matching names, the feed."""
