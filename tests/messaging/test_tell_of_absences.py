"""What attendance tells reaches the entitled guardians, by each one's language and the school's clock."""

from datetime import timedelta

from django.core import mail

from pupitre.attendance.actions import absences
from pupitre.attendance.rules.absences import Reason
from pupitre.attendance.rules.status import Status
from pupitre.kernel import clock
from pupitre.messaging.models import Notification
from pupitre.messaging.rules.kinds import Kind
from pupitre.people.models import Account
from pupitre.tenancy.scoping import scope
from tests.attendance.office import everybody, taken_register
from tests.cast import NOW, Cast
from tests.conftest import Visitor
from tests.jobs import run_jobs


def test_an_unannounced_absence_tells_both_guardians_and_never_the_barred(cast: Cast, visit: Visitor) -> None:
    Account.objects.filter(pk=cast.father.account.pk).update(locale="fr")
    with scope(cast.school.id):
        taken_register(cast, everybody(cast) | {cast.pupil.person.pk: Status.ABSENT})
    with clock.frozen(NOW + timedelta(minutes=25)):
        run_jobs(due_only=True)
    with scope(cast.school.id):
        told = Notification.objects.filter(kind=Kind.PUPIL_MISSING).values_list("person_id", flat=True)
        assert sorted(told) == sorted([cast.mother.person.pk, cast.father.person.pk])
    by_address = {sent.to[0]: sent for sent in mail.outbox}
    assert set(by_address) == {"mara@familia.example", "pere@familia.example"}
    assert "missing from Maths since 09:00" in str(by_address["mara@familia.example"].body)
    assert "depuis 09:00" in str(by_address["pere@familia.example"].body)
    assert "Pau Pupil is missing" in visit.as_(cast.mother).get("/notifications").content.decode()
    assert "Pau" not in visit.as_(cast.barred).get("/notifications").content.decode()


def test_a_decision_is_told_with_its_days_and_its_reason(cast: Cast) -> None:
    Account.objects.filter(pk=cast.mother.account.pk).update(locale="de")
    with scope(cast.school.id):
        told = absences.announce_absence(
            cast.mother.actor,
            pupil_id=cast.pupil.person.pk,
            starts_at=NOW,
            ends_at=NOW + timedelta(hours=3),
            kind=Reason.TRAVEL,
            now=NOW,
        )
        absences.decide_absence(
            cast.secretary.actor, notice_id=told.pk, accepted=False, note="Too late", now=NOW
        )
    run_jobs()
    german = next(
        sent for sent in mail.outbox if sent.to == ["mara@familia.example"] and "Too late" in sent.body
    )
    assert "13. Oktober" in str(german.body)
