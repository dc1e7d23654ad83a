"""`pupitre populate`: a region of invented schools at full size, with how far it is and how long it still takes."""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager

from django.db import connections
from django.utils.text import slugify
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from pupitre.kernel import clock
from pupitre.project.cli import CommandError
from pupitre.project.populate import load, worker
from pupitre.project.populate.region import USERS_A_PUPIL, Region

_FEWEST_A_SCHOOL = 100
#: Seconds between two lines where there is no terminal.
_A_WHILE = 20.0


def run_populate(args: argparse.Namespace) -> int:
    """Fill what is missing of the region, and say what was filled and how fast."""
    region = _region(args)
    began = time.monotonic()
    try:
        ground, missing = load.prepare(region, now=clock.now())
    except load.NotOursError:
        raise CommandError(
            f"The authority {args.authority!r} has schools of its own, or was populated with other numbers. Name another one "
            "with --authority, or repeat the numbers it was begun with."
        ) from None
    if not missing:
        sys.stdout.write(f"All {region.schools} schools are there already.\n")
        return 0
    try:
        filled = _fill_all(ground, missing, max(1, min(args.workers, len(missing))))
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Whole schools stay; the same command goes on with the others.\n")
        raise
    load.sum_up(ground)
    _tell(filled, time.monotonic() - began, args.authority)
    return 0


def _region(args: argparse.Namespace) -> Region:
    if slugify(args.authority) != args.authority:
        raise CommandError(f"{args.authority!r} is not a short name: use small letters, digits and hyphens.")
    if args.schools < 1 or args.users < args.schools * _FEWEST_A_SCHOOL:
        raise CommandError(
            f"A school has at least {_FEWEST_A_SCHOOL} users: ask for fewer schools or more users."
        )
    if not 0 <= args.history <= 1:
        raise CommandError("--history is a number from 0 (the last two days) to 1 (two school years).")
    return Region(args.authority, args.schools, args.users, args.history, args.seed)


def _fill_all(ground: load.Ground, missing: Sequence[int], workers: int) -> list[load.Filled]:
    """Every school that is missing. An interruption loses those under way and no others."""
    planned = ground.region.planned
    total, left = (sum(one.pupils for one in planned), sum(planned[number].pupils for number in missing))
    filled: list[load.Filled] = []
    with _shown(total, total - left) as show:
        for one in _filled(ground, missing, workers):
            filled.append(one)
            show(planned[one.number].pupils, one.marks)
    return filled


def _filled(ground: load.Ground, missing: Sequence[int], workers: int) -> Iterator[load.Filled]:
    if workers == 1:
        for number in missing:
            yield load.fill_school(ground, number)
        return
    connections.close_all()
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=worker.wake)
    try:
        for done in as_completed([pool.submit(worker.fill, ground, number) for number in missing]):
            yield done.result()
    except BaseException:
        _end(pool)
        raise
    pool.shutdown()


def _end(pool: ProcessPoolExecutor) -> None:
    """End the processes where they are; the database takes their open transactions back."""
    for process in multiprocessing.active_children():
        process.terminate()
    pool.shutdown(cancel_futures=True)


@contextmanager
def _shown(total: int, done: int) -> Iterator[Callable[[int, int], None]]:
    """How far it is, counted in pupils and told in users: a bar, or a line now and then where nobody watches."""
    console, marks, told = Console(stderr=True), 0, time.monotonic()
    columns = (
        TextColumn("Users"), BarColumn(), TextColumn("{task.percentage:.0f} %  {task.completed:,.0f}, {task.fields[marks]:,} marks"),
        TimeElapsedColumn(), TextColumn("left:"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(
        *columns,
        console=console,
        disable=not console.is_terminal,
        refresh_per_second=2,
        speed_estimate_period=120,
    ) as bar:
        task = bar.add_task("", total=total * USERS_A_PUPIL, completed=round(done * USERS_A_PUPIL), marks=0)

        def show(pupils: int, more: int) -> None:
            nonlocal marks, told
            marks += more
            bar.update(task, advance=pupils * USERS_A_PUPIL, marks=marks)
            one = bar.tasks[0]
            if not console.is_terminal and time.monotonic() - told > _A_WHILE and one.elapsed:
                told = time.monotonic()
                left = (
                    one.elapsed
                    * (total * USERS_A_PUPIL - one.completed)
                    / (one.completed - done * USERS_A_PUPIL)
                )
                console.print(
                    f"{one.completed:,.0f} users, {marks:,} marks after {one.elapsed:,.0f} s; about {left:,.0f} s left"
                )

        yield show


def _tell(filled: Sequence[load.Filled], seconds: float, authority: str) -> None:
    persons, marks = sum(one.persons for one in filled), sum(one.marks for one in filled)
    sys.stdout.write(
        f"{len(filled):,} schools, {persons:,} persons, {marks:,} marks in {seconds:,.0f} s "
        f"({persons / seconds:,.0f} persons a second).\n"
        f"Everybody's password is {load.PASSWORD}; {load.INSPECTOR.format(authority=authority)} sees the figures.\n"
    )
