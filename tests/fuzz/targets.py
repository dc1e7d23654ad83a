"""What strangers send to the gateway, as functions of bytes: each either reads it or refuses it in the protocol's way.

Whatever else one raises is a fault. Whatever one reads must be fit for the database: texts without NUL and halves of surrogate
pairs, numbers within 64 bits, nothing without end.
"""

import contextlib
import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final

import msgspec

from pupitre.devices.rules import Verb, packages
from pupitre.devices.rules.downloads import read_download
from pupitre.devices.rules.headwind import configuration, reading, signing, verbs
from pupitre.devices.rules.headwind.configuration import Remembered, Wish
from pupitre.edge.gateway import agent_wire, headwind
from pupitre.kernel.errors import DomainError

NOW: Final = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
_LONGEST: Final = 20_000


def headwind_report(data: bytes) -> None:
    """DeviceInfo, and what follows from it."""
    report = reading.device_info(data)
    fit(dataclasses.asdict(report))
    verbs.proved(report, [verbs.Order(1, Verb.LOCK, {})])
    held = Remembered(report.applications, report.files)
    wish = Wish("n", report.number, "1", {}, "UTC", _link, str, "p", NOW, remembered=held)
    told = configuration.render(wish, configuration.locks_of(wish))
    body = signing.answer(told)
    assert json.loads(body)["data"] == told
    assert len(signing.signature_of("s", body)) == 40


def headwind_enrolment(data: bytes) -> None:
    """The body of a first request."""
    fit(reading.enrolling(data).codes)


def headwind_log(data: bytes) -> None:
    """Lines of a log."""
    lines = reading.log_lines(data, NOW)
    assert len(lines) <= reading.MOST_LINES
    for line in lines:
        fit(dataclasses.asdict(line))
        assert line.logged_at <= NOW
        reading.failed_application(line)


def headwind_path(data: bytes) -> None:
    """What stands in a path: a number, a certificate, a file, and the signatures over them."""
    raw = data.decode("latin-1")
    fit(headwind._number(raw))
    signing.is_one_of(raw, signing.of_poll("s", signing.POLLING, raw))
    signing.of_file("s", raw)
    configuration.certificate_of(raw)
    configuration.der_of(raw)
    path = configuration.safe_path(raw)
    assert not path.startswith("/")
    assert ".." not in path.split("/")
    read_download(raw, (b"k",))


def agent_enrolment(data: bytes) -> None:
    """Our own agent's first request."""
    said = agent_wire.read_enrolment(data)
    fit(msgspec.to_builtins(said))
    agent_wire.number_of(agent_wire.raw_key(said.key))


def agent_check_in(data: bytes) -> None:
    """Our own agent's report."""
    said = agent_wire.read_check_in(data)
    fit(msgspec.to_builtins(said))
    if said.inventory is not None:
        agent_wire.digest_of(said.inventory.set, said.inventory.hardware)


def agent_session(data: bytes) -> None:
    """Headers of our own agent."""
    agent_wire.version_in(data)
    agent_wire.from_base64(data)
    agent_wire.is_authentic(b"s", b"t", data)
    with contextlib.suppress(agent_wire.NotAuthentic):
        agent_wire.time_of(data, 0)
    session = agent_wire.read_session(data)
    assert 0 <= session.device_id < 2**63


def package(data: bytes) -> None:
    """A package that somebody uploads."""
    found = packages.read_package(BytesIO(data))
    assert found.kind in {"apk", "deb", "msi"}


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    one.__name__: one
    for one in (
        headwind_report, headwind_enrolment, headwind_log, headwind_path, agent_enrolment, agent_check_in,
        agent_session, package,
    )
}  # fmt: skip


def try_all(data: bytes) -> None:
    """Every target on the same bytes."""
    for target in TARGETS.values():
        try_one(target, data)


def try_one(target: Callable[[bytes], None], data: bytes) -> None:
    """The target on these bytes; refusals in the domain's words are what is wanted."""
    try:
        target(data)
    except DomainError as refusal:
        if not 400 <= refusal.status < 500:
            raise


def fit(told: Any) -> None:
    """That PostgreSQL can keep it."""
    if isinstance(told, str):
        assert "\0" not in told
        assert len(told) <= _LONGEST
        told.encode()
    elif isinstance(told, bool) or told is None or isinstance(told, datetime):
        pass
    elif isinstance(told, int):
        assert abs(told) < 2**63
    elif isinstance(told, Mapping):
        for key, value in told.items():
            fit(key)
            fit(value)
    elif isinstance(told, list | tuple):
        for one in told:
            fit(one)


def _link(key: str, sha256: str, name: str) -> str:
    return f"https://mdm.example.org/files/{key}/{sha256}/{name}"
