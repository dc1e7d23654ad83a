"""Whatever is sent, the answer is the protocol's own: never an error of ours."""

import asyncio
import base64
import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pupitre.devices.rules.downloads import Download, path_of, read_download
from pupitre.edge.gateway import agent_wire
from pupitre.edge.gateway.batches import Batches, Overloaded
from pupitre.edge.gateway.wire import Request, TooLarge, Unreadable
from pupitre.kernel.errors import Away

from .arranging import Machine, Place, Running

SECRET = b"x" * 32
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = st.sampled_from(sorted(field.name for field in msgspec.structs.fields(agent_wire.CheckIn)))


@given(st.binary(max_size=200) | ANYTHING.map(lambda told: json.dumps(told).encode()))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (agent_wire.read_check_in, agent_wire.read_enrolment, agent_wire.read_opening):
        with suppress(Unreadable):
            assert read(body) is not None


@given(st.dictionaries(MEMBERS, ANYTHING, max_size=5))
def test_any_members_are_read_or_refused(told: dict[str, Any]) -> None:
    try:
        said = agent_wire.read_check_in(json.dumps(told).encode())
    except Unreadable:
        return
    assert said.battery is None or 0 <= said.battery <= 100


@pytest.mark.parametrize("text", ['"\\ud800"', '"a\\u0000b"', '"\\udc00\\ud800"', r'"a\u0\u0000000b"'])
def test_no_text_comes_through_that_the_database_cannot_keep(text: str) -> None:
    try:
        said = agent_wire.read_check_in(f'{{"os_version": {text}}}'.encode())
    except Unreadable:
        return
    assert said.os_version is not None
    assert "\0" not in said.os_version
    said.os_version.encode()


@pytest.mark.parametrize("value", [{"a": [1]}, 1.5, None, 2**70])
def test_hardware_is_made_of_plain_facts(value: object) -> None:
    with pytest.raises(Unreadable):
        agent_wire.read_check_in(
            json.dumps({"inventory": {"digest": "x", "hardware": {"a": value}}}).encode()
        )


def test_depth_is_refused() -> None:
    with pytest.raises(Unreadable):
        agent_wire.read_check_in(b'{"inventory": {"digest": "x", "hardware": {"a": ' + b"[" * 100_000)


@given(st.binary(max_size=60))
def test_any_session_is_read_or_has_ended(text: bytes) -> None:
    try:
        found = agent_wire.read_session(text)
    except agent_wire.SessionEnded:
        return
    assert 0 <= found.device_id < 2**63


@given(st.binary(max_size=40), st.integers(0, 2**60))
def test_any_time_is_near_or_refused(header: bytes, now: int) -> None:
    with suppress(agent_wire.NotAuthentic):
        assert abs(int(agent_wire.time_of(header, now)) - now) <= agent_wire.APART


@given(st.text(max_size=80))
def test_any_path_is_a_download_or_none(path: str) -> None:
    assert read_download("/files/" + path, (SECRET,)) is None


@given(
    st.text(min_size=1, max_size=40),
    st.integers(10**9, 10**10),
    st.integers(0, 10**9),
    st.integers(0, 10**6),
    st.text(max_size=20),
)
def test_an_address_says_what_was_signed_and_nothing_else(
    key: str, ends: int, site: int, budget: int, name: str
) -> None:
    if any(0xD800 <= ord(one) < 0xE000 for one in key + name):
        return
    told = Download(key, "ab" * 32, ends, site, budget, name)
    path = path_of(SECRET, told)
    assert read_download(path, (b"y" * 32, SECRET)) == told
    assert read_download(path.replace(f"/files/{ends}-", f"/files/{ends + 1}-"), (SECRET,)) is None
    assert read_download(path, (b"y" * 32,)) is None


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(MEMBERS, ANYTHING, max_size=4))
def test_a_device_can_say_anything(told: dict[str, Any]) -> None:
    reply = _machine().check_in(body=json.dumps(told).encode())
    assert reply.status in {200, 304, 422}


_MACHINES: list[Machine] = []


@pytest.fixture(autouse=True)
def _known(place: Place, running: Running) -> None:
    if not _MACHINES or _MACHINES[0].running is not running:
        found = Machine(running)
        found.enrol(place.ticket(place.oak, admits=True))
        found.begin()
        _MACHINES[:] = [found]


def _machine() -> Machine:
    return _MACHINES[0]


def test_strangers_are_told_little(running: Running) -> None:
    for method, path, status in (
        ("GET", "/", 404), ("GET", "/device/v1/check-in", 405), ("POST", "/device/v1/check-in", 401), ("POST", "/device/v1/session", 422),
        ("GET", "/files/1-0-0-00000000000000000000000000000000/" + "0" * 64 + "/k", 403), ("GET", "/files/../../etc/passwd", 403),
        ("GET", "/device/v1/wake", 404), ("PUT", "/health/live", 405),
    ):  # fmt: skip
        reply = running.ask(method, path)
        assert reply.status == status, (method, path, reply.body)
        assert reply.headers["content-type"] == "application/problem+json"
        assert "server" not in reply.headers


def test_headers_of_all_sorts_are_refused(running: Running) -> None:
    machine = _machine()
    for wrong in (
        {"Pupitre-Time": "now"}, {"Pupitre-Time": "9" * 40}, {"Pupitre-Session": "é" * 27}, {"Pupitre-Session": "-" * 27},
        {"Pupitre-Signature": "é"}, {"Pupitre-Signature": ""},
    ):  # fmt: skip
        headers = {**machine.headers("POST", "/device/v1/check-in", b"{}"), **wrong}
        encoded = {name: value.encode("latin-1").decode("latin-1") for name, value in headers.items()}
        assert running.ask("POST", "/device/v1/check-in", b"{}", encoded).status == 401, wrong


def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    pieces = iter([{"type": "http.request", "body": b"x" * 600, "more_body": True}] * 3)

    async def receive() -> Any:
        return next(pieces)

    async def read() -> bytes:
        scope = {"type": "http", "method": "POST", "path": "/", "raw_path": b"/", "headers": []}
        return await Request(scope, receive).body(1000)

    with pytest.raises(TooLarge):
        asyncio.run(read())
    assert next(pieces)


# Batches


def test_one_bad_row_costs_the_others_nothing() -> None:
    written: list[int] = []

    async def write(rows: list[tuple[int, str]]) -> None:
        if any(text == "bad" for _device, text in rows):
            raise ValueError(rows)
        written.extend(device for device, _text in rows)

    async def run() -> list[Any]:
        batches: Batches[tuple[int, str]] = Batches(write)
        futures = [batches.put((device, "bad" if device == 2 else "good")) for device in (3, 2, 1)]
        return await asyncio.gather(*futures, return_exceptions=True)

    found = asyncio.run(run())
    assert (found[0], found[2]) == (None, None)
    assert isinstance(found[1], ValueError)
    assert written == [1, 3]


def test_a_batch_names_a_device_once_and_in_order() -> None:
    written: list[list[tuple[int, int]]] = []

    async def write(rows: list[tuple[int, int]]) -> None:
        written.append(rows)

    async def run() -> None:
        batches: Batches[tuple[int, int]] = Batches(write, most=3)
        await asyncio.gather(*(batches.put(row) for row in ((5, 0), (5, 1), (4, 0), (3, 0), (2, 0), (5, 2))))

    asyncio.run(run())
    assert all([row[0] for row in batch] == sorted({row[0] for row in batch}) for batch in written)
    assert [turn for batch in written for device, turn in batch if device == 5] == [0, 1, 2]
    assert max(map(len, written)) <= 3


def test_too_many_are_sent_away_with_a_moment_to_come_again() -> None:
    async def write(rows: list[tuple[int, int]]) -> None:
        await asyncio.sleep(0)

    async def run() -> int:
        batches: Batches[tuple[int, int]] = Batches(write, waiting=10)
        futures = [batches.put((device, 0)) for device in range(10)]
        with pytest.raises(Overloaded) as refused:
            batches.put((11, 0))
        await asyncio.gather(*futures)
        return refused.value.retry_after

    assert 5 <= asyncio.run(run()) <= 60


def test_where_the_database_is_away_everybody_is_told_so() -> None:
    async def write(rows: list[tuple[int, int]]) -> None:
        raise Away

    async def run() -> list[Any]:
        batches: Batches[tuple[int, int]] = Batches(write)
        return await asyncio.gather(
            *(batches.put((device, 0)) for device in range(3)), return_exceptions=True
        )

    assert [type(one) for one in asyncio.run(run())] == [Away] * 3


def test_base64_of_all_sorts() -> None:
    assert agent_wire.from_base64("ä") == b""
    assert agent_wire.from_base64(base64.b64encode(b"abc")) == b"abc"
