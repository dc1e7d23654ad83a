"""Reading thresholds, who has crossed one, and the letters that were written."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import F

from pupitre.attendance.models import AbsenceLetter, Threshold
from pupitre.attendance.queries.kept import parts_of
from pupitre.attendance.queries.rosters import form_of, guardians_told, periods, rows
from pupitre.attendance.rules.absences import Counted, Window
from pupitre.attendance.rules.thresholds import Tally, level, window_on
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import OFFICE, Actor, require

# What is unjustified: absent, and no justification is waiting for the office.
_TALLIES = """
SELECT m.pupil_id,
       count(*) FILTER (WHERE m.status = 2 AND NOT waiting.found),
       count(DISTINCT m.held_on) FILTER (WHERE m.status = 2 AND NOT waiting.found),
       count(*) FILTER (WHERE m.status = 3),
       count(*) FILTER (WHERE m.status IN (2, 4))
  FROM attendance_mark m
  JOIN people_person p ON p.school_id = m.school_id AND p.id = m.pupil_id AND p.ended_on IS NULL
  JOIN attendance_register r ON r.school_id = m.school_id AND r.id = m.register_id
 CROSS JOIN LATERAL (
       SELECT m.status = 2 AND EXISTS (
              SELECT 1 FROM attendance_absencenotice n
               WHERE n.school_id = m.school_id AND n.pupil_id = m.pupil_id AND n.state = 1
                 AND n.withdrawn_at IS NULL AND n.starts_at < r.ends_at AND n.ends_at > r.starts_at) AS found
       ) waiting
 WHERE m.held_on BETWEEN %s AND %s AND m.status <> 1 AND m.status < 5
 GROUP BY m.pupil_id
"""
# All marks of almost every pupil of a term: from the months that stand counted, and from the marks on the days besides.
_MARKS = """
SELECT pupil_id, sum(marks)::int
  FROM (SELECT pupil_id, marks FROM attendance_pupilmonth WHERE month = ANY(%(months)s) AND pupil_id = ANY(%(pupils)s)
        UNION ALL
        SELECT m.pupil_id, count(*) FROM unnest(%(firsts)s::date[], %(lasts)s::date[]) AS d(first, last)
          JOIN attendance_mark m ON m.pupil_id = ANY(%(pupils)s) AND m.held_on BETWEEN d.first AND d.last
         GROUP BY m.pupil_id) counted
 GROUP BY pupil_id
"""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A pupil who reached a threshold in its current window. `number` is the letter that is due: 2 at twice the limit."""

    threshold_id: int
    threshold_name: str
    counts: Counted
    limit: int
    pupil_id: int
    pupil_name: str
    family_key: str
    form: str
    count: int
    number: int
    window_starts_on: date
    window_ends_on: date
    last_written: int
    recipients: int

    @property
    def is_due(self) -> bool:
        return self.number > self.last_written


def thresholds_for(actor: Actor) -> list[Threshold]:
    """The school's thresholds, by name, the inactive ones last."""
    require(actor, OFFICE)
    return list(Threshold.objects.order_by("-is_active", "name", "id"))


def access_threshold(actor: Actor, threshold_id: int) -> Threshold:
    require(actor, OFFICE)
    found = Threshold.objects.filter(pk=threshold_id).first()
    if found is None:
        raise NotFound
    return found


def crossings_for(actor: Actor, today: date) -> list[Crossing]:
    """Who has reached an active threshold in the month, term or year of `today`, by threshold and name.

    Three statements a window that is used, and four besides.
    """
    active = [threshold for threshold in thresholds_for(actor) if threshold.is_active]
    if not active:
        return []
    sessions = periods()
    found: list[Crossing] = []
    for window in sorted({threshold.window for threshold in active}):
        first, last = window_on(Window(window), today, sessions)
        of_window = [threshold for threshold in active if threshold.window == window]
        needs_all = any(threshold.counts == Counted.PERCENT_MISSED for threshold in of_window)
        tallies = _tallies(first, min(last, today), with_all=needs_all)
        for threshold in of_window:
            found += _crossings(threshold, tallies, first, last)
    return _completed(found, today)


def _tallies(first: date, last: date, *, with_all: bool) -> dict[int, Tally]:
    found = {row[0]: Tally(*row[1:]) for row in rows(_TALLIES, [first, last])}
    if with_all and found:
        parts = parts_of(first, last)
        asked = {"pupils": list(found), "months": parts.months, "firsts": parts.firsts, "lasts": parts.lasts}
        for pupil_id, marks in rows(_MARKS, asked):
            found[pupil_id] = replace(found[pupil_id], marks=marks)
    return found


def _crossings(threshold: Threshold, tallies: dict[int, Tally], first: date, last: date) -> list[Crossing]:
    counts = Counted(threshold.counts)
    counted = ((pupil_id, tally.counted(counts)) for pupil_id, tally in tallies.items())
    return [
        Crossing(
            threshold_id=threshold.pk,
            threshold_name=threshold.name,
            counts=counts,
            limit=threshold.limit,
            pupil_id=pupil_id,
            pupil_name="",
            family_key="",
            form="",
            count=count,
            number=level(count, threshold.limit),
            window_starts_on=first,
            window_ends_on=last,
            last_written=0,
            recipients=0,
        )
        for pupil_id, count in counted
        if level(count, threshold.limit)
    ]


def _completed(found: list[Crossing], today: date) -> list[Crossing]:
    """With names, forms, how many are to be written to, and the last letter of the window."""
    if not found:
        return []
    ids = sorted({crossing.pupil_id for crossing in found})
    names = {
        row[0]: row[1:]
        for row in rows(
            "SELECT id, coalesce(nullif(preferred_name, ''), given_name) || ' ' || family_name, family_key "
            "FROM people_person WHERE id = ANY(%s)",
            [ids],
        )
    }
    forms, told = form_of(ids, today), guardians_told(ids, today)
    written = {
        row[:3]: row[3]
        for row in rows(
            "SELECT threshold_id, pupil_id, window_starts_on, max(number) FROM attendance_absenceletter "
            "WHERE pupil_id = ANY(%s) GROUP BY 1, 2, 3",
            [ids],
        )
    }
    full = [
        replace(
            crossing,
            pupil_name=names[crossing.pupil_id][0],
            family_key=names[crossing.pupil_id][1],
            form=forms[crossing.pupil_id].title if crossing.pupil_id in forms else "",
            recipients=len(told.get(crossing.pupil_id, ())),
            last_written=written.get(
                (crossing.threshold_id, crossing.pupil_id, crossing.window_starts_on), 0
            ),
        )
        for crossing in found
    ]
    return sorted(full, key=lambda one: (one.threshold_name, one.family_key, one.pupil_id))


@dataclass(frozen=True, slots=True)
class LetterLesson:
    """A lesson that a letter lists."""

    held_on: date
    starts_at: datetime
    subject: str
    status: int
    minutes: int


def lessons_of_letter(pupil_id: int, counts: Counted, first: date, last: date) -> list[LetterLesson]:
    """The lessons that made the count, in order of time."""
    statuses = {Counted.LATENESSES: [3], Counted.PERCENT_MISSED: [2, 4]}.get(counts, [2])
    found = rows(
        "SELECT m.held_on, r.starts_at, l.subject, m.status, m.minutes FROM attendance_mark m "
        "JOIN attendance_register r ON r.school_id = m.school_id AND r.id = m.register_id "
        "JOIN timetable_lesson l ON l.school_id = r.school_id AND l.id = r.lesson_id "
        "WHERE m.pupil_id = %s AND m.held_on BETWEEN %s AND %s AND m.status = ANY(%s) ORDER BY r.starts_at",
        [pupil_id, first, last, statuses],
    )
    return [LetterLesson(*row) for row in found]


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A letter in the archive."""

    id: int
    pupil_id: int
    pupil_name: str
    threshold_name: str
    count: int
    number: int
    window_starts_on: date
    created_at: datetime
    created_by: str
    sent_at: datetime | None
    recipients: list[str]


def letters_for(actor: Actor, *, limit: int = 100, offset: int = 0) -> tuple[list[LetterRow], int]:
    """The archive, what is not sent yet first, then the newest; and how many in all."""
    require(actor, OFFICE)
    found = AbsenceLetter.objects.order_by(F("sent_at").desc(nulls_first=True), "-created_at", "-id")
    values = found.values_list(
        "id", "pupil_id", "pupil__given_name", "pupil__preferred_name", "pupil__family_name", "threshold__name", "count",
        "number", "window_starts_on", "created_at", "created_by__given_name", "created_by__family_name", "sent_at",
        "facts",
    )[offset : offset + limit]  # fmt: skip
    return [_letter(row) for row in values], AbsenceLetter.objects.count()


def _letter(row: tuple[Any, ...]) -> LetterRow:
    return LetterRow(
        id=row[0],
        pupil_id=row[1],
        pupil_name=f"{row[3] or row[2]} {row[4]}",
        threshold_name=row[5],
        count=row[6],
        number=row[7],
        window_starts_on=row[8],
        created_at=row[9],
        created_by=f"{row[10] or ''} {row[11] or ''}".strip(),
        sent_at=row[12],
        recipients=[copy["recipient"][0] for copy in row[13]],
    )


def copies_of(actor: Actor, letter_ids: Iterable[int]) -> tuple[list[dict[str, Any]], list[int]]:
    """The copies of these letters as they were written, one a recipient, and the pupils they are about.

    Raises NotFound where one of them does not exist.
    """
    require(actor, OFFICE)
    wanted = sorted(set(letter_ids))
    found = list(AbsenceLetter.objects.filter(pk__in=wanted).order_by("id"))
    if not found or len(found) != len(wanted):
        raise NotFound
    copies = [copy for letter in found for copy in letter.facts]
    if not copies:
        raise NotFound
    return copies, [letter.pupil_id for letter in found]


def school_address(actor: Actor) -> tuple[str, str, str]:
    """The school's postal address, telephone and e-mail, as far as they are known."""
    found = rows("SELECT address, phone, email FROM tenancy_school WHERE id = %s", [actor.place.id])
    return found[0][0], found[0][1], found[0][2]
