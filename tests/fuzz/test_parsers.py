"""Nothing that can be sent makes a parser do anything but read or refuse."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import targets

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests/edge/gateway/golden"
NAMES = [
    "deviceId", "applications", "files", "name", "pkg", "version", "path", "checksum", "lastUpdate", "permissions", "serial",
    "imei", "batteryLevel", "batteryCharging", "mdmMode", "factoryReset", "androidVersion", "configuration", "customer", "groups",
    "timestamp", "logLevel", "packageId", "message", "code", "key", "platform", "applied", "battery", "problems", "inventory",
    "base", "digest", "set", "gone", "hardware", "installations", "results", "command", "state", "output", "device",
]  # fmt: skip
WORDS = [
    "pupitre 1f.2a 91",
    "com.hmdm.launcher",
    "installed",
    "done",
    "linux",
    "\0",
    "\ud800",
    "9" * 30,
    "../x",
    "",
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=25,
)
#: JSON of members that the protocols know with values that they do not, and anything else.
bodies = values.map(lambda told: json.dumps(told).encode()) | st.binary(max_size=400)


@pytest.mark.parametrize("target", targets.TARGETS.values(), ids=list(targets.TARGETS))
@settings(max_examples=150, deadline=None)
@given(data=bodies)
def test_a_parser_reads_or_refuses(target: Callable[[bytes], None], data: bytes) -> None:
    targets.try_one(target, data)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_message_that_was_damaged_on_its_way_is_read_or_refused(data: st.DataObject) -> None:
    found = bytearray(data.draw(st.sampled_from(sorted(GOLDEN.rglob("*.json")))).read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(found) - 1), min_size=1, max_size=8)):
        found[at] = data.draw(st.integers(0, 255))
    targets.try_all(bytes(found[: data.draw(st.integers(0, len(found)))]) or bytes(found))


@pytest.mark.parametrize(
    "data",
    [b"[" * 200_000, b'{"a":' * 50_000, b'{"applications":[' + b'{"pkg":"a"},' * 3000 + b"{}]}", b"9" * 6000],
)
def test_what_is_deep_or_long_is_read_or_refused(data: bytes) -> None:
    targets.try_all(data)


@pytest.mark.skipif(not importlib.util.find_spec("atheris"), reason="atheris has no package for this system")
def test_the_explorer_finds_nothing_in_a_few_seconds(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, path in enumerate(sorted(GOLDEN.rglob("*.json"))):
        (corpus / str(number)).write_bytes(path.read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.explore", "-max_total_time=6", f"-artifact_prefix={tmp_path}/", "corpus"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done " in done.stderr
