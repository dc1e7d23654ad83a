"""Who is told of whose events. Only the composition root knows both sides."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import formats, translation

from pupitre.attendance.rules.events import (
    AbsenceAnnounced,
    AbsenceDecided,
    AbsenceLetterIssued,
    PupilMissing,
)
from pupitre.kernel import clock, events
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts


def wire() -> None:
    """Subscribe everybody. Called once when Django is ready; calling it again changes nothing."""
    events.subscribe(PupilMissing, tell_missing)
    events.subscribe(AbsenceAnnounced, tell_announced)
    events.subscribe(AbsenceDecided, tell_decided)
    events.subscribe(AbsenceLetterIssued, tell_letter)


def tell_missing(event: PupilMissing) -> None:
    school = tenancy.school_by_id(event.school_id)
    facts = {
        "pupil": event.pupil_name,
        "subject": event.subject,
        "time": clock.local(event.starts_at, school.time_zone).strftime("%H:%M"),
    }
    _tell(school, event.guardian_person_ids, "PUPIL_MISSING", facts, now=event.at)


def tell_announced(event: AbsenceAnnounced) -> None:
    school = tenancy.school_by_id(event.school_id)
    facts = {"pupil": event.pupil_name, **_span(school, event.starts_at, event.ends_at)}
    _tell(school, event.guardian_person_ids, "ABSENCE_ANNOUNCED", facts, now=event.at)


def tell_decided(event: AbsenceDecided) -> None:
    school = tenancy.school_by_id(event.school_id)
    facts = {"pupil": event.pupil_name, "note": event.note, **_span(school, event.starts_at, event.ends_at)}
    kind = "ABSENCE_ACCEPTED" if event.is_accepted else "ABSENCE_REFUSED"
    _tell(school, event.guardian_person_ids, kind, facts, now=event.at)


def tell_letter(event: AbsenceLetterIssued) -> None:
    school = tenancy.school_by_id(event.school_id)
    _tell(school, event.guardian_person_ids, "ABSENCE_LETTER", {"pupil": event.pupil_name}, now=event.at)


def _span(school: SchoolFacts, starts_at: datetime, ends_at: datetime) -> dict[str, str]:
    """The days of an absence as the school writes dates; `ends_at` is not included."""
    first = clock.local(starts_at, school.time_zone).date()
    last = clock.local(ends_at - timedelta(seconds=1), school.time_zone).date()
    with translation.override(school.locale):
        return {
            "from": formats.date_format(first, "SHORT_DATE_FORMAT"),
            "until": formats.date_format(last, "SHORT_DATE_FORMAT"),
        }


def _tell(
    school: SchoolFacts, person_ids: Iterable[int], kind: str, facts: Mapping[str, str], *, now: datetime
) -> None:
    from pupitre.messaging.actions import notifications
    from pupitre.messaging.rules.kinds import Kind

    notifications.tell(school.id, person_ids, Kind[kind], facts, reverse("home"), now=now)
