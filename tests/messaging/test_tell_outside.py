"""What is told in the product also goes out: by e-mail in the reader's language, and by web push."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from django.test import Client
from django.test.utils import override_settings

from pupitre.kernel import clock
from pupitre.messaging.actions import deliveries, notifications
from pupitre.messaging.models import Delivery, PushSubscription
from pupitre.messaging.rules.kinds import MOST_ATTEMPTS, DeliveryState, Kind, Show, moment
from pupitre.messaging.rules.push import UnknownPushService, check_browser
from pupitre.people.models import Account
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast, Member
from tests.conftest import Visitor
from tests.jobs import run_jobs
from tests.messaging.mailbox import Browser, Letterbox, PushService, mail_server, push_service

MISSING = {"pupil": "Pau Pupil", "subject": "Maths", "time": moment(NOW, "Europe/Madrid", Show.TIME)}


@pytest.fixture
def letterbox() -> Iterator[Letterbox]:
    with (
        mail_server() as box,
        override_settings(
            EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=box.port,
            EMAIL_USE_TLS=False,
        ),
    ):
        yield box


@pytest.fixture
def service() -> Iterator[PushService]:
    with push_service() as found:
        yield found


def told(
    cast: Cast, *members: Member, kind: Kind = Kind.PUPIL_MISSING, facts: dict[str, Any] = MISSING
) -> None:
    with scope(cast.school.id):
        ids = [member.person.pk for member in members]
        notifications.tell(cast.school.id, ids, kind, facts, "/family", now=NOW)
    run_jobs(due_only=True)


def states(cast: Cast) -> list[tuple[DeliveryState, int]]:
    with scope(cast.school.id):
        found = Delivery.objects.order_by("id").values_list("state", "attempts")
        return [(DeliveryState(state), attempts) for state, attempts in found]


def subscribed(cast: Cast, client: Client, browser: Browser) -> None:
    answer = client.post(
        "/notifications/browsers", json.dumps(browser.subscription), content_type="application/json"
    )
    assert answer.status_code == 201


def test_both_guardians_get_a_mail_in_their_own_language(cast: Cast, letterbox: Letterbox) -> None:
    Account.objects.filter(pk=cast.father.account.pk).update(locale="de")
    told(cast, cast.mother, cast.father)
    assert letterbox.recipients == ["mara@familia.example", "pere@familia.example"]
    english, german = letterbox.mails
    assert english["Subject"] == "Pau Pupil is missing · Oak School"
    assert "missing from Maths since 09:10" in letterbox.text(0)
    assert "is missing" not in str(german["Subject"])
    assert "09:10" in letterbox.text(1)
    assert english["Auto-Submitted"] == "auto-generated"
    assert "/notifications" in letterbox.text(0)
    assert states(cast) == [(DeliveryState.DONE, 1)] * 2


def test_a_title_cannot_smuggle_headers_into_a_mail(cast: Cast, letterbox: Letterbox) -> None:
    evil = "Trip\r\nBcc: everybody@evil.example\r\n\r\n<script>"
    told(cast, cast.mother, kind=Kind.NOTICE_REMINDER, facts={"title": evil, "school": evil})
    told(cast, cast.mother, kind=Kind.NOTICE, facts={"title": evil, "school": evil})
    assert letterbox.recipients == ["mara@familia.example"] * 2
    for mail in letterbox.mails:
        assert isinstance(mail, EmailMessage)
        assert mail["Bcc"] is None
        assert "\n" not in str(mail["Subject"])


def test_a_mail_server_that_refuses_is_tried_again_later_each_time(cast: Cast, letterbox: Letterbox) -> None:
    letterbox.refuses.add("mara@familia.example")
    told(cast, cast.mother, cast.father)
    assert letterbox.recipients == ["pere@familia.example"]
    assert states(cast) == [(DeliveryState.WAITING, 1), (DeliveryState.DONE, 1)]
    letterbox.refuses.clear()
    assert run_jobs(due_only=True) == []
    with clock.frozen(NOW + timedelta(minutes=3)):
        run_jobs(due_only=True)
    assert letterbox.recipients == ["pere@familia.example", "mara@familia.example"]
    assert states(cast)[0] == (DeliveryState.DONE, 2)


def test_it_is_given_up_in_the_end(cast: Cast) -> None:
    """Nobody listens at all: the connection is refused."""
    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=1
    ):
        told(cast, cast.mother)
        for days in range(1, MOST_ATTEMPTS + 2):
            with clock.frozen(NOW + timedelta(days=days)):
                run_jobs(due_only=True)
    assert states(cast) == [(DeliveryState.FAILED, MOST_ATTEMPTS)]


def test_who_wants_no_mail_gets_none_and_still_reads_it(
    cast: Cast, visit: Visitor, letterbox: Letterbox
) -> None:
    client = visit.as_(cast.mother)
    assert client.post("/notifications/channels", {"by_push": "on"}).status_code == 303
    told(cast, cast.mother)
    assert letterbox.mails == []
    assert "Pau Pupil is missing" in client.get("/notifications").content.decode()


def test_a_browser_receives_what_only_it_can_read(cast: Cast, visit: Visitor, service: PushService) -> None:
    browser = Browser(service, "one")
    subscribed(cast, visit.as_(cast.mother), browser)
    told(cast, cast.mother)
    [(path, headers, body)] = service.taken
    assert path == "/one"
    assert b"Pau" not in body
    message = browser.read(body)
    assert message["title"] == "Pau Pupil is missing"
    assert message["url"] == "/family"
    assert headers["ttl"] == str(deliveries.KEPT_FOR)
    assert headers["urgency"] == "high"
    assert claims_of(headers["authorization"])["aud"] == service.address


def claims_of(authorization: str) -> dict[str, Any]:
    """The claims of `vapid t=<jwt>, k=<key>` (RFC 8292), after its signature was checked with our public key."""
    scheme, _, rest = authorization.partition(" ")
    assert scheme.lower() == "vapid"
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert parts["k"].rstrip("=") == deliveries.public_key()
    head, claims, signature = parts["t"].split(".")
    raw = _bytes(signature)
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(parts["k"]))
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    found: dict[str, Any] = json.loads(_bytes(claims))
    assert found["sub"] == "mailto:pupitre@localhost"
    return found


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_an_expired_browser_is_forgotten(cast: Cast, visit: Visitor, service: PushService) -> None:
    subscribed(cast, visit.as_(cast.mother), Browser(service, "gone"))
    service.status = 410
    told(cast, cast.mother)
    assert not PushSubscription.objects.exists()
    told(cast, cast.mother)
    assert len(service.taken) == 1


def test_a_browser_that_refuses_our_key_is_left_alone_until_it_subscribes_again(
    cast: Cast, visit: Visitor, service: PushService
) -> None:
    browser = Browser(service, "strict")
    subscribed(cast, visit.as_(cast.mother), browser)
    service.status = 403
    told(cast, cast.mother)
    told(cast, cast.mother)
    assert len(service.taken) == 1
    service.status = 201
    subscribed(cast, visit.as_(cast.mother), browser)
    told(cast, cast.mother)
    assert len(service.taken) == 2


def test_a_push_service_in_trouble_is_tried_again(cast: Cast, visit: Visitor, service: PushService) -> None:
    subscribed(cast, visit.as_(cast.mother), Browser(service, "busy"))
    service.status = 503
    told(cast, cast.mother)
    service.status = 201
    with clock.frozen(NOW + timedelta(minutes=3)):
        run_jobs(due_only=True)
    assert len(service.taken) == 2
    assert (DeliveryState.DONE, 2) in states(cast)


def test_a_browser_is_its_last_subscribers(cast: Cast, visit: Visitor, service: PushService) -> None:
    browser = Browser(service, "shared")
    subscribed(cast, visit.as_(cast.mother), browser)
    subscribed(cast, visit.as_(cast.father), browser)
    told(cast, cast.mother)
    assert service.taken == []
    forget = json.dumps({"forget": browser.endpoint})
    client = visit.as_(cast.mother)
    assert client.post("/notifications/browsers", forget, content_type="application/json").status_code == 200
    assert PushSubscription.objects.count() == 1, "only its own account forgets a browser"
    visit.as_(cast.father).post("/notifications/browsers", forget, content_type="application/json")
    assert not PushSubscription.objects.exists()


def test_an_address_inside_of_the_installation_is_refused(cast: Cast, visit: Visitor) -> None:
    wrong = {"endpoint": "https://10.0.0.7/internal", "keys": {"p256dh": "B" + "A" * 86, "auth": "A" * 22}}
    client = visit.as_(cast.mother)
    for body in (wrong, [], {"endpoint": 5}, {"keys": 7}):
        answer = client.post("/notifications/browsers", json.dumps(body), content_type="application/json")
        assert answer.status_code in {404, 422}
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://10.0.0.7\\@fcm.googleapis.com/send",
        "https://10.0.0.7\\.fcm.googleapis.com/send",
        "https://somebody@fcm.googleapis.com/send",
        "https://fcm.googleapis.com:8443/send",
        "https://fcm.googleapis.com:x/send",
        "https://fcm.googleapis.com/se nd",
        "https://fcm.googleapis.com.evil.example/send",
        "http://fcm.googleapis.com/send",
        "https://[/send",
    ],
)
def test_an_address_that_programs_read_differently_is_refused(endpoint: str) -> None:
    with pytest.raises(UnknownPushService):
        check_browser(endpoint, "B" + "A" * 86, "A" * 22, own_host="school.example")


def test_the_browsers_own_services_are_taken() -> None:
    for host in ("fcm.googleapis.com", "updates.push.services.mozilla.com", "web.push.apple.com"):
        check_browser(
            f"https://{host}/wpush/v2/a@b?t=%3d", "B" + "A" * 86, "A" * 22, own_host="school.example"
        )


def test_what_waits_for_one_does_not_reach_who_took_the_browser_over(
    cast: Cast, visit: Visitor, service: PushService
) -> None:
    browser = Browser(service, "shared")
    subscribed(cast, visit.as_(cast.mother), browser)
    with scope(cast.school.id):
        notifications.tell(
            cast.school.id, [cast.mother.person.pk], Kind.PUPIL_MISSING, MISSING, "/family", now=NOW
        )
    subscribed(cast, visit.as_(cast.secretary), browser)
    run_jobs(due_only=True)
    assert service.taken == [], "the child's name is not for the next one at this device"
