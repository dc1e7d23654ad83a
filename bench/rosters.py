"""Importing a region's roster: dividing, reading, comparing and writing, beside a plain COPY of the rows it writes.

    python -m bench.rosters [--schools 20] [--users 20000] [--beside]

The roster is generated as OneRoster 1.2 CSV: for every 100 users 72 pupils, 22 guardians and 6 teachers, classes of 24
pupils, eight classes a pupil; one guardian in ten has a child in the next school, too, and one teacher in ten teaches
there. It is imported by `pupitre import --authority` into empty schools on the embedded PostgreSQL, then once more
unchanged, and once more with one school changed.

The ratio is to COPY of the very rows that stand in the schools' tables afterwards into tables of the same columns without
row-level security, history, indexes and keys: what no import can be faster than. The second ratio counts the rows of the
history, which the import writes as well. CPU is this process's and that of its connection's server process.

`--beside` measures what the import costs others: a page of another school, asked again and again before and during it.
"""

import argparse
import contextlib
import csv
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.table import Table

from bench.running import cpu_of, fetch, running, sign_in, wait_until_quiet
from pupitre.kernel.embedded import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[1]
PUPILS_A_CLASS, CLASSES_A_PUPIL = 24, 8
GIVEN = ("Aina", "Biel", "Carla", "Dídac", "Elna", "Ferran", "Gemma", "Hug", "Ivet", "Jan", "Laia", "Marc")
FAMILY = ("Puig", "Riera", "Soler", "Vidal", "Font", "Serra", "Roca", "Mas", "Pons", "Sala", "Bosch", "Camps")
#: The tables whose rows an import brings, each after those that it names.
TABLES = (
    "people_person", "people_department", "people_membership", "people_guardianship", "courses_academicsession",
    "courses_course", "courses_class", "courses_classsession", "courses_enrolment",
)  # fmt: skip
Rows = Iterator[Sequence[object]]


@dataclass(frozen=True)
class Size:
    """How many of what in each of so many schools."""

    schools: int
    pupils: int
    guardians: int
    teachers: int
    classes: int


def size_of(schools: int, users: int) -> Size:
    """Schools of about equal size with so many users together."""
    each = max(50, users // schools)
    pupils, guardians = each * 72 // 100, each * 22 // 100
    classes = max(1, pupils * CLASSES_A_PUPIL // PUPILS_A_CLASS)
    return Size(schools, pupils, guardians, each - pupils - guardians, classes)


def write_region(path: Path, size: Size, *, changed: bool = False) -> int:
    """Write the region's zip; answers how many rows. `changed`: one pupil of one school has another name."""
    rows = 0
    files: dict[str, tuple[str, Rows]] = {
        "orgs.csv": ("sourcedId,name,type,identifier,parentSourcedId", _orgs(size)),
        "academicSessions.csv": (
            "sourcedId,title,type,startDate,endDate,parentSourcedId,schoolYear",
            iter([("y1", "2026-27", "schoolYear", "2026-09-01", "2027-06-30", "", "2027")]),
        ),
        "courses.csv": (
            "sourcedId,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes",
            _courses(size),
        ),
        "classes.csv": (
            "sourcedId,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds",
            _classes(size),
        ),
        "users.csv": (
            "sourcedId,enabledUser,username,givenName,familyName,email,phone,agentSourcedIds,grades",
            _users(size, changed=changed),
        ),
        "roles.csv": ("sourcedId,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId", _roles(size)),
        "enrollments.csv": (
            "sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate",
            _enrolments(size),
        ),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        listed = "".join(f"file.{name.removesuffix('.csv')},bulk\n" for name in files)
        archive.writestr(
            "manifest.csv", f"propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\n{listed}"
        )
        for name, (header, lines) in files.items():
            with archive.open(name, "w") as raw, io.TextIOWrapper(raw, "utf-8", newline="") as text:
                writer = csv.writer(text)
                writer.writerow(header.split(","))
                for row in lines:
                    writer.writerow(row)
                    rows += 1
    return rows


def _orgs(size: Size) -> Rows:
    yield "d", "Comarca", "district", "", ""
    for s in range(size.schools):
        yield f"s{s}", f"Escola {s}", "school", f"08{s:06}", "d"


def _courses(size: Size) -> Rows:
    for s in range(size.schools):
        for n in range(20):
            yield f"s{s}m{n}", "y1", f"Course {n}", f"C{n}", "07", f"s{s}", "Mathematics", ""


def _classes(size: Size) -> Rows:
    for s in range(size.schools):
        for n in range(size.classes):
            yield f"s{s}c{n}", f"Class {n}", "07", f"s{s}m{n % 20}", "", "scheduled", "", f"s{s}", "y1"


def _users(size: Size, *, changed: bool) -> Rows:
    for s in range(size.schools):
        for n in range(size.pupils):
            of = (s + 1) % size.schools if n % 10 == 0 else s
            agent = f"s{of}g{n % size.guardians}" if size.guardians else ""
            given = "Zoe" if changed and (s, n) == (0, 0) else GIVEN[n % 12]
            yield f"s{s}p{n}", "true", f"pupil{s}.{n}", given, FAMILY[n // 12 % 12], "", "", agent, "07"
        for kind, count in (("g", size.guardians), ("t", size.teachers)):
            for n in range(count):
                mail = f"{kind}{s}.{n}@familia.example"
                name = GIVEN[n % 12], FAMILY[n // 12 % 12]
                yield f"s{s}{kind}{n}", "true", f"{kind}{s}.{n}", *name, mail, "+34 600", "", ""


def _roles(size: Size) -> Rows:
    for s in range(size.schools):
        kinds = (
            ("p", size.pupils, "student"),
            ("g", size.guardians, "guardian"),
            ("t", size.teachers, "teacher"),
        )
        for kind, count, role in kinds:
            for n in range(count):
                yield f"r{s}{kind}{n}", f"s{s}{kind}{n}", "primary", role, "2026-09-01", "", f"s{s}"
        for n in range(0, size.teachers, 10):
            yield (
                f"r{s}u{n}",
                f"s{s}t{n}",
                "secondary",
                "teacher",
                "2026-09-01",
                "",
                f"s{(s + 1) % size.schools}",
            )


def _enrolments(size: Size) -> Rows:
    for s in range(size.schools):
        for n in range(size.pupils):
            for part in range(CLASSES_A_PUPIL):
                klass = (n // PUPILS_A_CLASS + part * size.classes // CLASSES_A_PUPIL) % size.classes
                who = f"s{s}c{klass}", f"s{s}", f"s{s}p{n}"
                yield f"e{s}.{n}.{part}", *who, "student", "", "2026-09-01", "2027-06-30"
        for n in range(size.classes):
            teacher = f"s{s}t{n % max(size.teachers, 1)}"
            yield f"et{s}.{n}", f"s{s}c{n}", f"s{s}", teacher, "teacher", "true", "", ""


# -- measuring --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """What a stage took: seconds on the wall, CPU of this process, CPU of the server process."""

    name: str
    seconds: float
    own: float
    database: float


class Clock:
    """The stages so far, in order."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []

    def time(self, name: str, work: Callable[[], Any], backend: Callable[[], int]) -> Any:
        """Do it and remember how long it took."""
        pid = backend()
        started, own, database = time.perf_counter(), time.process_time(), cpu_of(pid)
        done = work()
        spent = time.perf_counter() - started, time.process_time() - own, cpu_of(pid) - database
        self.stages.append(Stage(name, *spent))
        return done


def bench(schools: int, users: int, home: Path, jobs: int = 1) -> None:
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
        subprocess.run([sys.executable, "-m", "pupitre.project.cli", "migrate"], check=True)
        import django

        django.setup()
        _measure(size_of(schools, users), home, urls.owner, jobs)
    finally:
        from django.db import connections

        connections.close_all()
        server.leave()


def _backend() -> int:
    from django.db import connection

    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def _import(path: Path, jobs: int = 1) -> dict[str, Any]:
    from pupitre.project import cli
    from pupitre.project.commands.regions import run_region_import

    told = io.StringIO()
    words = ["import", "--authority", "bench", "--found", "--json", f"--jobs={jobs}", str(path)]
    with contextlib.redirect_stdout(told):
        status = run_region_import(cli._parser().parse_args(words))
    answer: dict[str, Any] = json.loads(told.getvalue())
    if status:
        raise SystemExit(f"the import failed: {told.getvalue()[:2000]}")
    return answer


def _measure(size: Size, home: Path, owner: str, jobs: int) -> None:
    from pupitre.tenancy import actions as founding

    founding.found_authority(slug="bench", name="Bench", country="ES", locale="es", time_zone="Europe/Madrid")
    region, changed = home / "region.zip", home / "changed.zip"
    rows = write_region(region, size)
    write_region(changed, size, changed=True)
    clock = Clock()
    first = clock.time("first import", lambda: _import(region, jobs), _backend)
    again = clock.time("again, unchanged", lambda: _import(region), _backend)
    if {school["outcome"] for school in again["schools"].values()} != {"unchanged"}:
        raise SystemExit("the second import of the same files changes something")
    third = clock.time("again, one school changed", lambda: _import(changed), _backend)
    if (
        sorted(school["outcome"] for school in third["schools"].values())[-2:]
        == ["unchanged", "unchanged"][:1]
    ):
        raise SystemExit("the changed school was not imported")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    counts = _plain_copies(clock, home, owner)
    imported = sum(school["seconds"] for school in first["schools"].values())
    _show(size, rows, counts, clock, imported, peak)


def _plain_copies(clock: Clock, home: Path, owner: str) -> dict[str, int]:
    """COPY the rows that the import wrote into bare tables; answers how many, of the schools and of the history."""
    import psycopg

    counts: dict[str, int] = {}
    with psycopg.connect(owner) as bare:
        for name, tables in (("rows", TABLES), ("history", ("tenancy_change",))):
            held = {table: home / f"{table}.copy" for table in tables}
            counts[name] = sum(_copied_out(table, path) for table, path in held.items())
            for table in tables:
                bare.execute(f"CREATE TABLE plain_{table} (LIKE {table})")
            bare.commit()

            def copy(held: dict[str, Path] = held) -> None:
                for table, path in held.items():
                    with (
                        bare.cursor() as cursor,
                        cursor.copy(f"COPY plain_{table} FROM STDIN") as copying,
                        path.open("rb") as data,
                    ):
                        while chunk := data.read(1 << 18):
                            copying.write(chunk)
                bare.commit()

            clock.time(f"plain COPY, {name}", copy, lambda: bare.info.backend_pid)
        _copies_with_keys(clock, bare, home)
    return counts


def _copies_with_keys(clock: Clock, bare: Any, home: Path) -> None:
    """The same rows into tables with the indexes and foreign keys of the schools' tables: what any import that keeps the
    tables whole must pay, without row-level security and history."""
    for table in TABLES:
        bare.execute(f"CREATE TABLE keyed_{table} (LIKE {table} INCLUDING ALL)")
    for table in TABLES:
        for name, definition in bare.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass "
            "AND confrelid::regclass::text = ANY(%s)",
            [table, list(TABLES)],
        ).fetchall():
            wanted = definition.replace("REFERENCES ", "REFERENCES keyed_")
            bare.execute(f'ALTER TABLE keyed_{table} ADD CONSTRAINT "keyed_{name}" {wanted}')
    bare.commit()

    def copy() -> None:
        for table in TABLES:
            with (
                bare.cursor() as cursor,
                cursor.copy(f"COPY keyed_{table} FROM STDIN") as copying,
                (home / f"{table}.copy").open("rb") as data,
            ):
                while chunk := data.read(1 << 18):
                    copying.write(chunk)
        bare.commit()

    clock.time("COPY with indexes and keys", copy, lambda: bare.info.backend_pid)


def _copied_out(table: str, path: Path) -> int:
    from pupitre.tenancy import queries as tenancy

    with path.open("wb") as out:
        return sum(_copied_of(school.id, table, out) for school in tenancy.all_schools())


def _copied_of(school_id: int, table: str, out: IO[bytes]) -> int:
    from django.db import connection

    from pupitre.tenancy.scoping import scope

    with scope(school_id), connection.connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        rows = int(cursor.fetchone()[0])
        with cursor.copy(f"COPY (SELECT * FROM {table}) TO STDOUT") as copying:
            for data in copying:
                out.write(data)
    return rows


def _show(size: Size, rows: int, counts: dict[str, int], clock: Clock, imported: float, peak: float) -> None:
    *imports, plain, history, keyed = clock.stages
    both = Stage("", *(getattr(plain, n) + getattr(history, n) for n in ("seconds", "own", "database")))
    users = size.schools * (size.pupils + size.guardians + size.teachers)
    title = (
        f"{users:,} users in {size.schools} schools: {rows:,} rows of CSV, {counts['rows']:,} rows in tables, "
        f"{counts['history']:,} of history"
    )
    table = Table("Stage", title=title)
    columns = (
        "seconds",
        "own CPU",
        "database CPU",
        "µs a row",
        "times COPY",
        "times COPY with history",
        "times COPY with keys, and history",
        "in CPU, with history",
    )
    for name in columns:
        table.add_column(name, justify="right")
    for stage in (*imports, plain, history, keyed):
        whole = stage.seconds / (keyed.seconds + history.seconds)
        cpu = (stage.own + stage.database) / (both.own + both.database)
        table.add_row(
            stage.name,
            *(f"{stage.seconds:.2f}", f"{stage.own:.2f}", f"{stage.database:.2f}"),
            f"{stage.seconds / counts['rows'] * 1e6:.1f}",
            *(f"{stage.seconds / plain.seconds:.1f}", f"{stage.seconds / both.seconds:.1f}", f"{whole:.1f}"),
            f"{cpu:.1f}",
        )
    console = Console(width=170)
    console.print(table)
    if imported < imports[0].seconds:  # with several jobs the schools' seconds run beside one another
        console.print(
            f"Of the first import {imports[0].seconds - imported:.1f} s divided the files and founded the schools."
        )
    console.print(f"Memory at its peak: {peak:,.0f} MB")


# -- beside -----------------------------------------------------------------------------------------------------------


def beside(schools: int, users: int) -> None:
    """A page of a school of the demonstration before and during an import into others."""
    from bench.pages import SCHOOL, _personas

    people = _personas()
    pages = {"Secretary": f"/s/{SCHOOL}/board", "Teacher, in class right now": f"/s/{SCHOOL}/day"}
    with tempfile.TemporaryDirectory(prefix="pupitre-bench-") as folder:
        region = Path(folder) / "region.zip"
        write_region(region, size_of(schools, users))
        with running(Path(folder) / "home") as found:
            sessions = {path: sign_in(found.address, *people[who]) for who, path in pages.items()}
            wait_until_quiet(found)

            def asked(until: Callable[[], bool]) -> dict[str, list[float]]:
                told: dict[str, list[float]] = {path: [] for path in sessions}
                while not until():
                    for path, session in sessions.items():
                        started = time.perf_counter()
                        fetch(found.address, path, session)
                        told[path].append(time.perf_counter() - started)
                        time.sleep(0.05)
                return told

            end = time.monotonic() + 3
            asked(lambda: time.monotonic() > end)
            end = time.monotonic() + 15
            before = asked(lambda: time.monotonic() > end)
            environment = {
                **os.environ,
                "PUPITRE_DATA_DIR": str(Path(folder) / "home"),
                "PYTHONPATH": str(ROOT / "src"),
            }
            command = [
                sys.executable,
                "-m",
                "pupitre.project.cli",
                "import",
                "--authority",
                "bench",
                "--found",
                str(region),
            ]
            found_first = [*command[:3], "found", "bench", "bench-first"]
            subprocess.run(found_first, env=environment, check=True, stdout=subprocess.DEVNULL)
            started = time.monotonic()
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
            during = asked(lambda: process.poll() is not None)
            _show_beside(before, during, time.monotonic() - started)


def _show_beside(before: dict[str, list[float]], during: dict[str, list[float]], seconds: float) -> None:
    table = Table("Page of another school", title=f"Asked during an import of {seconds:.0f} s")
    for name in ("requests", "median before ms", "during ms", "ratio", "p95 before ms", "during ms", "ratio"):
        table.add_column(name, justify="right")
    for path, quiet in before.items():
        busy = during[path]
        cells = [str(len(busy))]
        for of in (statistics.median, lambda values: statistics.quantiles(values, n=20)[-1]):
            one, two = of(quiet) * 1000, of(busy) * 1000
            cells += [f"{one:.1f}", f"{two:.1f}", f"{two / one:.2f}"]
        table.add_row(path, *cells)
    Console(width=130).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--schools", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--users", type=int, default=20_000, help="up to 1,000,000 in all (default: 20,000)")
    parser.add_argument(
        "--beside", action="store_true", help="measure what an import costs other schools' pages"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        help="as the import's (CPU is then only the first process's; default: 1)",
    )
    args = parser.parse_args()
    users = max(100, min(args.users, 1_000_000))
    if args.beside:
        beside(args.schools, users)
        return
    with tempfile.TemporaryDirectory(prefix="pupitre-bench-") as home:
        bench(args.schools, users, Path(home), args.jobs)


if __name__ == "__main__":
    main()
