"""Loans and incidents: lists for who cares for devices, one's own for families, and a contract's facts."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet

from pupitre.courses.queries import classes as courses
from pupitre.devices.models import Device, Incident, LendingTerms, Loan
from pupitre.devices.rules import CARES, Condition, LoanState, Standing
from pupitre.devices.rules.fleet import label_of
from pupitre.devices.rules.lending import Shown, is_of_age
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.people import queries as people
from pupitre.people.rules import Actor, require

#: A page of a list.
PAGE: Final = 100
_OPEN: Final = [LoanState.PROPOSED.value, LoanState.RUNNING.value]

# Names as people are called, and the living form today; one row a loan.
_LINES: Final = """
SELECT l.id, l.device_id, l.person_id, l.state, l.starts_on, l.due_on, l.ended_at, l.signed_at, l.signed_by_id IS NOT NULL,
       l.accessories, l.returned,
       coalesce(nullif(d.asset_tag, ''), nullif(d.name, ''), nullif(d.serial, ''), d.number), d.model, d.condition,
       p.family_name || ', ' || coalesce(nullif(p.preferred_name, ''), p.given_name), coalesce(f.title, '')
  FROM devices_loan l
  JOIN devices_device d ON d.school_id = l.school_id AND d.id = l.device_id
  JOIN people_person p ON p.school_id = l.school_id AND p.id = l.person_id
  LEFT JOIN LATERAL (
       SELECT c.title FROM courses_enrolment e JOIN courses_class c ON c.school_id = e.school_id AND c.id = e.class_id
        WHERE e.school_id = l.school_id AND e.person_id = l.person_id AND e.role = 1 AND c.kind = 'homeroom' AND c.ended_on IS NULL
          AND (e.begins_on IS NULL OR e.begins_on <= %(today)s) AND (e.ends_on IS NULL OR e.ends_on >= %(today)s)
        ORDER BY c.title LIMIT 1) f ON true
 WHERE l.school_id = %(school)s AND {which}
 ORDER BY {order}
 LIMIT %(limit)s OFFSET %(offset)s
"""
_WHICH: Final = {
    Shown.OPEN: "l.state = ANY(%(open)s)",
    Shown.TO_SIGN: "l.state = 1",
    Shown.OVERDUE: "l.state = 2 AND l.due_on < %(today)s",
    Shown.ENDED: "l.state IN (3, 4, 5)",
}


@dataclass(frozen=True, slots=True)
class LoanLine:
    """A loan as lists show it."""

    id: int
    device_id: int
    person_id: int
    state: LoanState
    starts_on: date
    due_on: date | None
    ended_at: datetime | None
    signed_at: datetime | None
    is_signed_here: bool
    accessories: list[str]
    returned: list[str] | None
    device: str
    model: str
    condition: Condition
    person: str
    form: str

    @property
    def missing(self) -> list[str]:
        """What did not come back with the device."""
        return (
            [one for one in self.accessories if one not in (self.returned or ())]
            if self.returned is not None
            else []
        )


def loans_for(
    actor: Actor, shown: Shown, *, today: date, offset: int = 0, limit: int = PAGE
) -> list[LoanLine]:
    """The school's loans, by due date, or the last that ended first. For who cares for devices; one statement."""
    require(actor, CARES)
    order = (
        "l.ended_at DESC NULLS LAST, l.id DESC"
        if shown is Shown.ENDED
        else "l.due_on NULLS LAST, f.title, 15, l.id"
    )
    return _lines(actor, _WHICH[shown], order, today, limit=limit, offset=offset)


def collection_list(actor: Actor, until: date, *, today: date) -> list[LoanLine]:
    """What is to be collected by that day, class by class: all running loans that are due by then."""
    require(actor, CARES)
    which = "l.state = 2 AND (l.due_on IS NULL OR l.due_on <= %(until)s)"
    return _lines(actor, which, "f.title NULLS LAST, 15, l.id", today, limit=5000, until=until)


def loans_of(actor: Actor, *, today: date, person_id: int = 0, device_id: int = 0) -> list[LoanLine]:
    """The loans of a person or a device, the newest first. The caller has looked whether the actor may see them."""
    which = "l.person_id = %(person)s" if person_id else "l.device_id = %(device)s"
    facts = {"person": person_id, "device": device_id}
    return _lines(actor, which, "l.starts_on DESC, l.id DESC", today, limit=PAGE, **facts)


def loans_of_persons(actor: Actor, person_ids: Collection[int], *, today: date) -> list[LoanLine]:
    """The loans of these persons, in the persons' order, each one's newest first. One statement, however many they are.

    The caller has looked whether the actor may see them.
    """
    order = "array_position(%(persons)s::bigint[], l.person_id), l.starts_on DESC, l.id DESC"
    persons = list(person_ids)
    which = "l.person_id = ANY(%(persons)s::bigint[])"
    return _lines(actor, which, order, today, limit=PAGE * len(persons), persons=persons)


def _lines(
    actor: Actor, which: str, order: str, today: date, *, limit: int, offset: int = 0, **facts: Any
) -> list[LoanLine]:
    with connection.cursor() as cursor:
        cursor.execute(
            _LINES.format(which=which, order=order),
            {
                "school": actor.place.id,
                "today": today,
                "open": _OPEN,
                "limit": limit,
                "offset": offset,
                **facts,
            },
        )
        return [_line(list(row)) for row in cursor.fetchall()]


def _line(row: list[Any]) -> LoanLine:
    row[3], row[13] = LoanState(row[3]), Condition(row[13])
    return LoanLine(*row)


@dataclass(frozen=True, slots=True)
class Figures:
    """How many loans and reports there are of each sort."""

    open: int
    to_sign: int
    overdue: int
    incidents: int


def figures_for(actor: Actor, *, today: date) -> Figures:
    require(actor, CARES)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 1), "
            "count(*) FILTER (WHERE state = 2 AND due_on < %(today)s), "
            "(SELECT count(*) FROM devices_incident i WHERE i.school_id = %(school)s AND i.closed_at IS NULL) "
            "FROM devices_loan l WHERE l.school_id = %(school)s AND l.state IN (1, 2)",
            {"school": actor.place.id, "today": today},
        )
        return Figures(*cursor.fetchone())


def access_loan(actor: Actor, loan_id: int) -> Loan:
    """A loan with its device and person: for who cares for devices, the pupil, and guardians who see the record."""
    found = (
        Loan.objects.select_related("device", "person", "signed_by")
        .filter(school_id=actor.place.id, pk=loan_id)
        .first()
    )
    if found is None or not may_see_person(actor, found.person_id):
        raise NotFound
    return found


def may_see_person(actor: Actor, person_id: int) -> bool:
    """Whether what this person has borrowed is the actor's business."""
    if actor.is_any(CARES) or (actor.person_id and actor.person_id == person_id):
        return True
    return actor.is_guardian and people.is_guardian_of(actor, person_id)


def may_sign(actor: Actor, loan: Loan, today: date) -> bool:
    """A guardian who looks after the pupil (sees the record and may announce absences), or who borrows and is of age."""
    if not actor.person_id:
        return False
    if loan.person_id == actor.person_id:
        return actor.is_staff or is_of_age(loan.person.born_on, today)
    tie = people.guardianship_of(actor, loan.person_id, today)
    return tie is not None and tie.may_announce


def terms_of(actor: Actor) -> LendingTerms:
    """The school's terms; unsaved where it has none of its own."""
    found = LendingTerms.objects.filter(school_id=actor.place.id).first()
    return found or LendingTerms(school_id=actor.place.id, conditions="", accessories=[])


# What one has


@dataclass(frozen=True, slots=True)
class Held:
    """A device that a person has, with its open loan if it is lent."""

    device: Device
    loan: Loan | None
    label: str


def held_by(person_ids: Collection[int], school_id: int) -> list[Held]:
    """The devices that these persons have. Two statements; the caller has looked whether they may be seen."""
    devices = list(
        Device.objects.filter(school_id=school_id, holder_id__in=list(person_ids))
        .exclude(standing=Standing.RETIRED)
        .order_by("holder_id", "id")
    )
    loans = Loan.objects.filter(
        school_id=school_id, device_id__in=[one.pk for one in devices], state__in=_OPEN
    )
    by_device = {loan.device_id: loan for loan in loans}
    return [Held(one, by_device.get(one.pk), label(one)) for one in devices]


def label(device: Device) -> str:
    return label_of(asset_tag=device.asset_tag, name=device.name, serial=device.serial, number=device.number)


def access_held(actor: Actor, device_id: int) -> Device:
    """A device that the actor or somebody she looks after has, with its holder."""
    found = (
        Device.objects.select_related("holder")
        .filter(school_id=actor.place.id, pk=device_id, holder__isnull=False)
        .exclude(standing=Standing.RETIRED)
        .first()
    )
    if found is None or not found.holder_id:
        raise NotFound
    own = actor.person_id == found.holder_id
    if not own and not (actor.is_guardian and people.is_guardian_of(actor, found.holder_id)):
        raise NotFound
    return found


# Spares and classes


def spares_for(actor: Actor, *, platform: int | None = None, limit: int = 200) -> "list[tuple[int, str]]":
    """Devices that nobody has and that are in order: (id, label with model)."""
    require(actor, CARES)
    found = _free(actor.place.id)
    if platform is not None:
        found = found.filter(platform=platform)
    return [(one.pk, f"{label(one)} · {one.model}" if one.model else label(one)) for one in found[:limit]]


def _free(school_id: int) -> "QuerySet[Device]":
    lent = Loan.objects.filter(school_id=school_id, state__in=_OPEN).values("device_id")
    return (
        Device.objects.filter(
            school_id=school_id,
            holder__isnull=True,
            klass__isnull=True,
            condition=Condition.GOOD,
            standing__in=[Standing.EXPECTED, Standing.ENROLLED],
        )
        .exclude(pk__in=lent)
        .order_by("asset_tag", "id")
    )


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """What would be lent to a class: (person, name, device, label) in the order of names, and who would get none."""

    lines: list[tuple[int, str, int, str]]
    without: list[str]
    have_one: list[str]


def class_plan(actor: Actor, class_id: int, *, today: date) -> ClassPlan:
    """What each pupil of a class would borrow: the device that she has already, else the next free one."""
    require(actor, CARES)
    klass = courses.access_class(actor, class_id)
    pupils = courses.pupils_of([klass.pk], today=today)
    ids = [one.pk for one in pupils]
    lent = set(
        Loan.objects.filter(school_id=actor.place.id, person_id__in=ids, state__in=_OPEN).values_list(
            "person_id", flat=True
        )
    )
    own = {
        one.device.holder_id: one.device
        for one in held_by(ids, actor.place.id)
        if one.loan is None and one.device.condition == Condition.GOOD
    }
    free = iter(list(_free(actor.place.id)[: len(ids)]))
    plan = ClassPlan([], [], [])
    for pupil in pupils:
        if pupil.pk in lent:
            plan.have_one.append(str(pupil))
        elif (device := own.get(pupil.pk) or next(free, None)) is not None:
            plan.lines.append((pupil.pk, str(pupil), device.pk, label(device)))
        else:
            plan.without.append(str(pupil))
    return plan


# Incidents


def incidents_for(actor: Actor, *, closed: bool = False, limit: int = PAGE) -> list[Incident]:
    """What was reported and is open (or closed), the newest first, with device, loan and who told."""
    require(actor, CARES)
    found = Incident.objects.select_related("device", "device__holder", "reported_by", "loan__person")
    return list(
        found.filter(school_id=actor.place.id, closed_at__isnull=not closed).order_by("-reported_at", "-id")[
            :limit
        ]
    )


def incidents_of(device_ids: Iterable[int], school_id: int) -> list[Incident]:
    """The reports about these devices, the newest first. The caller has looked whether they may be seen."""
    found = Incident.objects.filter(school_id=school_id, device_id__in=list(device_ids))
    return list(found.select_related("reported_by").order_by("-reported_at", "-id")[:PAGE])


def access_incident(actor: Actor, incident_id: int) -> Incident:
    require(actor, CARES)
    found = (
        Incident.objects.select_related("device", "loan")
        .filter(school_id=actor.place.id, pk=incident_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def today_of(actor: Actor) -> date:
    return clock.today(actor.place.time_zone)


def loans_by_id(actor: Actor, loan_ids: Collection[int]) -> list[Loan]:
    """These loans with devices and persons, in that order. For who cares for devices."""
    require(actor, CARES)
    rows = Loan.objects.select_related("device", "person", "signed_by").filter(
        school_id=actor.place.id, pk__in=list(loan_ids)
    )
    found = {one.pk: one for one in rows}
    return [found[one] for one in loan_ids if one in found]


def loans_after(
    actor: Actor, *, after: int = 0, limit: int, today: date, states: Collection[LoanState] = (), person_id: int = 0,
    device_id: int = 0,
) -> list[LoanLine]:  # fmt: skip
    """The school's loans by their numbers, for reading them all page by page. For who cares for devices."""
    require(actor, CARES)
    which = "l.id > %(after)s"
    which += " AND l.state = ANY(%(states)s)" if states else ""
    which += " AND l.person_id = %(person)s" if person_id else ""
    which += " AND l.device_id = %(device)s" if device_id else ""
    facts: dict[str, Any] = {
        "after": after,
        "states": [one.value for one in states],
        "person": person_id,
        "device": device_id,
    }
    return _lines(actor, which, "l.id", today, limit=limit, **facts)


def incidents_after(
    actor: Actor, *, after: int = 0, limit: int, closed: bool | None = None
) -> list[Incident]:
    """The school's reports by their numbers. For who cares for devices."""
    require(actor, CARES)
    found = Incident.objects.filter(school_id=actor.place.id, pk__gt=after)
    if closed is not None:
        found = found.filter(closed_at__isnull=not closed)
    return list(found.order_by("pk")[:limit])
