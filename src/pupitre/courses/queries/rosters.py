"""The school as a roster is compared with it: what stands in the tables, and what the last roster said."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.conf import settings

from pupitre.courses.models import (
    AcademicSession,
    Class,
    ClassSession,
    Course,
    Enrolment,
    RosterImport,
    RosterMemory,
    RosterRow,
)
from pupitre.courses.rules.facts import Facts, Known, key_of
from pupitre.courses.rules.roster import Kind
from pupitre.kernel.errors import NotFound
from pupitre.kernel.storage import Storage
from pupitre.people.queries.rosters import people_state
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.people.rules.rosters import PeopleState

BIG = 2000


@dataclass(slots=True)
class Present:
    """What stands in the school's tables, by kind and key; `ended` holds the day on which a row ended."""

    rows: dict[Kind, dict[str, Facts]] = field(default_factory=dict)
    ended: dict[Kind, dict[str, str]] = field(default_factory=dict)
    #: Keys of guardianships that a court or the school limits so that nothing of the pupil may be seen.
    barred: set[str] = field(default_factory=set)
    person_ids: dict[str, int] = field(default_factory=dict)
    department_ids: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class LastSaid:
    """What the last roster said, by kind and key. `ended`: the day that stands in the row it ended."""

    rows: dict[Kind, dict[str, Facts]] = field(default_factory=dict)
    ended: dict[Kind, dict[str, str]] = field(default_factory=dict)
    ids: dict[Kind, dict[str, list[str]]] = field(default_factory=dict)


def school_facts(actor: Actor) -> Present:
    """Everything of the school that a roster can tell, ended rows too. For the office. A dozen statements."""
    require(actor, OFFICE)
    present = Present()
    people = people_state(actor)
    _people(people, present)
    _sessions(present)
    _courses(present)
    _classes(present)
    _enrolments(present)
    return present


def _people(state: PeopleState, present: Present) -> None:
    rows, ended = present.rows, present.ended
    rows[Kind.ORGS] = {key: {"name": d.name, "parent": d.parent} for key, d in state.departments.items()}
    present.barred = {key_of(*key) for key in state.barred}
    present.person_ids = {key: person.id for key, person in state.persons.items()}
    present.department_ids = dict(state.department_ids)
    ended[Kind.ORGS] = {key: day.isoformat() for key, day in state.ended_departments.items()}
    rows[Kind.USERS] = {}
    ended[Kind.USERS] = {}
    for key, person in state.persons.items():
        facts = dict(person.values)
        if facts["born_on"] is not None:
            facts["born_on"] = facts["born_on"].isoformat()
        rows[Kind.USERS][key] = facts
        if person.ended_on is not None:
            ended[Kind.USERS][key] = person.ended_on.isoformat()
    ended[Kind.ROLES] = {}
    rows[Kind.ROLES] = {
        key_of(m.person, m.role.value, m.department): {
            "person": m.person,
            "role": m.role.value,
            "department": m.department,
            "roster_role": m.roster_role,
            "is_primary": m.is_primary,
            "starts_on": _iso(m.starts_on),
            "ends_on": _iso(m.ends_on),
        }
        for m in state.memberships.values()
    }
    rows[Kind.GUARDIANSHIPS] = {
        key_of(*key): {
            "pupil": g.pupil,
            "guardian": g.guardian,
            "relation": g.relation.value if g.relation else None,
        }
        for key, g in state.guardianships.items()
    }
    ended[Kind.GUARDIANSHIPS] = {
        key_of(*key): day.isoformat() for key, day in state.ended_guardianships.items()
    }


def _sessions(present: Present) -> None:
    rows, ended = _kind(present, Kind.ACADEMIC_SESSIONS)
    found = AcademicSession.objects.order_by("starts_on", "id").values_list(
        "sourced_id", "title", "kind", "starts_on", "ends_on", "school_year", "parent__sourced_id", "ended_on"
    )
    for key, title, kind, starts_on, ends_on, year, parent, ended_on in found:
        rows[key] = {
            "title": title,
            "type": kind,
            "start_date": starts_on.isoformat(),
            "end_date": ends_on.isoformat(),
            "school_year": year,
            "parent": parent or "",
        }
        _note_end(ended, key, ended_on)


def _courses(present: Present) -> None:
    rows, ended = _kind(present, Kind.COURSES)
    names = ("title", "code", "session", "department", "grades", "subjects", "subject_codes")
    found = Course.objects.order_by("title", "id").values_list(
        *("sourced_id", "ended_on", "title", "code", "session__sourced_id", "department__sourced_id"),
        *("grades", "subjects", "subject_codes"),
    )
    for key, ended_on, *values in found:
        rows[key] = dict(zip(names, values, strict=True))
        rows[key]["session"] = rows[key]["session"] or ""
        rows[key]["department"] = rows[key]["department"] or ""
        _note_end(ended, key, ended_on)


def _classes(present: Present) -> None:
    rows, ended = _kind(present, Kind.CLASSES)
    terms: dict[str, list[str]] = {}
    pairs = ClassSession.objects.values_list("klass__sourced_id", "session__sourced_id")
    for class_key, session_key in pairs:
        terms.setdefault(class_key, []).append(session_key)
    names = ("title", "type", "course", "code", "location", "grades", "subjects", "subject_codes", "periods")
    found = Class.objects.order_by("kind", "title", "id").values_list(
        *("sourced_id", "ended_on", "subject", "title", "kind", "course__sourced_id", "code", "location"),
        *("grades", "subjects", "subject_codes", "periods"),
    )
    for key, ended_on, _subject, *values in found:
        facts = dict(zip(names, values, strict=True))
        facts["course"] = facts["course"] or ""
        facts["terms"] = sorted(terms.get(key, ()))
        rows[key] = facts
        _note_end(ended, key, ended_on)


def _enrolments(present: Present) -> None:
    rows, _ = _kind(present, Kind.ENROLMENTS)
    found = Enrolment.objects.order_by("klass_id", "role", "id").values_list(
        *("klass__sourced_id", "person__sourced_id", "role", "sourced_id", "roster_role", "is_primary"),
        *("begins_on", "ends_on"),
    )
    for klass, person, role, sourced_id, word, is_primary, begins_on, ends_on in found.iterator(BIG):
        rows[key_of(klass, person, role)] = {
            "class": klass,
            "person": person,
            "role": role,
            "sourced_id": sourced_id,
            "roster_role": word,
            "is_primary": is_primary,
            "starts_on": _iso(begins_on),
            "ends_on": _iso(ends_on),
        }


def _kind(present: Present, kind: Kind) -> tuple[dict[str, Facts], dict[str, str]]:
    return present.rows.setdefault(kind, {}), present.ended.setdefault(kind, {})


def _note_end(ended: dict[str, str], key: str, day: date | None) -> None:
    if day is not None:
        ended[key] = day.isoformat()


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def last_said() -> LastSaid:
    """What the rosters imported so far said last about every row."""
    said = LastSaid({k: {} for k in Kind}, {k: {} for k in Kind}, {k: {} for k in Kind})
    memories = list(RosterMemory.objects.values_list("kind", "packed"))
    for name, data in memories:
        kind = Kind(name)
        for key, (says, ended, ids) in unpacked(bytes(data)).items():
            _note_said(said, kind, key, says, ended, ids)
    if not memories:
        rows = RosterRow.objects.values_list("kind", "sourced_id", "facts").iterator(BIG)
        for name, key, row in rows:
            _note_said(said, Kind(name), key, row["says"], row.get("ended"), row.get("ids"))
    return said


def _note_said(
    said: LastSaid, kind: Kind, key: str, says: Facts, ended: str | None, ids: list[str] | None
) -> None:
    said.rows[kind][key] = says
    if ended:
        said.ended[kind][key] = ended
    if ids:
        said.ids[kind][key] = ids


def packed(rows: Mapping[str, tuple[Facts, str | None, list[str]]]) -> bytes:
    """What a roster said of a kind's rows, by key: the facts, the day it ended the row, and the files' identifiers."""
    return zlib.compress(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode(), 1)


def unpacked(data: bytes) -> dict[str, tuple[Facts, str | None, list[str]]]:
    """The reverse of `packed`."""
    rows: dict[str, tuple[Facts, str | None, list[str]]] = json.loads(zlib.decompress(data))
    return rows


def known_to(present: Present, last: LastSaid) -> Known:
    """What a roster may refer to without bringing it along."""
    ids: dict[Kind, Mapping[str, str]] = {}
    for kind in (Kind.ROLES, Kind.ENROLMENTS):
        ids[kind] = {one: key for key, several in last.ids[kind].items() for one in several}
    families = [
        (facts["pupil"], facts["guardian"])
        for key, facts in present.rows[Kind.GUARDIANSHIPS].items()
        if key not in present.ended[Kind.GUARDIANSHIPS]
    ]
    return Known({kind: rows.keys() for kind, rows in present.rows.items()}, ids, families)


# -- imports ----------------------------------------------------------------------------------------------------------


def imports_for(actor: Actor) -> list[RosterImport]:
    """The school's imports, newest first, without their findings and plans. For the office."""
    require(actor, OFFICE)
    return list(
        RosterImport.objects.select_related("uploaded_by")
        .defer("findings", "plan", "choices")
        .order_by("-uploaded_at", "-id")[:200]
    )


def access_import(actor: Actor, import_id: int) -> RosterImport:
    """One import of the actor's school. For the office."""
    require(actor, OFFICE)
    found = RosterImport.objects.select_related("uploaded_by").filter(pk=import_id).first()
    if found is None:
        raise NotFound
    return found


def plan_lines(record: RosterImport, kind: str) -> list[dict[str, Any]]:
    """The rows of a plan's kind, in the order in which they are shown (`rules.preview.lines_of`)."""
    key = record.plan.get("rows", {}).get(kind)
    if key is None:
        return []
    lines: list[dict[str, Any]] = json.loads(zlib.decompress(Storage(settings.CONFIG.storage_url).get(key)))
    return lines


def takes_file(record: RosterImport, kind: str, key: str, field: str) -> bool:
    """Whether the file's word was chosen in a conflict."""
    usual = bool(record.choices.get("take_all"))
    different = field in (record.choices.get("take") or {}).get(kind, {}).get(key, ())
    return different is not usual


def last_digest() -> str:
    """What the last import that was applied came from (`rules.parts.digest_of`), '' where it was an upload."""
    found = (
        RosterImport.objects.filter(state=RosterImport.APPLIED)
        .order_by("-applied_at", "-id")
        .values_list("report__digest", flat=True)
        .first()
    )
    return str(found or "")


def last_choices() -> dict[str, Any]:
    """What was chosen at the last import that was applied: the beginning of the next one."""
    found = (
        RosterImport.objects.filter(state=RosterImport.APPLIED)
        .order_by("-applied_at", "-id")
        .values_list("choices", flat=True)
        .first()
    )
    return dict(found or {})
