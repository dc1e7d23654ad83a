"""Reading announced and justified absences."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from pupitre.attendance.models import AbsenceNotice
from pupitre.attendance.rules.absences import NoticeState, Reason, Span, is_whole_days, last_day
from pupitre.kernel import clock
from pupitre.kernel.errors import Denied, NotFound
from pupitre.kernel.storage import Storage
from pupitre.people import queries as people
from pupitre.people.rules import OFFICE, Actor, Role

from .rosters import form_of, pupils_of_form, rows

#: See all justifications of the school. Deciding is the office's.
READS_ABSENCES = OFFICE | {Role.COUNSELLOR}


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """An announced absence as lists show it. Days are the school's; `whole_days` hides the times."""

    id: int
    pupil_id: int
    pupil_name: str
    family_name: str
    given_name: str
    form: str
    grade: str
    starts_at: datetime
    ends_at: datetime
    first_day: date
    last_day: date
    whole_days: bool
    kind: Reason
    reason: str
    document_name: str
    state: NoticeState
    announced_at: datetime
    announced_by: str
    by_office: bool
    decided_at: datetime | None
    decided_by: str
    decision_note: str
    withdrawn_at: datetime | None

    @property
    def may_be_withdrawn_by_family(self) -> bool:
        return self.withdrawn_at is None and self.state is not NoticeState.ACCEPTED


_COLUMNS = (
    "id", "pupil_id", "pupil__given_name", "pupil__preferred_name", "pupil__family_name", "pupil__grade", "starts_at", "ends_at",
    "kind", "reason", "document_name", "state", "announced_at", "announced_by__given_name",
    "announced_by__family_name", "by_office", "decided_at", "decided_by__given_name", "decided_by__family_name",
    "decision_note", "withdrawn_at",
)  # fmt: skip


def notice_rows(actor: Actor, found: QuerySet[AbsenceNotice]) -> list[NoticeRow]:
    """The notices ready to be shown: two statements, however many rows."""
    values = list(found.values_list(*_COLUMNS))
    zone = actor.place.time_zone
    forms = form_of((row[1] for row in values), clock.today(zone)) if values else {}
    return [_row(row, zone, form.title if (form := forms.get(row[1])) else "") for row in values]


def _row(values: tuple[Any, ...], zone: str, form: str) -> NoticeRow:
    (id_, pupil, given, preferred, family, grade, starts_at, ends_at, kind, reason, document, state, announced_at,
     by_given, by_family, by_office, decided_at, decider_given, decider_family, note, withdrawn_at) = values  # fmt: skip
    span = Span(starts_at, ends_at)
    return NoticeRow(
        id=id_,
        pupil_id=pupil,
        pupil_name=f"{preferred or given} {family}",
        family_name=family,
        given_name=preferred or given,
        form=form,
        grade=grade,
        starts_at=starts_at,
        ends_at=ends_at,
        first_day=clock.local(starts_at, zone).date(),
        last_day=last_day(span, zone),
        whole_days=is_whole_days(span, zone),
        kind=Reason(kind),
        reason=reason,
        document_name=document,
        state=NoticeState(state),
        announced_at=announced_at,
        announced_by=f"{by_given or ''} {by_family or ''}".strip(),
        by_office=by_office,
        decided_at=decided_at,
        decided_by=f"{decider_given or ''} {decider_family or ''}".strip(),
        decision_note=note,
        withdrawn_at=withdrawn_at,
    )


def _check_reader(actor: Actor) -> None:
    if not actor.is_any(READS_ABSENCES):
        raise Denied if actor.roles else NotFound


def count_by_state(actor: Actor) -> dict[NoticeState, int]:
    """How many justifications there are of each state, withdrawn ones left out."""
    _check_reader(actor)
    found = rows(
        "SELECT state, count(*) FROM attendance_absencenotice WHERE withdrawn_at IS NULL GROUP BY state"
    )
    return {NoticeState(state): count for state, count in found}


def notices_for(
    actor: Actor, *, state: NoticeState, form_id: int = 0, words: str = "", limit: int = 50, offset: int = 0
) -> tuple[list[NoticeRow], int]:
    """A page of the justifications of that state, the longest waiting first, else the newest; and how many in all."""
    _check_reader(actor)
    found = AbsenceNotice.objects.filter(state=state, withdrawn_at__isnull=True)
    if form_id:
        found = found.filter(pupil_id__in=pupils_of_form(form_id, clock.today(actor.place.time_zone)))
    if words.strip():
        found = found.filter(pupil_id__in=_named(actor, words))
    order = "starts_at" if state is NoticeState.PENDING else "-decided_at"
    return notice_rows(actor, found.order_by(order, "id")[offset : offset + limit]), found.count()


def _named(actor: Actor, words: str) -> list[int]:
    return [person.pk for person in people.people_matching(actor, words, role=Role.PUPIL, limit=200)]


def notices_of_pupil(actor: Actor, pupil_id: int, *, limit: int = 50) -> list[NoticeRow]:
    """A pupil's announced absences, newest first, also refused and withdrawn ones.

    For the office, a counsellor, the pupil, and guardians who see the record; NotFound for others.
    """
    _check_sees(actor, pupil_id)
    return notice_rows(
        actor, AbsenceNotice.objects.filter(pupil_id=pupil_id).order_by("-starts_at", "-id")[:limit]
    )


def notices_of_pupils(actor: Actor, pupil_ids: Iterable[int], *, since: datetime) -> list[NoticeRow]:
    """What is announced for these pupils and not over at `since`, in order of time; withdrawn ones left out.

    The caller has decided that the actor may see these pupils' records.
    """
    found = AbsenceNotice.objects.filter(
        pupil_id__in=list(pupil_ids), ends_at__gt=since, withdrawn_at__isnull=True
    )
    return notice_rows(actor, found.order_by("starts_at", "id"))


def _check_sees(actor: Actor, pupil_id: int) -> None:
    if actor.is_any(READS_ABSENCES) or (pupil_id == actor.person_id and actor.is_pupil):
        return
    if people.guardianship_of(actor, pupil_id) is None:
        raise NotFound


def access_notice(actor: Actor, notice_id: int) -> AbsenceNotice:
    """An announced absence, for those who see the pupil's record; NotFound for others."""
    notice = AbsenceNotice.objects.select_related("pupil").filter(pk=notice_id).first()
    if notice is None:
        raise NotFound
    _check_sees(actor, notice.pupil_id)
    return notice


def access_notice_row(actor: Actor, notice_id: int) -> NoticeRow:
    """The same, ready to be shown."""
    access_notice(actor, notice_id)
    return notice_rows(actor, AbsenceNotice.objects.filter(pk=notice_id))[0]


def open_notices_of(pupil_id: int) -> list[AbsenceNotice]:
    """What stands for that pupil: neither withdrawn nor refused. For actions."""
    found = AbsenceNotice.objects.filter(pupil_id=pupil_id, withdrawn_at__isnull=True)
    return list(found.filter(~Q(state=NoticeState.REFUSED)))


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as it is handed out: always as an attachment of exactly this type."""

    pupil_id: int
    name: str
    media_type: str
    data: bytes


def access_document(actor: Actor, notice_id: int) -> StoredDocument:
    """The document of an absence, for those who see the pupil's record."""
    notice = access_notice(actor, notice_id)
    if not notice.document_key:
        raise NotFound
    data = Storage(settings.CONFIG.storage_url).get(notice.document_key)
    return StoredDocument(notice.pupil_id, notice.document_name, notice.document_type, data)


@dataclass(frozen=True, slots=True)
class CoveredMark:
    """A lesson that an announced absence meets, as the register has it."""

    held_on: date
    starts_at: datetime
    subject: str
    status: int


def marks_met_by(notice: NoticeRow) -> list[CoveredMark]:
    """The marks in lessons that the absence meets, in order of time."""
    found = rows(
        "SELECT m.held_on, r.starts_at, l.subject, m.status FROM attendance_mark m "
        "JOIN attendance_register r ON r.school_id = m.school_id AND r.id = m.register_id "
        "JOIN timetable_lesson l ON l.school_id = r.school_id AND l.id = r.lesson_id "
        "WHERE m.pupil_id = %s AND m.held_on BETWEEN %s AND %s AND r.starts_at < %s AND r.ends_at > %s "
        "ORDER BY r.starts_at",
        [notice.pupil_id, notice.first_day, notice.last_day, notice.ends_at, notice.starts_at],
    )
    return [CoveredMark(*row) for row in found]
