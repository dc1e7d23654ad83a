"""What of people is kept how long, besides the persons themselves: they stay until somebody decides about them."""

from typing import Final

from django.conf import settings

from pupitre.tenancy.retention import Months, Rule

#: After that long a letter's code says nothing to anybody.
INVITATIONS_KEPT: Final = 365

MONTHS: Final = (
    Months("tenancy_change", lambda: settings.CONFIG.keep_history_months),
    Months("people_look", lambda: settings.CONFIG.keep_looks_months),
)
RULES: Final = (
    Rule(
        "invitations",
        "SELECT id, expires_at FROM people_invitation WHERE expires_at >= %(after)s AND expires_at < %(before)s "
        "ORDER BY expires_at, id LIMIT %(most)s",
        lambda ages: ages.days_ago(INVITATIONS_KEPT),
        ("people_invitation.id",),
    ),
)
# Of the installation, outside of any school.
RULES_OF_ALL: Final = (
    Rule(
        "sessions",
        "SELECT session_key AS id, expire_date FROM django_session WHERE expire_date >= %(after)s AND expire_date < %(before)s "
        "ORDER BY expire_date, session_key LIMIT %(most)s",
        lambda ages: ages.now,
        ("usersessions_usersession.session_key", "django_session.session_key"),
    ),
)
