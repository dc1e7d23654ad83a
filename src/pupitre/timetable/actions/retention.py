"""What of timetables is kept how long."""

from typing import Final

from django.conf import settings

from pupitre.tenancy.retention import Rule

RULES: Final = (
    Rule(
        "substitutions",
        "SELECT id, held_on FROM timetable_substitution WHERE held_on >= %(after)s AND held_on < %(before)s "
        "ORDER BY held_on, id LIMIT %(most)s",
        lambda ages: ages.school_years,
        ("timetable_substitution.id",),
    ),
    Rule(
        "imports of timetables",
        "SELECT id, uploaded_at FROM timetable_timetableimport WHERE uploaded_at >= %(after)s AND uploaded_at < %(before)s "
        "ORDER BY uploaded_at, id LIMIT %(most)s",
        lambda ages: ages.months_ago(settings.CONFIG.keep_history_months),
        ("timetable_timetableimport.id",),
        objects=("file_key", "solution_key"),
        most=20,
    ),
)
