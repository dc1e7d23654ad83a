"""The words of a feed's events, in its reader's language."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from pupitre.tenancy.rules import SchoolFacts
from pupitre.timetable.queries import HeldLesson
from pupitre.timetable.queries.feeds import OpenFeed
from pupitre.timetable.rules.calendar import Occurrence, Substitution, WeeklyLesson
from pupitre.timetable.rules.ical import FeedEvent, build_feed


def feed_bytes(
    school: SchoolFacts, feed: OpenFeed, lessons: Sequence[HeldLesson], host: str, now: datetime
) -> bytes:
    """The feed of these lessons, to send as text/calendar."""
    return build_feed(
        [_event(lesson, feed) for lesson in lessons],
        name=_("%(name)s · %(school)s") % {"name": feed.name, "school": school.name},
        zone=school.time_zone,
        host=host,
        stamp=now,
    )


def _event(lesson: HeldLesson, feed: OpenFeed) -> FeedEvent:
    weekly = WeeklyLesson(
        lesson.lesson_id, lesson.held_on.isoweekday(), lesson.position, lesson.length, lesson.week
    )
    changed = (
        Substitution(lesson.lesson_id, lesson.held_on, is_cancelled=lesson.is_cancelled)
        if lesson.substitution_id
        else None
    )
    taught = feed.is_staff
    title = lesson.class_title if taught else lesson.subject or lesson.class_title
    is_covered = taught and lesson.is_replaced(feed.person_id)
    if is_covered:
        title = _("%(lesson)s (covered)") % {"lesson": title}
    if lesson.is_cancelled:
        title = _("Cancelled: %(lesson)s") % {"lesson": title}
    return FeedEvent(
        Occurrence(weekly, lesson.held_on, lesson.starts_at, lesson.ends_at, lesson.week, changed),
        summary=title,
        location=lesson.room,
        description="\n".join(filter(None, [*_people(lesson, feed), lesson.note])),
        revision=1 if changed else 0,
    )


def _people(lesson: HeldLesson, feed: OpenFeed) -> list[str]:
    if lesson.substitute_name and lesson.substitute_id != feed.person_id:
        return [_("Substitute: %(name)s") % {"name": lesson.substitute_name}]
    others = [name for id_, name in lesson.acting.items() if id_ != feed.person_id]
    return [", ".join(others)] if others else []
