"""What is believed: only what the server's key signed, for this device, in time, and once."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from pupitre_agent.agent import Agent
from pupitre_agent.client import Client, Network
from pupitre_agent.clock import Clock, SystemSource
from pupitre_agent.errors import AgentError, Untrusted
from pupitre_agent.inventory import difference, digest
from pupitre_agent.signing import canonical, encode, public_text
from pupitre_agent.store import Identity, Store
from pupitre_agent.wire import trusted_command, trusted_state

from agent.tests.computers import Computer

SERVER = Ed25519PrivateKey.generate()
KEY = public_text(SERVER)
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def signed(device: str = "d-1", key: Ed25519PrivateKey = SERVER, **facts: Any) -> dict[str, Any]:
    command = {
        "arguments": {"text": "Hölle"}, "device": device, "id": 91, "not_after": "2026-11-24T10:00:00Z", "verb": "message", **facts,
    }  # fmt: skip
    return {**command, "signature": encode(key.sign(canonical(command)))}


def test_a_command_of_the_server_for_this_device_is_believed() -> None:
    command = trusted_command(signed(), KEY, "d-1", NOW)
    assert (command.id, command.verb, dict(command.arguments)) == (91, "message", {"text": "Hölle"})


@pytest.mark.parametrize(
    "told",
    [
        signed(device="d-2"),
        signed(key=Ed25519PrivateKey.generate()),
        signed(not_after="2026-11-24T08:59:59Z"),
        {**signed(), "verb": "wipe"},
        {**signed(), "id": 92},
        {**signed(), "arguments": {"text": "other"}},
        {**signed(), "signature": "no base64"},
        {**signed(), "signature": None},
        signed(not_after="whenever"),
        signed(not_after=None),
        None,
        "message",
    ],
)
def test_no_other_command_is(told: Any) -> None:
    with pytest.raises(Untrusted):
        trusted_command(told, KEY, "d-1", NOW)


def test_a_state_is_believed_by_its_signature_alone() -> None:
    state = {"version": "1f", "settings": {"camera": False}, "time_zone": "Europe/Madrid"}
    answer = {"state": state, "signature": encode(SERVER.sign(canonical(state)))}
    assert trusted_state(answer, KEY) == state
    assert trusted_state({"commands": []}, KEY) is None
    for wrong in (
        {**answer, "state": {**state, "settings": {}}},
        {"state": state},
        {**answer, "signature": encode(b"x" * 64)},
    ):
        with pytest.raises(Untrusted):
            trusted_state(wrong, KEY)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["id", "verb", "arguments", "not_after", "device", "signature", "state"]), JSON
    )
)
def test_nothing_that_is_made_up_gets_through(told: dict[str, Any]) -> None:
    with pytest.raises(Untrusted):
        trusted_command(told, KEY, "d-1", NOW)
    if told.get("state") is not None:
        with pytest.raises(Untrusted):
            trusted_state(told, KEY)


@pytest.fixture
def agent(computer: Computer) -> Agent:
    """An enrolled one that has never heard its server."""
    store = Store(computer.machine.real("/var/lib/pupitre-agent"))
    store.prepare()
    store.keep_identity(Identity("https://school.example", "d-1", KEY, store.key()))
    clock = Clock(SystemSource(lambda: "boot-1"))
    return Agent(computer.machine, store, clock, Client(Network("https://school.example"), clock))


def test_a_newer_key_of_the_server_is_taken_where_the_old_one_vouches_for_it(agent: Agent) -> None:
    newer = Ed25519PrivateKey.generate()
    text = b"pupitre server key\n" + newer.public_key().public_bytes_raw()
    told = {
        "server_key": public_text(newer),
        "endorsements": [{"by": KEY, "signature": base64.b64encode(SERVER.sign(text)).decode()}],
    }
    with pytest.raises(Untrusted):
        agent.trust_newer_key({**told, "endorsements": []})
    with pytest.raises(Untrusted):
        agent.trust_newer_key({**told, "endorsements": [{"by": KEY, "signature": encode(newer.sign(text))}]})
    assert agent.identity.server_key == KEY
    agent.trust_newer_key(told)
    assert agent.identity.server_key == public_text(newer)
    agent.close()


def test_a_server_without_encryption_is_not_spoken_to() -> None:
    with pytest.raises(AgentError, match="https"):
        Network("http://school.example")
    assert Network("http://127.0.0.1:8001").context is None


# The inventory's digest

PACKAGES = st.dictionaries(st.text(min_size=1, max_size=10), st.text(max_size=10), max_size=8)


@settings(max_examples=100, deadline=None)
@given(PACKAGES, PACKAGES)
def test_the_server_comes_to_the_same_by_the_differences(
    before: dict[str, str], after: dict[str, str]
) -> None:
    parts = {"ram": 8}
    known = {"digest": digest(before, parts), "packages": before, "hardware": parts}
    told = difference(after, parts, known)
    if told is None:
        assert before == after
        return
    assert told["base"] == known["digest"]
    assert "hardware" not in told
    held = {**before, **told["set"]}
    for name in told["gone"]:
        del held[name]
    assert held == after
    assert told["digest"] == digest(held, parts)


def test_a_server_that_knows_nothing_is_told_all() -> None:
    told = difference({"gimp": "2.10"}, {"ram": 8}, {})
    assert told is not None
    assert (told["base"], told["set"], told["gone"], told["hardware"]) == (
        "",
        {"gimp": "2.10"},
        [],
        {"ram": 8},
    )
