"""Webhooks: another system is told what happened, signed; again where it failed; never what was rolled back."""

import base64
import dataclasses
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from pupitre.attendance.actions import absences, registers
from pupitre.attendance.rules.absences import Reason
from pupitre.connections import jobs
from pupitre.connections.actions import deliveries, webhooks
from pupitre.connections.models import Webhook, WebhookDelivery, WebhookPulse
from pupitre.connections.queries import webhooks as queries
from pupitre.connections.rules import webhooks as rules
from pupitre.connections.rules.webhooks import DeliveryState, DisabledBy, EventKind, Problem
from pupitre.courses import actions as courses
from pupitre.kernel import clock, outward
from pupitre.kernel.errors import Denied, NotFound
from pupitre.messaging.actions import notices
from pupitre.messaging.models import Notification
from pupitre.messaging.rules.kinds import Audience, Kind
from pupitre.people import actions as people
from pupitre.people.rules import Role, system_actor
from pupitre.tenancy.scoping import scope
from pupitre.timetable.actions.substitutions import change_day
from tests.attendance.registers import said, send
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor
from tests.connections.receiver import Receiver, receiver
from tests.jobs import run_jobs

ALL = tuple(EventKind)


@pytest.fixture
def hook() -> Iterator[Receiver]:
    private = dataclasses.replace(settings.CONFIG, private_addresses=True)
    with receiver() as found, override_settings(CONFIG=private):
        yield found


def opened(cast: Cast, url: str, *kinds: EventKind) -> tuple[int, str]:
    with scope(cast.school.id):
        row, secret = webhooks.open_webhook(
            cast.office, name="Library", url=url, kinds=kinds or ALL, now=clock.now()
        )
    return row.pk, secret


def changed(cast: Cast) -> None:
    with scope(cast.school.id):
        people.change_person(cast.office, cast.pupil.person.pk, preferred_name="Pauet")


def log(cast: Cast) -> list[tuple[DeliveryState, int, Problem, int]]:
    with scope(cast.school.id):
        rows = WebhookDelivery.objects.order_by("id")
        return [(DeliveryState(r.state), r.attempts, Problem(r.problem), r.status) for r in rows]


def later(**span: float) -> Any:
    return clock.frozen(clock.now() + timedelta(**span))


def test_an_event_arrives_signed_and_without_names(cast: Cast, hook: Receiver) -> None:
    _, secret = opened(cast, hook.url, EventKind.PERSON_UPDATED)
    changed(cast)
    with clock.frozen(clock.now()):
        run_jobs()
    (got,) = hook.received
    assert got.path == "/hooks?from=pupitre"
    assert got.headers["content-type"] == "application/json"
    payload = json.loads(got.body)
    assert payload == {
        "type": "person.updated",
        "timestamp": "2026-10-13T07:10:00.000Z",
        "data": {"school": "oak", "person_id": cast.pupil.person.pk, "changed": ["preferred_name"]},
    }
    assert got.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert log(cast) == [(DeliveryState.DELIVERED, 1, Problem.NONE, 200)]
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32


def verified(secret: str, hook: Receiver) -> Any:
    """As the receivers' own library sees it. It compares with the real time, so the clock must run."""
    got = hook.received[-1]
    return Verifier(secret).verify(got.body, got.headers)


def test_receivers_verify_with_their_own_library(cast: Cast, hook: Receiver) -> None:
    from datetime import UTC, datetime

    id_, secret = opened(cast, hook.url)
    with clock.frozen(datetime.now(UTC)):
        changed(cast)
        run_jobs()
        assert verified(secret, hook)["type"] == "person.updated"
        with scope(cast.school.id):
            _, new = webhooks.rotate_secret(cast.office, id_, now=clock.now())
        changed(cast)
        run_jobs()
        assert verified(secret, hook)["type"] == "person.updated"
        assert verified(new, hook)["type"] == "person.updated"
        with scope(cast.school.id):
            Webhook.objects.update(old_secret_until=clock.now())
        changed(cast)
        run_jobs()
        assert verified(new, hook)["type"] == "person.updated"
        with pytest.raises(WebhookVerificationError):
            verified(secret, hook)
        got = hook.received[-1]
        with pytest.raises(WebhookVerificationError):
            Verifier(new).verify(got.body + b" ", got.headers)


def test_the_secret_is_not_in_the_database(cast: Cast, hook: Receiver) -> None:
    id_, secret = opened(cast, hook.url)
    with scope(cast.school.id), connection.cursor() as cursor:
        cursor.execute("SELECT w::text FROM connections_webhook w WHERE id = %s", [id_])
        row = cursor.fetchone()[0]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert secret not in row
    assert secret.encode().hex() not in row
    assert key.hex() not in row


def test_everything_that_can_be_chosen_is_told(cast: Cast, hook: Receiver, visit: Visitor) -> None:
    opened(cast, hook.url)
    with scope(cast.school.id, account=cast.secretary.account.pk):
        office = cast.office
        new = people.add_person(office, role=Role.PUPIL, given_name="Nil", family_name="New", now=NOW)
        enrolment = courses.enrol(office, cast.homeroom, new)
        courses.end_enrolment(office, enrolment, today=TODAY)
        people.end_person(office, new.pk, on=TODAY, now=NOW)
        people.return_person(office, new.pk)
        notice = notices.draft_notice(
            cast.secretary.actor, title="Trip", body="Come.", audience=Audience.EVERYBODY, now=NOW
        )
        notices.publish_notice(cast.secretary.actor, notice_id=notice.pk, now=NOW)
        change_day(office, cast.next_lesson.pk, TODAY, now=NOW, note="Bring rulers")
        begins = NOW + timedelta(days=1)
        absence = absences.announce_absence(
            cast.mother.actor,
            pupil_id=cast.sister.person.pk,
            starts_at=begins,
            ends_at=begins + timedelta(hours=2),
            kind=Reason.ILLNESS,
            reason="Fever, again",
            now=NOW,
        )
        absences.decide_absence(office, notice_id=absence.pk, accepted=True, now=NOW)
    assert send(visit.as_(cast.teacher), cast, said(cast.pupil, "A")).status_code == 200
    with scope(cast.school.id):
        registers.close_register(cast.teacher.actor, lesson_id=cast.lesson.pk, held_on=TODAY, now=NOW)
    with later(hours=1):
        run_jobs()
    assert set(hook.kinds) == {kind.value for kind in EventKind} - {"roster.imported"}
    told = b"".join(one.body for one in hook.received).decode()
    for secret in ("Fever", "rulers", "Trip", "Nil", "Pupil", "Pau"):
        assert secret not in told


def test_only_chosen_events_go_to_only_the_own_school(cast: Cast, hook: Receiver) -> None:
    opened(cast, hook.url, EventKind.PERSON_ENDED)
    changed(cast)
    with scope(cast.other_school.id):
        office = system_actor(cast.other_school)
        people.end_person(office, cast.stranger.person.pk, on=TODAY, now=NOW)
    run_jobs()
    assert hook.received == []
    assert log(cast) == []


def test_what_is_rolled_back_is_never_told(cast: Cast, hook: Receiver) -> None:
    opened(cast, hook.url)
    with scope(cast.school.id), transaction.atomic():
        people.change_person(cast.office, cast.pupil.person.pk, preferred_name="Nobody")
        assert WebhookDelivery.objects.count() == 1
        transaction.set_rollback(True)
    run_jobs()
    assert hook.received == []
    assert log(cast) == []


def test_a_failure_is_tried_again_later_each_time_longer(cast: Cast, hook: Receiver) -> None:
    hook.statuses = [503, 500, 200]
    opened(cast, hook.url)
    changed(cast)
    run_jobs(due_only=True)
    assert log(cast) == [(DeliveryState.WAITING, 1, Problem.STATUS, 503)]
    run_jobs(due_only=True)
    assert len(hook.received) == 1
    with later(seconds=8):
        run_jobs(due_only=True)
        assert log(cast) == [(DeliveryState.WAITING, 2, Problem.STATUS, 500)]
        with later(seconds=8):
            run_jobs(due_only=True)
            assert len(hook.received) == 2
        with later(seconds=40):
            run_jobs(due_only=True)
    assert log(cast) == [(DeliveryState.DELIVERED, 3, Problem.NONE, 200)]
    ids = {one.headers["webhook-id"] for one in hook.received}
    assert len(ids) == 1
    assert len({one.headers["webhook-signature"] for one in hook.received}) == 3


def test_three_days_of_attempts_then_it_is_given_up() -> None:
    attempts, at = 1, NOW
    while again := rules.next_attempt(attempts, at, chance=0.0):
        attempts, at = attempts + 1, again
    assert attempts == 13
    assert timedelta(days=2) < at - NOW < timedelta(days=3.5)
    assert rules.next_attempt(1, NOW, chance=1.0, wait=0) == NOW + timedelta(seconds=6)
    assert rules.next_attempt(1, NOW, chance=1.0, wait=600) == NOW + timedelta(minutes=10)


def test_gone_disables_at_once_and_the_office_is_told(cast: Cast, hook: Receiver) -> None:
    hook.statuses = [410]
    id_, _ = opened(cast, hook.url)
    changed(cast)
    run_jobs(due_only=True)
    with scope(cast.school.id):
        row = queries.webhook_for(cast.office, id_)
        told = Notification.objects.filter(kind=Kind.WEBHOOK_DISABLED).values_list("person_id", flat=True)
        assert set(told) == {cast.head.person.pk, cast.secretary.person.pk}
    assert (row.disabled_by, row.waiting) == (DisabledBy.GONE, 0)
    assert log(cast) == [(DeliveryState.FAILED, 1, Problem.STATUS, 410)]
    changed(cast)
    run_jobs()
    assert len(hook.received) == 1


def test_five_days_without_success_disable(cast: Cast, hook: Receiver) -> None:
    hook.statuses = [500]
    id_, _ = opened(cast, hook.url)
    changed(cast)
    run_jobs(due_only=True)
    with later(days=4, hours=23):
        changed(cast)
        run_jobs(due_only=True)
        with scope(cast.school.id):
            assert queries.webhook_for(cast.office, id_).disabled_at is None
    with later(days=5, hours=1):
        run_jobs(due_only=True)
        with scope(cast.school.id):
            assert queries.webhook_for(cast.office, id_).disabled_by is DisabledBy.FAILURES
    assert {state for state, *_ in log(cast)} == {DeliveryState.FAILED}


def test_replaying_one_and_all_that_failed(cast: Cast, hook: Receiver) -> None:
    id_, _ = opened(cast, hook.url)
    changed(cast)
    run_jobs(due_only=True)
    hook.statuses = [410]
    changed(cast)
    changed(cast)
    run_jobs(due_only=True)
    assert [state for state, *_ in log(cast)] == [DeliveryState.DELIVERED, *[DeliveryState.FAILED] * 2]
    hook.statuses = [204]
    with scope(cast.school.id):
        with pytest.raises(rules.WebhookDisabled):
            webhooks.replay_failed(cast.office, id_, since=NOW, now=NOW)
        webhooks.enable_webhook(cast.office, id_)
        assert webhooks.replay_failed(cast.office, id_, since=NOW, now=NOW) == 2
        with pytest.raises(rules.NothingFailed):
            webhooks.replay_failed(cast.office, id_, since=NOW, now=NOW)
    run_jobs(due_only=True)
    assert {state for state, *_ in log(cast)} == {DeliveryState.DELIVERED}
    first = hook.received[0].headers["webhook-id"]
    with scope(cast.school.id):
        delivery = WebhookDelivery.objects.get(event_id=first)
        webhooks.replay(cast.office, id_, delivery.pk, now=NOW)
    run_jobs(due_only=True)
    assert hook.received[-1].headers["webhook-id"] == first


def test_a_slow_receiver_is_left_and_does_not_hold_up_the_others(
    cast: Cast, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "SECONDS", 0.2)
    with receiver() as slow:
        slow.seconds = 0.6
        slow_id, _ = opened(cast, slow.url)
        opened(cast, hook.url)
        for _ in range(4):
            changed(cast)
        run_jobs(due_only=True)
        assert len(hook.received) == 4
        # The second event did not wait for the first one's time to run out again: the receiver is left alone.
        assert len(slow.received) == 1
    with scope(cast.school.id):
        rows = WebhookDelivery.objects.filter(webhook_id=slow_id).order_by("id")
        assert [row.problem for row in rows] == [Problem.TOOK_TOO_LONG, 0, 0, 0]
        assert WebhookPulse.objects.get(webhook_id=slow_id).failures == 1


def test_an_answer_that_drips_ends_in_time(
    cast: Cast, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "SECONDS", 0.3)
    hook.drips = True
    opened(cast, hook.url)
    changed(cast)
    run_jobs(due_only=True)
    assert log(cast) == [(DeliveryState.WAITING, 1, Problem.TOOK_TOO_LONG, 0)]


def test_two_workers_do_not_send_the_same(cast: Cast, hook: Receiver) -> None:
    id_, _ = opened(cast, hook.url)
    changed(cast)
    with scope(cast.school.id):
        WebhookPulse.objects.update(busy_until=NOW + timedelta(seconds=30))
    run_jobs(due_only=True)
    assert hook.received == []
    with scope(cast.school.id):
        WebhookPulse.objects.update(busy_until=None)
    assert deliveries.carry(cast.school.id, webhook_id=id_, now=NOW) == 1
    assert deliveries.carry(cast.school.id, webhook_id=id_, now=NOW) == 0


def test_the_sweep_finds_what_a_dead_worker_left(cast: Cast, hook: Receiver) -> None:
    opened(cast, hook.url)
    changed(cast)
    with scope(cast.school.id):
        WebhookPulse.objects.update(busy_until=NOW + deliveries.TURN_LOST)
    run_jobs(due_only=True)
    assert hook.received == []
    with later(minutes=10):
        jobs.sweep_webhooks.func()
        run_jobs(due_only=True)
    assert len(hook.received) == 1


def test_redirects_are_not_followed(cast: Cast, hook: Receiver) -> None:
    with receiver() as elsewhere:
        hook.statuses, hook.headers = [302], {"Location": elsewhere.url}
        opened(cast, hook.url)
        changed(cast)
        run_jobs(due_only=True)
        assert elsewhere.received == []
    assert log(cast) == [(DeliveryState.WAITING, 1, Problem.STATUS, 302)]


def test_the_answers_beginning_is_kept(cast: Cast, hook: Receiver) -> None:
    hook.statuses, hook.answer = [400], "é\0".encode() * 2000
    opened(cast, hook.url)
    changed(cast)
    run_jobs(due_only=True)
    with scope(cast.school.id):
        answer = WebhookDelivery.objects.get().answer
    assert answer == "é\ufffd" * 250


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost:8443/",
        "https://10.0.0.8/x",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://0.0.0.0/",
        "https://2130706433/",
        "https://0x7f.1/",
    ],
)
def test_addresses_inside_the_house_are_refused_when_sending(cast: Cast, url: str) -> None:
    opened(cast, url)
    changed(cast)
    run_jobs(due_only=True)
    ((state, attempts, problem, _),) = log(cast)
    assert (state, attempts, problem) == (DeliveryState.WAITING, 1, Problem.REFUSED_ADDRESS)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org",
        "https://",
        "https://me:pw@example.org/",
        "no",
        "https://a b/",
    ],
)
def test_addresses_that_are_never_asked_are_not_taken(cast: Cast, url: str) -> None:
    with scope(cast.school.id), pytest.raises(rules.NotHttps):
        webhooks.open_webhook(cast.office, name="x", url=url, kinds=ALL, now=NOW)


def test_nothing_goes_by_a_certificate_that_is_not_valid(hook: Receiver) -> None:
    with pytest.raises(outward.OutwardError):
        outward.post(hook.url.replace("http:", "https:"), b"", {}, seconds=2, allow_private=True)


def test_the_log_is_pruned_after_thirty_days(cast: Cast, hook: Receiver) -> None:
    opened(cast, hook.url)
    changed(cast)
    run_jobs(due_only=True)
    with later(days=29):
        changed(cast)
        run_jobs(due_only=True)
        with later(days=2):
            jobs.sweep_logs.func()
            run_jobs(due_only=True)
    assert len(log(cast)) == 1


def test_making_one_on_the_page_shows_its_secret_once(cast: Cast, hook: Receiver, visit: Visitor) -> None:
    office = visit.as_(cast.secretary)
    facts = {"name": "Library", "url": hook.url, "kind": ["person.updated", "register.taken", "nonsense"]}
    answer = office.post("/s/oak/webhooks", facts)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert page.count("whsec_") == 1
    with scope(cast.school.id):
        row = Webhook.objects.get()
    assert row.kinds == ["person.updated", "register.taken"]
    assert "whsec_" not in office.get(f"/s/oak/webhooks/{row.pk}").content.decode()
    again = office.post(f"/s/oak/webhooks/{row.pk}/secret")
    assert again.content.decode().count("whsec_") == 1
    test = office.post(f"/s/oak/webhooks/{row.pk}/trials")
    run_jobs(due_only=True)
    assert hook.kinds == ["webhook.test"]
    found = office.get(test.headers["Location"]).content.decode()
    assert "Delivered" in found
    assert "webhook.test" in found
    wrong = office.post("/s/oak/webhooks", {"name": "", "url": "nothing", "kind": []})
    assert wrong.status_code == 422
    assert 'value="nothing"' in wrong.content.decode()


def test_the_page_shows_states_and_sends_again(cast: Cast, hook: Receiver, visit: Visitor) -> None:
    hook.statuses, hook.answer = [400], b"<b>no such person</b>"
    id_, _ = opened(cast, hook.url)
    changed(cast)
    run_jobs(due_only=True)
    office = visit.as_(cast.head)
    page = office.get(f"/s/oak/webhooks/{id_}").content.decode()
    assert "the other system has accepted nothing" in page
    with scope(cast.school.id):
        delivery = WebhookDelivery.objects.get().pk
    detail = office.get(f"/s/oak/webhooks/{id_}/deliveries/{delivery}").content.decode()
    assert "&lt;b&gt;no such person" in detail
    assert "person.updated" in detail
    assert "No delivery" not in detail
    empty = office.get(f"/s/oak/webhooks/{id_}?state=2").content.decode()
    assert f"/deliveries/{delivery}" not in empty
    waiting = office.get(f"/s/oak/webhooks/{id_}?state=1&kind=person.updated").content.decode()
    assert f"/deliveries/{delivery}" in waiting
    hook.statuses = [200]
    assert office.post(f"/s/oak/webhooks/{id_}/deliveries/{delivery}/replay").status_code == 303
    run_jobs(due_only=True)
    assert log(cast) == [(DeliveryState.DELIVERED, 1, Problem.NONE, 200)]
    assert office.post(f"/s/oak/webhooks/{id_}/replays", {"since": "7"}).status_code == 422
    assert office.post(f"/s/oak/webhooks/{id_}/activity", {"wish": "disable"}).status_code == 303
    assert "has been disabled since" in office.get(f"/s/oak/webhooks/{id_}").content.decode()
    assert office.post(f"/s/oak/webhooks/{id_}/trials").status_code == 409
    assert office.post(f"/s/oak/webhooks/{id_}/activity", {"wish": "enable"}).status_code == 303
    change = {"name": "Bookshop", "url": hook.url, "kind": ["notice.published"]}
    assert office.post(f"/s/oak/webhooks/{id_}", change).status_code == 303
    assert "Bookshop" in office.get("/s/oak/webhooks").content.decode()
    assert office.post(f"/s/oak/webhooks/{id_}/activity", {"wish": "remove"}).status_code == 303
    with scope(cast.school.id):
        assert not WebhookDelivery.objects.exists()


def test_only_the_office_sees_them(cast: Cast, hook: Receiver, visit: Visitor) -> None:
    id_, _ = opened(cast, hook.url)
    assert visit.as_(cast.teacher).get("/s/oak/webhooks").status_code == 403
    assert visit.as_(cast.teacher).post(f"/s/oak/webhooks/{id_}/secret").status_code == 403
    assert visit.as_(cast.stranger).get(f"/s/oak/webhooks/{id_}").status_code == 404
    with scope(cast.school.id), pytest.raises(Denied):
        queries.webhooks_for(cast.teacher.actor)
    with scope(cast.other_school.id), pytest.raises(NotFound):
        queries.access_webhook(system_actor(cast.other_school), id_)


def count(visit: Visitor, cast: Cast, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert visit.as_(cast.head).get(address).status_code == 200
    return len(captured)


def test_pages_cost_the_same_with_many(cast: Cast, hook: Receiver, visit: Visitor) -> None:
    id_, _ = opened(cast, hook.url)
    changed(cast)
    addresses = ("/s/oak/webhooks", f"/s/oak/webhooks/{id_}", f"/s/oak/webhooks/{id_}?state=1")
    count(visit, cast, addresses[0])  # the process gets to know the school
    before = [count(visit, cast, one) for one in addresses]
    for _ in range(15):
        opened(cast, hook.url)
    for _ in range(30):
        changed(cast)
    assert [count(visit, cast, one) for one in addresses] == before


def test_where_nobody_listens_an_event_costs_one_statement(cast: Cast) -> None:
    with scope(cast.school.id), CaptureQueriesContext(connection) as captured:
        webhooks.note_event(cast.school.id, EventKind.REGISTER_TAKEN, {}, now=NOW)
    assert len(captured) == 1
