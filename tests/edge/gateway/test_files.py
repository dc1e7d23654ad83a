"""Downloads: signed, ending, resumable, within the site's budget, and never whole in memory."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pupitre.devices.rules.downloads import DOWNLOADS, expiry_for, sign_download
from pupitre.edge.gateway.files import Budgets, SiteBudget
from pupitre.kernel.signing import derived
from pupitre.kernel.storage import Storage

from .arranging import SECRET, Place, Running

CONTENT = bytes(range(256)) * 4096  # a megabyte
SHA = hashlib.sha256(CONTENT).hexdigest()
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.fixture
def key(place: Place) -> str:
    return Storage((place.folder / "objects").as_uri()).put(place.oak, "applications", CONTENT)


def address(key: str, ends: datetime | None = None, *, site: int = 0, budget: int = 0) -> str:
    until = ends or datetime.now(UTC) + timedelta(hours=1)
    return sign_download(
        derived(SECRET, DOWNLOADS), key, SHA, until, site=site, budget=budget, name="atlas.apk"
    )


def test_a_file_is_fetched_whole(running: Running, key: str) -> None:
    reply = running.ask("GET", address(key))
    assert (reply.status, reply.body) == (200, CONTENT)
    assert reply.headers["etag"] == f'"{SHA}"'
    assert reply.headers["accept-ranges"] == "bytes"
    assert reply.headers["content-type"] == "application/vnd.android.package-archive"
    assert int(reply.headers["cache-control"].split("max-age=")[1].split(",")[0]) > 3000
    assert running.ask("GET", address(key), headers={"If-None-Match": f'"{SHA}"'}).status == 304
    head = running.ask("HEAD", address(key))
    assert (head.status, head.headers["content-length"], head.body) == (200, str(len(CONTENT)), b"")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 10), ("bytes=1000000-", 1000000, len(CONTENT)), ("bytes=-5", len(CONTENT) - 5, len(CONTENT)),
     ("bytes=262000-700000", 262000, 700001), ("bytes=5-99999999999", 5, len(CONTENT))],
)  # fmt: skip
def test_a_download_goes_on_where_it_stopped(
    running: Running, key: str, asked: str, first: int, last: int
) -> None:
    reply = running.ask("GET", address(key), headers={"Range": asked, "If-Range": f'"{SHA}"'})
    assert (reply.status, reply.body) == (206, CONTENT[first:last])
    assert reply.headers["content-range"] == f"bytes {first}-{last - 1}/{len(CONTENT)}"
    assert reply.headers["content-length"] == str(last - first)


def test_what_cannot_be_a_range(running: Running, key: str) -> None:
    reply = running.ask("GET", address(key), headers={"Range": "bytes=99999999-"})
    assert (reply.status, reply.headers["content-range"]) == (416, f"bytes */{len(CONTENT)}")
    assert running.ask("GET", address(key), headers={"Range": "bytes=9-3"}).status == 416
    for other in ("bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=x"):
        assert running.ask("GET", address(key), headers={"Range": other}).status == 200
    assert running.ask("GET", address(key), headers={"Range": "bytes=0-9", "If-Range": '"old"'}).status == 200


def test_addresses_end_and_are_not_made_by_others(running: Running, key: str) -> None:
    ended = running.ask("GET", address(key, ends=datetime.now(UTC) - timedelta(seconds=1)))
    assert ended.status == 410
    assert running.ask("GET", address(key).replace(SHA, "0" * 64)).status == 403
    assert (
        running.ask("GET", sign_download(b"x" * 32, key, SHA, datetime.now(UTC) + timedelta(hours=1))).status
        == 403
    )
    assert running.ask("GET", address("1/applications/none")).status == 404


def test_a_large_file_goes_through_a_small_memory(place: Place, running: Running, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        for _ in range(96):
            file.write(CONTENT)
    with path.open("rb") as file:
        key = Storage((place.folder / "objects").as_uri()).put_stream(place.oak, "applications", file)
    running.ask("GET", address(key))
    before = _peak(running)
    assert len(running.ask("GET", address(key)).body) == 96 * len(CONTENT)
    assert _peak(running) - before < 12_000, "kB"


def _peak(running: Running) -> int:
    told = Path(f"/proc/{running.process.pid}/status")
    if not told.exists():
        pytest.skip("reads /proc")
    return int(next(line for line in told.read_text().splitlines() if line.startswith("VmHWM")).split()[1])


def test_a_site_is_told_to_wait_when_it_has_fetched_its_share(running: Running, key: str) -> None:
    own = address(key, site=7, budget=2)  # two megabytes an hour: half of one at once
    assert running.ask("GET", own).status == 200
    reply = running.ask("GET", own)
    assert reply.status == 429
    assert 0 < int(reply.headers["retry-after"]) <= 3600
    assert running.ask("GET", address(key, site=8, budget=2)).status == 200, "another site's is another's"
    assert running.ask("GET", address(key)).status == 200


def test_a_budget_fills_with_the_hour() -> None:
    budgets = Budgets()
    budgets.take(
        1, 3600, 1_800_000_000, NOW
    )  # a megabyte a second, a quarter of an hour's at once: 900 seconds too much
    with pytest.raises(SiteBudget) as refused:
        budgets.take(1, 3600, 1, NOW + timedelta(seconds=400))
    assert 495 <= refused.value.retry_after <= 505
    budgets.take(1, 3600, 1, NOW + timedelta(seconds=902))


def test_addresses_are_the_same_for_a_week_and_hold_for_two() -> None:
    assert expiry_for(NOW) == expiry_for(NOW + timedelta(hours=1))
    for hours in range(0, 24 * 8, 7):
        assert (
            timedelta(weeks=2)
            <= expiry_for(NOW + timedelta(hours=hours)) - (NOW + timedelta(hours=hours))
            <= timedelta(weeks=3)
        )
