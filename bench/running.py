"""The product as it runs in production, for the benchmarks: `pupitre up` with the demonstration, in a folder that is kept.

What is read of processes comes from /proc, so the benchmarks run on Linux.
"""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import CookieJar
from pathlib import Path

from pupitre.kernel.embedded import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[1]
#: Kept between runs: filling the demonstration takes a quarter of a minute.
HOME = ROOT / "var" / "bench"
STARTS_WITHIN = 180.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Running:
    """A running product: its address, and the process that started everything."""

    address: str
    supervisor: int
    #: The database's first process, where it is not the supervisor's child.
    database: int = 0

    @property
    def processes(self) -> dict[int, str]:
        """Every process of it with its role: supervisor, web, gateway, worker, database or other."""
        roots = [self.supervisor, self.database] if self.database else [self.supervisor]
        return {pid: _role(pid) for root in roots for pid in [root, *_descendants(root)]}

    def of(self, role: str) -> list[int]:
        return [pid for pid, known in self.processes.items() if known == role]


@contextmanager
def running(home: Path = HOME, **settings: str) -> Iterator[Running]:
    """Start everything with one web process of four threads, as `make up` does, and stop it afterwards."""
    home.mkdir(parents=True, exist_ok=True)
    with socket.socket() as taken, socket.socket() as devices:
        taken.bind(("127.0.0.1", 0))
        devices.bind(("127.0.0.1", 0))
        port, gateway = taken.getsockname()[1], devices.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PUPITRE_")}
    environment |= {
        "PUPITRE_DATA_DIR": str(home),
        "PUPITRE_PORT": str(port),
        "PUPITRE_GATEWAY_PORT": str(gateway),
    }
    environment["PYTHONPATH"] = str(ROOT / "src")
    command = [sys.executable, "-m", "pupitre.project.cli", "up"]
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(command, env={**environment, **settings}, stdout=log, stderr=log)
    found = Running(f"http://127.0.0.1:{port}", process.pid)
    try:
        _wait(found, process, home / "up.log")
        yield found
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def serving(home: Path, at: datetime) -> Iterator[Running]:
    """One web process of four threads on the running database of that folder, whose clock shows `at`; without a worker."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PUPITRE_")}
    environment |= {"PUPITRE_DATA_DIR": str(home), "PUPITRE_PORT": str(port), "PUPITRE_DEMO": "false"}
    environment |= {
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        "BENCH_NOW": at.isoformat(),
        "MALLOC_ARENA_MAX": "2",
    }
    log = home / "web.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.serving"], env=environment, stdout=file, stderr=file
        )
    found = Running(f"http://127.0.0.1:{port}", process.pid, EmbeddedPostgres(home).process_id or 0)
    try:
        _wait(found, process, log)
        yield found
    finally:
        process.terminate()
        process.wait(20)


def _wait(found: Running, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"it did not start:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"{found.address}/health/ready", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError(f"it did not answer within {STARTS_WITHIN:.0f} s:\n{log.read_text()}")


def wait_until_quiet(found: Running, *, within: float = 30.0) -> None:
    """Wait until the processes do nothing any more: the worker has caught up with the demonstration's days."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        pids = list(found.processes)
        before = sum(cpu_of(pid) for pid in pids)
        time.sleep(2.0)
        if sum(cpu_of(pid) for pid in pids) - before < 0.06:
            return


def cpu_of(pid: int) -> float:
    """Seconds of CPU, user's and system's, of all threads of a process; 0 where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_of(pid: int) -> tuple[int, int]:
    """Proportional and resident memory of a process in kB: shared pages are divided among those who share them."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0, 0
    found = dict(re.findall(r"^(Pss|Rss):\s+(\d+) kB", told, re.MULTILINE))
    return int(found["Pss"]), int(found["Rss"])


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, waiting = [], [pid]
    while waiting:
        own = children.get(waiting.pop(), [])
        found += own
        waiting += own
    return found


def _role(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return "other"
    if "postgres" in command and "pupitre.project" not in command:
        return "database"
    for name, sign in (
        ("supervisor", " up"),
        ("web", "bench.serving"),
        ("web", "project.web"),
        ("gateway", "project.gateway"),
        ("worker", "project.worker"),
    ):
        if sign in command:
            return name
    # granian's worker is a child of the web process, made by multiprocessing.
    return "web" if "multiprocessing" in command or "granian" in command else "other"


@dataclass(frozen=True)
class Session:
    """Somebody signed in: cookies, and the token that forms carry."""

    cookies: Mapping[str, str]
    token: str

    @property
    def header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


def sign_in(address: str, username: str, password: str) -> Session:
    """Sign in as a person does: the form, its token, the password."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = opener.open(f"{address}/account/login/").read().decode()
    found = re.search(r'name="csrfmiddlewaretoken"[^>]*value="([^"]+)"', page)
    assert found, "the sign-in page has a form"
    facts = urllib.parse.urlencode(
        {"login": username, "password": password, "csrfmiddlewaretoken": found.group(1)}
    )
    request = urllib.request.Request(
        f"{address}/account/login/", data=facts.encode(), headers={"Referer": address}
    )
    opener.open(request).read()
    cookies = {cookie.name: str(cookie.value) for cookie in jar}
    assert "sessionid" in cookies, f"{username} is not signed in"
    return Session(cookies, cookies.get("csrftoken", ""))


def fetch(address: str, path: str, session: Session) -> str:
    """A page as that person sees it."""
    request = urllib.request.Request(f"{address}{path}", headers={"Cookie": session.header})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())
