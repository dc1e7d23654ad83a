"""Attendance in numbers, each list in one statement: months that are over as they stand counted, the days besides from the
figures of days and, where those do not tell, from the marks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection

from pupitre.attendance.queries.kept import parts_of
from pupitre.attendance.queries.rosters import (
    Form,
    classes_seen_by,
    form_of,
    forms_for,
    periods,
    pupils_of_form,
    rows,
    teaches_pupil,
)
from pupitre.attendance.rules.absences import Window
from pupitre.attendance.rules.status import Status
from pupitre.attendance.rules.thresholds import window_on
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.people import queries as people
from pupitre.people.rules import STAFF, Actor, require


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days that are counted, both ends included."""

    first: date
    last: date


def year_of(day: date) -> Stretch:
    """The school year in which the day lies."""
    return Stretch(*window_on(Window.YEAR, day, periods()))


@dataclass(frozen=True, slots=True)
class Figures:
    """Marks by status."""

    marks: int = 0
    present: int = 0
    absent: int = 0
    late: int = 0
    excused: int = 0
    out_of_class: int = 0

    @property
    def missed(self) -> int:
        return self.absent + self.excused

    @property
    def percent_missed(self) -> float:
        """Absent and excused of all marks, with one decimal."""
        return round(100 * self.missed / self.marks, 1) if self.marks else 0.0

    def plus(self, other: "Figures") -> "Figures":
        return Figures(
            self.marks + other.marks,
            self.present + other.present,
            self.absent + other.absent,
            self.late + other.late,
            self.excused + other.excused,
            self.out_of_class + other.out_of_class,
        )


@dataclass(frozen=True, slots=True)
class ClassFigures:
    id: int
    title: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Overview:
    """A stretch of the school's year from several sides. Months are first days, weekdays ISO's."""

    total: Figures
    #: Of lessons that a form has for itself; what several forms share is in `classes` only.
    forms: list[ClassFigures] = field(default_factory=list)
    classes: list[ClassFigures] = field(default_factory=list)
    months: list[tuple[date, Figures]] = field(default_factory=list)
    weekdays: list[tuple[int, Figures]] = field(default_factory=list)
    #: (weekday, the lesson's beginning as "09:00", absent and excused, late)
    lessons: list[tuple[int, str, int, int]] = field(default_factory=list)


# Months that stand counted, and the days besides from the figures by class and day. An authority may read those too, and a
# policy with two ways in is no index condition: the school is named again.
_SIDES: Final = """
WITH parts AS (
    SELECT f.class_id, f.month, f.weekday::int AS weekday, f.marks, f.present, f.absent, f.late, f.excused, f.out_of_class
      FROM attendance_lessonmonth f WHERE f.month = ANY(%(months)s) AND (%(all)s OR f.class_id = ANY(%(classes)s))
    UNION ALL
    SELECT f.class_id, date_trunc('month', f.held_on)::date, extract(isodow FROM f.held_on)::int,
           f.marks, f.present, f.absent, f.late, f.excused, f.out_of_class
      FROM unnest(%(firsts)s::date[], %(lasts)s::date[]) AS d(first, last)
      JOIN attendance_dayfigure f ON f.school_id = %(school)s AND f.held_on BETWEEN d.first AND d.last
     WHERE %(all)s OR f.class_id = ANY(%(classes)s)
)
SELECT s.class_id, c.title, s.month, s.weekday, s.marks, s.present, s.absent, s.late, s.excused, s.out_of_class
  FROM (SELECT class_id, month, weekday, sum(marks)::int AS marks, sum(present)::int AS present, sum(absent)::int AS absent,
               sum(late)::int AS late, sum(excused)::int AS excused, sum(out_of_class)::int AS out_of_class
          FROM parts GROUP BY GROUPING SETS ((class_id), (month), (weekday))) s
  LEFT JOIN courses_class c ON c.id = s.class_id
 ORDER BY c.title, c.id, s.month, s.weekday
"""
_LESSONS: Final = """
WITH parts AS (
    SELECT f.weekday::int AS weekday, f.begins, f.absent + f.excused AS missed, f.late, f.marks - f.present AS exceptions
      FROM attendance_lessonmonth f WHERE f.month = ANY(%(months)s) AND (%(all)s OR f.class_id = ANY(%(classes)s))
    UNION ALL
    SELECT extract(isodow FROM m.held_on)::int, to_char(r.starts_at AT TIME ZONE %(zone)s, 'HH24:MI'),
           (m.status IN (2, 4))::int, (m.status = 3)::int, 1
      FROM unnest(%(firsts)s::date[], %(lasts)s::date[]) AS d(first, last)
      JOIN attendance_mark m ON m.held_on BETWEEN d.first AND d.last AND m.status <> 1
      JOIN attendance_register r ON r.school_id = m.school_id AND r.id = m.register_id
     WHERE %(all)s OR r.class_id = ANY(%(classes)s)
)
SELECT weekday, begins, sum(missed)::int, sum(late)::int FROM parts
 GROUP BY weekday, begins HAVING sum(exceptions) > 0 ORDER BY weekday, begins
"""


def _facts(actor: Actor, stretch: Stretch, classes: list[int] | None) -> dict[str, Any]:
    """What the statements are asked with. `classes` is None for all."""
    parts = parts_of(stretch.first, stretch.last)
    return {
        "school": actor.place.id,
        "months": parts.months,
        "firsts": parts.firsts,
        "lasts": parts.lasts,
        "all": classes is None,
        "classes": classes or [],
    }


def overview_for(actor: Actor, stretch: Stretch, today: date) -> Overview:
    """The figures of the classes that the actor sees. Five statements, of which one reads marks: those of days that no
    counted month holds.
    """
    require(actor, STAFF)
    classes = classes_seen_by(actor, today)
    asked = _facts(actor, stretch, classes)
    found: list[ClassFigures] = []
    months: list[tuple[date, Figures]] = []
    weekdays: list[tuple[int, Figures]] = []
    for class_id, title, month, weekday, *counts in rows(_SIDES, asked):
        figures = Figures(*counts)
        if class_id is not None:
            found.append(ClassFigures(class_id, title, figures))
        elif month is not None:
            months.append((month, figures))
        else:
            weekdays.append((weekday, figures))
    total = Figures()
    for _month, figures in months:
        total = total.plus(figures)
    lessons = rows(_LESSONS, {**asked, "zone": actor.place.time_zone})
    return Overview(total, _by_form(found), found, months, weekdays, lessons)


def _by_form(classes: list[ClassFigures]) -> list[ClassFigures]:
    """The figures of forms: their own, and those of the classes that take this one form."""
    forms = {
        class_id: (form_id, title)
        for class_id, form_id, title in rows(
            "SELECT g.class_id, min(c.id), min(c.title) FROM courses_classgroup g "
            "JOIN courses_class c ON c.school_id = g.school_id AND c.id = g.homeroom_id "
            "GROUP BY g.class_id HAVING count(*) = 1 "
            "UNION ALL SELECT id, id, title FROM courses_class WHERE kind = 'homeroom'"
        )
    }
    sums: dict[tuple[str, int], Figures] = {}
    for one in classes:
        if one.id in forms:
            form_id, title = forms[one.id]
            sums[title, form_id] = sums.get((title, form_id), Figures()).plus(one.figures)
    return [ClassFigures(form_id, title, figures) for (title, form_id), figures in sorted(sums.items())]


@dataclass(frozen=True, slots=True)
class PupilFigures:
    """A pupil's counts. `days` are those on which at least one lesson was missed."""

    pupil_id: int
    given_name: str
    family_name: str
    form: str
    figures: Figures
    minutes_late: int
    days: int

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"


_TOLD: Final = """
SELECT p.id, coalesce(nullif(p.preferred_name, ''), p.given_name), p.family_name, sum(f.marks)::int, sum(f.present)::int,
       sum(f.absent)::int, sum(f.late)::int, sum(f.excused)::int, sum(f.out_of_class)::int, sum(f.minutes_late)::int,
       sum(f.days)::int
  FROM figures f JOIN people_person p ON p.id = f.pupil_id
 GROUP BY p.id
 ORDER BY sum(f.absent + f.excused) DESC, sum(f.marks - f.present) DESC, p.id
"""
_OF_MARKS: Final = """count(*) AS marks, count(*) FILTER (WHERE m.status = 1) AS present,
           count(*) FILTER (WHERE m.status = 2) AS absent, count(*) FILTER (WHERE m.status = 3) AS late,
           count(*) FILTER (WHERE m.status = 4) AS excused, count(*) FILTER (WHERE m.status = 5) AS out_of_class,
           coalesce(sum(m.minutes) FILTER (WHERE m.status = 3), 0) AS minutes_late,
           count(DISTINCT m.held_on) FILTER (WHERE m.status IN (2, 4)) AS days"""
# For who sees all: who is listed is decided by the months that stand counted and, on the days besides, by the exceptions,
# which have an index of their own; of who is listed everything is counted by the index of a pupil's days.
_PUPILS: Final = f"""
WITH parts AS (
    SELECT k.pupil_id, k.absent + k.excused AS missed, k.marks - k.present AS exceptions FROM attendance_pupilmonth k
     WHERE k.month = ANY(%(months)s) AND k.marks > k.present AND (%(everybody)s OR k.pupil_id = ANY(%(pupils)s))
    UNION ALL
    SELECT m.pupil_id, (m.status IN (2, 4))::int, 1
      FROM unnest(%(firsts)s::date[], %(lasts)s::date[]) AS d(first, last)
      JOIN attendance_mark m ON m.held_on BETWEEN d.first AND d.last AND m.status <> 1
     WHERE %(everybody)s OR m.pupil_id = ANY(%(pupils)s)
), noticed AS MATERIALIZED (
    SELECT pupil_id FROM parts GROUP BY pupil_id
     ORDER BY sum(missed) DESC, sum(exceptions) DESC, pupil_id LIMIT %(limit)s OFFSET %(offset)s
), figures AS (
    SELECT k.pupil_id, k.marks, k.present, k.absent, k.late, k.excused, k.out_of_class, k.minutes_late, k.days
      FROM attendance_pupilmonth k WHERE k.month = ANY(%(months)s) AND k.pupil_id IN (SELECT pupil_id FROM noticed)
    UNION ALL
    SELECT n.pupil_id, {_OF_MARKS}
      FROM noticed n CROSS JOIN unnest(%(firsts)s::date[], %(lasts)s::date[]) AS d(first, last)
      JOIN attendance_mark m ON m.pupil_id = n.pupil_id AND m.held_on BETWEEN d.first AND d.last
     GROUP BY n.pupil_id
)
{_TOLD}"""  # noqa: S608 - put together from constants
# For a teacher: the registers of her classes, each by its index. Her lessons alone say on how many days she missed a pupil,
# which no sum by month or class would.
_PUPILS_OF_CLASSES: Final = f"""
WITH m AS MATERIALIZED (
    SELECT m.pupil_id, m.status, m.minutes, m.held_on
      FROM attendance_register r JOIN attendance_mark m ON m.school_id = r.school_id AND m.register_id = r.id
     WHERE r.class_id = ANY(%(classes)s) AND r.held_on BETWEEN %(first)s AND %(last)s
       AND (%(everybody)s OR m.pupil_id = ANY(%(pupils)s))
), noticed AS (
    SELECT pupil_id FROM m WHERE status <> 1 GROUP BY pupil_id
     ORDER BY count(*) FILTER (WHERE status IN (2, 4)) DESC, count(*) DESC, pupil_id LIMIT %(limit)s OFFSET %(offset)s
), figures AS (
    SELECT m.pupil_id, {_OF_MARKS} FROM m WHERE m.pupil_id IN (SELECT pupil_id FROM noticed) GROUP BY m.pupil_id
)
{_TOLD}"""  # noqa: S608 - put together from constants


def pupils_for(
    actor: Actor, stretch: Stretch, today: date, *, form_id: int = 0, limit: int = 50, offset: int = 0
) -> list[PupilFigures]:
    """The pupils with absences or latenesses, who missed most first. Three statements, whatever the stretch."""
    require(actor, STAFF)
    classes = classes_seen_by(actor, today)
    asked = {
        **_facts(actor, stretch, classes),
        "first": stretch.first,
        "last": stretch.last,
        "everybody": not form_id,
        "pupils": pupils_of_form(form_id, today) if form_id else [],
        "limit": limit,
        "offset": offset,
    }
    found = rows(_PUPILS if classes is None else _PUPILS_OF_CLASSES, asked)
    forms = form_of((row[0] for row in found), today)
    return [_pupil(row[0], row[1], row[2], forms, list(row[3:])) for row in found]


def _pupil(id_: int, given: str, family: str, forms: dict[int, Form], counts: list[int]) -> PupilFigures:
    form = forms[id_].title if id_ in forms else ""
    return PupilFigures(id_, given, family, form, Figures(*counts[:6]), counts[6], counts[7])


def chosen_forms(actor: Actor) -> list[Form]:
    """The forms by which the list of pupils can be narrowed: all for who sees all, none for a teacher."""
    return forms_for() if classes_seen_by(actor, clock.today(actor.place.time_zone)) is None else []


# One pupil.


@dataclass(frozen=True, slots=True)
class Irregularity:
    """A lesson in which a pupil was not simply present."""

    held_on: date
    starts_at: datetime
    subject: str
    class_title: str
    status: Status
    minutes: int
    note: str


@dataclass(frozen=True, slots=True)
class DayOfYear:
    """A day with lessons: how many, how many missed and late."""

    on: date
    marks: int
    missed: int
    late: int


@dataclass(frozen=True, slots=True)
class PupilYear:
    """A pupil's attendance over a stretch of days."""

    pupil_id: int
    name: str
    form: str
    stretch: Stretch
    figures: Figures
    minutes_late: int
    days: list[DayOfYear]
    exceptions: list[Irregularity]


def pupil_year_for(actor: Actor, pupil_id: int, stretch: Stretch, today: date) -> PupilYear:
    """A pupil's year, for staff who teach the pupil or see all. Showing it is a look that the caller keeps.

    A teacher sees all lessons of a pupil she teaches: an absence has its pattern over the day, not in one subject.
    """
    require(actor, STAFF)
    pupil = people.access_pupil(actor, pupil_id)
    if not teaches_pupil(actor, pupil_id, today):
        raise NotFound
    days = rows(
        "SELECT held_on, count(*), count(*) FILTER (WHERE status = 1), count(*) FILTER (WHERE status = 2), "
        "count(*) FILTER (WHERE status = 3), count(*) FILTER (WHERE status = 4), count(*) FILTER (WHERE status = 5), "
        "coalesce(sum(minutes) FILTER (WHERE status = 3), 0) "
        "FROM attendance_mark WHERE pupil_id = %s AND held_on BETWEEN %s AND %s GROUP BY held_on ORDER BY held_on",
        [pupil_id, stretch.first, stretch.last],
    )
    total = Figures()
    for row in days:
        total = total.plus(Figures(*map(int, row[1:7])))
    forms = form_of([pupil_id], today)
    return PupilYear(
        pupil_id,
        pupil.full_name,
        forms[pupil_id].title if pupil_id in forms else "",
        stretch,
        total,
        sum(int(row[7]) for row in days),
        [DayOfYear(row[0], int(row[1]), int(row[3]) + int(row[5]), int(row[4])) for row in days],
        _exceptions(pupil_id, stretch),
    )


def _exceptions(pupil_id: int, stretch: Stretch) -> list[Irregularity]:
    found = rows(
        "SELECT m.held_on, r.starts_at, l.subject, c.title, m.status, m.minutes, m.note FROM attendance_mark m "
        "JOIN attendance_register r ON r.school_id = m.school_id AND r.id = m.register_id "
        "JOIN timetable_lesson l ON l.school_id = r.school_id AND l.id = r.lesson_id "
        "JOIN courses_class c ON c.school_id = r.school_id AND c.id = r.class_id "
        "WHERE m.pupil_id = %s AND m.held_on BETWEEN %s AND %s AND m.status <> 1 "
        "ORDER BY r.starts_at DESC LIMIT 400",
        [pupil_id, stretch.first, stretch.last],
    )
    return [
        Irregularity(held_on, starts_at, subject, title, Status(status), minutes, note)
        for held_on, starts_at, subject, title, status, minutes, note in found
    ]


@dataclass(frozen=True, slots=True)
class Week:
    """Monday's date, and each school day's figures or None where there was no lesson."""

    monday: date
    days: list[DayOfYear | None]


def weeks_of(year: PupilYear) -> list[Week]:
    """The days of a pupil's year in weeks from Monday to Friday, from the first day with lessons to the last."""
    by_day = {day.on: day for day in year.days}
    if not by_day:
        return []
    monday, last = min(by_day) - timedelta(days=min(by_day).weekday()), max(by_day)
    weeks = []
    while monday <= last:
        weeks.append(Week(monday, [by_day.get(monday + timedelta(days=n)) for n in range(5)]))
        monday += timedelta(days=7)
    return weeks


# Everything, for the export.


@dataclass(frozen=True, slots=True)
class ExportedMark:
    """A mark that is not simply 'present', as a row of the export."""

    held_on: date
    begins: str
    subject: str
    class_title: str
    pupil_id: int
    family_name: str
    given_name: str
    status: Status
    minutes: int
    note: str


def exported_marks(actor: Actor, stretch: Stretch, today: date) -> Iterator[ExportedMark]:
    """All marks of the stretch that are not simply present, in order of time, fetched in parts."""
    require(actor, STAFF)
    classes = classes_seen_by(actor, today)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.held_on, to_char(r.starts_at AT TIME ZONE %s, 'HH24:MI'), l.subject, c.title, p.id, "
            "p.family_name, coalesce(nullif(p.preferred_name, ''), p.given_name), m.status, m.minutes, m.note "
            "FROM attendance_mark m "
            "JOIN attendance_register r ON r.school_id = m.school_id AND r.id = m.register_id "
            "JOIN timetable_lesson l ON l.school_id = r.school_id AND l.id = r.lesson_id "
            "JOIN courses_class c ON c.school_id = r.school_id AND c.id = r.class_id "
            "JOIN people_person p ON p.school_id = m.school_id AND p.id = m.pupil_id "
            "WHERE m.held_on BETWEEN %s AND %s AND m.status <> 1 AND (%s OR r.class_id = ANY(%s)) "
            "ORDER BY r.starts_at, p.family_key, m.id",
            [actor.place.time_zone, stretch.first, stretch.last, classes is None, classes or []],
        )
        while part := cursor.fetchmany(2000):
            for on, begins, subject, title, pupil_id, family, given, status, minutes, note in part:
                yield ExportedMark(
                    on, begins, subject, title, pupil_id, family, given, Status(status), minutes, note
                )
