"""The pages at full size beside the same pages at a small one: no page may be slower by more than a tenth.

    SIZE=small|mid|full python -m bench.full_size [--seconds 3] [--rounds 3] [--only family] [--plans]

Fills a database in `var/bench-<size>` where there is none (small: 4 schools and 10,000 users in half a minute; mid: 40 and
100,000; full: 400 and 1,000,000 in a quarter of an hour and 25 GB) and asks for each page over 16 connections. With a larger
size than small, both databases serve in turn, round after round, so that what else the machine does falls on both. Each page is set
beside the empty view of the same server and beside its own statements, replayed without Django.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from rich.console import Console
from rich.table import Table

from bench.measuring import Case, Measured, marks_of, measure, raw
from bench.running import ROOT, Running, Session, serving, sign_in
from pupitre.kernel.embedded import EmbeddedPostgres

#: Schools, users and how far back the registers go.
SIZES = {"small": (4, 10_000, 0.2), "mid": (40, 100_000, 0.2), "full": (400, 1_000_000, 0.2)}
CONNECTIONS, ALLOWED = 16, 1.10
PASSWORD = "demostracio"
#: What an installation of that size sets; both sizes alike.
_SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "6GB", "checkpoint_timeout": "15min"}
#: About how many pupils the school has whose pages are asked for, and in a larger database as many as in the small one:
#: the pages of a larger school are larger by themselves.
_USUAL = 1000
_ZONE = ZoneInfo("Europe/Madrid")


@dataclass(frozen=True)
class Place:
    """The school that is looked at, and who looks."""

    slug: str
    pupils: int
    on: date
    teacher: str
    secretary: str
    guardian: str
    inspector: str
    register: tuple[int, tuple[int, ...]]
    corrected: tuple[tuple[int, date, tuple[int, ...]], ...]
    homeroom: int
    schools: int
    users: int
    marks: int

    @property
    def now(self) -> datetime:
        """An hour of the last school day at which all its registers have been taken."""
        return datetime.combine(self.on, time(14, 5), _ZONE).astimezone(UTC)


_SCHOOL = """
SELECT s.id, s.slug, p.pupils FROM tenancy_school s
  JOIN (SELECT school_id, count(*) AS pupils FROM people_membership WHERE role = 7 GROUP BY 1) p ON p.school_id = s.id
 WHERE s.slug LIKE 'region-%%' AND EXISTS (SELECT FROM courses_class c WHERE c.school_id = s.id AND c.code LIKE '%%-FR')
 ORDER BY abs(p.pupils - %s), s.id LIMIT 1
"""
# The sixth lesson is under way; of its registers the one with the most usual number of pupils.
_REGISTER = """
SELECT r.lesson_id, a.username, array_agg(m.pupil_id ORDER BY m.pupil_id)
  FROM attendance_register r JOIN attendance_mark m ON m.school_id = r.school_id AND m.register_id = r.id
  JOIN timetable_lesson l ON l.id = r.lesson_id JOIN people_person p ON p.id = r.taken_by_id JOIN people_account a ON a.id = p.account_id
 WHERE r.school_id = %s AND r.held_on = %s AND l.position = 6 GROUP BY 1, 2 ORDER BY abs(count(*) - 29), 1 LIMIT 1
"""
_CORRECTED = """
SELECT r.id, r.lesson_id, r.held_on, array_agg(m.pupil_id ORDER BY m.pupil_id)
  FROM attendance_register r JOIN attendance_mark m ON m.school_id = r.school_id AND m.register_id = r.id
 WHERE r.school_id = %s AND r.held_on < %s GROUP BY r.id HAVING count(*) BETWEEN 25 AND 30 ORDER BY r.held_on DESC, r.id LIMIT 1000
"""
_SOMEBODY = """
SELECT a.username FROM people_membership m JOIN people_account a ON a.id = m.account_id
 WHERE m.school_id = %s AND m.role = %s ORDER BY m.id LIMIT 1
"""
# Children in two schools, one in each.
_GUARDIAN = """
SELECT a.username FROM people_membership m JOIN people_account a ON a.id = m.account_id
  JOIN people_guardianship g ON g.guardian_id = m.person_id
 WHERE m.school_id = %(school)s AND m.role = 8 AND g.sees_record
   AND EXISTS (SELECT FROM people_membership o JOIN people_guardianship og ON og.guardian_id = o.person_id AND og.sees_record
                WHERE o.account_id = m.account_id AND o.school_id <> m.school_id)
 GROUP BY a.username, m.id HAVING count(*) = 1 ORDER BY m.id LIMIT 1
"""
_HOMEROOM = """
SELECT class_id FROM courses_enrolment e JOIN courses_class c ON c.id = e.class_id
 WHERE e.school_id = %s AND c.kind = 'homeroom' AND e.role = 1 GROUP BY 1 ORDER BY abs(count(*) - 28), 1 LIMIT 1
"""


def populated(size: str) -> Path:
    """The folder of that size's database, filled where it was not complete."""
    home = ROOT / "var" / f"bench-{size}"
    schools, users, history = SIZES[size]
    environment = {
        **os.environ,
        "PUPITRE_DATA_DIR": str(home),
        "PUPITRE_DEMO": "false",
        "PYTHONPATH": str(ROOT / "src"),
    }
    home.mkdir(parents=True, exist_ok=True)
    asked = ["--schools", str(schools), "--users", str(users), "--history", str(history)]
    with EmbeddedPostgres(home, say=print) as server:
        _tune(server)
    for command in (["migrate"], ["populate", *asked]):
        subprocess.run([sys.executable, "-m", "pupitre.project.cli", *command], env=environment, check=True)
    return home


def _tune(server: EmbeddedPostgres) -> None:
    with server.superuser() as connection:
        for name, value in _SETTINGS.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")  # type: ignore[arg-type, unused-ignore]


def place_of(connection: "psycopg.Connection[Any]", pupils: int) -> Place:
    """Whom and what the pages are asked for in the school of about so many pupils, read past row-level security."""

    def one(statement: str, *facts: Any) -> Any:
        row = connection.execute(statement, facts).fetchone()  # type: ignore[arg-type, unused-ignore]
        assert row is not None, statement
        return row

    school, slug, pupils = one(_SCHOOL, pupils)
    (on,) = one("SELECT max(held_on) FROM attendance_register WHERE school_id = %s", school)
    lesson, teacher, members = one(_REGISTER, school, on)
    found = connection.execute(_CORRECTED, [school, on]).fetchall()
    ids = [row[0] for row in found]
    # Also whoever passes by row-level security writes history in the school's name.
    connection.execute("SELECT set_config('pupitre.school', %s, false)", [str(school)])
    connection.execute(
        "UPDATE attendance_register SET closed_at = NULL, closed_by_id = NULL WHERE closed_at IS NOT NULL AND id = ANY(%s)",
        [ids],
    )
    # What earlier runs left would make each save read more and more.
    connection.execute("DELETE FROM attendance_markrevision WHERE register_id = ANY(%s)", [ids])
    guardian = connection.execute(_GUARDIAN, {"school": school}).fetchone()
    assert guardian is not None
    return Place(
        slug=slug,
        pupils=pupils,
        on=on,
        teacher=teacher,
        secretary=one(_SOMEBODY, school, 2)[0],
        guardian=guardian[0],
        inspector="inspector.of.region",
        register=(lesson, tuple(members)),
        corrected=tuple((row[1], row[2], tuple(row[3])) for row in found),
        homeroom=one(_HOMEROOM, school)[0],
        schools=one("SELECT count(*) FROM tenancy_school")[0],
        users=one("SELECT count(*) FROM people_account")[0],
        marks=one("SELECT reltuples::bigint FROM pg_class WHERE relname = 'attendance_mark'")[0],
    )


def cases_of(found: Running, place: Place) -> list[Case]:
    """The pages as the people of that school see them."""
    teacher, secretary, guardian, inspector = (
        sign_in(found.address, name, PASSWORD)
        for name in (place.teacher, place.secretary, place.guardian, place.inspector)
    )
    school, (lesson, pupils) = f"/s/{place.slug}", place.register
    first = place.corrected[0]

    def path_of(one: tuple[int, date, tuple[int, ...]]) -> str:
        return f"{school}/registers/{one[0]}/{one[1]}/marks"

    began = monotonic()

    def saves(turn: int) -> list[bytes]:
        # By the server's clock: what comes from its future is put right, and answered at length.
        now = (place.now + timedelta(seconds=monotonic() - began)).isoformat()
        return [raw(path_of(one), secretary, marks_of(one[2], turn, now)) for one in place.corrected]

    def page(name: str, path: str, session: Session | None) -> Case:
        return Case(name, lambda _: [raw(path, session)], path, session)

    return [
        page("empty view", "/health/live", None),
        page(f"register, {len(pupils)} pupils", f"{school}/registers/{lesson}/{place.on}", teacher),
        Case(
            "saving a register",
            saves,
            path_of(first),
            secretary,
            marks_of(first[2], 1, place.now.isoformat()),
        ),
        page("family, 2 schools", "/family", guardian),
        page("day board", f"{school}/board", secretary),
        page("class list", f"{school}/classes/{place.homeroom}", secretary),
        page("list of classes", f"{school}/classes", secretary),
        page("person search", f"{school}/people?q=ma", secretary),
        page("week of a class", f"{school}/timetable?class={place.homeroom}", secretary),
        page("authority's figures", "/a/region/", inspector),
    ]


@dataclass
class Served:
    """A size while it is measured."""

    size: str
    home: Path
    found: Running
    place: Place
    cases: list[Case]


def _environment(home: Path) -> dict[str, str]:
    """That of a process of the product on the running database of that folder."""
    urls = EmbeddedPostgres(home).ensure_roles_and_database()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PUPITRE_")}
    own = {"PUPITRE_DATABASE_URL": urls.application, "PUPITRE_DATA_DIR": str(home), "PUPITRE_DEMO": "false"}
    return kept | own | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}


@contextmanager
def served(size: str, pupils: int) -> Iterator[Served]:
    """The database of that size and its web server."""
    home = populated(size)
    with EmbeddedPostgres(home, say=print) as server, server.superuser("pupitre") as connection:
        place = place_of(connection, pupils)
        connection.execute("CHECKPOINT")
        prepare = [sys.executable, "-m", "pupitre.project.prepare", "contents"]
        subprocess.run(prepare, env=_environment(home), check=True)
        _count(home, place)
        with serving(home, place.now) as found:
            yield Served(size, home, found, place, cases_of(found, place))


def _count(home: Path, place: Place) -> None:
    """Have schools and authorities counted as on that day: a standing is always that of the day on which it was counted."""
    counting = [sys.executable, "-m", "bench.counting", place.now.isoformat()]
    subprocess.run(counting, env=_environment(home), check=True, cwd=ROOT)


def replayed(one: Served, seconds: float, only: Callable[[str], bool]) -> dict[str, Any]:
    """The statements of each page, and what they cost by themselves."""
    task = {
        "now": one.place.now.isoformat(),
        "seconds": seconds,
        "cases": [
            {
                "name": case.name,
                "path": case.path,
                "body": case.body,
                "token": case.session.token if case.session else "",
                "cookies": dict(case.session.cookies) if case.session else {},
            }
            for case in one.cases
            if only(case.name) and case.session
        ],
    }
    environment = _environment(one.home)
    command = [sys.executable, "-m", "bench.replaying"]
    done = subprocess.run(
        command,
        input=json.dumps(task),
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _middle(rounds: list[Measured]) -> Measured:
    """The round in the middle by each figure; of CPU the least, for what else a machine does only adds to it."""
    return Measured(
        rate=median(one.rate for one in rounds),
        server=min(one.server for one in rounds),
        database=min(one.database for one in rounds),
        median=median(one.median for one in rounds),
        late=median(one.late for one in rounds),
        size=rounds[-1].size,
        failed=sum(one.failed for one in rounds),
        failure=next((one.failure for one in rounds if one.failure), ""),
    )


def measured(
    sizes: list[Served], seconds: float, rounds: int, only: Callable[[str], bool]
) -> dict[tuple[str, int], Measured]:
    """Each case of each size, by size and place in the list; the sizes in turn."""
    answers = {}
    for number, case in enumerate(sizes[0].cases):
        if not only(case.name) and number:
            continue
        told: dict[str, list[Measured]] = {one.size: [] for one in sizes}
        for turn in range(rounds + 1):
            for one in sizes:
                found = measure(one.found, one.cases[number], CONNECTIONS, seconds if turn else 1.5)
                if turn:
                    told[one.size].append(found)
        for size, results in told.items():
            answers[size, number] = _middle(results)
    return answers


def _show(
    console: Console, one: Served, answers: dict[tuple[str, int], Measured], replays: dict[str, Any]
) -> None:
    place = one.place
    title = (
        f"{one.size}: {place.schools} schools, {place.users:,} users, {place.marks:,} marks; a school of {place.pupils} pupils, "
        f"{CONNECTIONS} connections, one server process"
    )
    table = Table(title=title)
    for heading in (
        "page", "bytes", "statements", "requests/s", "p50 ms", "p95 ms", "server ms", "per core of server", "beside empty", "database ms",
        "raw SQL ms", "of it CPU", "page beside raw",
    ):  # fmt: skip
        table.add_column(heading, justify="left" if heading == "page" else "right")
    empty = answers[one.size, 0].server
    for number, case in enumerate(one.cases):
        if (one.size, number) not in answers:
            continue
        found, alone = answers[one.size, number], replays.get(case.name)
        failed = f" ({found.failed} failed: {found.failure})" if found.failed else ""
        table.add_row(
            case.name, f"{found.size:,}", str(alone["statements"] if alone else 0), f"{found.rate:.0f}", f"{found.median:.1f}",
            f"{found.late:.1f}{failed}", f"{found.server:.2f}", f"{1000 / found.server:.0f}", f"{found.server / empty:.1f} x",
            f"{found.database:.2f}", f"{alone['wall']:.2f}" if alone else "", f"{alone['database']:.2f}" if alone else "",
            f"{(found.server + found.database) / alone['database']:.1f} x" if alone and alone["database"] else "",
        )  # fmt: skip
    console.print(table)


def _compare(
    console: Console,
    small: Served,
    large: Served,
    answers: dict[tuple[str, int], Measured],
    replays: dict[str, Any],
) -> None:
    table = Table(
        title=f"{large.size} beside {small.size}: no page may be slower by more than {ALLOWED - 1:.0%}"
    )
    for heading in ("page", "p50", "server CPU", "database CPU", "both", "raw SQL", "database pages", ""):
        table.add_column(heading, justify="left" if heading == "page" else "right")
    for number, case in enumerate(large.cases):
        if (large.size, number) not in answers:
            continue
        was, now = answers[small.size, number], answers[large.size, number]
        both = (now.server + now.database) / (was.server + was.database)
        alone = [replays[one.size].get(one.cases[number].name) for one in (small, large)]
        table.add_row(
            case.name, f"{now.median / was.median:.2f} x", f"{now.server / was.server:.2f} x",
            f"{now.database / was.database:.2f} x" if was.database else "", f"{both:.2f} x",
            f"{alone[1]['wall'] / alone[0]['wall']:.2f} x" if all(alone) else "",
            f"{alone[0]['pages']} -> {alone[1]['pages']}" if all(alone) else "", "" if both <= ALLOWED else "slower",
        )  # fmt: skip
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each round of each figure takes")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each figure")
    parser.add_argument("--only", default="", help="only pages whose names begin so, and the empty view")
    parser.add_argument(
        "--plans",
        action="store_true",
        help="write how the statements are carried out to var/bench-<size>/plans",
    )
    asked = parser.parse_args()
    size = os.environ.get("SIZE", "small")
    if size not in SIZES:
        raise SystemExit(f"SIZE is one of {', '.join(SIZES)}.")
    console = Console(width=190)
    with ExitStack() as stack:
        sizes = [stack.enter_context(served("small", _USUAL))]
        if size != "small":
            sizes.append(stack.enter_context(served(size, sizes[0].place.pupils)))

        def only(name: str) -> bool:
            return name.startswith(asked.only)

        answers = measured(sizes, asked.seconds, asked.rounds, only)
        replays = {one.size: replayed(one, asked.seconds / 2, only) for one in sizes}
        for one in sizes:
            _show(console, one, answers, replays[one.size])
            if asked.plans:
                _keep_plans(one, replays[one.size])
        if len(sizes) > 1:
            _compare(console, sizes[0], sizes[1], answers, replays)


def _keep_plans(one: Served, replays: dict[str, Any]) -> None:
    folder = one.home / "plans"
    folder.mkdir(exist_ok=True)
    for name, told in replays.items():
        path = folder / f"{name.split(',')[0].replace(' ', '-')}.txt"
        path.write_text("\n\n".join(told["plans"]))
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
