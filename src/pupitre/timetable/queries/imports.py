"""Uploaded timetables: which there are, what a file says, and what the school has that its names may mean."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from django.conf import settings
from django.db import connection

from pupitre.kernel.errors import NotFound
from pupitre.kernel.storage import Storage
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.timetable.models import TimetableImport
from pupitre.timetable.rules.bell import Period
from pupitre.timetable.rules.fet import read_fet
from pupitre.timetable.rules.file_kinds import foreign_files
from pupitre.timetable.rules.importing import Choices, Known, KnownClass, choices_from
from pupitre.timetable.rules.matching import KnownName
from pupitre.timetable.rules.plan import ImportedTimetable, SourceFile
from pupitre.timetable.rules.timetable_csv import read_csv

from .calendar import plain

_LISTED: Final = 50


def storage() -> Storage:
    """Where uploaded files are kept."""
    return Storage(settings.CONFIG.storage_url)


@dataclass(frozen=True, slots=True)
class ImportRow:
    """An upload in the list."""

    id: int
    file_name: str
    uploaded_at: datetime
    state: int
    applied_at: datetime | None
    by: str
    report: dict[str, Any]

    @property
    def is_applied(self) -> bool:
        return self.state == TimetableImport.APPLIED

    @property
    def is_refused(self) -> bool:
        return self.state == TimetableImport.REFUSED


def imports_for(actor: Actor) -> list[ImportRow]:
    """The latest uploads, newest first."""
    require(actor, OFFICE)
    rows = TimetableImport.objects.order_by("-uploaded_at", "-id").values_list(
        "id", "file_name", "uploaded_at", "state", "applied_at", "uploaded_by__display_name", "report"
    )[:_LISTED]
    return [ImportRow(*row[:5], row[5] or "", row[6]) for row in rows]


def access_import(actor: Actor, import_id: int) -> TimetableImport:
    """An upload, or NotFound."""
    require(actor, OFFICE)
    found = TimetableImport.objects.filter(pk=import_id).first()
    if found is None:
        raise NotFound
    return found


def choices_of(upload: TimetableImport) -> Choices | None:
    """What was chosen for it so far."""
    return choices_from(upload.choices) if upload.choices else None


def choices_before() -> Choices | None:
    """What was chosen when a timetable was last put to use."""
    kept = (
        TimetableImport.objects.filter(state=TimetableImport.APPLIED)
        .order_by("-applied_at")
        .values_list("choices", flat=True)
        .first()
    )
    return choices_from(kept) if kept else None


def plan_of(upload: TimetableImport) -> ImportedTimetable:
    """The upload read again from the files that were kept."""
    store = storage()
    files = [SourceFile(upload.file_name, store.get(upload.file_key))]
    if upload.solution_key:
        files.append(SourceFile(upload.solution_name, store.get(upload.solution_key)))
    return read_timetable(files)


def read_timetable(files: Sequence[SourceFile]) -> ImportedTimetable:
    """The timetable in files of FET or a CSV file, told apart by what is in them. Other files are errors that say so."""
    if foreign := foreign_files(files):
        return ImportedTimetable(findings=foreign)
    if len(files) == 1 and not _is_xml(files[0].content):
        return read_csv(files[0])
    return read_fet(files)


def _is_xml(content: bytes) -> bool:
    return content.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")[:1] == b"<"


_KNOWN: Final = """
SELECT json_build_object(
  'teachers', (SELECT json_agg(json_build_array(p.id::text, p.given_name || ' ' || p.family_name,
                 ARRAY[p.preferred_name || ' ' || p.family_name, p.username, p.identifier, split_part(p.email, '@', 1)])
                 ORDER BY p.family_key, p.id)
               FROM people_person p WHERE p.ended_on IS NULL AND EXISTS (
                 SELECT FROM people_membership m WHERE m.person_id = p.id AND m.role IN (1, 3, 4, 5)
                    AND (m.ends_on IS NULL OR m.ends_on >= %(today)s))),
  'classes', (SELECT json_agg(json_build_array(c.sourced_id, c.title, c.kind, coalesce(nullif(c.subject, ''), k.title, ''), c.code,
                 ARRAY(SELECT h.sourced_id FROM courses_classgroup g JOIN courses_class h ON h.id = g.homeroom_id
                       WHERE g.class_id = c.id)) ORDER BY c.title, c.id)
              FROM courses_class c LEFT JOIN courses_course k ON k.id = c.course_id WHERE c.ended_on IS NULL),
  'rooms', (SELECT json_agg(json_build_array(id::text, name) ORDER BY name) FROM timetable_room WHERE ended_on IS NULL),
  'periods', (SELECT json_agg(json_build_array(p.name, p.starts_at, p.ends_at, p.is_break) ORDER BY p.position)
              FROM timetable_period p JOIN timetable_bellschedule s ON s.id = p.schedule_id WHERE s.is_default))
"""


def known_names(today: date) -> Known:
    """What the school has that the names of a file may mean, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, {"today": today})
        facts = plain(cursor.fetchone()[0])
    classes = facts["classes"] or ()
    subjects = sorted({row[3] for row in classes if row[3]})
    return Known(
        teachers=[
            KnownName(id_, name, tuple(dict.fromkeys(o.strip() for o in others if o.strip())))
            for id_, name, others in facts["teachers"] or ()
        ],
        forms=[
            KnownName(row[0], row[1], (row[4],) if row[4] else ()) for row in classes if row[2] == "homeroom"
        ],
        classes=[
            KnownClass(row[0], row[1], row[3], frozenset(row[5])) for row in classes if row[2] != "homeroom"
        ],
        rooms=[KnownName(id_, name) for id_, name in facts["rooms"] or ()],
        subjects=[KnownName(subject, subject) for subject in subjects],
        periods=[
            Period(name, time.fromisoformat(starts_at), time.fromisoformat(ends_at), is_break)
            for name, starts_at, ends_at, is_break in facts["periods"] or ()
        ],
    )


def usual_start(today: date) -> date:
    """From when a timetable that is uploaded today is likely meant: the next session's first day, or today."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(starts_on) FROM courses_academicsession WHERE ended_on IS NULL AND starts_on > %(today)s "
            "AND starts_on < %(today)s::date + 120 AND NOT EXISTS (SELECT FROM courses_academicsession s "
            "WHERE s.ended_on IS NULL AND s.starts_on <= %(today)s AND s.ends_on >= %(today)s)",
            {"today": today},
        )
        (found,) = cursor.fetchone()
    return found or today


def persons_by_sourced_id(sourced_ids: Collection[str]) -> dict[str, int]:
    """The ids of those persons whom the school has."""
    return _ids("SELECT sourced_id, id FROM people_person WHERE sourced_id = ANY(%s)", sourced_ids)


def classes_by_sourced_id(sourced_ids: Collection[str]) -> dict[str, int]:
    """The ids of those classes that the school has."""
    return _ids("SELECT sourced_id, id FROM courses_class WHERE sourced_id = ANY(%s)", sourced_ids)


def _ids(statement: str, sourced_ids: Collection[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(sourced_ids)])
        return dict(cursor.fetchall())
