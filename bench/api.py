"""The API beside an empty view on the same server: a page of people, a register, and taking one.

    python -m bench.api [--seconds 4]

CPU per request is that of the server's process and of PostgreSQL's, as in `bench.pages`. A connection may ask 1200 times a
minute, so that many of them take turns.
"""

import argparse
import json
from datetime import UTC, datetime
from itertools import cycle

from rich.console import Console
from rich.table import Table

from bench.measuring import Case, measure
from bench.pages import SCHOOL, Marked, _reopened, application
from bench.running import Running, running, wait_until_quiet

CONNECTIONS = 4
#: So many connections share out the requests of a measurement.
SYSTEMS = 60


def secrets() -> list[str]:
    """New connections of the school with all rights."""
    from pupitre.connections import actions
    from pupitre.connections.rules import Scope
    from pupitre.kernel import clock
    from pupitre.people.rules import system_actor
    from pupitre.tenancy.queries import access_school
    from pupitre.tenancy.scoping import scope

    school = access_school(SCHOOL)
    office, now = system_actor(school), clock.now()
    with scope(school.id):
        made = [
            actions.open_connection(office, name=f"bench {number}", scopes=list(Scope), now=now)
            for number in range(SYSTEMS)
        ]
    return [secret for _row, secret in made]


def raw(method: str, path: str, secret: str, body: str = "") -> bytes:
    """A request as another system sends it."""
    head = [f"{method} /api/v1{path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {secret}"]
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body.encode())}"]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def _address(one: Marked) -> str:
    lesson, on = one.path.split("/")[-2:]
    return f"/lessons/{lesson}/registers/{on}"


def _marks(one: Marked, turn: int) -> str:
    """One pupil late, another each time."""
    pupil = one.pupils[turn % len(one.pupils)]
    at = datetime.now(UTC).isoformat()
    return json.dumps(
        {"marks": [{"pupil_id": pupil, "code": "R", "minutes": 1 + turn % 30, "recorded_at": at}]}
    )


def cases(tokens: list[str], registers: list[Marked]) -> list[Case]:
    empty = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

    def people(_turn: int) -> list[bytes]:
        return [raw("GET", "/people?limit=50", secret) for secret in tokens]

    def reads(_turn: int) -> list[bytes]:
        pairs = zip(registers, cycle(tokens), strict=False)
        return [raw("GET", _address(one), secret) for one, secret in pairs]

    def takes(turn: int) -> list[bytes]:
        pairs = zip(registers, cycle(tokens), strict=False)
        return [raw("POST", f"{_address(one)}/marks", secret, _marks(one, turn)) for one, secret in pairs]

    return [
        Case("empty view", lambda _turn: [empty]),
        Case("50 people", people),
        Case("a register of 30", reads),
        Case("taking it", takes),
    ]


def show(found: Running, case: Case, seconds: float, table: Table, base: float) -> float:
    measure(found, case, CONNECTIONS, 1.0)
    one = measure(found, case, CONNECTIONS, seconds)
    ratio = one.server / (base or one.server)
    figures = (f"{one.rate:.0f}", f"{one.server:.2f}", f"{ratio:.1f} x", f"{one.database:.2f}")
    times = (f"{one.median:.1f}", f"{one.late:.1f}", f"{one.failed} {one.failure}" if one.failed else "")
    table.add_row(case.name, *figures, *times)
    return base or one.server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each figure is measured")
    asked = parser.parse_args()
    table = Table(title=f"The API on the demonstration, {CONNECTIONS} requests at a time")
    for heading in ("operation", "requests/s", "server ms", "ratio", "database ms", "p50 ms", "p95 ms", ""):
        table.add_column(heading, justify="left" if heading == "operation" else "right")
    with running() as found:
        wait_until_quiet(found)
        with application():
            known = cases(secrets(), _reopened())
            base = 0.0
            for case in known:
                base = show(found, case, asked.seconds, table, base)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
