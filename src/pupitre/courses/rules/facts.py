"""What a roster says about one school, as the facts that the school itself keeps; and which of its orgs that school is.

Facts are plain values that JSON can hold (dates in ISO form), by kind and by key, so that what the file says, what the
last file said and what stands in the tables can be compared field by field. A person's demographics stand among the
person's facts. Keys of roles, guardianships and enrolments are made of their parts (`key_of`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pupitre.courses.rules import roster as rosters
from pupitre.courses.rules import vocabulary
from pupitre.courses.rules.findings import Finding, FindingCode, Severity
from pupitre.courses.rules.roster import Kind, Mode, Roster, RosterRole
from pupitre.people.rules import Relation, Role

Facts = dict[str, Any]

#: In the order in which rows can be written: each kind names only rows of those before it.
KINDS = (
    Kind.ORGS,
    Kind.ACADEMIC_SESSIONS,
    Kind.COURSES,
    Kind.CLASSES,
    Kind.USERS,
    Kind.ROLES,
    Kind.GUARDIANSHIPS,
    Kind.ENROLMENTS,
)
#: Kinds whose end is a date of their own and not only a mark: a roster may tell that date itself.
DATED = frozenset({Kind.ROLES, Kind.ENROLMENTS})

STUDENT, TEACHER, AIDE = 1, 2, 3
IN_CLASS: Mapping[RosterRole, int] = {
    RosterRole.STUDENT: STUDENT,
    RosterRole.TEACHER: TEACHER,
    RosterRole.AIDE: AIDE,
    RosterRole.ADMINISTRATOR: AIDE,
    RosterRole.PRINCIPAL: AIDE,
    RosterRole.PROCTOR: AIDE,
    RosterRole.COUNSELOR: AIDE,
    RosterRole.NURSE: AIDE,
    RosterRole.STAFF: AIDE,
}
# Whoever works for a district has no part in a school's life; what such a role may do here is given by hand.
IN_SCHOOL: Mapping[RosterRole, Role] = {
    RosterRole.STUDENT: Role.PUPIL,
    RosterRole.TEACHER: Role.TEACHER,
    RosterRole.AIDE: Role.AIDE,
    RosterRole.STAFF: Role.AIDE,
    RosterRole.PROCTOR: Role.AIDE,
    RosterRole.PRINCIPAL: Role.HEAD,
    RosterRole.ADMINISTRATOR: Role.SECRETARY,
    RosterRole.SITE_ADMINISTRATOR: Role.SECRETARY,
    RosterRole.COUNSELOR: Role.COUNSELLOR,
    RosterRole.NURSE: Role.NURSE,
    RosterRole.SYSTEM_ADMINISTRATOR: Role.TECHNICIAN,
    RosterRole.GUARDIAN: Role.GUARDIAN,
    RosterRole.PARENT: Role.GUARDIAN,
    RosterRole.RELATIVE: Role.GUARDIAN,
}
#: The roster's word for a role that was given by hand, or whose own word says no more.
WORD_OF: Mapping[Role, RosterRole] = {
    Role.PUPIL: RosterRole.STUDENT,
    Role.TEACHER: RosterRole.TEACHER,
    Role.AIDE: RosterRole.AIDE,
    Role.HEAD: RosterRole.PRINCIPAL,
    Role.SECRETARY: RosterRole.SITE_ADMINISTRATOR,
    Role.COUNSELLOR: RosterRole.COUNSELOR,
    Role.NURSE: RosterRole.NURSE,
    Role.GUARDIAN: RosterRole.GUARDIAN,
    Role.INSPECTOR: RosterRole.DISTRICT_ADMINISTRATOR,
    Role.TECHNICIAN: RosterRole.SYSTEM_ADMINISTRATOR,
    Role.FLEET_MANAGER: RosterRole.DISTRICT_ADMINISTRATOR,
}
WORD_IN_CLASS = {STUDENT: RosterRole.STUDENT, TEACHER: RosterRole.TEACHER, AIDE: RosterRole.AIDE}
# A carer or a doctor of the pupil is no guardian: she would be told of absences and see the record.
_FAMILY: Mapping[rosters.Relation, Relation] = {
    rosters.Relation.PARENT: Relation.GUARDIAN,
    rosters.Relation.MOTHER: Relation.MOTHER,
    rosters.Relation.FATHER: Relation.FATHER,
    rosters.Relation.GUARDIAN: Relation.GUARDIAN,
    rosters.Relation.RELATIVE: Relation.RELATIVE,
    rosters.Relation.OTHER: Relation.OTHER,
}
RELATION_OF: Mapping[Relation, rosters.Relation] = {
    Relation.MOTHER: rosters.Relation.MOTHER,
    Relation.FATHER: rosters.Relation.FATHER,
    Relation.GUARDIAN: rosters.Relation.GUARDIAN,
    Relation.GRANDPARENT: rosters.Relation.RELATIVE,
    Relation.RELATIVE: rosters.Relation.RELATIVE,
    Relation.OTHER: rosters.Relation.OTHER,
}
_SEXES = {"female": 1, "male": 2, "other": 3}
SEX_WORDS = {number: word for word, number in _SEXES.items()}

_PERSON_COLUMNS: Mapping[str, str] = {
    "identifier": "identifier",
    "username": "username",
    "given_name": "given_name",
    "middle_name": "middle_name",
    "family_name": "family_name",
    "preferred_given_name": "preferred_name",
    "email": "email",
    "phone": "phone",
    "sms": "sms",
}
SEPARATOR = "\x1f"


def key_of(*parts: object) -> str:
    """The key of a row that is known by several things; a control character no file can hold in a cell joins them."""
    return SEPARATOR.join(str(part) for part in parts)


# -- which orgs are this school ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrgOption:
    """An org of the file that may be this school, with the number of people who have a role in it or under it."""

    sourced_id: str
    name: str
    type: str
    people: int


def org_options(roster: Roster) -> tuple[OrgOption, ...]:
    """The orgs among which the user chooses: those that teach, or all where none says that it does."""
    teaching = [org for org in roster.orgs if org.type in vocabulary.TEACHING_ORGS] or list(roster.orgs)
    people: Counter[str] = Counter()
    parents = {org.sourced_id: org.parent for org in roster.orgs}
    wanted = {org.sourced_id for org in teaching}
    for _, org in {(role.user, _climb(role.org, parents, wanted)) for role in roster.roles}:
        people[org] += 1
    return tuple(OrgOption(org.sourced_id, org.name, org.type, people[org.sourced_id]) for org in teaching)


def _climb(org: str, parents: Mapping[str, str], wanted: Collection[str]) -> str:
    seen: set[str] = set()
    while org and org not in wanted and org not in seen:
        seen.add(org)
        org = parents.get(org, "")
    return org


def likely_orgs(roster: Roster, names: Collection[str]) -> frozenset[str]:
    """The orgs that are this school where nobody chose: the one that bears its name or code, else all that teach.

    `names` are the school's own sourcedId, code and name. More than one in the answer should be shown before it is used.
    """
    options = org_options(roster)
    known = {vocabulary.fold(name) for name in names if name}
    identifiers = {org.sourced_id: org.identifier for org in roster.orgs}
    for option in options:
        if {
            vocabulary.fold(w) for w in (option.sourced_id, option.name, identifiers[option.sourced_id]) if w
        } & known:
            return frozenset({option.sourced_id})
    return frozenset(option.sourced_id for option in options)


# -- what the roster says about it ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Said:
    """What the files say about one school. `ids`: the files' own identifiers of rows that are known by their parts.

    ended: keys that a delta ends. moved: keys of rows whose identifier now stands on another key (delta).
    """

    rows: dict[Kind, dict[str, Facts]] = field(default_factory=dict)
    modes: dict[Kind, Mode] = field(default_factory=dict)
    ended: dict[Kind, set[str]] = field(default_factory=dict)
    ids: dict[Kind, dict[str, list[str]]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity is Severity.ERROR]


@dataclass(frozen=True, slots=True)
class Known:
    """What the school knows already: keys of living and ended rows by kind, and those whose files' identifiers it keeps.

    ids: the files' identifier -> key, of roles and enrolments. families: (pupil, guardian) that have not ended.
    """

    keys: Mapping[Kind, Collection[str]] = field(default_factory=dict)
    ids: Mapping[Kind, Mapping[str, str]] = field(default_factory=dict)
    families: Collection[tuple[str, str]] = ()


def said_about(
    roster: Roster, orgs: Collection[str], known: Known, today: date, *, is_part: bool = False
) -> Said:
    """The facts of the school that these orgs of the roster are. Nothing is left out without a finding that counts it.

    `is_part`: the roster is a share of a larger one, so that not everybody in it is of this school.
    """
    return _Saying(roster, frozenset(orgs), known, today, is_part=is_part).said()


class _Saying:
    def __init__(
        self, roster: Roster, orgs: frozenset[str], known: Known, today: date, *, is_part: bool
    ) -> None:
        self.roster, self.chosen, self.known, self.today = roster, orgs, known, today
        self.out, self.is_part = Said(), is_part
        self.elsewhere: Counter[Kind] = Counter()
        options = {option.sourced_id for option in org_options(roster)}
        #: Whether every school of the files is this one, so that nothing can be another's.
        self.whole = options <= orgs and not is_part
        self.departments = self._departments()
        self._grades: dict[str, str] = {}

    def said(self) -> Said:
        for kind, write in (
            (Kind.ORGS, self._orgs),
            (Kind.CLASSES, self._classes),
            (Kind.COURSES, self._courses),
            (Kind.ACADEMIC_SESSIONS, self._sessions),
            (Kind.ROLES, self._roles),
            (Kind.ENROLMENTS, self._enrolments),
            (Kind.GUARDIANSHIPS, self._guardianships),
            (Kind.USERS, self._users),
        ):
            if kind in self.roster.modes:
                self.out.modes[kind] = self.roster.modes[kind]
                self.out.rows[kind] = {}
                self.out.ended[kind] = set(self.roster.tobedeleted.get(kind, ()))
                write()
        self._demographics()
        self._guardians_roles()
        self._end_by_identifier()
        # Of a share, what belongs to other schools says nothing about the files.
        for kind, count in () if self.is_part else self.elsewhere.items():
            self._note(FindingCode.ROWS_ELSEWHERE, value=kind.value, count=count)
        return self.out

    def _note(self, code: FindingCode, severity: Severity = Severity.NOTE, **facts: Any) -> None:
        params = {
            name: facts.pop(name) for name in list(facts) if name not in {"file", "line", "column", "value"}
        }
        self.out.findings.append(Finding(severity, code, **facts, params=params))

    def _departments(self) -> frozenset[str]:
        """The orgs below the chosen ones that are no schools themselves, and the school's own departments."""
        parents = {org.sourced_id: org.parent for org in self.roster.orgs}
        schools = {org.sourced_id for org in self.roster.orgs if org.type in vocabulary.TEACHING_ORGS}
        stops = self.chosen | schools
        found = {
            key for key in parents if key not in stops and _climb(parents[key], parents, stops) in self.chosen
        }
        return frozenset(found | set(self.known.keys.get(Kind.ORGS, ())))

    def _is_ours(self, org: str) -> bool:
        return not org or org in self.chosen or org in self.departments or not self._names_orgs

    @property
    def _names_orgs(self) -> bool:
        return bool(self.chosen)

    def _department(self, org: str) -> str:
        return org if org in self.departments else ""

    def _known(self, kind: Kind, key: str) -> bool:
        return key in self.out.rows.get(kind, ()) or key in self.known.keys.get(kind, ())

    # -- the school and its teaching ----------------------------------------------------------------------------------

    def _orgs(self) -> None:
        rows = self.out.rows[Kind.ORGS]
        for org in self.roster.orgs:
            if org.sourced_id in self.departments:
                rows[org.sourced_id] = {"name": org.name, "parent": self._department(org.parent)}

    def _classes(self) -> None:
        rows, told = self.out.rows[Kind.CLASSES], self.roster.fields.get(Kind.CLASSES, frozenset())
        for row in self.roster.classes:
            if not self._is_ours(row.school):
                self.elsewhere[Kind.CLASSES] += 1
                continue
            facts: Facts = {"title": row.title}
            facts.update(
                {name: getattr(row, name) for name in ("code", "location", "course") if name in told}
            )
            for name in ("grades", "subjects", "subject_codes", "periods"):
                if name in told:
                    facts[name] = list(getattr(row, name))
            if "terms" in told:
                facts["terms"] = sorted(set(row.terms))
            if "type" in told:
                facts["type"] = "homeroom" if row.type == "homeroom" else "scheduled"
            rows[row.sourced_id] = facts

    def _courses(self) -> None:
        rows, told = self.out.rows[Kind.COURSES], self.roster.fields.get(Kind.COURSES, frozenset())
        used = {facts.get("course") for facts in self.out.rows.get(Kind.CLASSES, {}).values()}
        if self.roster.modes[Kind.COURSES] is Mode.DELTA:
            used.update(self.known.keys.get(Kind.COURSES, ()))
        for row in self.roster.courses:
            if not self._is_ours(row.org) and row.sourced_id not in used:
                self.elsewhere[Kind.COURSES] += 1
                continue
            facts: Facts = {"title": row.title, "department": self._department(row.org)}
            if "code" in told:
                facts["code"] = row.code
            if "school_year" in told:
                facts["session"] = row.school_year
            for name in ("grades", "subjects", "subject_codes"):
                if name in told:
                    facts[name] = list(getattr(row, name))
            rows[row.sourced_id] = facts

    def _sessions(self) -> None:
        rows = self.out.rows[Kind.ACADEMIC_SESSIONS]
        by_key = {row.sourced_id: row for row in self.roster.academic_sessions}
        wanted = by_key.keys() if self.whole else self._sessions_in_use(by_key)
        for key, row in by_key.items():
            if key in wanted:
                rows[key] = self._session(row)
            else:
                self.elsewhere[Kind.ACADEMIC_SESSIONS] += 1

    def _sessions_in_use(self, by_key: Mapping[str, rosters.AcademicSession]) -> set[str]:
        is_delta = self.roster.modes[Kind.ACADEMIC_SESSIONS] is Mode.DELTA
        used = set(self.known.keys.get(Kind.ACADEMIC_SESSIONS, ())) if is_delta else set()
        for facts in self.out.rows.get(Kind.CLASSES, {}).values():
            used.update(facts.get("terms", ()))
        used.update(facts.get("session", "") for facts in self.out.rows.get(Kind.COURSES, {}).values())
        todo = list(used)
        while todo:
            row = by_key.get(todo.pop())
            if row is not None and row.parent and row.parent not in used:
                used.add(row.parent)
                todo.append(row.parent)
        return used

    def _session(self, row: rosters.AcademicSession) -> Facts:
        year = school_year_of(row, self.today)
        start, end = row.start_date, row.end_date
        if start is None or end is None:
            place = self.roster.place(Kind.ACADEMIC_SESSIONS, row.sourced_id)
            where = {"file": place.file, "line": place.line} if place else {}
            self._note(FindingCode.SESSION_DATES_ASSUMED, Severity.WARNING, value=row.title, **where)
            start, end = start or date(year - 1, 8, 1), end or date(year, 7, 31)
        return {
            "title": row.title,
            "type": row.type,
            "start_date": start.isoformat(),
            "end_date": max(start, end).isoformat(),
            "school_year": year,
            "parent": row.parent,
        }

    # -- people -------------------------------------------------------------------------------------------------------

    def _roles(self) -> None:
        self.out.ids[Kind.ROLES] = {}
        grades = "grade" in self.roster.fields.get(Kind.ROLES, ())
        left_out: Counter[RosterRole] = Counter()
        for row in self.roster.roles:
            if not self._is_ours(row.org):
                self.elsewhere[Kind.ROLES] += 1
            elif row.role not in IN_SCHOOL:
                left_out[row.role] += 1
            else:
                self._role(row)
                if grades and row.grade and row.role is RosterRole.STUDENT:
                    self._grades[row.user] = row.grade
        for role, count in left_out.items():
            self._note(FindingCode.ROLE_NOT_GRANTED, Severity.WARNING, value=role.value, count=count)

    def _role(self, row: rosters.UserRole) -> None:
        role = IN_SCHOOL[row.role]
        key = key_of(row.user, role.value, self._department(row.org))
        facts: Facts = {
            "person": row.user,
            "role": role.value,
            "department": self._department(row.org),
            "roster_role": "" if WORD_OF[role] is row.role else row.role.value,
            "is_primary": row.primary,
            "starts_on": _iso(row.begin_date),
            "ends_on": _iso(row.end_date),
        }
        self._keep_latest(Kind.ROLES, key, facts, row.sourced_id)

    def _keep_latest(self, kind: Kind, key: str, facts: Facts, sourced_id: str) -> None:
        """Several rows about the same thing (a pupil who left and came back) are one here: the one that ends last."""
        rows, before = self.out.rows[kind], self.out.rows[kind].get(key)
        self.out.ids[kind].setdefault(key, []).append(sourced_id)
        if before is None or _rank(before) < _rank(facts):
            rows[key] = facts

    def _enrolments(self) -> None:
        self.out.ids[Kind.ENROLMENTS] = {}
        told = self.roster.fields.get(Kind.ENROLMENTS, frozenset())
        classes, known = self.out.rows.get(Kind.CLASSES, {}), self.known.keys.get(Kind.CLASSES, ())
        left_out: Counter[RosterRole] = Counter()
        for row in self.roster.enrolments:
            if row.class_ not in classes and row.class_ not in known:
                self._enrolment_elsewhere(row)
            elif row.role not in IN_CLASS:
                left_out[row.role] += 1
            else:
                self._enrolment(row, told)
        for role, count in left_out.items():
            self._note(FindingCode.ENROLMENT_NOT_KEPT, Severity.WARNING, value=role.value, count=count)

    def _enrolment_elsewhere(self, row: rosters.Enrolment) -> None:
        if (
            Kind.CLASSES in self.roster.modes and self.roster.place(Kind.CLASSES, row.class_) is not None
        ) or (row.school and not self._is_ours(row.school)):
            self.elsewhere[Kind.ENROLMENTS] += 1
        else:
            self._orphan(Kind.ENROLMENTS, row.sourced_id, "classSourcedId", row.class_)

    def _orphan(self, kind: Kind, key: str, column: str, value: str) -> None:
        place = self.roster.place(kind, key)
        where = {"file": place.file, "line": place.line} if place else {}
        self._note(FindingCode.NOT_IN_SCHOOL, Severity.ERROR, column=column, value=value, **where)

    def _enrolment(self, row: rosters.Enrolment, told: Collection[str]) -> None:
        role = IN_CLASS[row.role]
        facts: Facts = {
            "class": row.class_,
            "person": row.user,
            "role": role,
            "sourced_id": row.sourced_id,
            "roster_role": "" if WORD_IN_CLASS[role] is row.role else row.role.value,
        }
        if "primary" in told:
            facts["is_primary"] = bool(row.primary)
        if "begin_date" in told:
            facts["starts_on"] = _iso(row.begin_date)
        if "end_date" in told:
            facts["ends_on"] = _iso(row.end_date)
        self._keep_latest(Kind.ENROLMENTS, key_of(row.class_, row.user, role), facts, row.sourced_id)

    def _guardianships(self) -> None:
        rows = self.out.rows[Kind.GUARDIANSHIPS]
        left_out: Counter[rosters.Relation] = Counter()
        for row in self.roster.guardianships:
            if row.relation not in _FAMILY:
                left_out[row.relation] += 1
                continue
            facts: Facts = {
                "pupil": row.pupil,
                "guardian": row.agent,
                "relation": _FAMILY[row.relation].value,
            }
            rows[key_of(row.pupil, row.agent)] = facts
        self.out.ended[Kind.GUARDIANSHIPS] = {
            key_of(*key.split(":", 1)) for key in self.out.ended[Kind.GUARDIANSHIPS]
        }
        for relation, count in left_out.items():
            self._note(FindingCode.RELATION_NOT_KEPT, Severity.WARNING, value=relation.value, count=count)

    def _users(self) -> None:
        rows, told = self.out.rows[Kind.USERS], self.roster.fields.get(Kind.USERS, frozenset())
        ours = None if self.whole else self._ours()
        columns = [(name, column) for name, column in _PERSON_COLUMNS.items() if name in told]
        grades = self._grades
        for row in self.roster.users:
            if ours is not None and row.sourced_id not in ours:
                self.elsewhere[Kind.USERS] += 1
                continue
            facts: Facts = {column: getattr(row, name) for name, column in columns}
            if "grades" in told:
                facts["grade"] = ",".join(row.grades)
            if row.sourced_id in grades and not facts.get("grade"):
                facts["grade"] = grades[row.sourced_id]
            rows[row.sourced_id] = facts
        self._only_known_people(ours)

    def _ours(self) -> set[str]:
        """Who has a part in this school: a role, a class, a pupil; or whom it knows."""
        complete = all(self.roster.modes.get(kind) is Mode.BULK for kind in (Kind.USERS, Kind.ROLES))
        ours = set() if complete else set(self.known.keys.get(Kind.USERS, ()))
        for kind in (Kind.ROLES, Kind.ENROLMENTS):
            ours.update(facts["person"] for facts in self.out.rows.get(kind, {}).values())
        pupils = set(ours)
        for facts in self.out.rows.get(Kind.GUARDIANSHIPS, {}).values():
            if facts["pupil"] in pupils:
                ours.add(facts["guardian"])
        return ours

    def _only_known_people(self, ours: set[str] | None) -> None:
        """Families of other schools' pupils go with them."""
        families = self.out.rows.get(Kind.GUARDIANSHIPS)
        if ours is None or not families:
            return
        for key in [key for key, facts in families.items() if facts["pupil"] not in ours]:
            self.elsewhere[Kind.GUARDIANSHIPS] += 1
            del families[key]

    def _demographics(self) -> None:
        if Kind.DEMOGRAPHICS not in self.roster.modes:
            return
        if Kind.USERS not in self.out.modes:
            self.out.modes[Kind.USERS] = Mode.DELTA
            self.out.rows[Kind.USERS], self.out.ended[Kind.USERS] = {}, set()
        rows, known = self.out.rows[Kind.USERS], self.known.keys.get(Kind.USERS, ())
        told = self.roster.fields.get(Kind.DEMOGRAPHICS, frozenset())
        for row in self.roster.demographics:
            if row.user in rows or row.user in known:
                rows.setdefault(row.user, {}).update(_birth(row, told))
            else:
                self.elsewhere[Kind.DEMOGRAPHICS] += 1

    def _guardians_roles(self) -> None:
        """Formats that know families by relationships give guardians no role of their own: being one is it."""
        if self.out.rows.get(Kind.GUARDIANSHIPS) is None and Kind.ROLES not in self.out.modes:
            return
        if Kind.ROLES not in self.out.modes:
            self.out.modes[Kind.ROLES] = Mode.DELTA
            self.out.rows[Kind.ROLES], self.out.ended[Kind.ROLES] = {}, set()
        rows = self.out.rows[Kind.ROLES]
        guardians = {facts["guardian"] for facts in self.out.rows.get(Kind.GUARDIANSHIPS, {}).values()}
        if self.roster.modes.get(Kind.GUARDIANSHIPS) is not Mode.BULK:
            guardians.update(guardian for _, guardian in self.known.families)
        have = {facts["person"] for facts in rows.values() if facts["role"] == Role.GUARDIAN.value}
        for person in sorted(guardians - have):
            key = key_of(person, Role.GUARDIAN.value, "")
            if self.out.modes[Kind.ROLES] is Mode.DELTA and key in self.known.keys.get(Kind.ROLES, ()):
                continue
            rows[key] = {
                "person": person,
                "role": Role.GUARDIAN.value,
                "department": "",
                "roster_role": "",
                "is_primary": True,
                "starts_on": None,
                "ends_on": None,
            }

    def _end_by_identifier(self) -> None:
        """A delta ends roles and enrolments by the files' identifiers, and may put one on another person or class."""
        for kind in (Kind.ROLES, Kind.ENROLMENTS):
            if kind not in self.out.modes:
                continue
            known = self.known.ids.get(kind, {})
            self.out.ended[kind] = {known[key] for key in self.out.ended[kind] if key in known}
            if self.out.modes[kind] is Mode.DELTA:
                for key, ids in self.out.ids.get(kind, {}).items():
                    self.out.ended[kind].update(known[i] for i in ids if known.get(i, key) != key)
                self.out.ended[kind] -= self.out.rows[kind].keys()
        self._check_people()

    def _check_people(self) -> None:
        """What names a person whom neither the files nor the school know is refused, with its place."""
        for kind, column in ((Kind.ROLES, "userSourcedId"), (Kind.ENROLMENTS, "userSourcedId")):
            ids = self.out.ids.get(kind, {})
            for key, facts in self.out.rows.get(kind, {}).items():
                if not self._known(Kind.USERS, facts["person"]):
                    self._orphan(kind, ids.get(key, [""])[0], column, facts["person"])
        for key, facts in self.out.rows.get(Kind.GUARDIANSHIPS, {}).items():
            for name in ("pupil", "guardian"):
                if not self._known(Kind.USERS, facts[name]):
                    self._orphan(
                        Kind.GUARDIANSHIPS, key.replace(SEPARATOR, ":"), "userSourcedId", facts[name]
                    )
        self._check_teaching()

    def _check_teaching(self) -> None:
        for key, facts in self.out.rows.get(Kind.CLASSES, {}).items():
            if facts.get("course") and not self._known(Kind.COURSES, facts["course"]):
                self._orphan(Kind.CLASSES, key, "courseSourcedId", facts["course"])
            for term in facts.get("terms", ()):
                if not self._known(Kind.ACADEMIC_SESSIONS, term):
                    self._orphan(Kind.CLASSES, key, "termSourcedIds", term)
        for key, facts in self.out.rows.get(Kind.COURSES, {}).items():
            if facts.get("session") and not self._known(Kind.ACADEMIC_SESSIONS, facts["session"]):
                self._orphan(Kind.COURSES, key, "schoolYearSourcedId", facts["session"])
        for key, facts in self.out.rows.get(Kind.ACADEMIC_SESSIONS, {}).items():
            if facts["parent"] and not self._known(Kind.ACADEMIC_SESSIONS, facts["parent"]):
                self._orphan(Kind.ACADEMIC_SESSIONS, key, "parentSourcedId", facts["parent"])


def school_year_of(row: rosters.AcademicSession, today: date) -> int:
    """The calendar year in which the session's school year ends; from its dates where the file does not say it."""
    years: Iterable[str] = re.findall(r"(?<!\d)(?:19|20|21)\d\d(?!\d)", row.school_year)
    told = [int(year) for year in years]
    if told:
        short = re.search(r"\d{4}\s*[-/]\s*(\d\d)$", row.school_year)
        return told[-1] + 1 if short and int(short[1]) == (told[-1] + 1) % 100 else told[-1]
    last = row.end_date or today
    return last.year if row.end_date or last.month < 8 else last.year + 1


def _birth(row: rosters.Demographics, told: Collection[str]) -> Facts:
    facts: Facts = {}
    if "birth_date" in told:
        facts["born_on"] = _iso(row.birth_date)
    if "sex" in told:
        facts["sex"] = _SEXES.get(row.sex)
    if "birth_city" in told:
        facts["birth_place"] = ", ".join(filter(None, (row.birth_city, row.birth_state)))
    if "birth_country" in told:
        facts["birth_country"] = row.birth_country
    return facts


def _rank(facts: Facts) -> tuple[bool, str, bool]:
    ends = facts.get("ends_on")
    return (ends is None, ends or "", bool(facts.get("is_primary")))


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
