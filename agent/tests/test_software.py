"""Files and applications: fetched once, resumed, checked, put where they may be and nowhere else."""

import hashlib
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pupitre_agent.backoff import Backoff
from pupitre_agent.downloads import Downloads
from pupitre_agent.errors import CannotApply
from pupitre_agent.files import Files
from pupitre_agent.installing import Installing, Outcome
from pupitre_agent.machine import Ran
from pupitre_agent.packages.versions import is_newer
from pupitre_agent.packages.windows import _judged
from pupitre_agent.wake import spread_of

from agent.tests.computers import Computer

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CONTENT = bytes(range(256)) * 4000
SHA = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Shelf:
    """A server of files, as the gateway or a site's cache has them."""

    port: int
    content: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    refuses_with: int = 404
    #: It hangs up after so many bytes, once.
    breaks_after: int = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    found = Shelf(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            found.asked.append((self.path, self.headers.get("Range", "")))
            content = found.content.get(path)
            if content is None:
                self.send_response(found.refuses_with)
                self.send_header("Retry-After", "120")
                self.end_headers()
                return
            start = 0
            if asked := self.headers.get("Range"):
                start = int(asked.removeprefix("bytes=").rstrip("-"))
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            end = start + found.breaks_after if found.breaks_after else None
            found.breaks_after = 0
            self.wfile.write(content[start:end])

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def open_url(request: urllib.request.Request) -> Any:
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10)


@pytest.fixture
def downloads(tmp_path: Path) -> Downloads:
    return Downloads(tmp_path / "downloads", open_url)


def test_a_download_goes_on_where_it_was_broken_off(
    shelf: Shelf, downloads: Downloads, tmp_path: Path
) -> None:
    shelf.content["/a"] = CONTENT
    shelf.breaks_after = 300_000
    with pytest.raises(CannotApply):
        downloads.fetch(shelf.url("/a"), SHA, len(CONTENT))
    part = tmp_path / "downloads" / f"{SHA}.part"
    have = part.stat().st_size if part.exists() else 0
    assert downloads.fetch(shelf.url("/a"), SHA, len(CONTENT)).read_bytes() == CONTENT
    assert have > 0
    assert shelf.asked[1][1] == f"bytes={have}-"


def test_what_has_another_hash_is_thrown_away(shelf: Shelf, downloads: Downloads, tmp_path: Path) -> None:
    shelf.content["/a"] = b"something else"
    with pytest.raises(CannotApply, match="hash differs"):
        downloads.fetch(shelf.url("/a"), SHA, 14)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_the_copy_in_the_house_is_asked_first_and_the_server_where_it_is_wrong(
    shelf: Shelf, downloads: Downloads
) -> None:
    shelf.content["/files/a"] = CONTENT
    assert downloads.fetch("http://127.0.0.1:9/files/a?sig=1", SHA, 1, shelf.url("/")).read_bytes() == CONTENT
    assert shelf.asked == [("/files/a?sig=1", "")]
    downloads.forget(SHA)
    assert downloads.fetch(shelf.url("/files/a"), SHA, 1, "http://127.0.0.1:9/").read_bytes() == CONTENT


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y"])
def test_only_http_is_fetched(downloads: Downloads, url: str) -> None:
    with pytest.raises(CannotApply):
        downloads.fetch(url, SHA, 1)


# Files


def entry(shelf: Shelf, path: str, **facts: Any) -> dict[str, Any]:
    return {
        "path": path,
        "url": shelf.url("/a"),
        "sha256": SHA,
        "size": len(CONTENT),
        "action": "put",
        **facts,
    }


def test_a_file_is_put_once_replaced_and_taken_away(
    computer: Computer, shelf: Shelf, downloads: Downloads
) -> None:
    shelf.content["/a"] = CONTENT
    files = Files(computer.machine, downloads, {})
    assert files.bring([entry(shelf, "Documents/atlas.pdf")]) == []
    place = computer.machine.real("/srv/pupitre/Documents/atlas.pdf")
    assert place.read_bytes() == CONTENT
    assert place.stat().st_mode & 0o777 == 0o644
    files = Files(computer.machine, downloads, files.kept)
    assert files.bring([entry(shelf, "Documents/atlas.pdf")]) == []
    assert len(shelf.asked) == 1
    place.write_bytes(b"scribbled")
    assert files.bring([entry(shelf, "Documents/atlas.pdf")]) == []
    assert place.read_bytes() == CONTENT
    assert files.bring([]) == []
    assert not place.exists()
    assert not place.parent.exists()
    assert files.kept == {}


@pytest.mark.parametrize(
    "path", ["../etc/passwd", "/etc/passwd", "a/../../b", "C:evil", "a\\b", "", "link/x"]
)
def test_no_file_is_put_outside_of_its_folder(
    computer: Computer, shelf: Shelf, downloads: Downloads, path: str
) -> None:
    shelf.content["/a"] = CONTENT
    folder = computer.machine.real("/srv/pupitre")
    folder.mkdir(parents=True)
    (folder / "link").symlink_to("/tmp")
    (problem,) = Files(computer.machine, downloads, {}).bring([entry(shelf, path)])
    assert problem.key == "files"
    assert shelf.asked == []


def test_a_file_that_cannot_be_fetched_is_told_and_the_old_one_stays(
    computer: Computer, shelf: Shelf, downloads: Downloads
) -> None:
    shelf.content["/a"] = CONTENT
    files = Files(computer.machine, downloads, {})
    files.bring([entry(shelf, "a.pdf")])
    (problem,) = files.bring([entry(shelf, "a.pdf", url=shelf.url("/gone"), sha256="0" * 64)])
    assert "404" in problem.reason
    assert computer.machine.real("/srv/pupitre/a.pdf").read_bytes() == CONTENT


# Applications


@dataclass
class Installer:
    """One computer's, with a clock."""

    computer: Computer
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    now: datetime = NOW

    def bring(self, *entries: dict[str, Any]) -> Outcome:
        downloads = Downloads(self.computer.machine.real("/var/lib/pupitre-agent/downloads"), open_url)
        installing = Installing(
            self.computer.machine, downloads, "/var/lib/pupitre-agent/downloads", self.kept
        )
        outcome = installing.bring(entries, self.now)
        self.kept = installing.kept
        return outcome


def wanted(**facts: Any) -> dict[str, Any]:
    return {
        "package": "gimp",
        "kind": "deb",
        "action": "install",
        "version": "2.10",
        "version_id": 4,
        **facts,
    }


def test_a_failure_is_tried_again_later_and_later_and_told_once(computer: Computer) -> None:
    installer = Installer(computer)
    computer.put("/broken-gimp", "")
    first = installer.bring(wanted())
    assert [(one["version"], one["state"]) for one in first.installations] == [(4, "failed")]
    pauses = []
    for _ in range(9):
        begun = installer.now
        tries = len(computer.calls("apt-get"))
        while len(computer.calls("apt-get")) == tries:
            installer.now += timedelta(minutes=15)
            assert installer.bring(wanted()).installations == []
        pauses.append((installer.now - begun) / timedelta(minutes=15))
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 96, 96]
    # Another version is another matter.
    (computer.root / "broken-gimp").unlink()
    done = installer.bring(wanted(version="3.0", version_id=5))
    assert (done.problems, done.installations) == ([], [{"version": 5, "state": "installed", "message": ""}])


@pytest.mark.parametrize(
    ("status", "waits", "is_told"), [(429, 120, False), (410, 0, False), (404, 900, True)]
)
def test_a_file_that_cannot_come_now_is_no_failure_of_its_application(
    computer: Computer, shelf: Shelf, status: int, waits: float, is_told: bool
) -> None:
    installer = Installer(computer)
    shelf.refuses_with = status
    file = {"url": shelf.url("/none"), "sha256": SHA, "size": 9}
    outcome = installer.bring(wanted(**file))
    assert [one["state"] for one in outcome.installations] == (["failed"] if is_told else [])
    assert bool(outcome.problems) == (status != 429)
    installer.now += timedelta(seconds=max(0, waits - 1))
    tries = len(shelf.asked)
    installer.bring(wanted(**file))
    assert len(shelf.asked) == tries + (waits == 0)
    installer.now += timedelta(seconds=2)
    installer.bring(wanted(**file))
    assert len(shelf.asked) == tries + 1 + (waits == 0)


def test_a_server_that_is_away_is_no_failure_of_an_application(computer: Computer) -> None:
    outcome = Installer(computer).bring(wanted(url="http://127.0.0.1:9/a", sha256=SHA, size=9))
    assert outcome.installations == []
    assert "127.0.0.1" in outcome.problems[0].reason


def test_a_newer_one_stays_where_that_is_said_and_goes_back_where_it_is_not(computer: Computer) -> None:
    installer = Installer(computer)
    computer.put("/packages", "installed\tgimp\t3.0\n")
    assert installer.bring(wanted(keeps_newer=True)).problems == []
    assert computer.calls("apt-get") == []
    installer.bring(wanted(pinned=True))
    assert computer.text("/packages") == "installed\tgimp\t2.10\n"
    assert computer.calls("apt-mark") == [["apt-mark", "hold", "--", "gimp"]]
    installer.bring(wanted())
    assert computer.calls("apt-mark")[-1] == ["apt-mark", "unhold", "--", "gimp"]


def test_what_says_it_was_installed_and_is_not_there_has_failed(computer: Computer) -> None:
    computer.give_tool("apt-get", "exit 0")
    outcome = Installer(computer).bring(wanted())
    assert "not there" in outcome.problems[0].reason


def test_an_installation_that_was_cut_by_the_power_is_completed(computer: Computer) -> None:
    computer.give_tool(
        "apt-get",
        """
[ -e "$ROOT/configured" ] || { echo "E: dpkg was interrupted, you must run 'dpkg --configure -a'"; exit 100; }
printf 'installed\\tgimp\\t2.10\\n' > "$ROOT/packages\"""",
    )
    computer.give_tool("dpkg", 'touch "$ROOT/configured"')
    assert Installer(computer).bring(wanted()).problems == []
    assert computer.calls("dpkg") == [["dpkg", "--configure", "-a"]]


def test_a_kind_that_this_computer_cannot_install_is_said(computer: Computer) -> None:
    outcome = Installer(computer).bring(wanted(kind="flatpak"))
    assert outcome.problems[0].reason == "gimp: this computer has no tool for packages of the kind 'flatpak'."
    assert outcome.installations[0]["state"] == "failed"


def test_a_flatpak_is_installed_and_kept_at_its_version(computer: Computer) -> None:
    computer.give_tool(
        "flatpak",
        """
case "$1" in
  list) cat "$ROOT/flatpaks" 2>/dev/null ;;
  install) printf 'org.gimp.GIMP\\t2.10\\tabc\\n' > "$ROOT/flatpaks" ;;
  info) echo flathub ;;
  remote-info) printf '  Commit: abc\\n Subject: Release 2.10\\n' ;;
esac
exit 0""",
    )
    installer = Installer(computer)
    outcome = installer.bring(wanted(package="org.gimp.GIMP", kind="flatpak", pinned=True))
    assert outcome.problems == []
    assert any("--commit=abc" in one for one in computer.calls("flatpak"))
    assert ["flatpak", "mask", "--system", "org.gimp.GIMP"] in computer.calls("flatpak")


def test_windows_installs_a_file_quietly_and_goes_back_by_removing_first(
    windows: Computer, shelf: Shelf
) -> None:
    place = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{77}"
    shelf.content["/a"] = CONTENT
    for name, text in {"DisplayName": "GeoGebra", "DisplayVersion": "6.2"}.items():
        windows.machine.registry.put(place, name, text)
    downloads = Downloads(windows.machine.real(r"C:\ProgramData\Pupitre\Agent\downloads"), open_url)
    installing = Installing(windows.machine, downloads, r"C:\ProgramData\Pupitre\Agent\downloads", {})
    facts = {
        "package": "GeoGebra",
        "kind": "msi",
        "version": "6.0",
        "url": shelf.url("/a"),
        "sha256": SHA,
        "size": len(CONTENT),
    }
    outcome = installing.bring([wanted(**facts)], NOW)
    removed, installed = windows.calls("msiexec")
    assert removed == ["msiexec", "/x", "{77}", "/qn", "/norestart"]
    assert installed[1:3] == ["/i", rf"C:\ProgramData\Pupitre\Agent\downloads\{SHA}.msi"]
    assert outcome.problems[0].reason == "GeoGebra: Version 6.2 was installed, not 6.0."


def test_windows_installer_says_by_its_code_that_a_restart_completes_it() -> None:
    assert _judged(Ran(3010, "")).succeeded
    assert not _judged(Ran(1603, "")).succeeded


# Small things


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.10", "1.9"), ("2.0", "2.0rc1"), ("1.0.1", "1.0"), ("10", "9.9.9"), ("24.08", "24.8a")],
)
def test_versions_are_compared_by_their_numbers(one: str, other: str) -> None:
    assert is_newer(one, other) != is_newer(other, one)
    assert is_newer(one, other)


def test_waits_double_to_a_quarter_of_an_hour_and_are_spread_over_all_of_it() -> None:
    backoff = Backoff()
    waits = [(backoff.limit, backoff.next()) for _ in range(400)]
    assert [limit for limit, _ in waits[:9]] == [5, 10, 20, 40, 80, 160, 320, 640, 900]
    assert all(0 <= wait <= limit for limit, wait in waits)
    late = [wait for limit, wait in waits if limit == 900]
    assert min(late) < 100 < 800 < max(late)
    backoff.succeeded()
    assert backoff.limit == 5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("wake", 0), ("wake 30", 30), ("wake 999999", 600), ("sleep", None), ("wake now", None), ("", None)],
)
def test_the_wake_channel_says_one_thing(text: str, seconds: float | None) -> None:
    assert spread_of(text) == seconds
