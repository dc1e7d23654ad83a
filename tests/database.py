"""The tests' PostgreSQL: one cluster per checkout, one migrated template per state of the migrations, one copy per run.

Tests connect as the application's role, which neither owns the tables nor passes row-level security.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connections
from psycopg.conninfo import conninfo_to_dict

from pupitre.kernel.embedded import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "var" / "tests"


@contextmanager
def migrated_copy(name: str) -> Iterator[tuple[str, str]]:
    """A fresh, migrated database; yields the application's and the owner's address."""
    HOME.mkdir(parents=True, exist_ok=True)
    server = EmbeddedPostgres(HOME, durable=False)
    server.start()
    try:
        template = _template(server)
        server.copy_database(template, name)
        urls = server.ensure_roles_and_database(name)
        yield urls.application, urls.owner
        server.drop_database(name)
    finally:
        server.leave()


def _template(server: EmbeddedPostgres) -> str:
    name = f"template_{_state_of_migrations()}"
    with (HOME / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with server.superuser() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not found:
            _migrate(server, f"{name}_new")
            with server.superuser() as connection:
                connection.execute(f"ALTER DATABASE {name}_new RENAME TO {name}")  # type: ignore[arg-type, unused-ignore]
    return name


def _migrate(server: EmbeddedPostgres, name: str) -> None:
    server.drop_database(name)
    urls = server.ensure_roles_and_database(name)
    names = {"PUPITRE_DATABASE_URL": urls.application, "PUPITRE_OWNER_DATABASE_URL": urls.owner}
    command = [sys.executable, "-m", "pupitre.project.cli", "migrate"]
    done = subprocess.run(
        command,
        env={**os.environ, **names, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"migrating the template failed:\n{done.stdout}\n{done.stderr}")


def _state_of_migrations() -> str:
    sources = sorted(ROOT.glob("src/pupitre/*/migrations/*.py"))
    sources += [ROOT / "src/pupitre/tenancy/protection.py", ROOT / "src/pupitre/tenancy/history.sql"]
    sources += [ROOT / "src/pupitre/tenancy/database.py", ROOT / "requirements/runtime.txt"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def point_at(url: str) -> None:
    """Let Django's own connection lead to that database."""
    connection = connections["default"]
    connection.close()
    parts: dict[str, Any] = conninfo_to_dict(url)
    for key, name in (
        ("NAME", "dbname"),
        ("USER", "user"),
        ("PASSWORD", "password"),
        ("HOST", "host"),
        ("PORT", "port"),
    ):
        connection.settings_dict[key] = parts.get(name, "")
