"""The pages of policies: a technician makes one, sees what it changes, gives it, goes back."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pupitre.devices.actions import policies
from pupitre.devices.models import Assignment, Device, Policy, PolicyVersion, Target
from pupitre.devices.rules import Level, Platform, Standing
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast
from tests.conftest import Visitor

BASE = "/s/oak/devices/policies"


def devices(cast: Cast, number: int = 3) -> None:
    with scope(cast.school.id):
        Device.objects.bulk_create(
            Device(
                authority_id=cast.authority.pk,
                school_id=cast.school.id,
                number=f"page-{one}",
                platform=Platform.ANDROID.value,
                standing=Standing.ENROLLED.value,
                groups=[cast.homeroom.pk],
                created_at=NOW,
            )
            for one in range(number)
        )


def make(client: Client, **typed: Any) -> Policy:
    answer = client.post(f"{BASE}/new", {"name": "Calm", "set-camera": "no", **typed})
    assert answer.status_code == 303, answer.content.decode()
    return Policy.objects.get(pk=int(answer.headers["Location"].rsplit("/", 1)[1]))


def texts(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_policy_is_made_given_changed_and_taken_back(cast: Cast, visit: Visitor) -> None:
    devices(cast)
    client = visit.as_(cast.head)
    with scope(cast.school.id):
        policy = make(
            client, **{"set-web.mode": "allow", "set-web.hosts": "https://www.Wikipedia.org/wiki/A\n"}
        )
    page = texts(client.get(f"{BASE}/{policy.pk}"))
    assert "Only www.wikipedia.org" in page
    give = {"whom": f"class-{cast.homeroom.pk}"}
    preview = texts(client.post(f"{BASE}/{policy.pk}/assignments", {**give, "intent": "preview"}))
    assert "Give it now" in preview
    assert "1A (3)" in preview
    assert client.post(f"{BASE}/{policy.pk}/assignments", {**give, "intent": "save"}).status_code == 303
    again = client.post(f"{BASE}/{policy.pk}/assignments", {**give, "intent": "save"})
    assert again.status_code == 409
    assert "This policy is given there already." in texts(again)
    typed = {"set-camera": "yes", "locked-camera": "on", "expected": "1"}
    preview = texts(client.post(f"{BASE}/{policy.pk}/edition", typed))
    assert "Save: it holds from now on" in preview
    assert client.post(f"{BASE}/{policy.pk}/edition", {**typed, "intent": "save"}).status_code == 303
    late = client.post(f"{BASE}/{policy.pk}/edition", {"set-camera": "no", "expected": "1", "intent": "save"})
    assert late.status_code == 409
    page = texts(client.get(f"{BASE}/{policy.pk}"))
    assert "Go back to this" in page
    assert client.post(f"{BASE}/{policy.pk}/versions/1/restoration").status_code == 303
    with scope(cast.school.id):
        target = Target.objects.get(authority_id=cast.authority.pk, level=Level.GROUP)
        assert target.document["settings"]["camera"] is False
        given = Assignment.objects.get(authority_id=cast.authority.pk)
    assert client.post(f"/s/oak/devices/assignments/{given.pk}/removal").status_code == 303
    assert client.post(f"{BASE}/{policy.pk}/name", {"name": "Quiet", "notes": "For all"}).status_code == 303
    assert client.post(f"{BASE}/{policy.pk}/archival").status_code == 303
    assert "Quiet" not in texts(client.get(BASE))
    assert "Quiet" in texts(client.get(f"{BASE}?archived"))


def test_what_is_wrong_is_told_at_its_field_and_nothing_typed_is_lost(cast: Cast, visit: Visitor) -> None:
    typed = {
        "name": "Wrong",
        "set-volume": "300",
        "set-wifi.0.ssid": "School",
        "set-wifi.0.security": "wpa2",
        "set-web.mode": "allow",
    }
    answer = visit.as_(cast.head).post(f"{BASE}/new", typed)
    assert answer.status_code == 422
    page = texts(answer)
    for words in (
        "Give a whole number from 0 to 100.",
        'value="School"',
        'value="300"',
        "#set-web",
        'value="Wrong"',
    ):
        assert words in page


def test_a_password_is_never_shown_again(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.head)
    network = {"set-wifi.0.ssid": "School", "set-wifi.0.security": "wpa2"}
    with scope(cast.school.id):
        policy = make(client, **network, **{"set-wifi.0.password": "correct horse"})
        before = PolicyVersion.objects.get(authority_id=cast.authority.pk, policy_id=policy.pk).document
    assert "correct horse" not in texts(client.get(f"{BASE}/{policy.pk}/edition"))
    typed = {**network, "set-wifi.0.hidden": "on", "intent": "save", "expected": "1"}
    assert client.post(f"{BASE}/{policy.pk}/edition", typed).status_code == 303
    with scope(cast.school.id):
        after = PolicyVersion.objects.get(
            authority_id=cast.authority.pk, policy_id=policy.pk, number=2
        ).document
    assert after["settings"]["wifi"][0]["password"] == before["settings"]["wifi"][0]["password"]
    assert after["settings"]["wifi"][0]["hidden"] is True


def test_pages_are_for_who_cares_for_devices(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        policy = policies.create_policy(
            cast.head.actor, name="Calm", document={"settings": {"camera": False}}, now=NOW
        )
    for path in (BASE, f"{BASE}/new", f"{BASE}/{policy.pk}", f"{BASE}/{policy.pk}/edition"):
        assert visit.as_(cast.technician).get(path).status_code == 200
        assert visit.as_(cast.teacher).get(path).status_code == 403
        assert visit.as_(cast.stranger).get(path).status_code == 404
        assert visit.anonymous().get(path).status_code == 302


def test_the_authoritys_policies_are_its_fleet_managers(cast: Cast, visit: Visitor) -> None:
    devices(cast)
    client = Client()
    client.force_login(cast.fleet_manager)
    base = "/a/valley/fleet/policies"
    answer = client.post(f"{base}/new", {"name": "Region", "set-camera": "no", "locked-camera": "on"})
    assert answer.status_code == 303, texts(answer)
    at = answer.headers["Location"]
    give = {"whom": f"authority-{cast.authority.pk}"}
    assert "Oak School (3)" in texts(client.post(f"{at}/assignments", {**give, "intent": "preview"}))
    assert client.post(f"{at}/assignments", {**give, "intent": "save"}).status_code == 303
    assert "Region" in texts(client.get(base))
    assert client.get(f"{at}/edition").status_code == 200
    editor = texts(visit.as_(cast.head).get(f"{BASE}/new"))
    assert "Locked by the authority" in editor
    number = at.rsplit("/", 1)[1]
    assert "not change it" in texts(visit.as_(cast.head).get(f"{BASE}/{number}"))
    assert visit.as_(cast.head).get(f"{BASE}/{number}/edition").status_code == 404
    assert visit.as_(cast.head).get(base).status_code == 404


def test_the_list_costs_the_same_with_one_policy_and_with_thirty(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.head)
    client.get(BASE)
    counts = []
    for number in (1, 30):
        with scope(cast.school.id):
            for one in range(number):
                policy = policies.create_policy(
                    cast.head.actor,
                    name=f"Policy {number} {one}",
                    document={"settings": {"camera": False}},
                    now=NOW,
                )
                for level, whom in ((Level.SCHOOL, cast.school.id), (Level.GROUP, cast.homeroom.pk)):
                    policies.assign_policy(cast.head.actor, policy.pk, level=level, whom=whom, now=NOW)
        for path in (BASE, f"{BASE}/{policy.pk}", f"{BASE}/{policy.pk}/edition"):
            with CaptureQueriesContext(connection) as told:
                assert client.get(path).status_code == 200
            counts.append(len(told))
    assert counts[:3] == counts[3:]
