"""`pupitre doctor`: looks at everything Pupitre stands on, and says how to mend what is not in order."""

import http.client
import json
import os
import shutil
import smtplib
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg

from pupitre.kernel import clock, roles
from pupitre.kernel.config import Config
from pupitre.kernel.embedded import EmbeddedPostgres, EmbeddedPostgresError, Urls
from pupitre.project import catalogues, database

Verdict = Literal["ok", "warn", "fail"]
_GIGABYTE = 1_000_000_000
#: So long old rows may lie undeleted before the doctor says so.
_RETENTION_PATIENCE = timedelta(days=3)
#: Tables that keep rows of a school; every one must be protected. Partitions are protected through their parent.
_TENANT_TABLES = """
    select c.oid::regclass::text, c.relrowsecurity, c.relforcerowsecurity,
           (select count(*) from pg_policy p where p.polrelid = c.oid)
    from pg_class c
    where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace
      and exists (select 1 from pg_attribute a
                  where a.attrelid = c.oid and a.attname = 'school_id' and not a.attisdropped)
      and c.relname <> 'connections_schooldomain'  -- public, as schools are: it is asked before anybody has signed in
    order by 1
"""


@dataclass(frozen=True)
class Line:
    """One thing that was looked at."""

    verdict: Verdict
    subject: str
    found: str
    mend: str = ""


def run(config: Config, *, quiet: bool = False) -> int:
    """Look at everything and tell; the exit status is 1 if anything fails."""
    lines = []
    for line in examine(config):
        lines.append(line)
        if not (quiet and line.verdict == "ok"):
            sys.stdout.write(_shown(line))
            sys.stdout.flush()
    failed = sum(line.verdict == "fail" for line in lines)
    warned = sum(line.verdict == "warn" for line in lines)
    if not quiet or failed or warned:
        sys.stdout.write(f"{len(lines)} checks: {failed} failed, {warned} to look at.\n")
    return 1 if failed else 0


def examine(config: Config) -> Iterator[Line]:
    """Every check, in the order in which one depends on the other. A check that breaks is itself a failure."""
    yield from _checked("database", lambda: _database_lines(config))
    checks: tuple[tuple[str, Callable[[], Iterator[Line]]], ...] = (
        ("gateway", lambda: _gateway_lines(config)),
        ("catalogues", _catalogue_lines),
        ("storage", lambda: _storage_lines(config)),
        ("time zones", _time_zone_lines),
        ("mail", lambda: _mail_lines(config)),
        ("disk", lambda: _disk_lines(config)),
    )
    for subject, check in checks:
        yield from _checked(subject, check)


def _checked(subject: str, check: Callable[[], Iterator[Line]]) -> Iterator[Line]:
    try:
        yield from check()
    except Exception as error:  # noqa: BLE001 - a doctor who faints helps nobody
        reason = " ".join(str(error).split()) or type(error).__name__
        yield Line("fail", subject, f"could not be examined: {reason}", "Mend that first, then ask again.")


def _shown(line: Line) -> str:
    colours = {"ok": "32", "warn": "33", "fail": "31"}
    mark = f"{line.verdict:<4}"
    if sys.stdout.isatty():
        mark = f"\033[{colours[line.verdict]}m{mark}\033[0m"
    mend = f"\n       > {line.mend}" if line.mend else ""
    return f"{mark}  {line.subject:<18} {line.found}{mend}\n"


def _database_lines(config: Config) -> Iterator[Line]:
    if config.database_url is not None:
        urls = Urls(config.database_url, config.owner_database_url or "")
        yield from _connected_lines(config, urls)
        return
    server = EmbeddedPostgres(config.data_dir)
    if not server.is_running:
        yield Line("ok", "database", "the embedded server rests; it is woken for this examination")
    try:
        with server:
            yield from _connected_lines(config, server.ensure_roles_and_database())
    except EmbeddedPostgresError as error:
        yield Line("fail", "database", "the embedded server does not start", str(error))


def _connected_lines(config: Config, urls: Urls) -> Iterator[Line]:
    try:
        connection = psycopg.connect(urls.application, connect_timeout=5, autocommit=True)
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split())
        yield Line("fail", "database", reason, "See that the server runs, and look at PUPITRE_DATABASE_URL.")
        return
    with connection:
        version = connection.info.parameter_status("server_version") or "?"
        yield Line("ok", "database", f"PostgreSQL {version} answers")
        findings = roles.check_server(urls.application, urls.owner or None)
        for finding in findings:
            yield Line("fail", "roles", finding.wrong, finding.mend)
        if not findings:
            yield Line(
                "ok", "roles", "the application is neither superuser nor owner and passes by no protection"
            )
        yield _clock_line(connection)
        yield _migration_line(config, urls)
        yield from _protection_lines(connection)
        yield _worker_line(connection)
        yield _retention_line(connection)
        yield from _month_lines(connection)


def _protection_lines(connection: psycopg.Connection[Any]) -> Iterator[Line]:
    tables = connection.execute(_TENANT_TABLES).fetchall()
    bare = [name for name, enabled, forced, policies in tables if not (enabled and forced and policies)]
    if bare:
        yield Line(
            "fail", "protection", f"{len(bare)} tables are open to every school: {', '.join(bare)}",
            "Run `pupitre migrate`. If they are still open then, do not run this version.",
        )  # fmt: skip
    elif tables:
        yield Line("ok", "protection", f"row-level security is forced on all {len(tables)} tables of schools")
    else:
        yield Line("warn", "protection", "there are no tables of schools yet", "Run `pupitre migrate`.")


def _clock_line(connection: psycopg.Connection[Any]) -> Line:
    row = connection.execute("select clock_timestamp()").fetchone()
    assert row
    apart = abs((row[0] - clock.now()).total_seconds())
    mend = "Let both machines follow a time server (for example chrony or systemd-timesyncd)."
    if apart > 60:
        return Line("fail", "clock", f"this machine and the database are {apart:.0f} s apart", mend)
    if apart > 2:
        return Line("warn", "clock", f"this machine and the database are {apart:.1f} s apart", mend)
    if clock.now() < datetime(2026, 1, 1, tzinfo=UTC):
        return Line("fail", "clock", f"it shows {clock.now():%Y-%m-%d}", mend)
    return Line("ok", "clock", f"{clock.now():%Y-%m-%d %H:%M:%S} UTC, the database agrees")


def _migration_line(config: Config, urls: Urls) -> Line:
    database.adopt(config, urls)
    import django

    django.setup()
    from django.db import connection, connections
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    finally:
        connections.close_all()
    if pending:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _backwards in pending[:5])
        more = f" and {len(pending) - 5} more" if len(pending) > 5 else ""
        return Line(
            "fail", "migrations", f"not applied: {names}{more}", "Run `pupitre migrate`, or `pupitre up`."
        )
    return Line("ok", "migrations", "all are applied")


def _worker_line(connection: psycopg.Connection[Any]) -> Line:
    mend = "Start `pupitre up` or `pupitre worker`; without one, no mail is sent and nothing is imported."
    try:
        row = connection.execute(
            "select count(*), extract(epoch from clock_timestamp() - max(last_heartbeat))::float, "
            "  (select count(*) from procrastinate_jobs where status = 'todo' and "
            "   coalesce(scheduled_at, now()) < now() - interval '5 minutes') "
            "from procrastinate_workers where last_heartbeat > clock_timestamp() - interval '30 seconds'"
        ).fetchone()
    except psycopg.errors.UndefinedTable:
        return Line("fail", "worker", "the job queue has no tables", "Run `pupitre migrate`.")
    assert row
    alive, heard_ago, late = row
    if not alive:
        return Line("warn", "worker", "none is alive", mend)
    if late:
        return Line("warn", "worker", f"{alive} alive, but {late} jobs are late", "Start more workers.")
    return Line("ok", "worker", f"{alive} alive, heard {heard_ago:.0f} s ago")


def _retention_line(connection: psycopg.Connection[Any]) -> Line:
    """Whether every school's old rows were deleted within the last days; an installation that is younger has time."""
    mend = "It runs at night where a worker is alive. `pupitre retention` runs it now, `--dry-run` says what would go."
    try:
        row = connection.execute(
            "select (select began_at from tenancy_upkeep where name = 'retention'), "
            "  (select count(*) from tenancy_school s where not exists (select 1 from tenancy_upkeep u "
            "    where u.name = 'retention:' || s.id and u.ended_at > clock_timestamp() - %(patience)s)), "
            "  (select min(applied) from django_migrations where app = 'tenancy' and name = '0005_upkeep') "
            "    > clock_timestamp() - %(patience)s",
            {"patience": _RETENTION_PATIENCE},
        ).fetchone()
    except psycopg.errors.UndefinedTable:
        return Line("warn", "retention", "it has no tables yet", "Run `pupitre migrate`.")
    assert row
    began_at, behind, is_young = row
    if began_at is None:
        return Line("ok" if is_young else "warn", "retention", "has never run", "" if is_young else mend)
    if began_at < clock.now() - _RETENTION_PATIENCE:
        return Line("warn", "retention", f"last ran on {began_at:%Y-%m-%d}", mend)
    if behind and not is_young:
        told = f"{behind} schools were not done within {_RETENTION_PATIENCE.days} days"
        return Line("warn", "retention", told, mend)
    return Line("ok", "retention", f"last ran on {began_at:%Y-%m-%d}")


def _month_lines(connection: psycopg.Connection[Any]) -> Iterator[Line]:
    """Whether tables by month have next month ready, and nothing waits for its month."""
    mend = "The nightly retention makes months ahead; `pupitre retention` does it now."
    found = connection.execute(
        "select p.partrelid::regclass::text, "
        "  to_regclass(quote_ident(c.relname || to_char(clock_timestamp() at time zone 'UTC' + interval '1 month', '_YYYY_MM'))) "
        "    is not null, coalesce(pg_relation_size(to_regclass(quote_ident(c.relname || '_rest'))), 0) "
        "from pg_partitioned_table p join pg_class c on c.oid = p.partrelid "
        "where c.relnamespace = 'public'::regnamespace order by 1"
    ).fetchall()
    late = [name for name, is_ready, _rest in found if not is_ready]
    waiting = [name for name, _is_ready, rest in found if rest]
    if late:
        yield Line("warn", "months", f"next month is not made yet for {', '.join(late)}", mend)
    elif waiting:
        yield Line("warn", "months", f"rows of {', '.join(waiting)} wait for their month", mend)
    elif found:
        yield Line("ok", "months", f"{len(found)} tables are kept by months, which lie ready")


def _gateway_lines(config: Config) -> Iterator[Line]:
    """Whether devices are answered here. Where the gateway runs on other machines, nobody listens on this port."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(host, config.gateway_port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        reply = connection.getresponse()
        told = json.loads(reply.read())
        is_ready = reply.status == http.client.OK
        waiting = int(told["waiting"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        yield Line(
            "warn", "gateway", f"no gateway answers on {host} port {config.gateway_port}",
            "Start `pupitre up` or `pupitre gateway`; without one, no device checks in.",
        )  # fmt: skip
        return
    finally:
        connection.close()
    if is_ready:
        yield Line("ok", "gateway", f"it answers devices at {config.gateway_url}; {waiting} wait for a sign")
    else:
        mend = "See that the database runs; the gateway connects anew by itself."
        yield Line("warn", "gateway", "it runs, and does not follow the fleet", mend)


def _catalogue_lines() -> Iterator[Line]:
    stale = catalogues.stale()
    if stale:
        yield Line(
            "warn",
            "catalogues",
            f"{len(stale)} are not compiled: people read English there",
            "Run `pupitre up`.",
        )
    else:
        yield Line("ok", "catalogues", "all translations are compiled")


def _storage_lines(config: Config) -> Iterator[Line]:
    """Write, read and remove an object, as an upload would."""
    from pupitre.kernel.storage import Storage

    storage = Storage(config.storage_url)
    content = f"examined at {clock.now().isoformat()} by process {os.getpid()}".encode()
    key = storage.put(0, "doctor", content)
    kept = storage.get(key) == content
    storage.delete(key)
    scheme = urlsplit(config.storage_url).scheme
    if kept:
        yield Line("ok", "storage", f"an object was written, read and removed ({scheme})")
    else:
        yield Line(
            "fail", "storage", "what was written was not what was read", "Look at PUPITRE_STORAGE_URL."
        )


def _time_zone_lines() -> Iterator[Line]:
    try:
        summer = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Madrid")).utcoffset()
    except ZoneInfoNotFoundError:
        yield Line("fail", "time zones", "their data is missing", "Install the Python package tzdata.")
        return
    if summer == timedelta(hours=2):
        yield Line("ok", "time zones", "their data is present")
    else:
        yield Line("fail", "time zones", "their data is wrong", "Update the Python package tzdata.")


def _mail_lines(config: Config) -> Iterator[Line]:
    smtp = config.smtp
    if smtp is None:
        yield Line(
            "warn", "mail", f"none is sent: it is written to {config.mail_dir}",
            "For real families set PUPITRE_SMTP_URL=smtp://user:password@host:587?tls=starttls.",
        )  # fmt: skip
        return
    try:
        kind = smtplib.SMTP_SSL if smtp.tls == "ssl" else smtplib.SMTP
        with kind(smtp.host, smtp.port, timeout=10) as server:
            if smtp.tls == "starttls":
                server.starttls()
            if smtp.user:
                server.login(smtp.user, smtp.password)
            server.noop()
    except (OSError, smtplib.SMTPException, socket.gaierror) as error:
        yield Line(
            "fail", "mail", f"{smtp.host}:{smtp.port} does not take it: {error}", "Look at PUPITRE_SMTP_URL."
        )
        return
    yield Line("ok", "mail", f"{smtp.host}:{smtp.port} takes it")


def _disk_lines(config: Config) -> Iterator[Line]:
    usage = shutil.disk_usage(config.data_dir)
    free = f"{usage.free / _GIGABYTE:.1f} GB free where the data is ({config.data_dir})"
    mend = "Make room, or move the data folder to a larger disk."
    began_at = time.perf_counter()
    probe = config.data_dir / f".doctor-{os.getpid()}"
    try:
        with probe.open("wb") as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
    finally:
        probe.unlink(missing_ok=True)
    took = time.perf_counter() - began_at
    if usage.free < 0.5 * _GIGABYTE:
        yield Line("fail", "disk", free, mend)
    elif usage.free < 2 * _GIGABYTE or usage.free < 0.05 * usage.total:
        yield Line("warn", "disk", free, mend)
    else:
        yield Line("ok", "disk", f"{free}, a write is safe after {took * 1000:.0f} ms")
