"""Importing a roster of many users: reading, comparing and writing, beside a plain COPY of the same rows.

    python -m bench.rosters [--users 20000]

The roster is generated as OneRoster 1.2 CSV: for every 100 users 72 pupils, 22 guardians and 6 teachers, classes of 24
pupils, eight classes a pupil. It is imported into an empty school on the embedded PostgreSQL, then once more unchanged.
The ratio is to a COPY of the same number of rows into tables of the same columns without row-level security, history,
indexes and keys: what no import can be faster than.
"""

import argparse
import csv
import io
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pupitre.kernel.embedded import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[1]
PUPILS_A_CLASS, CLASSES_A_PUPIL = 24, 8
GIVEN = ("Aina", "Biel", "Carla", "Dídac", "Elna", "Ferran", "Gemma", "Hug", "Ivet", "Jan", "Laia", "Marc")
FAMILY = ("Puig", "Riera", "Soler", "Vidal", "Font", "Serra", "Roca", "Mas", "Pons", "Sala", "Bosch", "Camps")
Rows = Iterator[Sequence[object]]


def roster_of(users: int) -> dict[str, bytes]:
    """The files of a roster with about that many users."""
    pupils, guardians = users * 72 // 100, users * 22 // 100
    teachers = users - pupils - guardians
    classes = max(1, pupils * CLASSES_A_PUPIL // PUPILS_A_CLASS)
    files = {
        "orgs.csv": _csv(
            "sourcedId,name,type,identifier,parentSourcedId", [("s1", "Gran", "school", "", "")]
        ),
        "academicSessions.csv": _csv(
            "sourcedId,title,type,startDate,endDate,parentSourcedId,schoolYear",
            [("y1", "2026-27", "schoolYear", "2026-09-01", "2027-06-30", "", "2027")],
        ),
        "courses.csv": _csv(
            "sourcedId,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes",
            [(f"m{n}", "y1", f"Course {n}", f"C{n}", "07", "s1", "Mathematics", "") for n in range(20)],
        ),
        "classes.csv": _csv(
            "sourcedId,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds",
            (
                (f"c{n}", f"Class {n}", "07", f"m{n % 20}", "", "scheduled", "", "s1", "y1")
                for n in range(classes)
            ),
        ),
        "users.csv": _csv(
            "sourcedId,enabledUser,username,givenName,familyName,email,phone,agentSourcedIds,grades",
            _users(pupils, guardians, teachers),
        ),
        "roles.csv": _csv(
            "sourcedId,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId",
            _roles(pupils, guardians, teachers),
        ),
        "enrollments.csv": _csv(
            "sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate",
            _enrolments(pupils, teachers, classes),
        ),
    }
    listed = "".join(f"file.{name.removesuffix('.csv')},bulk\n" for name in files)
    head = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\n"
    return {"manifest.csv": f"{head}{listed}".encode(), **files}


def _csv(header: str, rows: Any) -> bytes:
    buffer = io.StringIO(newline="")
    buffer.write(f"{header}\r\n")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def _users(pupils: int, guardians: int, teachers: int) -> Rows:
    for n in range(pupils):
        agent = f"g{n % guardians}" if guardians else ""
        yield f"p{n}", "true", f"pupil{n}", GIVEN[n % 12], FAMILY[n // 12 % 12], "", "", agent, "07"
    for kind, count in (("g", guardians), ("t", teachers)):
        for n in range(count):
            mail = f"{kind}{n}@familia.example"
            yield (
                f"{kind}{n}",
                "true",
                f"{kind}{n}",
                GIVEN[n % 12],
                FAMILY[n // 12 % 12],
                mail,
                "+34 600",
                "",
                "",
            )


def _roles(pupils: int, guardians: int, teachers: int) -> Rows:
    for kind, count, role in (
        ("p", pupils, "student"),
        ("g", guardians, "guardian"),
        ("t", teachers, "teacher"),
    ):
        for n in range(count):
            yield f"r{kind}{n}", f"{kind}{n}", "primary", role, "2026-09-01", "", "s1"


def _enrolments(pupils: int, teachers: int, classes: int) -> Rows:
    for n in range(pupils):
        for part in range(CLASSES_A_PUPIL):
            klass = (n // PUPILS_A_CLASS + part * classes // CLASSES_A_PUPIL) % classes
            yield f"e{n}.{part}", f"c{klass}", "s1", f"p{n}", "student", "", "2026-09-01", "2027-06-30"
    for n in range(classes):
        yield f"et{n}", f"c{n}", "s1", f"t{n % max(teachers, 1)}", "teacher", "true", "", ""


class Clock:
    """Seconds of each stage, in order: on the wall, and of this process's own CPU (the rest is the database's)."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, float, float]] = []

    def time(self, name: str, work: Callable[[], Any]) -> Any:
        """Do it and remember how long it took."""
        started, own = time.perf_counter(), time.process_time()
        done = work()
        self.stages.append((name, time.perf_counter() - started, time.process_time() - own))
        return done


def bench(users: int, home: Path) -> None:
    server = EmbeddedPostgres(home / "postgres", durable=True)
    server.start()
    try:
        urls = server.ensure_roles_and_database("bench")
        os.environ.update(
            PUPITRE_DATABASE_URL=urls.application,
            PUPITRE_OWNER_DATABASE_URL=urls.owner,
            PUPITRE_DATA_DIR=str(home / "data"),
            PUPITRE_DEMO="false",
            DJANGO_SETTINGS_MODULE="pupitre.project.settings",
        )
        _migrate()
        import django

        django.setup()
        _measure(users)
    finally:
        from django.db import connections

        connections.close_all()
        server.leave()


def _migrate() -> None:
    import subprocess

    subprocess.run([sys.executable, "-m", "pupitre.project.cli", "migrate"], check=True)


def _measure(users: int) -> None:
    from pupitre.courses.actions import rosters
    from pupitre.courses.rules.reading import read_roster
    from pupitre.kernel import clock as now
    from pupitre.people.rules import system_actor
    from pupitre.tenancy import actions as founding
    from pupitre.tenancy import queries as tenancy
    from pupitre.tenancy.scoping import scope

    clock, files = Clock(), roster_of(users)
    size = sum(map(len, files.values()))
    where: dict[str, Any] = {"country": "ES", "locale": "es", "time_zone": "Europe/Madrid"}
    authority = founding.found_authority(slug="bench", name="Bench", **where)
    school = tenancy.facts_of(founding.found_school(authority, slug="gran", name="Gran", **where))
    actor = system_actor(school)
    roster = clock.time("read the files", lambda: read_roster(files))
    rows = sum(len(roster.rows(kind)) for kind in roster.modes)
    del roster

    def imported() -> Any:
        with scope(school.id):
            record = rosters.upload_roster(actor, files=files, file_name="bench", now=now.now())
            return rosters.read_import(actor, record.pk, now=now.now())

    def applied(record: Any) -> Any:
        with scope(school.id):
            return rosters.apply_import(actor, record.pk, now=now.now())

    first = clock.time("first import: store, read, compare", imported)
    done = clock.time("first import: read, compare, write", lambda: applied(first))
    again = clock.time("again, unchanged: store, read, compare", imported)
    if not again.plan["nothing"]:
        raise SystemExit("the second import of the same files changes something")
    clock.time("again, unchanged: apply", lambda: applied(again))
    clock.time("plain COPY of the same rows", lambda: _copy(files))
    _show(users, rows, size, clock, done)


def _copy(files: dict[str, bytes]) -> None:
    """The same cells into bare tables."""
    from django.db import connection, transaction

    with transaction.atomic():
        for name, data in files.items():
            if name == "manifest.csv":
                continue
            header = data.partition(b"\r\n")[0].decode().split(",")
            columns = ", ".join(f'"{column}" text' for column in header)
            table = f"plain_{name.removesuffix('.csv')}"
            with connection.cursor() as cursor:
                cursor.execute(f'CREATE TEMP TABLE "{table}" ({columns}) ON COMMIT DROP')
                with cursor.cursor.copy(f'COPY "{table}" FROM STDIN (FORMAT csv, HEADER)') as copy:  # type: ignore[attr-defined]
                    copy.write(data)


def _show(users: int, rows: int, size: int, clock: Clock, done: Any) -> None:
    plain = clock.stages[-1][1]
    title = f"{users:,} users, {rows:,} rows, {size / 1e6:.1f} MB of CSV, {done.total:,} rows written"
    table = Table(title=title)
    table.add_column("Stage")
    for name in ("seconds", "own CPU", "µs a row", "times plain COPY"):
        table.add_column(name, justify="right")
    for name, seconds, own in clock.stages:
        table.add_row(
            name, f"{seconds:.2f}", f"{own:.2f}", f"{seconds / rows * 1e6:.1f}", f"{seconds / plain:.1f}"
        )
    console = Console()
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    console.print(f"Memory at its peak: {peak:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20_000, help="up to 1,000,000 (default: 20,000)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pupitre-bench-") as home:
        bench(max(100, min(args.users, 1_000_000)), Path(home))


if __name__ == "__main__":
    main()
