"""Policies, their versions and assignments, for who cares for devices."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from pupitre.courses import queries as courses
from pupitre.devices.models import Application, Assignment, Device, Policy, PolicyVersion
from pupitre.devices.rules import CARES, Level
from pupitre.kernel.errors import NotFound
from pupitre.people import queries as people
from pupitre.people.rules import Actor, Role, require
from pupitre.tenancy import queries as tenancy

#: So many applications a form offers at most; others are typed.
_OFFERED: Final = 60


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose policies somebody makes: a school's, or (school None) those of an authority for all its schools."""

    authority_id: int
    school_id: int | None

    @property
    def level(self) -> Level:
        return Level.AUTHORITY if self.school_id is None else Level.SCHOOL

    @property
    def whom(self) -> int:
        return self.authority_id if self.school_id is None else self.school_id

    @property
    def own(self) -> Q:
        """The rows that are the owner's to write."""
        mine = Q(school_id__isnull=True) if self.school_id is None else Q(school_id=self.school_id)
        return mine & Q(authority_id=self.authority_id)


def owner_for(actor: Actor) -> Owner:
    """Whose policies the actor cares for. Raises Denied, NotFound."""
    if actor.school is not None:
        require(actor, CARES)
        return Owner(actor.school.authority_id, actor.school.id)
    if Role.FLEET_MANAGER not in actor.authority_roles:
        raise NotFound
    return Owner(actor.authority_id, None)


def _seen(owner: Owner, rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """The owner's own and, for a school, its authority's: an authority's scope also sees what its schools made."""
    own = Q(school_id__isnull=True)
    if owner.school_id is not None:
        own |= Q(school_id=owner.school_id)
    found: QuerySet[Any] = rows.filter(own, authority_id=owner.authority_id)
    return found


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """A policy as a list shows it. `is_own` where the actor may change it."""

    id: int
    name: str
    notes: str
    version: int
    settings: int
    made_at: datetime
    made_by: str
    assignments: int
    is_own: bool
    archived_at: datetime | None


def policies_for(actor: Actor, *, archived: bool = False) -> list[PolicyLine]:
    """The actor's policies and those of the authority above, by name. Two statements."""
    owner = owner_for(actor)
    policies = _seen(owner, Policy.objects.all()).filter(archived_at__isnull=not archived)
    current = PolicyVersion.objects.filter(
        authority_id=owner.authority_id, policy_id=OuterRef("pk"), number=OuterRef("current")
    )
    given = (
        _seen(owner, Assignment.objects.filter(ended_at__isnull=True))
        .values("policy_id")
        .annotate(number=Count("pk"))
        .values_list("policy_id", "number")
    )
    numbers = dict(given)
    rows = policies.annotate(
        document=Subquery(current.values("document")[:1]),
        made_at=Subquery(current.values("made_at")[:1]),
        made_by=Subquery(current.values("made_by__display_name")[:1]),
    ).order_by(F("school_id").asc(nulls_last=True), "name", "id")
    return [
        PolicyLine(
            row.pk,
            row.name,
            row.notes,
            row.current,
            len(row.document.get("settings", {})),
            row.made_at,
            row.made_by or "",
            numbers.get(row.pk, 0),
            row.school_id == owner.school_id,
            row.archived_at,
        )
        for row in rows
    ]


def access_policy(actor: Actor, policy_id: int) -> Policy:
    """A policy of the actor's or of the authority above, archived or not. Raises NotFound."""
    found: Policy | None = _seen(owner_for(actor), Policy.objects.all()).filter(pk=policy_id).first()
    if found is None:
        raise NotFound
    return found


def versions_of(policy: Policy) -> list[PolicyVersion]:
    """What the policy said, the newest first, with who made it."""
    found = PolicyVersion.objects.select_related("made_by").filter(
        authority_id=policy.authority_id, policy_id=policy.pk
    )
    return list(found.order_by("-number"))


def document_of(policy: Policy) -> dict[str, Any]:
    """What the policy says now, secrets sealed."""
    found = PolicyVersion.objects.filter(
        authority_id=policy.authority_id, policy_id=policy.pk, number=policy.current
    )
    document: dict[str, Any] = found.values_list("document", flat=True)[0]
    return document


@dataclass(frozen=True, slots=True)
class AssignmentLine:
    """To whom a policy is given, by name. A school's page shows what the authority gave, too (`is_own` False)."""

    id: int
    policy_id: int
    policy: str
    level: Level
    whom: int
    name: str
    platform: int | None
    rank: int
    starts_on: date | None
    ends_on: date | None
    made_at: datetime
    made_by: str
    is_own: bool


def assignments_for(actor: Actor, *, policy_id: int | None = None) -> list[AssignmentLine]:
    """What is given to whom and was not taken back, wide to narrow. A constant number of statements."""
    owner = owner_for(actor)
    found = _seen(owner, Assignment.objects.filter(ended_at__isnull=True, policy__archived_at__isnull=True))
    if owner.school_id is not None:
        found = found.filter(
            Q(school_id=owner.school_id)
            | Q(level=Level.AUTHORITY)
            | Q(level=Level.SCHOOL, whom=owner.school_id)
        )
    if policy_id is not None:
        found = found.filter(policy_id=policy_id)
    rows = list(
        found.order_by("level", "-rank", "id").values_list(
            "id",
            "policy_id",
            "policy__name",
            "level",
            "whom",
            "platform",
            "rank",
            "starts_on",
            "ends_on",
            "made_at",
            "made_by__display_name",
            "school_id",
        )
    )
    names = names_of(owner, [(Level(row[3]), row[4]) for row in rows])
    return [
        AssignmentLine(
            id=row[0],
            policy_id=row[1],
            policy=row[2],
            level=Level(row[3]),
            whom=row[4],
            name=names.get((Level(row[3]), row[4]), ""),
            platform=row[5],
            rank=row[6],
            starts_on=row[7],
            ends_on=row[8],
            made_at=row[9],
            made_by=row[10] or "",
            is_own=row[11] == owner.school_id,
        )
        for row in rows
    ]


def names_of(owner: Owner, whoms: Iterable[tuple[Level, int]]) -> dict[tuple[Level, int], str]:
    """What those are called: authority, schools, classes, persons and devices; one statement a level."""
    wanted: dict[Level, set[int]] = {}
    for level, whom in whoms:
        wanted.setdefault(level, set()).add(whom)
    found: dict[tuple[Level, int], str] = {}
    for level, ids in wanted.items():
        found |= {(level, whom): name for whom, name in _NAMES[level](owner, ids).items()}
    return found


def _authority_name(owner: Owner, _: set[int]) -> dict[int, str]:
    return {owner.authority_id: tenancy.access_authority(owner.authority_id).name}


def _school_names(owner: Owner, ids: set[int]) -> dict[int, str]:
    if ids == {owner.school_id}:
        return {one: tenancy.school_by_id(one).name for one in ids}
    return {school.id: school.name for school in tenancy.schools_for(owner.authority_id) if school.id in ids}


def _class_names(_: Owner, ids: set[int]) -> dict[int, str]:
    return courses.titles_of(ids)


def _person_names(_: Owner, ids: set[int]) -> dict[int, str]:
    return people.names_of(ids)


def _device_names(owner: Owner, ids: set[int]) -> dict[int, str]:
    found = Device.objects.filter(school_id=owner.school_id or 0, pk__in=ids)
    return {device.pk: str(device) for device in found}


_NAMES = {
    Level.AUTHORITY: _authority_name,
    Level.SCHOOL: _school_names,
    Level.GROUP: _class_names,
    Level.PERSON: _person_names,
    Level.DEVICE: _device_names,
}


def require_whom(actor: Actor, level: Level, whom: int) -> None:
    """Refuse a whom that is not the actor's to decide for. Raises NotFound."""
    owner = owner_for(actor)
    if owner.school_id is None:
        known = {
            Level.AUTHORITY: lambda: whom == owner.authority_id,
            Level.SCHOOL: lambda: any(one.id == whom for one in tenancy.schools_for(owner.authority_id)),
        }
    else:
        known = {
            Level.SCHOOL: lambda: whom == owner.school_id,
            Level.GROUP: lambda: bool(courses.titles_of([whom])),
            Level.PERSON: lambda: bool(people.names_of([whom])),
            Level.DEVICE: lambda: Device.objects.filter(school_id=owner.school_id or 0, pk=whom).exists(),
        }
    if level not in known or not known[level]():
        raise NotFound


def known_applications(actor: Actor) -> list[tuple[str, str]]:
    """Packages of the catalogue with their names, for forms that offer them: the school's and its authority's, by name."""
    authority_id = actor.school.authority_id if actor.school else actor.authority_id
    owner = Owner(authority_id, actor.school.id if actor.school else None)
    rows = _seen(owner, Application.objects.filter(archived_at__isnull=True)).order_by("name", "package")
    return list(dict(rows.values_list("package", "name")[:_OFFERED]).items())
