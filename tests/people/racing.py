"""Two requests at the same moment: each in a thread with a connection of its own, as the web server's are, and committed."""

import threading
import time
from collections.abc import Callable

from django.db import connection, connections

from pupitre.tenancy.scoping import scope
from tests.cast import Cast

Act = Callable[[], object]


class Racing:
    """Acts in the first school. `outcomes` holds each act's answer or error, in their order."""

    def __init__(self, cast: Cast) -> None:
        self.school_id = cast.school.id

    def committed(self, act: Act) -> object:
        """The answer of one act that is committed: what others find before they race, or tidy up after."""
        (outcome,) = self._run([lambda: self._in_scope(act)])
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def at_once(self, first: Act, second: Act) -> list[object]:
        """Both begin at the same moment."""
        start = threading.Barrier(2)

        def begin(act: Act) -> object:
            start.wait(10)
            return self._in_scope(act)

        return self._run([lambda: begin(first), lambda: begin(second)])

    def overlapping(self, first: Act, second: Act) -> list[object]:
        """The second begins when the first has written, and the first commits when the second waits for it (or is through)."""
        has_written, is_through = threading.Event(), threading.Event()
        waiting: list[int] = []

        def lead() -> object:
            with scope(self.school_id):
                answer = first()
                has_written.set()
                until = time.monotonic() + 10
                while not is_through.is_set() and not _waits(waiting) and time.monotonic() < until:
                    time.sleep(0.02)
                return answer

        def follow() -> object:
            has_written.wait(10)
            try:
                with scope(self.school_id):
                    waiting.append(_own_process())
                    return second()
            finally:
                is_through.set()

        return self._run([lead, follow])

    def _in_scope(self, act: Act) -> object:
        with scope(self.school_id):
            return act()

    def _run(self, acts: list[Act]) -> list[object]:
        outcomes: list[object] = [None] * len(acts)

        def keep(place: int, act: Act) -> None:
            try:
                outcomes[place] = act()
            except Exception as error:  # noqa: BLE001 - the test looks at it
                outcomes[place] = error
            finally:
                connections.close_all()

        threads = [threading.Thread(target=keep, args=(place, act)) for place, act in enumerate(acts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        return outcomes


def _own_process() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _waits(processes: list[int]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM unnest(%s::int[]) p WHERE cardinality(pg_blocking_pids(p)) > 0)",
            [processes],
        )
        return bool(cursor.fetchone()[0])
