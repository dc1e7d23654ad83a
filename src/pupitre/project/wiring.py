"""Who is told of whose events, and who answers whose questions. Only the composition root knows both sides."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.urls import reverse

from pupitre.attendance.rules.events import (
    AbsenceAnnounced,
    AbsenceDecided,
    AbsenceLetterIssued,
    PupilMissing,
)
from pupitre.connections.rules import directory as groups
from pupitre.connections.rules.webhooks import WebhookClosed
from pupitre.courses.rules.events import EnrolmentChanged, PullNeedsOffice, RosterImported
from pupitre.devices.rules import CARES
from pupitre.devices.rules.lending import DeviceReported, LoanProposed
from pupitre.devices.rules.rollouts import RolloutHalted
from pupitre.kernel import clock, events
from pupitre.messaging.rules.kinds import Kind, Show, moment
from pupitre.people.rules import OFFICE, Actor, reach
from pupitre.people.rules.events import SignedOut, SignedOutEverywhere
from pupitre.project import receivers
from pupitre.project.directory import ClassGroups
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts
from pupitre.timetable.rules.events import CoverChanged


def wire() -> None:
    """Subscribe everybody. Called once when Django is ready; calling it again changes nothing."""
    events.subscribe(PupilMissing, tell_missing)
    events.subscribe(AbsenceAnnounced, tell_announced)
    events.subscribe(AbsenceDecided, tell_decided)
    events.subscribe(AbsenceLetterIssued, tell_letter)
    events.subscribe(CoverChanged, tell_substitutes)
    events.subscribe(SignedOut, forget_device)
    events.subscribe(SignedOutEverywhere, forget_devices)
    events.subscribe(WebhookClosed, tell_office)
    events.subscribe(PullNeedsOffice, tell_of_roster)
    events.subscribe(RosterImported, place_devices)
    events.subscribe(EnrolmentChanged, place_devices_of)
    events.subscribe(LoanProposed, tell_families_of_loans)
    events.subscribe(DeviceReported, tell_of_device)
    events.subscribe(RolloutHalted, tell_of_rollout)
    receivers.wire()
    reach.learn(pupils_taught_by)
    groups.learn(ClassGroups())


def tell_missing(event: PupilMissing) -> None:
    school = tenancy.school_by_id(event.school_id)
    facts = {
        "pupil": event.pupil_name,
        "subject": event.subject,
        "time": moment(event.starts_at, school.time_zone, Show.TIME),
    }
    _tell(school, event.guardian_person_ids, Kind.PUPIL_MISSING, facts, now=event.at)


def tell_announced(event: AbsenceAnnounced) -> None:
    school = tenancy.school_by_id(event.school_id)
    facts = {"pupil": event.pupil_name, **_span(school, event.starts_at, event.ends_at)}
    _tell(school, event.guardian_person_ids, Kind.ABSENCE_ANNOUNCED, facts, now=event.at)


def tell_decided(event: AbsenceDecided) -> None:
    school = tenancy.school_by_id(event.school_id)
    facts = {"pupil": event.pupil_name, "note": event.note, **_span(school, event.starts_at, event.ends_at)}
    kind = Kind.ABSENCE_ACCEPTED if event.is_accepted else Kind.ABSENCE_REFUSED
    _tell(school, event.guardian_person_ids, kind, facts, now=event.at)


def tell_letter(event: AbsenceLetterIssued) -> None:
    school = tenancy.school_by_id(event.school_id)
    _tell(school, event.guardian_person_ids, Kind.ABSENCE_LETTER, {"pupil": event.pupil_name}, now=event.at)


def tell_substitutes(event: CoverChanged) -> None:
    """Both are led to the day on which the lesson is: their own, with or without it."""
    school = tenancy.school_by_id(event.school_id)
    facts = {
        "subject": event.subject,
        "class": event.group,
        "date": moment(event.starts_at, school.time_zone, Show.DATE),
        "time": moment(event.starts_at, school.time_zone, Show.TIME),
    }
    day = reverse("day-of", kwargs={"school": school.slug, "on": event.held_on})
    for person_id, kind in (
        (event.released_id, Kind.SUBSTITUTION_ENDED),
        (event.substitute_id, Kind.SUBSTITUTION),
    ):
        if person_id is not None:
            _tell(school, [person_id], kind, facts, url=day, now=event.at)


def tell_office(event: WebhookClosed) -> None:
    from pupitre.people import queries as people

    school = tenancy.school_by_id(event.school_id)
    told = people.persons_with(school.id, OFFICE, clock.local(event.at, school.time_zone).date())
    url = reverse("webhook", kwargs={"school": school.slug, "webhook": event.webhook_id})
    facts = {"webhook": event.name, "school": school.name}
    _tell(school, told, Kind.WEBHOOK_DISABLED, facts, url=url, now=event.at)


def tell_of_roster(event: PullNeedsOffice) -> None:
    from pupitre.people import queries as people

    school = tenancy.school_by_id(event.school_id)
    told = people.persons_with(school.id, OFFICE, clock.local(event.at, school.time_zone).date())
    kind = Kind.ROSTER_FAILED if event.import_id is None else Kind.ROSTER_WAITS
    url = reverse("roster-source", kwargs={"school": school.slug})
    _tell(school, told, kind, {"school": school.name}, url=url, now=event.at)


def place_devices(event: RosterImported) -> None:
    """Devices belong to their holders' classes."""
    from pupitre.devices.actions import placing

    placing.place(event.school_id)


def place_devices_of(event: EnrolmentChanged) -> None:
    from pupitre.devices.actions import placing

    placing.place(event.school_id, holder_ids=[event.person_id])


def tell_families_of_loans(event: LoanProposed) -> None:
    """Guardians who may sign, and who borrows: each is led to her devices."""
    from pupitre.people import queries as people

    school = tenancy.school_by_id(event.school_id)
    today = clock.local(event.at, school.time_zone).date()
    url = reverse("own-devices", kwargs={"school": school.slug})
    ties = people.guardians_of(list(event.persons), today)
    by_pupil: dict[int, list[int]] = {}
    for tie in ties:
        if tie.sees_record and tie.may_announce:
            by_pupil.setdefault(tie.pupil_id, []).append(tie.guardian_id)
    names = people.names_of(list(by_pupil))
    for pupil_id, guardians in by_pupil.items():
        facts = {"school": school.name, "pupil": names[pupil_id]}
        _tell(school, guardians, Kind.LOAN_TO_SIGN, facts, url=url, now=event.at)


def tell_of_device(event: DeviceReported) -> None:
    """Who cares for devices, but not who told it."""
    from pupitre.people import queries as people

    school = tenancy.school_by_id(event.school_id)
    found = people.persons_with(school.id, CARES - OFFICE, clock.local(event.at, school.time_zone).date())
    told = [one for one in found if one != event.by_person]
    url = reverse("device-incidents", kwargs={"school": school.slug})
    facts = {"school": school.name, "device": event.label}
    _tell(school, told, Kind.DEVICE_REPORTED, facts, url=url, now=event.at)


def tell_of_rollout(event: RolloutHalted) -> None:
    """A school's own rollout behind the bell of its technicians; an authority's by mail, for its managers are in no school."""
    from pupitre.people import queries as people
    from pupitre.tenancy.background import deferred

    facts: dict[str, Any] = {
        "application": event.application,
        "version": event.version,
        "failed": event.failed,
        "reports": event.reports,
    }
    if event.school_id is None:
        deferred("pupitre.project.jobs.mail_fleet_managers", 0, authority_id=event.authority_id, facts=facts)
        return
    school = tenancy.school_by_id(event.school_id)
    told = people.persons_with(school.id, CARES - OFFICE, clock.local(event.at, school.time_zone).date())
    url = reverse("device-rollout", kwargs={"school": school.slug, "rollout": event.rollout_id})
    _tell(school, told, Kind.ROLLOUT_HALTED, facts, url=url, now=event.at)


def pupils_taught_by(actor: Actor, today: date) -> frozenset[int]:
    """Whose files and cards a teacher opens and prints."""
    from pupitre.timetable.queries import teaching

    return teaching.pupils_taught_by(actor, today)


def forget_device(event: SignedOut) -> None:
    from pupitre.messaging.actions import notifications

    if event.device:
        notifications.forget_device(event.account_id, device=event.device)


def forget_devices(event: SignedOutEverywhere) -> None:
    from pupitre.messaging.actions import notifications

    notifications.forget_all_devices(event.account_id, but=event.still)


def _span(school: SchoolFacts, starts_at: datetime, ends_at: datetime) -> dict[str, Any]:
    """The days of an absence, each reader's language to write them; `ends_at` is not included."""
    last = ends_at - timedelta(seconds=1)
    return {
        "from": moment(starts_at, school.time_zone, Show.DATE),
        "until": moment(last, school.time_zone, Show.DATE),
    }


def _tell(
    school: SchoolFacts,
    person_ids: Iterable[int],
    kind: Kind,
    facts: Mapping[str, Any],
    *,
    url: str = "",
    now: datetime,
) -> None:
    """Families are led to their page, where no other is told."""
    from pupitre.messaging.actions import (
        notifications,  # its tables are not ready when Django wakes the wiring up
    )

    notifications.tell(school.id, person_ids, kind, facts, url or reverse("family"), now=now)
