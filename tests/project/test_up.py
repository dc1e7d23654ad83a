"""`pupitre up`, seen from outside: it answers, it mends itself, it stops, and it survives being killed."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from pupitre.kernel import processes
from pupitre.kernel.embedded import EmbeddedPostgres

pytestmark = pytest.mark.timeout(300)
SOURCE = Path(__file__).resolve().parents[2] / "src"


def free_port() -> int:
    """A port whose neighbour, the gateway's, is free as well."""
    while True:
        with (
            socket.socket() as probe,
            socket.socket() as neighbour,
            contextlib.suppress(OSError, OverflowError),
        ):
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            neighbour.bind(("127.0.0.1", port + 1))
            return port


def within(seconds: float, is_so: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_so():
            return True
        time.sleep(0.05)
    return False


def every_process() -> Iterator[tuple[int, int]]:
    """The number of each process of this machine, and its parent's. A bare Debian has no `ps`."""
    if not Path("/proc/self/stat").exists():
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
        yield from ((int(pid), int(parent)) for pid, parent in map(str.split, listed.stdout.splitlines()))
        return
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            yield int(path.parent.name), int(path.read_text(errors="replace").rpartition(")")[2].split()[1])


@dataclass
class Place:
    """A data folder and a port, on which Pupitre may be started."""

    folder: Path
    port: int = field(default_factory=free_port)

    def environment(self, **settings: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PUPITRE_")}
        own = {"PUPITRE_DATA_DIR": str(self.folder), "PUPITRE_PORT": str(self.port), "PUPITRE_DEMO": "false"}
        return {**kept, "PYTHONPATH": str(SOURCE), **own, **settings}

    def command(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pupitre.project.cli", *arguments],
            env=self.environment(**settings),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def status(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()


class Running:
    """One `pupitre up`."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pupitre.project.cli", "up"],
            env=place.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)

    def says(self, words: str, seconds: float = 120) -> bool:
        return within(
            seconds, lambda: any(words in line for line in self.said) or self.process.poll() is not None
        ) and any(words in line for line in self.said)

    def wait_until_ready(self) -> "Running":
        assert self.says("Pupitre is ready"), "".join(self.said)
        return self

    def family(self) -> dict[int, str]:
        """Every process below this one, by its number."""
        parent_of = dict(every_process())
        found: dict[int, str] = {}
        generation = {self.process.pid}
        while generation:
            generation = {pid for pid, parent in parent_of.items() if parent in generation}
            found |= {pid: processes.command_of(pid) for pid in generation}
        return found

    def end(self, signum: int) -> None:
        self.process.send_signal(signum)
        self.process.wait(30)
        self._reader.join(30)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="pupitre-up-"))
    folder.chmod(0o711)
    yield Place(folder)
    EmbeddedPostgres(folder).destroy()
    shutil.rmtree(folder)


@pytest.fixture
def up(place: Place) -> Iterator[Running]:
    running = Running(place)
    try:
        yield running.wait_until_ready()
    finally:
        running.end(signal.SIGTERM)


def test_all_wrong_settings_are_named_before_anything_starts(place: Place) -> None:
    done = place.command("up", PUPITRE_PORT="eighty", PUPITRE_DATABASE_ULR="postgresql://a:secret@b/c")
    assert done.returncode == 1
    assert "2 settings are wrong" in done.stderr
    assert "Did you mean PUPITRE_DATABASE_URL?" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unfit_outside_database_is_refused(place: Place) -> None:
    done = place.command(
        "up",
        PUPITRE_DATABASE_URL="postgresql://app:x@127.0.0.1:1/none",
        PUPITRE_OWNER_DATABASE_URL="postgresql://owner:x@127.0.0.1:1/none",
    )
    assert done.returncode == 1
    assert "The application's role cannot connect" in done.stderr
    assert "The owner's role cannot connect" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_answers_and_the_doctor_finds_it_well(place: Place, up: Running) -> None:
    assert place.status("/health/live") == place.status("/health/ready") == 200
    assert f"http://localhost:{place.port}" in "".join(up.said)
    assert within(20, lambda: "worker             1 alive" in place.command("doctor").stdout)
    done = place.command("doctor")
    assert done.returncode == 0, done.stdout
    assert "row-level security is forced on all" in done.stdout
    assert "fail" not in done.stdout.replace("0 failed", "")


def test_a_second_one_is_refused_with_the_mend(place: Place, up: Running) -> None:
    same_folder = place.command("up")
    assert same_folder.returncode == 1
    assert f"process {up.process.pid}" in same_folder.stderr
    other = Place(Path(tempfile.mkdtemp(prefix="pupitre-up-")), place.port)
    same_port = other.command("up")
    assert same_port.returncode == 1
    assert f"PUPITRE_PORT={place.port + 2}" in same_port.stderr
    shutil.rmtree(other.folder)


def test_what_dies_is_started_again(place: Place, up: Running) -> None:
    (worker,) = [pid for pid, command in up.family().items() if "pupitre.project.worker" in command]
    os.kill(worker, signal.SIGKILL)
    assert up.says("The worker was killed by SIGKILL", 10)
    web = max(pid for pid, command in up.family().items() if "pupitre.project.web" in command)
    os.kill(web, signal.SIGKILL)
    assert up.says("The web server", 20)
    assert within(30, lambda: place.status("/health/ready") == 200)
    assert within(20, lambda: any("pupitre.project.worker" in command for command in up.family().values()))


def test_a_signal_stops_everything_within_five_seconds(up: Running) -> None:
    family = up.family()
    assert len(family) > 6
    began_at = time.monotonic()
    up.end(signal.SIGINT)
    assert time.monotonic() - began_at < 5
    assert up.process.returncode == 0
    assert [command for pid, command in family.items() if processes.is_alive(pid)] == []


def test_nothing_outlives_a_killed_supervisor(up: Running) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells at once of a parent's end")
    family = up.family()
    up.end(signal.SIGKILL)
    assert within(10, lambda: not any(processes.is_alive(pid) for pid in family))


def test_killing_everything_loses_nothing_that_was_acknowledged(place: Place, up: Running) -> None:
    server = EmbeddedPostgres(place.folder)
    owner_url = server.url("pupitre_owner", "pupitre")
    acknowledged: list[int] = []
    enough = threading.Event()

    def write() -> None:
        try:
            with psycopg.connect(owner_url, autocommit=True) as connection:
                connection.execute("create table if not exists kept (number int primary key)")
                for number in range(1_000_000):
                    connection.execute("insert into kept values (%s)", [number])
                    acknowledged.append(number)
                    if number == 200:
                        enough.set()
        except psycopg.OperationalError:
            return

    writer = threading.Thread(target=write)
    writer.start()
    assert enough.wait(60)
    for pid in [up.process.pid, *up.family()]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # its parent's death was faster
    writer.join(60)
    up.end(signal.SIGKILL)

    began_at = time.monotonic()
    again = Running(place).wait_until_ready()
    assert time.monotonic() - began_at < 60
    assert place.status("/health/ready") == 200
    with psycopg.connect(owner_url, autocommit=True) as connection:
        kept = {row[0] for row in connection.execute("select number from kept")}
        connection.execute("drop table kept")
    assert set(acknowledged) <= kept
    again.end(signal.SIGTERM)
