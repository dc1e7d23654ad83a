"""The service's day: it waits for the next rule, the next check-in or a sign of the server, whichever is first."""

import random
import sys
import threading
import time
from typing import Final

from .agent import Agent
from .backoff import Backoff
from .errors import AgentError, AskedToWait, Retired
from .wake import WakeChannel

#: The counter that waits go by stands still while a laptop sleeps: nothing is waited for longer at a time.
_LONGEST_NAP: Final = 30.0
_KEPT_EVERY: Final = 60.0
#: What was applied is told within so many seconds, so that half a million do not tell it at once.
_TOLD_WITHIN: Final = 60.0
_RESULT_WITHIN: Final = 1.0
_ROUNDS: Final = 3


class Loop:
    """One agent's."""

    def __init__(self, agent: Agent, stopped: threading.Event) -> None:
        self._agent = agent
        self._stopped = stopped
        self._backoff = Backoff()
        self._something = agent.something_ended
        self._woken = False

    def once(self) -> int:
        """Ask, apply, wait for what it takes, and report it. Returns 0, or 1 where the server could not be asked."""
        agent = self._agent
        agent.apply()
        try:
            agent.check_in()
            agent.begin_software()
            agent.gather(waits=True)
            for _ in range(_ROUNDS):
                if not (agent.has_news() or agent.has_other_problems or agent.is_busy):
                    break
                agent.check_in()
                agent.gather(waits=True)
        except Retired:
            raise
        except AgentError as error:
            agent.gather(waits=True)
            self._failed(error)
            return 1
        return 0

    def run(self) -> None:
        """Until it is stopped, or the device is taken out of use (Retired is raised)."""
        agent = self._agent
        agent.apply()
        channel = WakeChannel(agent.network, agent.wake_headers, self._wake, agent.forget_session)
        channel.start()
        due = time.monotonic()
        kept = 0.0
        try:
            while not self._stopped.is_set():
                due = min(due, self._gather())
                if self._woken or time.monotonic() >= due:
                    self._woken = False
                    due = time.monotonic() + self._check_in()
                    agent.begin_software()
                agent.apply_if_changed()
                if time.monotonic() - kept > _KEPT_EVERY:
                    kept = time.monotonic()
                    agent.tick()
                self._nap(due)
        finally:
            channel.stop()
            agent.close()

    def _gather(self) -> float:
        """Take in what ended beside; when to tell it."""
        if self._agent.gather():
            return time.monotonic() + random.uniform(0, _RESULT_WITHIN)  # noqa: S311 - spreads load
        return float("inf")

    def _check_in(self) -> float:
        try:
            seconds = self._agent.check_in()
        except Retired:
            raise
        except AskedToWait as error:
            return error.seconds + random.uniform(0, error.seconds)  # noqa: S311 - spreads load
        except AgentError as error:
            self._failed(error)
            return self._backoff.next()
        self._backoff.succeeded()
        if self._agent.has_news():
            return min(seconds, random.uniform(1, _TOLD_WITHIN))  # noqa: S311 - spreads load
        return seconds

    def _failed(self, error: AgentError) -> None:
        self._agent.memory.last_failure = str(error)
        self._agent.tick()
        print(error, file=sys.stderr, flush=True)

    def _wake(self) -> None:
        self._woken = True
        self._something.set()

    def _nap(self, due: float) -> None:
        until_rule = self._agent.seconds_to_change()
        seconds = max(0.05, min(due - time.monotonic(), until_rule, _LONGEST_NAP))
        waited = 0.0
        while waited < seconds and not self._stopped.is_set():
            step = min(1.0, seconds - waited)
            if self._something.wait(step):
                return
            waited += step
