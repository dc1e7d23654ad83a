"""Everything on one machine with one command: database, tables, web, gateway and worker, started, watched and stopped together.

This process stays small and never wakes Django: what needs it runs in processes of its own.
"""

import contextlib
import errno
import fcntl
import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import IO
from urllib.parse import urlsplit

from pupitre.kernel import config as configuration
from pupitre.kernel import processes
from pupitre.kernel.config import Config
from pupitre.kernel.embedded import EmbeddedPostgres, Urls
from pupitre.project import database, prepare

#: Seconds that web and worker, and then the database, may take to stop; five in all.
CHILDREN_PATIENCE, DATABASE_PATIENCE = 3.2, 1.3
#: A child that lived this long has recovered: its next crash is the first one again.
_LONG_LIFE = 60.0
_LONGEST_PAUSE = 30.0
#: Crashes of a child before the first page was answered, after which starting is given up.
_HOPELESS = 3
_READY_PATIENCE = 90.0


class StartError(Exception):
    """Pupitre cannot start; the message says why and what mends it."""


class _StopRequestedError(BaseException):
    """Ctrl-C or SIGTERM, wherever we were."""


@dataclass
class Child:
    """A process that is kept alive."""

    name: str
    module: str
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    crashes: int = 0
    next_start_at: float = 0.0
    crashes_in_all: int = field(default=0)

    def start(self) -> None:
        self.process = _spawn([sys.executable, "-m", self.module], self.environment)
        self.started_at = time.monotonic()

    def look_after(self, say: Callable[[str], None]) -> None:
        """Start it again if it is gone, after a pause that doubles with each crash."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.next_start_at:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        _end_group(self.process)
        self.process = None
        self.crashes = 1 if now - self.started_at > _LONG_LIFE else self.crashes + 1
        self.crashes_in_all += 1
        pause = min(0.5 * 2 ** (self.crashes - 1), _LONGEST_PAUSE)
        self.next_start_at = now + pause
        say(f"The {self.name} {_describe(code)}; it is started again in {pause:.1f} s.")


def run(config: Config) -> int:
    """Run Pupitre until Ctrl-C or SIGTERM; returns the exit status. Raises StartError and the database's errors."""
    say = _Speaker()
    began_at = time.monotonic()
    with _only_one(config), _stop_signals() as wakeup:
        supervisor = Supervisor(config, say)
        try:
            supervisor.start()
            say.welcome(config, time.monotonic() - began_at)
            supervisor.watch(wakeup)
        except _StopRequestedError:
            say("Stopping.")
        finally:
            for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(signum, signal.SIG_IGN)  # stopping is under way and takes at most five seconds
            supervisor.stop()
    say("Stopped.")
    return 0


class Supervisor:
    """The processes of one `up`, from the database to the worker."""

    def __init__(self, config: Config, say: Callable[[str], None]) -> None:
        self._config, self._say = config, say
        self._server: EmbeddedPostgres | None = None
        self._children: list[Child] = []
        self._errand: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Bring everything up and wait for the first page."""
        _check_port(self._config, self._config.port, "PUPITRE_PORT")
        _check_port(self._config, self._config.gateway_port, "PUPITRE_GATEWAY_PORT")
        urls = self._start_database()
        for folder in (self._config.mail_dir, self._config.data_dir / "objects"):
            folder.mkdir(mode=0o700, exist_ok=True)
        if not prepare.is_current(self._config, urls.application):
            self._prepare(urls)
        environment = database.environment(self._config, urls) | {"PUPITRE_SUPERVISOR": str(os.getpid())}
        environment.setdefault("MALLOC_ARENA_MAX", "2")
        self._children = [
            Child("web server", "pupitre.project.web", environment),
            Child("gateway", "pupitre.project.gateway", environment),
            Child("worker", "pupitre.project.worker", environment),
        ]
        for child in self._children:
            child.start()
        self._wait_until_ready()

    def watch(self, wakeup: int) -> None:
        """Keep everything alive, for ever. Woken at once by a signal, which the end of a child is one."""
        while True:
            if self._server is not None and self._server.process_id is None:
                self._say("The database ended; it is started again.")
                self._server.start()
            for child in self._children:
                child.look_after(self._say)
            if select.select([wakeup], [], [], 1.0)[0]:
                os.read(wakeup, 4096)

    def stop(self) -> None:
        """Stop everything within five seconds, whatever it is doing."""
        running = [child.process for child in self._children if child.process is not None]
        running += [self._errand] if self._errand is not None else []
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        until = time.monotonic() + CHILDREN_PATIENCE
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
            _end_group(process)
        if self._server is not None:
            self._server.leave(patience=DATABASE_PATIENCE)

    def _start_database(self) -> Urls:
        urls = database.outside(self._config)
        if urls is not None:
            return urls
        self._server = EmbeddedPostgres(self._config.data_dir, die_with_parent=True, say=self._say)
        self._server.start()
        return self._server.ensure_roles_and_database()

    def _prepare(self, urls: Urls) -> None:
        self._say("Bringing tables, translations, assets and demonstration up to date.")
        role = configuration.user_of(urls.application)
        for arguments, as_owner in ((["tables", role], True), (["contents"], False)):
            environment = database.environment(self._config, urls, as_owner=as_owner)
            environment["PUPITRE_SUPERVISOR"] = str(os.getpid())
            self._errand = _spawn([sys.executable, "-m", "pupitre.project.prepare", *arguments], environment)
            code = self._errand.wait()
            self._errand = None
            if code:
                raise StartError(
                    f"Preparing the {arguments[0]} failed (the cause stands above). Nothing was lost; mend it and start again."
                )
        database.learn_sizes(urls)

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + _READY_PATIENCE
        config = self._config
        while not (
            _answers(config, config.port, config.base_url)
            and _answers(config, config.gateway_port, config.gateway_url)
        ):
            for child in self._children:
                child.look_after(self._say)
                if child.crashes_in_all >= _HOPELESS:
                    raise StartError(f"The {child.name} does not start; the cause stands above.")
            if time.monotonic() > until:
                raise StartError(
                    f"No page was answered within {_READY_PATIENCE:.0f} s. `pupitre doctor` may know why."
                )
            time.sleep(0.05)


class _Speaker:
    """Tells people what happens, on standard output."""

    def __init__(self) -> None:
        self._plain = not sys.stdout.isatty()

    def __call__(self, message: str) -> None:
        sys.stdout.write(f"{message}\n")
        sys.stdout.flush()

    def welcome(self, config: Config, seconds: float) -> None:
        bold, off = ("", "") if self._plain else ("\033[1m", "\033[0m")
        self(f"\n  Pupitre is ready ({seconds:.1f} s):  {bold}{config.base_url}{off}\n")
        self(f"  Devices check in at {config.gateway_url}.\n")
        note = prepare.read_note(config)
        for persona in note.personas if note else ():
            self(f"  {persona.title:<36} {bold}{persona.username:<28}{off} {persona.password}")
        if note and note.personas:
            self("")
        if config.smtp_url is None:
            self(f"  Mail is written to {config.mail_dir}.")
        self("  Ctrl-C stops everything.\n")


def _spawn(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A process in a group of its own, so that Ctrl-C reaches only us and we can end all that it starts."""
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=processes.dies_with_parent(),  # noqa: PLW1509 - this process has one thread
    )


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1)


def _describe(code: int) -> str:
    if code >= 0:
        return f"ended with status {code}"
    return f"was killed by {signal.Signals(-code).name}"


@contextlib.contextmanager
def _stop_signals() -> Iterator[int]:
    """Turn SIGINT and SIGTERM into _StopRequestedError, the first time. Yields a descriptor that every signal makes readable."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    asked = False

    def request(_signum: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:
            asked = True
            raise _StopRequestedError

    before = {
        signum: signal.signal(signum, request) for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _signum, _frame: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield reading
    finally:
        signal.set_wakeup_fd(-1)
        for signum, handler in before.items():
            signal.signal(signum, handler)
        os.close(reading)
        os.close(writing)


@contextlib.contextmanager
def _only_one(config: Config) -> Iterator[None]:
    """Hold the data folder for ourselves; the kernel lets go of it however we end."""
    path = config.data_dir / "up.lock"
    with path.open("a+") as file:
        if not _try_lock(file):
            file.seek(0)
            raise StartError(
                f"Pupitre already runs on {config.data_dir} (process {file.read().strip() or 'unknown'}). "
                "Stop it with Ctrl-C where it runs, or give this one its own PUPITRE_DATA_DIR and PUPITRE_PORT."
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check_port(config: Config, port: int, setting: str) -> None:
    """Raise StartError if the port cannot be had. One that a killed Pupitre is just leaving is waited for."""
    until = time.monotonic() + 2.0
    while (trouble := _bind(config, port)) is not None:
        if trouble.errno == errno.EADDRINUSE and time.monotonic() < until:
            time.sleep(0.1)
            continue
        mends = {
            errno.EADDRINUSE: f"another program has it. Stop that one, or choose another: {setting}={port + 2}",
            errno.EACCES: f"that number is for the system's own services. Choose one from 1024: {setting}={8000 if setting == 'PUPITRE_PORT' else 8001}",
            errno.EADDRNOTAVAIL: "this machine has no such address. Choose another: PUPITRE_HOST=127.0.0.1",
        }
        mend = mends.get(trouble.errno or 0, f"{trouble.strerror}. Look at PUPITRE_HOST and {setting}")
        raise StartError(f"Pupitre cannot listen on {config.host} port {port}: {mend}.")


def _bind(config: Config, port: int) -> OSError | None:
    try:
        found = socket.getaddrinfo(config.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _name, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None


def _answers(config: Config, port: int, url: str) -> bool:
    """Whether the server at that port says it is ready."""
    public = urlsplit(url)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request(
            "GET", "/health/ready", headers={"Host": public.netloc, "X-Forwarded-Proto": public.scheme}
        )
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
