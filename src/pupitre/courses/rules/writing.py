"""Writes a roster as OneRoster 1.2 CSV: the files that `read_roster` reads back as the same roster.

Decision on formulas in cells: a value that begins with = + - or @ is written as it is. The binding has no escape, a
quotation mark or an apostrophe before the value would become part of a name or a telephone number in every system that
reads the file, and the round trip must be exact. These files are for machines; exports that people open in a
spreadsheet are other files, written as text cells.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pupitre.courses.rules.oneroster import (
    AGENT_RELATIONS,
    FLAGS,
    MANIFEST_FILES,
    ROLE_GRADE,
    SPECS,
    roles_by_user,
)
from pupitre.courses.rules.roster import (
    Enrolment,
    Guardianship,
    Kind,
    Mode,
    Roster,
    RosterRole,
    User,
    UserRole,
    relation_of,
)

_SPEC_OF = {spec.kind: spec for spec in SPECS.values() if spec.kind is not None}
_KINDS = tuple(_SPEC_OF)
_NOT_IN_1_2 = {"orgSourcedIds", "role"}
_EXTENSIONS = {AGENT_RELATIONS, FLAGS, ROLE_GRADE}

_ROLES = {role.value for role in RosterRole} - {"administrator", "nurse", "staff"}
_ENROLMENT_ROLES = {"administrator", "proctor", "student", "teacher"}
_ORG_TYPES = {"department", "school", "district", "local", "state", "national"}
_SESSION_TYPES = {"gradingPeriod", "semester", "schoolYear", "term"}

Cells = dict[str, str]


def write_oneroster(roster: Roster, *, changed_at: datetime | None = None) -> dict[str, bytes]:
    """The files by name: manifest.csv and one for each kind in roster.modes.

    changed_at: the time that the rows of delta files bear (the format asks for one there; must know its time zone).
    Raises ValueError where the roster cannot be said in OneRoster: a delta without a time, a guardianship whose pupil is
    not among the users.
    """
    if Mode.DELTA in roster.modes.values() and (changed_at is None or changed_at.tzinfo is None):
        raise ValueError("A delta needs the time of its changes, with a time zone.")
    _check_guardianships(roster)
    files = {"manifest.csv": _manifest(roster)}
    stamp = changed_at.isoformat() if changed_at else ""
    for kind in _KINDS:
        if kind in roster.modes:
            files[_SPEC_OF[kind].name] = _file(roster, kind, stamp)
    return files


def _check_guardianships(roster: Roster) -> None:
    users = {user.sourced_id for user in roster.users}
    for guardianship in roster.guardianships:
        if guardianship.pupil not in users:
            raise ValueError(f"The pupil {guardianship.pupil} of a guardianship is not among the users.")


def _manifest(roster: Roster) -> bytes:
    modes = {
        _SPEC_OF[kind].name.removesuffix(".csv"): roster.modes[kind]
        for kind in _KINDS
        if kind in roster.modes
    }
    rows = [("manifest.version", "1.0"), ("oneroster.version", "1.2")]
    rows += [(f"file.{name}", modes.get(name, "absent")) for name in MANIFEST_FILES]
    rows += [("source.systemName", "Pupitre"), ("source.systemCode", "pupitre")]
    return _csv(("propertyName", "value"), rows)


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]] | Iterator[Sequence[str]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode()


def _file(roster: Roster, kind: Kind, stamp: str) -> bytes:
    rows = [_WRITERS.get(kind, _plain)(kind, row, roster) for row in roster.rows(kind)]
    if kind is Kind.USERS:
        _add_agents(rows, roster)
    is_delta = roster.modes[kind] is Mode.DELTA
    used = {name for name in _EXTENSIONS if any(row.get(name) for row in rows)}
    header = [
        column.name
        for column in _SPEC_OF[kind].columns
        if (column.name not in _EXTENSIONS or column.name in used) and not _is_old(kind, column.name)
    ]
    if is_delta:
        for row in rows:
            row.update(status="active", dateLastModified=stamp)
        gone = sorted(roster.tobedeleted.get(kind, ()))
        rows.extend({header[0]: key, "status": "tobedeleted", "dateLastModified": stamp} for key in gone)
    return _csv(header, ([row.get(name, "") for name in header] for row in rows))


def _is_old(kind: Kind, column: str) -> bool:
    return kind is Kind.USERS and column in _NOT_IN_1_2


# -- rows ------------------------------------------------------------------------------------------------------------


def list_cell(items: Sequence[str]) -> str:
    """A list in one cell; an item with a comma or a quotation mark in it stands in quotation marks of its own."""
    return ",".join(f'"{item.replace(chr(34), chr(34) * 2)}"' if _is_tricky(item) else item for item in items)


def _is_tricky(item: str) -> bool:
    return any(character in item for character in ',"\r\n')


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return list_cell(value) if isinstance(value, tuple) else str(value)


def _plain(kind: Kind, row: Any, _roster: Roster) -> Cells:
    cells = {
        column.name: _cell(getattr(row, column.attribute))
        for column in _SPEC_OF[kind].columns
        if column.attribute
    }
    if kind is Kind.ORGS:
        cells["type"] = _extended(cells["type"], _ORG_TYPES)
    elif kind is Kind.ACADEMIC_SESSIONS:
        cells["type"] = _extended(cells["type"], _SESSION_TYPES)
    elif kind is Kind.CLASSES:
        cells["classType"] = _extended(cells["classType"], {"homeroom", "scheduled"})
    return cells


def _extended(word: str, known: set[str]) -> str:
    return word if word in known or not word else f"ext:{word}"


def _user_cells(_kind: Kind, user: User, _roster: Roster) -> Cells:
    cells = {
        column.name: _cell(getattr(user, column.attribute))
        for column in SPECS["users"].columns
        if column.attribute and column.attribute not in {"agents", "orgs", "role", "relations", "user_ids"}
    }
    cells["userIds"] = ",".join(f"{{{kind}:{identifier}}}" for kind, identifier in user.user_ids)
    return cells


def _add_agents(rows: list[Cells], roster: Roster) -> None:
    by_pupil: dict[str, list[Guardianship]] = {}
    for guardianship in roster.guardianships:
        by_pupil.setdefault(guardianship.pupil, []).append(guardianship)
    roles = roles_by_user(roster.roles)
    for row in rows:
        family = by_pupil.get(row["sourcedId"], [])
        row["agentSourcedIds"] = list_cell([guardianship.agent for guardianship in family])
        # The binding tells who belongs to a pupil but not as what; where the agents' roles do not say it either, our
        # own column does.
        if any(g.relation is not relation_of(roles.get(g.agent, frozenset())) for g in family):
            row[AGENT_RELATIONS] = list_cell([guardianship.relation for guardianship in family])


def _role_cells(kind: Kind, role: UserRole, roster: Roster) -> Cells:
    cells = _plain(kind, role, roster)
    cells.update(roleType="primary" if role.primary else "secondary", role=_extended(role.role, _ROLES))
    return cells


def _enrolment_cells(kind: Kind, enrolment: Enrolment, roster: Roster) -> Cells:
    cells = _plain(kind, enrolment, roster)
    cells["role"] = _extended(enrolment.role, _ENROLMENT_ROLES)
    return cells


_WRITERS: Mapping[Kind, Callable[[Kind, Any, Roster], Cells]] = {
    Kind.USERS: _user_cells,
    Kind.ROLES: _role_cells,
    Kind.ENROLMENTS: _enrolment_cells,
}
