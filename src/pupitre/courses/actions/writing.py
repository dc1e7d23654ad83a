"""Carrying out the plan of an import, kind by kind, in the transaction of the action that calls it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from pupitre.courses.actions.groups import follow_homerooms
from pupitre.courses.models import (
    AcademicSession,
    Class,
    ClassSession,
    Course,
    Enrolment,
    RosterMemory,
    RosterRow,
)
from pupitre.courses.queries import rosters as queries
from pupitre.courses.rules.difference import Plan
from pupitre.courses.rules.facts import Facts, Said
from pupitre.courses.rules.planning import Remembered, SchoolPlan, Sides, changed_fields, rows_to_write
from pupitre.courses.rules.roster import Kind
from pupitre.people import actions as people
from pupitre.people.rules import Actor, Relation, Role
from pupitre.people.rules.rosters import DepartmentFacts, GuardianshipFacts, MembershipFacts, PersonFacts
from pupitre.tenancy.bulk import upsert_rows

#: So many rows are written between two looks at the progress.
BATCH = 2000
Tell = Callable[[int, int], None]
T = TypeVar("T")


def in_batches(rows: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Lists of at most `size`."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


@dataclass(slots=True)
class Writing:
    """One import being carried out. `tell(done, total)` hears how far it is."""

    actor: Actor
    plan: SchoolPlan
    said: Said
    sides: Sides
    now: datetime
    today: date
    tell: Tell
    #: Ids by sourcedId; what is written here is added.
    persons: dict[str, int]
    departments: dict[str, int]
    #: The files' identifiers as the last roster had them.
    last_ids: Mapping[Kind, Mapping[str, list[str]]] = field(default_factory=dict)
    total: int = 0
    done: int = 0
    _ids: dict[str, dict[str, int]] = field(default_factory=dict)

    def write(self, remembered: Mapping[Kind, Mapping[str, Remembered]]) -> None:
        """Write everything that the plan says, then what the roster said."""
        self.total = max(self.plan.writes + sum(map(len, remembered.values())), 1)
        self.tell(0, self.total)
        self._departments()
        self._sessions()
        self._persons()
        self._courses()
        self._classes()
        self._memberships()
        self._guardianships()
        self._enrolments()
        if not self.plan.changes_nothing:
            follow_homerooms(everywhere=True)
        self._remember(remembered)

    # -- shared ------------------------------------------------------------------------------------------------------

    @property
    def _school(self) -> int:
        return self.actor.place.id

    @property
    def _yesterday(self) -> date:
        return self.today - timedelta(days=1)

    def _plan(self, kind: Kind) -> Plan:
        return self.plan.plans.get(kind, Plan())

    def _rows(self, kind: Kind) -> dict[str, Facts]:
        return rows_to_write(kind, self._plan(kind), self.sides, self.said)

    def _step(self, rows: int) -> None:
        self.done += rows
        if rows:
            self.tell(min(self.done, self.total), self.total)

    def _counted(self, rows: Iterable[T]) -> Iterator[T]:
        """The rows, telling the progress while they go by."""
        for number, row in enumerate(rows, start=1):
            if number % BATCH == 0:
                self._step(BATCH)
            yield row

    def _upsert(
        self,
        model: Any,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        unique: Sequence[str],
        keep: Sequence[str] = (),
    ) -> None:
        """Add and change rows; those that are there already keep what they have in `keep`."""
        if rows:
            update = [name for name in columns if name not in (*unique, *keep)]
            table, counted = model._meta.db_table, self._counted(rows)
            upsert_rows(table, self._school, columns, counted, unique=unique, update=update)
            self._step(len(rows) % BATCH)

    def _keys(self, model: Any) -> dict[str, int]:
        """The ids of a small kind by sourcedId, read once after it was written."""
        name = model.__name__
        if name not in self._ids:
            self._ids[name] = dict(model.objects.values_list("sourced_id", "id"))
        return self._ids[name]

    def _end(self, model: Any, kind: Kind) -> None:
        for keys in in_batches(self.plan.ends(kind)):
            model.objects.filter(sourced_id__in=keys).update(ended_on=self.today)
            self._step(len(keys))

    # -- people ------------------------------------------------------------------------------------------------------

    def _apply(self, **facts: Any) -> None:
        done = people.apply_people(self.actor, now=self.now, today=self.today, **facts)
        self.persons.update(done.person_ids)
        self.departments.update(done.department_ids)

    def _departments(self) -> None:
        rows, ends = self._rows(Kind.ORGS), self.plan.ends(Kind.ORGS)
        facts = [DepartmentFacts(key, row["name"], row["parent"]) for key, row in rows.items()]
        if facts or ends:
            self._apply(departments=facts, ended_departments=ends)
            self._step(len(facts) + len(ends))

    def _persons(self) -> None:
        rows = changed_fields(Kind.USERS, self._plan(Kind.USERS), self.said)
        for batch in in_batches(rows.items()):
            self._apply(persons=[PersonFacts(key, _person(told)) for key, told in batch])
            self._step(len(batch))
        for keys in in_batches(self.plan.ends(Kind.USERS)):
            self._apply(ended_persons=keys)
            self._step(len(keys))

    def _memberships(self) -> None:
        for batch in in_batches(self._rows(Kind.ROLES).values()):
            self._apply(memberships=[_membership(row) for row in batch])
            self._step(len(batch))
        present = self.sides.present[Kind.ROLES]
        for keys in in_batches(self.plan.ends(Kind.ROLES)):
            rows = [present[key] for key in keys]
            ended = {(row["person"], Role(row["role"]), row["department"]) for row in rows}
            self._apply(ended_memberships=ended)
            self._step(len(keys))

    def _guardianships(self) -> None:
        for batch in in_batches(self._rows(Kind.GUARDIANSHIPS).values()):
            facts = [GuardianshipFacts(r["pupil"], r["guardian"], Relation(r["relation"])) for r in batch]
            self._apply(guardianships=facts)
            self._step(len(batch))
        present = self.sides.present[Kind.GUARDIANSHIPS]
        for keys in in_batches(self.plan.ends(Kind.GUARDIANSHIPS)):
            self._apply(ended_guardianships={(present[k]["pupil"], present[k]["guardian"]) for k in keys})
            self._step(len(keys))

    # -- teaching ----------------------------------------------------------------------------------------------------

    def _sessions(self) -> None:
        rows = self._rows(Kind.ACADEMIC_SESSIONS)
        columns = ("sourced_id", "title", "kind", "school_year", "starts_on", "ends_on", "ended_on")
        values = [
            (key, r["title"], r["type"], r["school_year"], r["start_date"], r["end_date"], None)
            for key, r in rows.items()
        ]
        self._upsert(AcademicSession, columns, values, ("sourced_id",))
        ids = self._keys(AcademicSession)
        # A second round, because a parent may come after its child.
        moved = [
            AcademicSession(pk=ids[key], parent_id=ids[r["parent"]] if r["parent"] else None)
            for key, r in rows.items()
        ]
        AcademicSession.objects.bulk_update(moved, ["parent"], batch_size=BATCH)
        self._end(AcademicSession, Kind.ACADEMIC_SESSIONS)

    def _courses(self) -> None:
        sessions, rows = self._keys(AcademicSession), self._rows(Kind.COURSES)
        columns = (
            *("sourced_id", "title", "code", "session_id", "department_id"),
            *("grades", "subjects", "subject_codes", "ended_on"),
        )
        values = [
            (
                *(key, row["title"], row.get("code", "")),
                sessions.get(row.get("session", "")),
                self.departments.get(row["department"]),
                *(row.get(name, []) for name in ("grades", "subjects", "subject_codes")),
                None,
            )
            for key, row in rows.items()
        ]
        self._upsert(Course, columns, values, ("sourced_id",))
        self._end(Course, Kind.COURSES)

    def _classes(self) -> None:
        rows, courses = self._rows(Kind.CLASSES), self._keys(Course)
        subjects = self._subjects(row.get("course", "") for row in rows.values())
        columns = (
            *("sourced_id", "title", "code", "kind", "course_id", "location"),
            *("grades", "subjects", "subject_codes", "periods", "ended_on", "subject"),
        )
        values = [
            (*self._class_values(key, row, courses), _subject(row, subjects)) for key, row in rows.items()
        ]
        # The subject is what timetables show: a roster proposes it, and what the school makes of it stays.
        self._upsert(Class, columns, values, ("sourced_id",), keep=("subject",))
        self._terms(rows)
        self._end(Class, Kind.CLASSES)

    @staticmethod
    def _class_values(key: str, row: Facts, courses: Mapping[str, int]) -> tuple[Any, ...]:
        lists = ("grades", "subjects", "subject_codes", "periods")
        return (
            *(key, row["title"], row.get("code", ""), row.get("type", "scheduled")),
            *(courses.get(row.get("course", "")), row.get("location", "")),
            *(row.get(name, []) for name in lists),
            None,
        )

    @staticmethod
    def _subjects(keys: Iterable[str]) -> dict[str, str]:
        found = Course.objects.filter(sourced_id__in=list({key for key in keys if key}))
        return {
            key: subjects[0] if subjects else title
            for key, title, subjects in found.values_list("sourced_id", "title", "subjects")
        }

    def _terms(self, rows: Mapping[str, Facts]) -> None:
        classes, sessions = self._keys(Class), self._keys(AcademicSession)
        wanted = {
            (classes[key], sessions[term]) for key, row in rows.items() for term in row.get("terms", ())
        }
        held: dict[tuple[int, int], int] = {}
        for keys in in_batches(rows):
            found = ClassSession.objects.filter(klass_id__in=[classes[key] for key in keys])
            held.update(
                {(row[0], row[1]): row[2] for row in found.values_list("klass_id", "session_id", "id")}
            )
        gone = [pk for pair, pk in held.items() if pair not in wanted]
        ClassSession.objects.filter(pk__in=gone).delete()
        columns = ("class_id", "session_id")
        new = sorted(wanted - held.keys())
        if new:
            table = ClassSession._meta.db_table
            upsert_rows(table, self._school, columns, new, unique=columns, update=())

    def _enrolments(self) -> None:
        rows = self._rows(Kind.ENROLMENTS)
        ends = self.plan.ends(Kind.ENROLMENTS)
        if not rows and not ends:
            return
        classes = self._keys(Class)
        columns = (
            *("class_id", "person_id", "role", "sourced_id", "roster_role", "is_primary"),
            *("begins_on", "ends_on", "origin"),
        )
        values = [
            (
                *(classes[row["class"]], self.persons[row["person"]], row["role"], row["sourced_id"]),
                *(row["roster_role"], bool(row.get("is_primary", False))),
                *(row.get("starts_on"), row.get("ends_on"), Enrolment.FROM_ROSTER),
            )
            for row in rows.values()
        ]
        self._upsert(Enrolment, columns, values, ("class_id", "person_id", "role"), keep=("origin",))
        self._end_enrolments(ends)

    def _end_enrolments(self, keys: Sequence[str]) -> None:
        present, classes = self.sides.present[Kind.ENROLMENTS], self._keys(Class)
        persons = self.persons
        for batch in in_batches(keys):
            wanted = {
                (classes[r["class"]], persons[r["person"]], r["role"])
                for r in (present[key] for key in batch)
            }
            found = Enrolment.objects.filter(person_id__in=[person for _, person, _ in wanted])
            rows = found.values_list("klass_id", "person_id", "role", "id")
            ids = [row[3] for row in rows if (row[0], row[1], row[2]) in wanted]
            Enrolment.objects.filter(pk__in=ids).update(ends_on=self._yesterday)
            self._step(len(batch))

    # -- what the roster said ----------------------------------------------------------------------------------------

    def _remember(self, remembered: Mapping[Kind, Mapping[str, Remembered]]) -> None:
        # A school that was imported into before there was a memory gets one of every kind.
        is_old = RosterRow.objects.exists()
        for kind in Kind:
            several = remembered.get(kind, {})
            if several or (is_old and self.sides.last.get(kind)):
                self._remember_kind(kind, several)
                self._step(len(several))
        if is_old:
            RosterRow.objects.all().delete()

    def _remember_kind(self, kind: Kind, several: Mapping[str, Remembered]) -> None:
        last, ended = self.sides.last.get(kind, {}), self.sides.last_ended.get(kind, {})
        ids = self.last_ids.get(kind, {})
        rows = {key: (says, ended.get(key), ids.get(key, [])) for key, says in last.items()}
        rows.update({key: (row.says, row.ended, row.ids) for key, row in several.items()})
        RosterMemory.objects.update_or_create(
            school_id=self._school, kind=kind.value, defaults={"packed": queries.packed(rows)}
        )


def _person(told: Facts) -> Facts:
    born_on = told.get("born_on")
    return {**told, "born_on": date.fromisoformat(born_on)} if born_on else told


def _membership(row: Facts) -> MembershipFacts:
    return MembershipFacts(
        row["person"],
        Role(row["role"]),
        row["department"],
        row["roster_role"],
        row["is_primary"],
        _day(row["starts_on"]),
        _day(row["ends_on"]),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _subject(row: Facts, subjects: Mapping[str, str]) -> str:
    if row.get("type") == "homeroom":
        return ""
    own = row.get("subjects") or ()
    return str(own[0]) if own else subjects.get(row.get("course", ""), "")
