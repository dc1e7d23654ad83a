"""Whether anything of the timetable is another than before."""

from typing import Final

from django.db import connection

from pupitre.tenancy.rules import SchoolFacts

# Counted and marked by the newest row version, as the feeds' version is: a transaction's number grows with every change.
_STAMP: Final = """
SELECT md5(json_build_array(
  (SELECT settings_stamp FROM tenancy_school WHERE id = %(school)s),
  (SELECT json_build_array(count(*), max(xmin::text::bigint)) FROM timetable_lesson),
  (SELECT json_build_array(count(*), max(xmin::text::bigint)) FROM timetable_substitution WHERE is_cancelled),
  (SELECT json_build_array(count(*), max(xmin::text::bigint)) FROM courses_academicsession),
  (SELECT json_build_array(count(*), max(xmin::text::bigint)) FROM courses_classgroup),
  (SELECT json_build_array(count(*), max(xmin::text::bigint)) FROM courses_enrolment WHERE role = 1))::text)
"""


def timetable_stamp(school: SchoolFacts) -> str:
    """A text that differs whenever the lessons of the school in scope, their times, or who is in which class do.

    For what is compiled from all of it and kept; one statement that reads through some small tables.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STAMP, {"school": school.id})
        (found,) = cursor.fetchone()
    return str(found)
