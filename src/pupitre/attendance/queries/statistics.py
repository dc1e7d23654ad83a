"""Attendance in numbers: classes from the day's figures, pupils from the marks, each list in one statement."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import connection

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


_SUMS = "sum(f.marks), sum(f.present), sum(f.absent), sum(f.late), sum(f.excused), sum(f.out_of_class)"


def overview_for(actor: Actor, stretch: Stretch, today: date) -> Overview:
    """The figures of the classes that the actor sees. Five statements, read from the figures by class and day."""
    require(actor, STAFF)
    classes = classes_seen_by(actor, today)
    where = "f.held_on BETWEEN %s AND %s AND (%s OR f.class_id = ANY(%s))"
    parameters = [stretch.first, stretch.last, classes is None, classes or []]
    by_class = rows(
        f"SELECT c.id, c.title, {_SUMS} FROM attendance_dayfigure f "  # noqa: S608
        "JOIN courses_class c ON c.school_id = f.school_id AND c.id = f.class_id "
        f"WHERE {where} GROUP BY c.id, c.title ORDER BY c.title, c.id",
        parameters,
    )
    by_day = rows(
        f"SELECT f.held_on, {_SUMS} FROM attendance_dayfigure f WHERE {where} GROUP BY f.held_on ORDER BY f.held_on",  # noqa: S608
        parameters,
    )
    days = [(row[0], Figures(*map(int, row[1:]))) for row in by_day]
    months: dict[date, Figures] = {}
    weekdays: dict[int, Figures] = {}
    total = Figures()
    for day, figures in days:
        total = total.plus(figures)
        months[day.replace(day=1)] = months.get(day.replace(day=1), Figures()).plus(figures)
        weekdays[day.isoweekday()] = weekdays.get(day.isoweekday(), Figures()).plus(figures)
    found = [ClassFigures(row[0], row[1], Figures(*map(int, row[2:]))) for row in by_class]
    return Overview(
        total,
        _by_form(found),
        found,
        sorted(months.items()),
        sorted(weekdays.items()),
        _lessons(actor, stretch, classes),
    )


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


def _lessons(actor: Actor, stretch: Stretch, classes: list[int] | None) -> list[tuple[int, str, int, int]]:
    found = rows(
        "SELECT extract(isodow FROM m.held_on)::int, to_char(r.starts_at AT TIME ZONE %s, 'HH24:MI'), "
        "count(*) FILTER (WHERE m.status IN (2, 4)), count(*) FILTER (WHERE m.status = 3) "
        "FROM attendance_mark m JOIN attendance_register r ON r.school_id = m.school_id AND r.id = m.register_id "
        "WHERE m.held_on BETWEEN %s AND %s AND m.status <> 1 AND (%s OR r.class_id = ANY(%s)) "
        "GROUP BY 1, 2 ORDER BY 1, 2",
        [actor.place.time_zone, stretch.first, stretch.last, classes is None, classes or []],
    )
    return [(weekday, begins, missed, late) for weekday, begins, missed, late in found]


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


# Exceptions come by their own small index; everything of those pupils by the index of a pupil's year.
_PUPILS = """
WITH noticed AS (
    SELECT m.pupil_id
      FROM attendance_mark m JOIN attendance_register r ON r.school_id = m.school_id AND r.id = m.register_id
     WHERE m.held_on BETWEEN %s AND %s AND m.status <> 1
       AND (%s OR r.class_id = ANY(%s)) AND (%s OR m.pupil_id = ANY(%s))
     GROUP BY m.pupil_id
     ORDER BY count(*) FILTER (WHERE m.status IN (2, 4)) DESC, count(*) DESC, m.pupil_id
     LIMIT %s OFFSET %s
)
SELECT p.id, coalesce(nullif(p.preferred_name, ''), p.given_name), p.family_name, count(*),
       count(*) FILTER (WHERE m.status = 1), count(*) FILTER (WHERE m.status = 2),
       count(*) FILTER (WHERE m.status = 3), count(*) FILTER (WHERE m.status = 4),
       count(*) FILTER (WHERE m.status = 5), coalesce(sum(m.minutes) FILTER (WHERE m.status = 3), 0),
       count(DISTINCT m.held_on) FILTER (WHERE m.status IN (2, 4))
  FROM noticed n
  JOIN people_person p ON p.id = n.pupil_id
  JOIN attendance_mark m ON m.school_id = p.school_id AND m.pupil_id = n.pupil_id AND m.held_on BETWEEN %s AND %s
  JOIN attendance_register r ON r.school_id = m.school_id AND r.id = m.register_id
 WHERE %s OR r.class_id = ANY(%s)
 GROUP BY p.id
 ORDER BY count(*) FILTER (WHERE m.status IN (2, 4)) DESC, count(*) FILTER (WHERE m.status <> 1) DESC, p.id
"""


def pupils_for(
    actor: Actor, stretch: Stretch, today: date, *, form_id: int = 0, limit: int = 50, offset: int = 0
) -> list[PupilFigures]:
    """The pupils with absences or latenesses, who missed most first. Two statements."""
    require(actor, STAFF)
    classes = classes_seen_by(actor, today)
    every, taught = classes is None, classes or []
    chosen = pupils_of_form(form_id, today) if form_id else []
    found = rows(
        _PUPILS,
        [stretch.first, stretch.last, every, taught, not form_id, chosen, limit, offset,
         stretch.first, stretch.last, every, taught],
    )  # fmt: skip
    forms = form_of((row[0] for row in found), today)
    return [_pupil(row[0], row[1], row[2], forms, list(map(int, row[3:]))) for row in found]


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
