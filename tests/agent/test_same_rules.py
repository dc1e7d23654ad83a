"""The agent decides by itself what the server shows on its pages: the two must come to the same."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pupitre_agent import inventory, schedule, signing
from pupitre_agent.linux import HANDLERS as LINUX
from pupitre_agent.windows import HANDLERS as WINDOWS

from agent.tests.test_schedule import INSTANTS, ZONES, entries
from pupitre.devices.rules import schedules
from pupitre.devices.rules.settings import COMPUTERS, SETTINGS
from pupitre.edge.gateway import agent_wire

#: Rendered to lists of their own, or read where files are fetched.
_ELSEWHERE = {"applications", "files", "site_cache"}
#: Told as a problem: Windows lets nobody but its owner arrange the start menu.
_NOT_ON_WINDOWS = {"home_applications"}


@settings(max_examples=200, deadline=None)
@given(st.lists(entries(), max_size=5, unique_by=lambda one: one["id"]), INSTANTS, ZONES)
def test_both_say_what_holds_and_when_that_changes(
    found: list[dict[str, Any]], at: datetime, zone: str
) -> None:
    held = schedules.holding_at(found, at, zone)
    assert list(schedule.holding(found, at, zone)) == list(held.entries)
    assert schedule.effective({}, found, at, zone).settings == held.settings
    change = schedules.next_change(found, at, zone)
    if change is None or change - at < timedelta(days=390):
        assert schedule.next_change(found, at, zone) == change


def test_every_setting_of_computers_has_a_handler() -> None:
    keys = {key for key, one in SETTINGS.items() if one.platforms & COMPUTERS} - _ELSEWHERE
    assert keys <= {key for handler in LINUX for key in handler.keys}
    assert keys - _NOT_ON_WINDOWS <= {key for handler in WINDOWS for key in handler.keys}


def test_both_reckon_the_same_digest_and_sign_the_same_text() -> None:
    packages, parts = {"gimp": "2.10", "café": "1"}, {"ram": 8, "processor": "ü"}
    assert inventory.digest(packages, parts) == agent_wire.digest_of(packages, parts)
    told = {"b": [1, None, {"ö": True}], "a": "x"}
    assert signing.canonical(told) == agent_wire.canonical(told)
    assert signing.request_text("POST", "/p", "17", b"{}") == agent_wire.signed_text(
        "POST", "/p", b"17", b"{}"
    )
