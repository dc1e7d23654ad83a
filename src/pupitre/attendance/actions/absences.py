"""Announcing, deciding and withdrawing absences, and what the office notes on the board."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from pupitre.attendance.models import AbsenceNotice, Mark, Register
from pupitre.attendance.queries.absences import access_notice, open_notices_of
from pupitre.attendance.queries.rosters import guardians_told
from pupitre.attendance.rules.absences import (
    AlreadyDecided,
    AlreadyWithdrawn,
    Announced,
    CannotWithdraw,
    LessonOver,
    MayNotAnnounce,
    NoticeState,
    NotMissing,
    Reason,
    ReasonNeeded,
    Span,
    check_span,
    judge_overlap,
    may_withdraw,
    minutes_late,
)
from pupitre.attendance.rules.documents import CheckedDocument, Document, check_document
from pupitre.attendance.rules.events import AbsenceAnnounced, AbsenceDecided
from pupitre.attendance.rules.status import OFFICE_DEVICE, Outcome, Status
from pupitre.kernel import clock, events
from pupitre.kernel.errors import NotFound
from pupitre.kernel.storage import Storage
from pupitre.people import queries as people
from pupitre.people.rules import OFFICE, Actor, require

from .office_marks import rewrite_marks

DOCUMENT_KIND = "absence"


@transaction.atomic
def announce_absence(
    actor: Actor,
    *,
    pupil_id: int,
    starts_at: datetime,
    ends_at: datetime,
    kind: Reason,
    reason: str = "",
    document: Document | None = None,
    now: datetime,
) -> AbsenceNotice:
    """Say that a pupil is, was or will be away; in advance or afterwards. `ends_at` is not included.

    A guardian who may announce does it for her own pupils: the office decides on it later. What the office notes is
    accepted at once. An undecided announcement of the same kind that meets this one is extended by it.
    Raises NotFound (not hers to see), MayNotAnnounce, WrongSpan, TooLong, TooEarly, TooLate, AlreadyAnnounced,
    Overlapping, TooLarge, UnknownDocument.
    """
    _check_may_announce(actor, pupil_id)
    span = Span(starts_at, ends_at)
    check_span(span, now, by_office=actor.is_office)
    checked = check_document(document) if document else None
    _one_at_a_time(actor, pupil_id)
    extended = judge_overlap(
        [_judged(notice) for notice in open_notices_of(pupil_id)],
        span,
        kind,
        by_office=actor.is_office,
        has_document=checked is not None,
    )
    if extended is None:
        notice = _new_notice(actor, pupil_id, span, kind, reason, now)
    else:
        notice = _extended(AbsenceNotice.objects.get(pk=extended), span, reason)
    _attach(actor, notice, checked)
    if actor.is_office:
        _accept_own(actor, notice, now)
    notice.save()
    if notice.state == NoticeState.ACCEPTED:
        _excuse(actor, [notice], now)
    _tell_announced(actor, notice, now)
    return notice


def _check_may_announce(actor: Actor, pupil_id: int) -> None:
    if actor.is_office:
        people.access_pupil(actor, pupil_id)
        return
    relation = people.guardianship_of(actor, pupil_id)
    if relation is None:
        raise NotFound
    if not relation.may_announce:
        raise MayNotAnnounce


def _one_at_a_time(actor: Actor, pupil_id: int) -> None:
    """Both parents at once: the second waits and is judged by what the first wrote."""
    with connection.cursor() as cursor:
        name = f"absence:{actor.place.id}:{pupil_id}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _judged(notice: AbsenceNotice) -> Announced:
    span = Span(notice.starts_at, notice.ends_at)
    return Announced(notice.pk, span, Reason(notice.kind), NoticeState(notice.state))


def _new_notice(
    actor: Actor, pupil_id: int, span: Span, kind: Reason, reason: str, now: datetime
) -> AbsenceNotice:
    return AbsenceNotice(
        school_id=actor.place.id,
        pupil_id=pupil_id,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        kind=kind,
        reason=reason.strip(),
        announced_at=now,
        announced_by_id=actor.person_id or None,
        by_office=actor.is_office,
    )


def _extended(notice: AbsenceNotice, span: Span, reason: str) -> AbsenceNotice:
    whole = Span(notice.starts_at, notice.ends_at).joined(span)
    notice.starts_at, notice.ends_at = whole.starts_at, whole.ends_at
    if reason.strip() and reason.strip() not in notice.reason:
        notice.reason = f"{notice.reason}\n{reason.strip()}".strip()
    return notice


def _attach(actor: Actor, notice: AbsenceNotice, document: CheckedDocument | None) -> None:
    if document is None:
        return
    storage = Storage(settings.CONFIG.storage_url)
    notice.document_key = storage.put(actor.place.id, DOCUMENT_KIND, document.data)
    notice.document_name, notice.document_type = document.name, document.media_type


def _accept_own(actor: Actor, notice: AbsenceNotice, now: datetime) -> None:
    if notice.state != NoticeState.ACCEPTED:
        notice.state = NoticeState.ACCEPTED
        notice.decided_at, notice.decided_by_id = now, actor.person_id or None


def _tell_announced(actor: Actor, notice: AbsenceNotice, now: datetime) -> None:
    today = clock.local(now, actor.place.time_zone).date()
    told = guardians_told([notice.pupil_id], today).get(notice.pupil_id, ())
    events.publish(
        AbsenceAnnounced(
            school_id=actor.place.id,
            notice_id=notice.pk,
            pupil_id=notice.pupil_id,
            pupil_name=notice.pupil.full_name,
            guardian_person_ids=tuple(person for person in told if person != actor.person_id),
            starts_at=notice.starts_at,
            ends_at=notice.ends_at,
            by_office=notice.by_office,
            at=now,
        )
    )


@transaction.atomic
def attach_document(actor: Actor, *, notice_id: int, document: Document) -> AbsenceNotice:
    """Hand a document in later, as long as the office has not refused the justification."""
    notice = access_notice(actor, notice_id)
    if notice.withdrawn_at is not None:
        raise AlreadyWithdrawn
    if notice.state == NoticeState.REFUSED:
        raise AlreadyDecided
    if not actor.is_office:
        _check_may_announce(actor, notice.pupil_id)
    _attach(actor, notice, check_document(document))
    notice.save(update_fields=["document_key", "document_name", "document_type"])
    return notice


@transaction.atomic
def decide_absences(
    actor: Actor, *, notice_ids: Iterable[int], accepted: bool, note: str = "", now: datetime
) -> list[AbsenceNotice]:
    """Accept or refuse justifications. Accepting excuses the absences that they cover; refusing needs a reason.

    Answers those decided. Raises AlreadyDecided where none of them was still waiting.
    """
    require(actor, OFFICE)
    if not accepted and not note.strip():
        raise ReasonNeeded
    waiting = list(
        AbsenceNotice.objects.select_for_update(of=("self",))
        .select_related("pupil")
        .filter(pk__in=list(notice_ids), state=NoticeState.PENDING, withdrawn_at__isnull=True)
        .order_by("id")
    )
    if not waiting:
        raise AlreadyDecided
    state = NoticeState.ACCEPTED if accepted else NoticeState.REFUSED
    AbsenceNotice.objects.filter(pk__in=[notice.pk for notice in waiting]).update(
        state=state, decided_at=now, decided_by_id=actor.person_id or None, decision_note=note.strip()
    )
    if accepted:
        _excuse(actor, waiting, now)
    _tell_decided(actor, waiting, now, accepted=accepted, note=note.strip())
    return waiting


def decide_absence(
    actor: Actor, *, notice_id: int, accepted: bool, note: str = "", now: datetime
) -> AbsenceNotice:
    """Accept or refuse one justification. Raises NotFound, AlreadyDecided, ReasonNeeded."""
    require(actor, OFFICE)
    access_notice(actor, notice_id)
    return decide_absences(actor, notice_ids=[notice_id], accepted=accepted, note=note, now=now)[0]


def _tell_decided(
    actor: Actor, notices: Sequence[AbsenceNotice], now: datetime, *, accepted: bool, note: str
) -> None:
    today = clock.local(now, actor.place.time_zone).date()
    told = guardians_told((notice.pupil_id for notice in notices), today)
    for notice in notices:
        events.publish(
            AbsenceDecided(
                school_id=actor.place.id,
                notice_id=notice.pk,
                pupil_id=notice.pupil_id,
                pupil_name=notice.pupil.full_name,
                guardian_person_ids=told.get(notice.pupil_id, ()),
                starts_at=notice.starts_at,
                ends_at=notice.ends_at,
                is_accepted=accepted,
                note=note,
                at=now,
            )
        )


def _marks_around(notices: Sequence[AbsenceNotice], status: Status) -> list[Mark]:
    """Marks of that status in lessons that the notices meet, locked with their registers."""
    first = min(notice.starts_at for notice in notices).date() - timedelta(days=1)
    last = max(notice.ends_at for notice in notices).date() + timedelta(days=1)
    found = Mark.objects.filter(
        pupil_id__in={notice.pupil_id for notice in notices}, held_on__range=(first, last), status=status
    )
    _lock_registers(found.values("register_id"))
    marks = found.select_for_update(of=("self",)).select_related("register").order_by("id")
    return [mark for mark in marks if any(_covers(notice, mark) for notice in notices)]


def _lock_registers(ids: Any) -> None:
    """Registers are locked before their marks, as by whoever saves one: a teacher and the office at the same moment would
    wait for each other for ever, or the teacher overwrite what the office has just excused.
    """
    list(Register.objects.select_for_update().filter(pk__in=ids).order_by("id").values_list("id", flat=True))


def _covers(notice: AbsenceNotice, mark: Mark) -> bool:
    lesson = Span(mark.register.starts_at, mark.register.ends_at)
    return notice.pupil_id == mark.pupil_id and Span(notice.starts_at, notice.ends_at).meets(lesson)


def _excuse(actor: Actor, notices: Sequence[AbsenceNotice], now: datetime) -> None:
    rewrite_marks(actor, _marks_around(notices, Status.ABSENT), Status.EXCUSED, Outcome.JUSTIFIED, now=now)


@transaction.atomic
def excuse_covered(actor: Actor, *, since: datetime, now: datetime) -> None:
    """Excuse what registers taken later call absent although an accepted justification covers it. For the sweep."""
    require(actor, OFFICE)
    notices = AbsenceNotice.objects.filter(
        state=NoticeState.ACCEPTED, withdrawn_at__isnull=True, ends_at__gte=since, starts_at__lte=now
    )
    if found := list(notices):
        _excuse(actor, found, now)


@transaction.atomic
def withdraw_absence(actor: Actor, *, notice_id: int, now: datetime) -> AbsenceNotice:
    """Take an announcement back. What the office had excused by it is absent again.

    Raises NotFound, MayNotAnnounce, AlreadyWithdrawn, CannotWithdraw (a family, after the office accepted it).
    """
    access_notice(actor, notice_id)
    notice = AbsenceNotice.objects.select_for_update(of=("self",)).select_related("pupil").get(pk=notice_id)
    _check_may_announce(actor, notice.pupil_id)
    if notice.withdrawn_at is not None:
        raise AlreadyWithdrawn
    if not may_withdraw(NoticeState(notice.state), by_office=actor.is_office):
        raise CannotWithdraw
    notice.withdrawn_at = now
    notice.save(update_fields=["withdrawn_at"])
    if notice.state == NoticeState.ACCEPTED:
        excused = [mark for mark in _marks_around([notice], Status.EXCUSED) if mark.device == OFFICE_DEVICE]
        rewrite_marks(actor, excused, Status.ABSENT, Outcome.CORRECTED, now=now)
    return notice


@transaction.atomic
def mark_arrived(actor: Actor, *, register_id: int, pupil_id: int, now: datetime) -> Mark:
    """The office saw the pupil come in: the absence in that register becomes a lateness.

    Whoever comes in after the lesson has missed all of it, so the absence stays. Raises NotFound, NotMissing, LessonOver.
    """
    require(actor, OFFICE)
    _lock_registers([register_id])
    mark = (
        Mark.objects.select_for_update(of=("self",))
        .select_related("register")
        .filter(register_id=register_id, pupil_id=pupil_id)
        .first()
    )
    if mark is None:
        raise NotFound
    if mark.status not in {Status.ABSENT, Status.EXCUSED}:
        raise NotMissing
    if now >= mark.register.ends_at:
        raise LessonOver
    minutes = minutes_late(mark.register.starts_at, mark.register.ends_at, now)
    rewrite_marks(actor, [mark], Status.LATE, Outcome.CORRECTED, now=now, minutes=minutes)
    mark.status, mark.minutes = Status.LATE, minutes
    return mark
