"""A guardian announces an absence, in advance or afterwards; the office decides; marks follow."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.attendance.actions import absences
from pupitre.attendance.models import AbsenceNotice, Mark, MarkRevision
from pupitre.attendance.queries import absences as queries
from pupitre.attendance.rules.absences import (
    AlreadyAnnounced,
    AlreadyDecided,
    AlreadyWithdrawn,
    CannotWithdraw,
    MayNotAnnounce,
    NoticeState,
    Overlapping,
    Reason,
    ReasonNeeded,
    TooEarly,
    TooLate,
    TooLong,
    WrongSpan,
    span_of_days,
)
from pupitre.attendance.rules.documents import Document, TooLarge, UnknownDocument
from pupitre.attendance.rules.events import AbsenceAnnounced, AbsenceDecided
from pupitre.attendance.rules.status import Outcome, Status
from pupitre.kernel import events
from pupitre.kernel.errors import Denied, NotFound
from pupitre.people.models import Guardianship
from pupitre.tenancy.scoping import scope
from tests.attendance.office import everybody, taken_register
from tests.cast import NOW, Cast

PDF = b"%PDF-1.7 a certificate"
HOUR = timedelta(hours=1)


def announce(cast: Cast, actor: Any = None, **facts: Any) -> AbsenceNotice:
    """The mother says that her son is ill this morning, unless the facts say otherwise."""
    told: dict[str, Any] = {
        "pupil_id": cast.pupil.person.pk,
        "starts_at": NOW - 2 * HOUR,
        "ends_at": NOW + 3 * HOUR,
        "kind": Reason.ILLNESS,
        "now": NOW,
    }
    return absences.announce_absence(actor or cast.mother.actor, **{**told, **facts})


def test_a_guardian_announces_and_the_office_decides(cast: Cast) -> None:
    with scope(cast.school.id):
        notice = announce(cast, reason=" Fever ")
        row = queries.access_notice_row(cast.mother.actor, notice.pk)
    assert (row.pupil_name, row.form, row.reason, row.state) == (
        "Pau Pupil",
        "1A",
        "Fever",
        NoticeState.PENDING,
    )
    assert (row.announced_by, row.by_office, row.may_be_withdrawn_by_family) == ("Mara Pupil", False, True)


def test_accepting_excuses_the_lessons_it_covers_and_keeps_what_they_said(cast: Cast) -> None:
    with scope(cast.school.id):
        covered = taken_register(cast, {**everybody(cast), cast.pupil.person.pk: Status.ABSENT})
        earlier = taken_register(
            cast, {**everybody(cast), cast.pupil.person.pk: Status.ABSENT}, on=date(2026, 10, 6)
        )
        notice = announce(cast)
        absences.decide_absence(cast.secretary.actor, notice_id=notice.pk, accepted=True, now=NOW)
        marks = dict(Mark.objects.filter(pupil=cast.pupil.person).values_list("register_id", "status"))
        assert marks == {covered.pk: Status.EXCUSED, earlier.pk: Status.ABSENT}
        revision = MarkRevision.objects.get()
        assert (revision.status, revision.outcome, revision.register_id) == (
            Status.ABSENT,
            Outcome.JUSTIFIED,
            covered.pk,
        )
        covered.refresh_from_db()
        assert covered.version == 2


def test_several_are_accepted_at_once(cast: Cast) -> None:
    with scope(cast.school.id):
        both = [announce(cast), announce(cast, pupil_id=cast.sister.person.pk)]
        decided = absences.decide_absences(
            cast.secretary.actor, notice_ids=[notice.pk for notice in both], accepted=True, now=NOW
        )
        assert len(decided) == 2
        assert queries.count_by_state(cast.secretary.actor) == {NoticeState.ACCEPTED: 2}


def test_refusing_needs_a_reason_and_leaves_the_marks(cast: Cast) -> None:
    with scope(cast.school.id):
        taken_register(cast, {**everybody(cast), cast.pupil.person.pk: Status.ABSENT})
        notice = announce(cast)
        with pytest.raises(ReasonNeeded):
            absences.decide_absence(cast.secretary.actor, notice_id=notice.pk, accepted=False, now=NOW)
        absences.decide_absence(
            cast.secretary.actor, notice_id=notice.pk, accepted=False, note="No certificate", now=NOW
        )
        assert Mark.objects.get(pupil=cast.pupil.person).status == Status.ABSENT
        row = queries.access_notice_row(cast.father.actor, notice.pk)
        assert (row.state, row.decision_note) == (NoticeState.REFUSED, "No certificate")


def test_only_the_first_decision_counts(cast: Cast) -> None:
    with scope(cast.school.id):
        notice = announce(cast)
        absences.decide_absence(cast.secretary.actor, notice_id=notice.pk, accepted=True, now=NOW)
        with pytest.raises(AlreadyDecided):
            absences.decide_absence(cast.head.actor, notice_id=notice.pk, accepted=False, note="no", now=NOW)


def test_the_other_guardian_is_told_and_the_barred_one_never(cast: Cast) -> None:
    heard: list[Any] = []
    for kind in (AbsenceAnnounced, AbsenceDecided):
        events.subscribe(kind, heard.append)
    with scope(cast.school.id):
        notice = announce(cast)
        absences.decide_absence(cast.secretary.actor, notice_id=notice.pk, accepted=True, now=NOW)
    for kind in (AbsenceAnnounced, AbsenceDecided):
        events.unsubscribe(kind, heard.append)
    assert heard[0].guardian_person_ids == (cast.father.person.pk,)
    assert set(heard[1].guardian_person_ids) == {cast.mother.person.pk, cast.father.person.pk}


def test_who_may_not_announce_is_refused(cast: Cast) -> None:
    with scope(cast.school.id):
        for stranger in (cast.barred, cast.teacher, cast.pupil, cast.classmate):
            with pytest.raises(NotFound):
                announce(cast, stranger.actor)
        with pytest.raises(NotFound):
            announce(cast, pupil_id=cast.classmate.person.pk)
        with pytest.raises(NotFound):
            announce(cast, cast.secretary.actor, pupil_id=cast.teacher.person.pk)
        Guardianship.objects.filter(pupil=cast.pupil.person, guardian=cast.father.person).update(
            may_announce=False
        )
        with pytest.raises(MayNotAnnounce):
            announce(cast, cast.father.actor)
    with scope(cast.other_school.id), pytest.raises(NotFound):
        announce(cast, cast.stranger.actor)


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"ends_at": NOW - 2 * HOUR}, WrongSpan),
        ({"ends_at": NOW + timedelta(days=40)}, TooLong),
        ({"starts_at": NOW + timedelta(days=400), "ends_at": NOW + timedelta(days=401)}, TooEarly),
        ({"starts_at": NOW - timedelta(days=90), "ends_at": NOW - timedelta(days=89)}, TooLate),
    ],
)
def test_times_that_cannot_be_meant_are_refused(
    cast: Cast, facts: dict[str, Any], refusal: type[Exception]
) -> None:
    with scope(cast.school.id), pytest.raises(refusal):
        announce(cast, **facts)


def test_the_office_may_note_what_lies_further_back(cast: Cast) -> None:
    with scope(cast.school.id):
        notice = announce(
            cast, cast.secretary.actor, starts_at=NOW - timedelta(days=90), ends_at=NOW - timedelta(days=50)
        )
    assert (notice.by_office, notice.state) == (True, NoticeState.ACCEPTED)


def test_the_same_illness_is_extended_and_not_announced_twice(cast: Cast) -> None:
    with scope(cast.school.id):
        first = announce(cast, reason="Fever")
        longer = announce(cast, cast.father.actor, ends_at=NOW + timedelta(days=2), reason="Still ill")
        assert (longer.pk, longer.starts_at, longer.ends_at) == (
            first.pk,
            first.starts_at,
            NOW + timedelta(days=2),
        )
        assert longer.reason == "Fever\nStill ill"
        with pytest.raises(AlreadyAnnounced):
            announce(cast)
        assert AbsenceNotice.objects.count() == 1


def test_what_contradicts_an_announcement_is_refused(cast: Cast) -> None:
    with scope(cast.school.id):
        notice = announce(cast)
        with pytest.raises(Overlapping):
            announce(cast, kind=Reason.FAMILY)
        absences.decide_absence(cast.secretary.actor, notice_id=notice.pk, accepted=True, now=NOW)
        with pytest.raises(Overlapping):
            announce(cast, ends_at=NOW + timedelta(days=2))


def test_a_refused_justification_may_be_handed_in_again(cast: Cast) -> None:
    with scope(cast.school.id):
        notice = announce(cast)
        absences.decide_absence(cast.secretary.actor, notice_id=notice.pk, accepted=False, note="no", now=NOW)
        assert announce(cast).pk != notice.pk


def test_a_family_withdraws_what_was_not_accepted(cast: Cast) -> None:
    with scope(cast.school.id):
        notice = announce(cast)
        assert absences.withdraw_absence(cast.mother.actor, notice_id=notice.pk, now=NOW).withdrawn_at == NOW
        with pytest.raises(AlreadyWithdrawn):
            absences.withdraw_absence(cast.mother.actor, notice_id=notice.pk, now=NOW)
        again = announce(cast)
        absences.decide_absence(cast.secretary.actor, notice_id=again.pk, accepted=True, now=NOW)
        with pytest.raises(CannotWithdraw):
            absences.withdraw_absence(cast.mother.actor, notice_id=again.pk, now=NOW)
        with pytest.raises(NotFound):
            absences.withdraw_absence(cast.barred.actor, notice_id=again.pk, now=NOW)


def test_what_the_office_withdraws_is_absent_again(cast: Cast) -> None:
    with scope(cast.school.id):
        taken_register(cast, {**everybody(cast), cast.pupil.person.pk: Status.ABSENT})
        notice = announce(cast, cast.secretary.actor)
        assert Mark.objects.get(pupil=cast.pupil.person).status == Status.EXCUSED
        absences.withdraw_absence(cast.secretary.actor, notice_id=notice.pk, now=NOW)
        assert Mark.objects.get(pupil=cast.pupil.person).status == Status.ABSENT


def test_a_register_taken_later_is_excused_by_the_sweep(cast: Cast) -> None:
    with scope(cast.school.id):
        announce(cast, cast.secretary.actor)
        taken_register(cast, {**everybody(cast), cast.pupil.person.pk: Status.ABSENT})
        absences.excuse_covered(cast.office, since=NOW - timedelta(days=14), now=NOW)
        assert Mark.objects.get(pupil=cast.pupil.person).status == Status.EXCUSED


def test_a_document_is_told_by_its_content(cast: Cast) -> None:
    with scope(cast.school.id):
        notice = announce(cast, document=Document("..\\scan\r\n<b>.exe", PDF))
        found = queries.access_document(cast.father.actor, notice.pk)
        assert (found.media_type, found.data) == ("application/pdf", PDF)
        assert found.name.endswith(".pdf")
        assert not set(found.name) & set("<>\\/\r\n")
        with pytest.raises(UnknownDocument):
            announce(cast, pupil_id=cast.sister.person.pk, document=Document("a.pdf", b"MZ program"))
        with pytest.raises(TooLarge):
            announce(
                cast,
                pupil_id=cast.sister.person.pk,
                document=Document("a.pdf", PDF + bytes(10 * 1024 * 1024)),
            )
        for outsider in (cast.barred, cast.teacher, cast.classmate):
            with pytest.raises(NotFound):
                queries.access_document(outsider.actor, notice.pk)


def test_only_the_office_decides(cast: Cast) -> None:
    with scope(cast.school.id):
        notice = announce(cast)
        for member in (cast.teacher, cast.mother, cast.pupil):
            with pytest.raises(Denied):
                absences.decide_absence(member.actor, notice_id=notice.pk, accepted=True, now=NOW)


def test_days_are_the_schools_days_also_when_the_clocks_change() -> None:
    span = span_of_days(date(2026, 10, 25), date(2026, 10, 25), "Europe/Madrid")
    assert span.ends_at - span.starts_at == timedelta(hours=25)
    morning = span_of_days(date(2026, 10, 13), date(2026, 10, 13), "Europe/Madrid", time(9), time(10, 30))
    assert morning.starts_at.astimezone(UTC) == datetime(2026, 10, 13, 7, tzinfo=UTC)


def test_the_office_locks_registers_before_their_marks_as_teachers_do(cast: Cast) -> None:
    """Else a teacher who saves at that moment and the office would wait for each other for ever."""
    with scope(cast.school.id):
        absent = everybody(cast) | {cast.pupil.person.pk: Status.ABSENT}
        register = taken_register(cast, absent)
        notice = announce(cast)
        with CaptureQueriesContext(connection) as excusing:
            absences.decide_absences(cast.secretary.actor, notice_ids=[notice.pk], accepted=True, now=NOW)
        with CaptureQueriesContext(connection) as arriving:
            absences.mark_arrived(
                cast.secretary.actor, register_id=register.pk, pupil_id=cast.pupil.person.pk, now=NOW
            )
    for statements in (excusing, arriving):
        locks = [q["sql"] for q in statements if "FOR UPDATE" in q["sql"] and "absencenotice" not in q["sql"]]
        assert [sql.split("FROM ")[1].split()[0] for sql in locks] == [
            '"attendance_register"',
            '"attendance_mark"',
        ]
