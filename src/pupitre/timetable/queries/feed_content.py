"""What a calendar feed holds, and what tells that it changed."""

import json
from datetime import date, timedelta
from typing import Final

from django.db import connection

from pupitre.tenancy.rules import SchoolFacts

from .feeds import OpenFeed
from .lessons import HeldLesson, lessons_between
from .weeks import classes_of_pupil

_BEFORE: Final = timedelta(days=31)
_AT_MOST: Final = timedelta(days=366)

# Everything that the feed is made of, counted and marked by its newest row version: a transaction's number grows with
# every change, so that a new one is seen without building the feed.
_VERSION: Final = """
SELECT json_build_array(
  (SELECT json_build_array(count(*), max(xmin::text::bigint)) FROM timetable_lesson),
  (SELECT json_build_array(count(*), max(xmin::text::bigint)) FROM timetable_lessonteacher),
  (SELECT json_build_array(count(*), max(xmin::text::bigint)) FROM timetable_substitution),
  (SELECT json_build_array(count(*), max(xmin::text::bigint)) FROM timetable_period),
  (SELECT json_build_array(count(*), max(xmin::text::bigint)) FROM timetable_calendarrule),
  (SELECT json_build_array(count(*), max(xmin::text::bigint)) FROM timetable_calendarexception),
  (SELECT json_build_array(count(*), max(xmin::text::bigint)) FROM timetable_room),
  (SELECT json_build_array(count(*), max(xmin::text::bigint)) FROM courses_academicsession),
  (SELECT json_build_array(count(*), max(e.xmin::text::bigint)) FROM courses_enrolment e WHERE e.person_id = %(person)s),
  (SELECT json_build_array(count(*), max(c.xmin::text::bigint)) FROM courses_class c),
  (SELECT json_build_array(count(*), max(p.xmin::text::bigint)) FROM people_person p
    WHERE p.id IN (SELECT teacher_id FROM timetable_lessonteacher)))
"""


def feed_span(today: date) -> tuple[date, date]:
    """From a month ago to the end of the session, or a year ahead where no session says when it ends.

    It begins on the first of a month, so that a feed whose timetable did not change is the same for a whole month.
    """
    first = (today - _BEFORE).replace(day=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(ends_on) FROM courses_academicsession WHERE ended_on IS NULL AND starts_on <= %s::date + 120 "
            "AND ends_on >= %s",
            [today, today],
        )
        (last,) = cursor.fetchone()
    return first, min(last or first + _AT_MOST, first + _AT_MOST)


def feed_version(feed: OpenFeed, today: date) -> str:
    """A text that differs whenever the feed does."""
    first, last = feed_span(today)
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, {"person": feed.person_id})
        (found,) = cursor.fetchone()
    facts = [first.isoformat(), last.isoformat(), feed.person_id, feed.is_staff, feed.is_pupil, feed.name]
    return json.dumps([facts, found])


def feed_content(school: SchoolFacts, feed: OpenFeed, today: date) -> list[HeldLesson]:
    """The lessons that the person teaches, learns in, or both, in order of time."""
    first, last = feed_span(today)
    found: dict[tuple[int, date], HeldLesson] = {}
    if feed.is_staff:
        for lesson in lessons_between(school, first, last, teacher_id=feed.person_id):
            found[lesson.lesson_id, lesson.held_on] = lesson
    if feed.is_pupil:
        classes = classes_of_pupil(feed.person_id, first, last)
        for lesson in lessons_between(school, first, last, class_ids=classes):
            found[lesson.lesson_id, lesson.held_on] = lesson
    return sorted(found.values(), key=lambda lesson: (lesson.starts_at, lesson.lesson_id))
