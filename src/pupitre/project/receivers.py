"""What other systems are told by webhooks of what happens in a school: each event's kind, and the facts that leave the house.

Ids and facts only: no name, no reason, no note. Receivers fetch what they may see by the API.
"""

from collections.abc import Callable
from typing import Any, Final

from pupitre.attendance.rules.events import (
    AbsenceAnnounced,
    AbsenceDecided,
    PupilMissing,
    RegisterClosed,
    RegisterTaken,
)
from pupitre.connections.rules.webhooks import EventKind
from pupitre.courses.rules.events import EnrolmentChanged, RosterImported
from pupitre.kernel import clock, events
from pupitre.messaging.rules.events import NoticePublished
from pupitre.people.rules.events import PersonCreated, PersonEnded, PersonUpdated
from pupitre.tenancy import queries as tenancy
from pupitre.timetable.rules.events import DayChanged

Facts = dict[str, Any]
#: OneRoster's words for the roles of enrolments.
_ENROLLED_AS: Final = {1: "student", 2: "teacher", 3: "aide"}


def wire() -> None:
    """Subscribe to everything that receivers may choose. Calling it again changes nothing."""
    for kind, subscriber in _SUBSCRIBERS.items():
        events.subscribe(kind, subscriber)


def _passing_on(kind: EventKind, facts_of: Callable[[Any], Facts]) -> Callable[[Any], None]:
    def pass_on(event: Any) -> None:
        from pupitre.connections.actions import (
            webhooks,
        )  # its tables are not ready when Django wakes the wiring up

        facts = {"school": tenancy.school_by_id(event.school_id).slug, **facts_of(event)}
        webhooks.note_event(event.school_id, kind, facts, now=clock.now())

    return pass_on


def _register(event: RegisterTaken | RegisterClosed) -> Facts:
    return {
        "register_id": event.register_id,
        "lesson_id": event.lesson_id,
        "class_id": event.class_id,
        "held_on": event.held_on.isoformat(),
    }


def _absence(event: AbsenceAnnounced | AbsenceDecided) -> Facts:
    return {
        "absence_id": event.notice_id,
        "pupil_id": event.pupil_id,
        "starts_at": event.starts_at.isoformat(),
        "ends_at": event.ends_at.isoformat(),
    }


def _missing(event: PupilMissing) -> Facts:
    return {
        "pupil_id": event.pupil_id,
        "register_id": event.register_id,
        "held_on": event.held_on.isoformat(),
        "starts_at": event.starts_at.isoformat(),
    }


def _enrolment(event: EnrolmentChanged) -> Facts:
    return {
        "class_id": event.class_id,
        "person_id": event.person_id,
        "role": _ENROLLED_AS[event.role],
        "is_ended": event.is_ended,
    }


def _notice(event: NoticePublished) -> Facts:
    return {
        "notice_id": event.notice_id,
        "audience": event.audience.name.lower(),
        "class_id": event.class_id,
        "needs_confirmation": event.needs_confirmation,
    }


def _substitution(event: DayChanged) -> Facts:
    return {
        "lesson_id": event.lesson_id,
        "held_on": event.held_on.isoformat(),
        "substitute_id": event.substitute_id,
        "room_id": event.room_id,
        "is_cancelled": event.is_cancelled,
        "is_undone": event.is_undone,
    }


_SUBSCRIBERS: Final[dict[type[Any], Callable[[Any], None]]] = {
    PersonCreated: _passing_on(
        EventKind.PERSON_CREATED, lambda event: {"person_id": event.person_id, "sourced_id": event.sourced_id}
    ),
    PersonUpdated: _passing_on(
        EventKind.PERSON_UPDATED,
        lambda event: {"person_id": event.person_id, "changed": sorted(event.changed)},
    ),
    PersonEnded: _passing_on(
        EventKind.PERSON_ENDED, lambda event: {"person_id": event.person_id, "on": event.on.isoformat()}
    ),
    EnrolmentChanged: _passing_on(EventKind.ENROLMENT_CHANGED, _enrolment),
    RosterImported: _passing_on(
        EventKind.ROSTER_IMPORTED, lambda event: {"import_id": event.import_id}
    ),
    RegisterTaken: _passing_on(EventKind.REGISTER_TAKEN, _register),
    RegisterClosed: _passing_on(EventKind.REGISTER_CLOSED, _register),
    AbsenceAnnounced: _passing_on(
        EventKind.ABSENCE_ANNOUNCED, lambda event: {**_absence(event), "by_office": event.by_office}
    ),
    AbsenceDecided: _passing_on(
        EventKind.ABSENCE_DECIDED, lambda event: {**_absence(event), "is_accepted": event.is_accepted}
    ),
    PupilMissing: _passing_on(EventKind.PUPIL_MISSING, _missing),
    NoticePublished: _passing_on(EventKind.NOTICE_PUBLISHED, _notice),
    DayChanged: _passing_on(EventKind.SUBSTITUTION_CHANGED, _substitution),
}  # fmt: skip
