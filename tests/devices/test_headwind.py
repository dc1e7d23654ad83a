"""Headwind's protocol against messages written by hand from its description."""

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pupitre.devices.rules import Platform, Verb
from pupitre.devices.rules.applications import Wanted
from pupitre.devices.rules.headwind import (
    configuration,
    coverage,
    enrolling,
    packages,
    reading,
    signing,
    verbs,
    versions,
)
from pupitre.devices.rules.headwind.configuration import Remembered, Wish
from pupitre.devices.rules.headwind.verbs import Order, Push
from pupitre.devices.rules.settings import SETTINGS

GOLDEN = Path(__file__).parents[1] / "edge/gateway/golden/headwind"
DOCS = Path(__file__).parents[2] / "docs/devices/headwind.md"
NOW = datetime(2026, 11, 22, 9, 10, tzinfo=UTC)
SECRET = "of-this-fleet"

SETTINGS_NOW: dict[str, Any] = {
    "camera": False, "bluetooth": False, "change_wifi": False, "screenshots": False, "passcode": "easy",
    "screen_timeout": 120, "brightness": 50, "volume": 30, "wallpaper": "https://example.org/sea.jpg",
    "system_updates": {"mode": "window", "from": "22:00", "to": "06:00"},
    "home_applications": {"packages": ["com.android.camera2", "org.geogebra.android"]},
    "blocked_applications": {"packages": ["com.netflix.mediaclient"]},
    "proxy": {"host": "proxy.example.org", "port": 8080}, "web": {"mode": "allow", "hosts": ["wikipedia.org"]},
    "files": [{"path": "Documents/atles.pdf", "key": "f1", "sha256": "a" * 64, "size": 9, "action": "put"}],
}  # fmt: skip
WISH = Wish(
    number="d-7f3k9m2q",
    asked_as="R52T10ABCDE",
    version="1f.2a",
    settings=SETTINGS_NOW,
    time_zone="Europe/Madrid",
    link=lambda key, _sha, name: f"https://mdm.example.org/files/{key}/{name}",
    certificate_link=lambda token: f"https://mdm.example.org/rest/public/certificate/{token}/ca.pem",
    panel="ABC-DEF-GHJ",
    now=NOW,
    named=frozenset({"com.netflix.mediaclient", "com.twitter.android", "com.android.camera2"}),
    applications=(
        Wanted(
            "org.geogebra.android", "apk", "install", "GeoGebra", "5.2.700", 700, 12, "abc", sha256="b" * 64
        ),
        Wanted("com.old.game", "apk", "remove", "Old game"),
    ),
    remembered=Remembered(
        {"org.geogebra.android": "5.2.840"},
        {
            "Documents/atles.pdf": ("4a3f0c1e2b5d69788796a5b4c3d2e1f0", 1795219200000),
            "Documents/old.pdf": ("c", 5),
        },
        frozenset({"com.android.chrome"}),
    ),
    orders=(Order(91, Verb.REPORT, {}), Order(92, Verb.REBOOT, {}), Order(93, Verb.CLEAR_PASSCODE, {})),
    lock=Order(90, Verb.LOCK, {"text": "Bring me to the office."}),
)


def rendered(wish: Wish) -> dict[str, Any]:
    return configuration.render(wish, configuration.locks_of(wish))


def setting(told: dict[str, Any], name: str) -> str:
    [found] = [one["value"] for one in told["applicationSettings"] if one["name"] == name]
    return str(found)


# Signatures


def test_the_hash_is_upper_case_sha1() -> None:
    assert signing.digest("abc") == "A9993E364706816ABA3E25717850C26C9CD0D89D"


def test_a_poll_may_be_signed_as_java_writes_the_number_or_as_it_is() -> None:
    told = signing.of_poll(SECRET, signing.POLLING, "tablet%20n.%201~b")
    for form in ("tablet+n.+1%7Eb", "tablet%20n.%201~b", "tablet n. 1~b"):
        assert signing.digest(f"{SECRET}/rest/notification/polling/{form}") in told
    assert signing.is_one_of(told[0].lower(), told)
    assert not signing.is_one_of(signing.digest(f"{SECRET}/rest/notification/polling/other"), told)


def test_a_download_is_signed_by_what_follows_files() -> None:
    target = "https://mdm.example.org/files/9-0-0-aa/bb/key/x.apk?a=1"
    assert signing.of_file(SECRET, target) == signing.digest(SECRET + "9-0-0-aa/bb/key/x.apk?a=1")


def test_the_agent_finds_the_signature_of_an_answer_right() -> None:
    body = signing.answer(
        {"name": "Tauleta n. 1 \t de «2ESO»", "data": {"a b": None}, "list": [1, 2.5, True]}
    )
    # As the agent does it: from the first "data": to the last character but one, without white space.
    text = body.decode()
    cut = text[text.index('"data":') + len('"data":') : len(text) - 1]
    expected = hashlib.sha1((SECRET + re.sub(r"[ \t\n\x0b\f\r]", "", cut)).encode()).hexdigest()
    assert signing.signature_of(SECRET, body) == expected.upper()
    assert json.loads(cut)["name"] == "Tauleta n. 1 \t de «2ESO»"
    assert list(json.loads(text)) == ["status", "message", "data"]


# What the agent sends


def test_a_report_is_read() -> None:
    told = reading.device_info((GOLDEN / "status.json").read_bytes())
    assert told == reading.Reported(
        number="R52T10ABCDE",
        model="SM-T500",
        serial="R52T10ABCDE",
        imei="356938035643809",
        cpu="arm64-v8a",
        os_version="13",
        agent_version="6.36",
        battery=83,
        is_charging=True,
        is_owner=True,
        permissions=(True, True, False, True),
        applications={"org.geogebra.android": "5.2.840", "cat.icgc.atles": "1.4"},
        files={"Documents/atles.pdf": ("4a3f0c1e2b5d69788796a5b4c3d2e1f0", 1795219200000)},
        stamp="1f.2a~0badcafe",
        commands=(91, 92),
        may_wipe=None,
    )


def test_no_location_and_no_telephone_number_is_read() -> None:
    told = reading.device_info((GOLDEN / "status.json").read_bytes())
    assert not any(kept in repr(told) for kept in ("41.387", "2.168", "+34600000000", "8934075100251234567"))


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[1]", b"\xff\xfe", b"{", b'"a"', b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}"]
)
def test_what_is_no_report_is_refused(body: bytes) -> None:
    with pytest.raises(reading.Malformed):
        reading.device_info(body)


def test_a_report_of_the_wrong_kinds_is_as_one_that_says_nothing() -> None:
    told = reading.device_info(
        b'{"deviceId":["x"],"batteryLevel":1e400,"applications":{"a":1},"permissions":7,"files":[3,{"path":4}],'
        b'"serial":"a\\u0000b\\ud800c","imei":12,"mdmMode":"yes","batteryCharging":1}'
    )
    assert told == reading.Reported(number="", serial="abc", imei="12", files={"4": ("", 0)})


def test_whatever_of_an_enrolment_may_be_a_code_is_one() -> None:
    assert reading.enrolling((GOLDEN / "enrolment.json").read_bytes()).codes == ("K7QH-M3XA-9RTC",)
    assert reading.enrolling(b'{"groups":["a","b"],"customer":"c"}').codes == ("c", "a", "b")
    assert reading.enrolling(b" ").codes == ()


def test_lines_of_a_log_tell_which_installation_failed() -> None:
    lines = reading.log_lines((GOLDEN / "log.json").read_bytes(), datetime(2026, 11, 30, tzinfo=UTC))
    assert [(one.level, one.package) for one in lines] == [(2, "com.hmdm.launcher"), (3, "com.hmdm.launcher")]
    assert lines[0].logged_at == datetime.fromtimestamp(1795219200, UTC)
    found = reading.failed_application(lines[0])
    assert found is not None
    assert found[0] == "org.geogebra.android"
    assert "503" in found[1]
    assert reading.failed_application(lines[1]) is None
    assert reading.failed_application(replace(lines[0], package="org.other")) is None


def test_a_line_from_the_future_happened_now() -> None:
    [line] = reading.log_lines(b'[{"timestamp":99999999999999,"logLevel":9,"message":"x"}]', NOW)
    assert (line.logged_at, line.level) == (NOW, 5)


# What the agent is told


def test_a_configuration_says_everything() -> None:
    expected = json.loads((GOLDEN / "configuration.json").read_text())
    expected["password"] = hashlib.md5(b"ABC-DEF-GHJ").hexdigest().upper()
    assert rendered(WISH) == expected


def test_what_was_locked_and_is_no_longer_is_unlocked_by_name() -> None:
    lesson = {"allowed_applications": {"packages": ["org.geogebra.android"]}}
    named = packages.named(lesson)
    first = replace(
        WISH, settings=lesson, named=named, known=frozenset({"net.atlas"}), remembered=Remembered()
    )
    locks = configuration.locks_of(first)
    assert {"com.android.chrome", "net.atlas"} <= locks.locked
    assert "org.geogebra.android" in locks.unlocked
    # The rule is gone, and with it every word about these packages; the class too.
    after = replace(
        WISH, settings={}, named=frozenset(), applications=(), remembered=Remembered(ever_locked=locks.locked)
    )
    freed = configuration.locks_of(after)
    assert freed.locked == frozenset()
    assert locks.locked <= freed.unlocked
    assert set(setting(rendered(after), "unlocked_packages").split(",")) >= locks.locked
    assert setting(rendered(after), "locked_packages") == ""


def test_what_a_device_cannot_do_without_is_never_locked() -> None:
    everything = {
        "blocked_applications": {"packages": sorted(packages.FREE)},
        "allowed_applications": {"packages": []},
    }
    locks = packages.locks(everything, packages.FREE, packages.FREE, packages.FREE)
    assert not locks.locked & packages.FREE
    assert packages.LAUNCHER not in locks.unlocked


def test_packages_of_rules_at_other_hours_are_known() -> None:
    schedule = [{"settings": {"blocked_applications": {"packages": ["a.b"]}, "kiosk_application": "c.d"}}]
    assert packages.named({"applications": [{"package": "e.f"}]}, schedule) == {"a.b", "c.d", "e.f"}


def test_a_newer_version_stays_where_the_rollout_was_halted() -> None:
    kept = replace(WISH, applications=(replace(WISH.applications[0], keeps_newer=True),))
    entries = [one for one in rendered(kept)["applications"] if one["pkg"] == "org.geogebra.android"]
    assert [(one["remove"], one["skipVersion"]) for one in entries] == [(False, True)]


def test_the_agent_is_updated_as_any_application_and_still_tells_what_it_holds() -> None:
    itself = Wanted(
        "com.hmdm.launcher", "apk", "install", "Headwind", "6.37", 63700, 9, "key", sha256="c" * 64
    )
    [entry] = [
        one
        for one in rendered(replace(WISH, applications=(itself,)))["applications"]
        if one["pkg"] == packages.LAUNCHER
    ]
    assert (entry["version"], entry["code"], entry["remove"]) == ("6.37", 63700, False)
    assert entry["url"].endswith("/key/com.hmdm.launcher.apk")
    assert entry["name"] == "pupitre 1f.2a 91"


def test_versions_are_compared_by_their_numbers_as_the_agent_does() -> None:
    assert versions.compare("5.2.840-release", "5.2.700") == 1
    assert versions.compare("1.0", "1.0.1") == -1
    assert versions.compare("v2.0", "2.0b") == 0
    assert versions.compare("", "") == 0


def test_no_file_is_put_outside_the_shared_storage() -> None:
    for path in ("../x", "//data/x", "a/../../b", None, ""):
        assert configuration.safe_path(path) == ""
    assert configuration.safe_path("/Documents/./a.pdf") == "Documents/a.pdf"


def test_a_file_that_changed_has_a_later_time_and_one_that_did_not_the_same() -> None:
    sha = "4a3f0c1e2b5d69788796a5b4c3d2e1f0" + "0" * 32
    for sha256, at in ((sha, 1795219200000), ("e" * 64, 1795219200001)):
        said = {"files": [{"path": "Documents/atles.pdf", "key": "k", "sha256": sha256, "action": "put"}]}
        [file] = [one for one in rendered(replace(WISH, settings=said))["files"] if not one["remove"]]
        assert file["lastUpdate"] == at


def test_a_certificate_travels_in_its_address() -> None:
    from tests.devices.certificates import PEM

    told = rendered(replace(WISH, settings={"certificates": [{"name": "School CA", "pem": PEM}]}))
    [file] = [one for one in told["files"] if not one["remove"]]
    token = file["url"].split("/")[-2]
    assert configuration.certificate_of(token) == PEM
    assert setting(told, "certificates") == file["path"]
    assert configuration.certificate_of("AAAA") is None
    assert configuration.certificate_of("é") is None


def test_a_device_that_waits_is_told_nothing_of_the_school() -> None:
    told = configuration.waiting("d-1", "R52", "Waiting")
    assert told["applicationSettings"] == told["files"] == []
    assert [one["pkg"] for one in told["applications"]] == ["com.hmdm.launcher"]


def test_every_setting_is_carried_or_named_with_the_reason() -> None:
    asked = {key for key, one in SETTINGS.items() if Platform.ANDROID in one.platforms}
    assert set(coverage.COVERAGE) == asked
    for key, one in coverage.COVERAGE.items():
        assert one.note or one.how is coverage.Carried.WHOLLY, key
    assert coverage.not_carried(["wifi", "camera"]) == [
        {"key": "wifi", "reason": coverage.COVERAGE["wifi"].note}
    ]


def test_the_documentation_has_the_same_table() -> None:
    text = DOCS.read_text()
    for key, one in coverage.COVERAGE.items():
        assert f"| `{key}` | {one.how.value} | {one.note} |" in text


def test_what_is_carried_changes_the_configuration() -> None:
    said: dict[str, Any] = {
        "mode": "exam", "kiosk_application": "a.b", "passcode": "strong", "oldest_system": None, "site_cache": None,
        "certificates": [], "wallpaper": "https://x.y/z", "applications": None, "screen_timeout": 60, "brightness": 7, "volume": 8,
        "system_updates": {"mode": "instant"}, "proxy": {"host": "h", "port": 1}, "web": {"mode": "block", "hosts": ["x.y"]},
        "files": [{"path": "a", "key": "k", "sha256": "0" * 64, "action": "put"}],
        "allowed_applications": {"packages": ["a.b"]}, "blocked_applications": {"packages": ["a.b"]},
        "home_applications": {"packages": ["a.b"]},
    }  # fmt: skip
    plain = rendered(replace(WISH, settings={}, applications=()))
    elsewhere = {"oldest_system", "certificates", "applications"}  # told as a problem, and tested above
    for key, one in coverage.COVERAGE.items():
        if one.how is coverage.Carried.NOT or key in elsewhere:
            continue
        settings = {key: said.get(key, False)} | ({"mode": "kiosk"} if key == "kiosk_application" else {})
        assert rendered(replace(WISH, settings=settings, applications=())) != plain, key


# Commands


def test_every_verb_travels_or_says_why_not() -> None:
    assert set(verbs.CARRIAGE) == set(Verb)
    for one in verbs.CARRIAGE.values():
        assert (one.way is verbs.Way.NOT) == bool(one.reason) == (one.proof is None)
    [verdict] = verbs.refused([Order(5, Verb.RUN_SCRIPT, {"script": 1}), Order(6, Verb.LOCK, {})])
    assert (verdict.command, verdict.is_done) == (5, False)
    assert "script" in verdict.message


def test_a_lock_lasts_until_it_is_taken_back() -> None:
    assert verbs.members((), Order(1, Verb.LOCK, {"text": "Here"}))["lockMessage"] == "Here"
    assert verbs.members((), Order(2, Verb.UNLOCK, {}))["lock"] is False
    assert verbs.members((), None)["lock"] is False


def test_a_report_proves_only_what_its_configuration_named() -> None:
    report = reading.device_info((GOLDEN / "status.json").read_bytes())
    orders = [Order(91, Verb.LOCK, {}), Order(92, Verb.WIPE, {}), Order(93, Verb.UNLOCK, {})]
    assert verbs.proved(report, orders) == [verbs.Verdict(91, True)]


def test_a_wipe_that_the_agent_may_not_do_has_failed() -> None:
    orders = [Order(1, Verb.WIPE, {}), Order(2, Verb.REBOOT, {})]
    report = reading.Reported(number="x", may_wipe=False)
    [failed] = verbs.confirmed(Verb.WIPE, report, orders)
    assert (failed.command, failed.is_done, bool(failed.message)) == (1, False, True)
    assert verbs.confirmed(Verb.REBOOT, report, orders) == [verbs.Verdict(2, True)]


def test_one_answer_carries_one_message_of_a_kind() -> None:
    first, second = verbs.page_push("https://x/1"), verbs.page_push("https://x/2")
    assert verbs.batch([Push(verbs.CONFIG_UPDATED), first, second, Push(verbs.CONFIG_UPDATED)]) == [
        Push(verbs.CONFIG_UPDATED),
        first,
    ]


def test_a_payload_is_a_text_in_a_poll_and_an_object_over_mqtt() -> None:
    push = verbs.page_push("https://x/é")
    [polled] = verbs.polled([push])
    assert isinstance(polled["payload"], str)
    assert json.loads(polled["payload"]) == {"action": "android.intent.action.VIEW", "data": "https://x/é"}
    assert json.loads(verbs.published(push)) == {"messageType": "intent", "payload": push.payload}
    assert verbs.polled([Push(verbs.CONFIG_UPDATED)]) == [{"messageType": "configUpdated", "payload": None}]
    assert json.loads(verbs.published(Push("reboot"))) == {"messageType": "reboot"}


# Enrolment


def test_the_qr_code_says_where_and_with_which_code() -> None:
    told = enrolling.provisioning(
        server="https://mdm.example.org:8443/somewhere",
        code="K7QH-M3XA-9RTC",
        agent=enrolling.Agent("https://h-mdm.com/files/hmdm-6.36-os.apk", hashlib.sha256(b"").hexdigest()),
        network=enrolling.Network("Institut", "benvinguts"),
    )
    assert told == json.loads((GOLDEN / "qr.json").read_text())


def test_the_panel_of_every_device_opens_by_a_code_of_its_own() -> None:
    codes = {enrolling.panel_code(b"key", f"d-{number}") for number in range(50)}
    assert len(codes) == 50
    assert all(re.fullmatch(r"[A-Z0-9]{3}(-[A-Z0-9]{3}){2}", code) for code in codes)
