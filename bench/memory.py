"""How much memory all of Pupitre takes on one machine when nobody asks for anything.

    python -m bench.memory [--settle 30]

Proportional set size (PSS) from /proc: pages that processes share are divided among them, so that the sum is what would
be free without Pupitre. Before it is read each page was asked for once: an idle product is not an unused one.
"""

import argparse
import time

from rich.console import Console
from rich.table import Table

from bench.pages import SCHOOL, _personas
from bench.running import Running, fetch, memory_of, running, sign_in

GOAL_MB = 500
_PAGES = {
    "Teacher, in class right now": (f"/s/{SCHOOL}/day", f"/s/{SCHOOL}/timetable"),
    "Secretary": (f"/s/{SCHOOL}/board", f"/s/{SCHOOL}/people", f"/s/{SCHOOL}/absences"),
    "Mother, children in two schools": ("/family",),
}


def use(found: Running) -> None:
    """Everybody opens their pages once."""
    people = _personas()
    for title, paths in _PAGES.items():
        session = sign_in(found.address, *people[title])
        for path in paths:
            fetch(found.address, path, session)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settle", type=float, default=30.0, help="seconds of rest before memory is read")
    asked = parser.parse_args()
    table = Table("process", "processes", "PSS MB", "RSS MB")
    with running() as found:
        use(found)
        time.sleep(asked.settle)
        roles: dict[str, list[tuple[int, int]]] = {}
        for pid, role in found.processes.items():
            roles.setdefault(role, []).append(memory_of(pid))
    for role, told in sorted(roles.items()):
        proportional, resident = (sum(one[at] for one in told) / 1024 for at in (0, 1))
        table.add_row(role, str(len(told)), f"{proportional:.0f}", f"{resident:.0f}")
    total = sum(one[0] for told in roles.values() for one in told) / 1024
    table.add_section()
    table.add_row("all", str(sum(map(len, roles.values()))), f"{total:.0f}", "")
    console = Console(width=100)
    console.print(table)
    console.print(f"Goal: below {GOAL_MB} MB; this is {total / GOAL_MB:.2f} of it.")


if __name__ == "__main__":
    main()
