"""What comparing a password costs: sign-ins a second and core, for parameters that are in use.

    python -m bench.passwords [--seconds 2]

The parameters that Pupitre uses stand in people/hashing.py. More memory makes guessing dearer for who has stolen the table,
and the morning dearer for us: the table shows both, and docs/operate/sizing.md counts cores with it.
"""

import argparse
import time
from collections.abc import Callable
from typing import Final

from argon2 import PasswordHasher
from rich.console import Console
from rich.table import Table

#: Name, memory in KiB, passes, lanes.
_ARGON2: Final = (
    ("Pupitre: OWASP's 19 MiB, 2 passes", 19_456, 2, 1),
    ("OWASP's 46 MiB, 1 pass", 47_104, 1, 1),
    ("OWASP's 9 MiB, 4 passes", 9_216, 4, 1),
    ("RFC 9106's second: 64 MiB, 3 passes, 4 lanes", 65_536, 3, 4),
    ("Django's own: 100 MiB, 2 passes, 8 lanes", 102_400, 2, 8),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each is measured")
    asked = parser.parse_args()
    table = Table(title="Comparing one password")
    for heading in ("parameters", "MiB", "CPU ms", "a second and core", "ratio"):
        table.add_column(heading, justify="left" if heading == "parameters" else "right")
    first = 0.0
    for name, memory, passes, lanes in _ARGON2:
        hasher = PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=lanes)
        kept = hasher.hash("correct horse")
        cost = _cost(lambda hasher=hasher, kept=kept: hasher.verify(kept, "correct horse"), asked.seconds)  # type: ignore[misc]
        first = first or cost
        table.add_row(
            name, f"{memory / 1024:.0f}", f"{cost:.1f}", f"{1000 / cost:.0f}", f"{cost / first:.1f} x"
        )
    Console(width=120).print(table)


def _cost(act: Callable[[], object], seconds: float) -> float:
    """Milliseconds of CPU, of all lanes, for one."""
    act()
    began, until, times = time.process_time(), time.perf_counter() + seconds, 0
    while time.perf_counter() < until:
        act()
        times += 1
    return (time.process_time() - began) / times * 1000


if __name__ == "__main__":
    main()
