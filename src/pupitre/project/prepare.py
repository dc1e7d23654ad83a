"""Bring a database and the files beside it to what this version of the code expects.

Runs as a process of its own (`python -m pupitre.project.prepare tables|contents`), so that whoever needs it done stays
small. Each step does nothing where nothing is to be done. What was prepared is noted in `prepared.json` in the data
folder; `is_current` compares that note with the code and the database in milliseconds, without waking Django.
"""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from pupitre.kernel import clock
from pupitre.kernel import config as configuration
from pupitre.kernel.embedded import Urls
from pupitre.project import catalogues, database

SOURCE = catalogues.SOURCE
_WATCHED = ("/migrations/", "/static/", "/demo/", "/project/settings.py", "/tenancy/")
# One number for all processes that may migrate the same database at once.
_MIGRATION_LOCK = 7_087_483


@dataclass(frozen=True)
class Persona:
    """Somebody of the demonstration whom the visitor can sign in as."""

    title: str
    username: str
    password: str


@dataclass(frozen=True)
class Note:
    """What was prepared last."""

    code: str
    #: The day (UTC) of it: the demonstration moves on with the calendar.
    day: str
    demo: bool
    migrations: int
    static_root: str
    personas: tuple[Persona, ...]


def is_current(config: configuration.Config, database_url: str) -> bool:
    """Whether nothing has to be prepared before a start."""
    note = read_note(config)
    if note is None or note.code != fingerprint() or catalogues.stale():
        return False
    if note.demo != config.demo or (config.demo and note.day != _today()):
        return False
    if note.static_root and not (Path(note.static_root) / "staticfiles.json").exists():
        return False
    return note.migrations == count_migrations(database_url)


def fingerprint() -> str:
    """A short text that changes whenever the code does in a way that may need preparing, or the packages around it."""
    digest = hashlib.sha256(sys.version.encode())
    for folder, _folders, names in os.walk(SOURCE):
        for name in names:
            path = f"{folder}/{name}"
            if any(part in path for part in _WATCHED) and not name.endswith((".pyc", ".mo")):
                found = Path(path).stat()
                digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    packages = Path(psycopg.__file__).parents[1]
    digest.update("\n".join(sorted(p.name for p in packages.glob("*.dist-info"))).encode())
    return digest.hexdigest()


def count_migrations(database_url: str) -> int:
    """How many migrations the database has seen; 0 for an empty one."""
    try:
        with psycopg.connect(database_url, connect_timeout=10) as connection:
            row = connection.execute("select count(*) from django_migrations").fetchone()
    except psycopg.errors.UndefinedTable:
        return 0
    return int(row[0]) if row else 0


def read_note(config: configuration.Config) -> Note | None:
    try:
        raw = json.loads(_note_file(config).read_text())
        return Note(**{**raw, "personas": tuple(Persona(**persona) for persona in raw["personas"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _today() -> str:
    return clock.today("UTC").isoformat()


def _note_file(config: configuration.Config) -> Path:
    return config.data_dir / "prepared.json"


def in_own_process(config: configuration.Config, urls: Urls, *arguments: str, as_owner: bool = False) -> int:
    """Run `prepare` with these arguments to its end; returns its exit status."""
    command = [sys.executable, "-m", "pupitre.project.prepare", *arguments]
    return subprocess.run(
        command, env=database.environment(config, urls, as_owner=as_owner), check=False
    ).returncode


def make_tables(application_role: str) -> None:
    """Migrate, connected as the owner, and give the application's role its rights."""
    from django.core.management import call_command
    from django.db import connection

    from pupitre.tenancy import database as rights

    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        call_command("migrate", interactive=False, verbosity=1 if sys.stdout.isatty() else 0)
        rights.grant_application_role(application_role)
        cursor.execute("select pg_advisory_unlock(%s)", [_MIGRATION_LOCK])


def make_contents(config: configuration.Config) -> None:
    """Catalogues, static files and the demonstration, connected as the application; then note what was done."""
    from django.conf import settings

    code, day = fingerprint(), _today()  # before the work: what changes while it runs is done next time
    catalogues.compile_stale()
    _collect_static()
    personas = _fill_demonstration() if config.demo else ()
    migrations = count_migrations(str(config.database_url))
    note = Note(code, day, config.demo, migrations, str(settings.STATIC_ROOT or ""), personas)
    fresh = _note_file(config).with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(asdict(note)))
    fresh.replace(_note_file(config))


def _collect_static() -> None:
    from django.conf import settings
    from django.core.management import call_command

    if settings.STATIC_ROOT:
        call_command("collectstatic", interactive=False, verbosity=0)


def _fill_demonstration() -> tuple[Persona, ...]:
    if importlib.util.find_spec("pupitre.project.demo.load") is None:
        sys.stdout.write("There is no demonstration to fill the database with.\n")
        return ()
    load = importlib.import_module("pupitre.project.demo.load")
    load.ensure()
    return tuple(Persona(p.title, p.username, p.password) for p in load.personas())


def main(arguments: list[str]) -> None:
    import django

    from pupitre.kernel import processes

    if "PUPITRE_SUPERVISOR" in os.environ:
        processes.follow_parent()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pupitre.project.settings")
    django.setup()
    if arguments[0] == "tables":
        make_tables(arguments[1])
    else:
        make_contents(configuration.load(os.environ))


if __name__ == "__main__":
    main(sys.argv[1:])
