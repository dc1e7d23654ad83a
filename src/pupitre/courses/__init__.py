"""Academic sessions, courses, classes and enrolments: what is taught to whom, in OneRoster's words."""
