"""What of rosters is kept how long. Their files go after thirty days already (`actions.rosters.forget_files`)."""

from typing import Final

from django.conf import settings

from pupitre.tenancy.retention import Rule

RULES: Final = (
    Rule(
        "reports of roster imports",
        "SELECT id, uploaded_at FROM courses_rosterimport WHERE uploaded_at >= %(after)s AND uploaded_at < %(before)s "
        "ORDER BY uploaded_at, id LIMIT %(most)s",
        lambda ages: ages.months_ago(settings.CONFIG.keep_history_months),
        ("courses_rosterimport.id",),
        objects=("file_key",),
        most=20,
    ),
)
