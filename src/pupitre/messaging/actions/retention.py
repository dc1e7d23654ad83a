"""What of messaging is kept how long."""

from typing import Final

from django.conf import settings

from pupitre.tenancy.retention import SCHOOL, Rule

_OLD: Final = (
    f"SELECT id, created_at FROM messaging_notification WHERE school_id = {SCHOOL} "  # noqa: S608 - from constants
    "AND created_at >= %(after)s AND created_at < %(before)s "
)
_NOTIFICATION: Final = ("messaging_delivery.notification_id", "messaging_notification.id")

RULES: Final = (
    Rule(
        "read notifications",
        _OLD + "AND read_at < %(before)s ORDER BY created_at, id LIMIT %(most)s",
        lambda ages: ages.days_ago(settings.CONFIG.keep_read_notifications_days),
        _NOTIFICATION,
    ),
    Rule(
        "unread notifications",
        _OLD + "ORDER BY created_at, id LIMIT %(most)s",
        lambda ages: ages.days_ago(settings.CONFIG.keep_unread_notifications_days),
        _NOTIFICATION,
    ),
    # One to the whole school has thousands of receipts.
    Rule(
        "notices and receipts",
        "SELECT id, coalesce(published_at, created_at) FROM messaging_notice "
        "WHERE coalesce(published_at, created_at) >= %(after)s AND coalesce(published_at, created_at) < %(before)s "
        "ORDER BY 2, id LIMIT %(most)s",
        lambda ages: ages.school_years,
        ("messaging_receipt.notice_id", "messaging_notice.id"),
        most=2,
    ),
)
