"""The people of a morning, in a process of their own: each comes when the plan says, whether the product keeps up or not.

    python -m bench.morning < task.json

The task: host, port, `plan` (pairs of a second and of arrivals per second, between which the rate is linear), `journeys`
(each a weight and steps) and `timeout`. A step is a raw request in base64, whether it is a save, and its name. Who is refused
a page (503) goes away; a refused save is sent again after the time that the answer names, as phones do. Answers JSON: one
list of [second, name, status, milliseconds] per answered request, and the journeys that came, ended, went away or broke.
"""

import asyncio
import base64
import itertools
import json
import random
import re
import sys
import time
from typing import Any

from bench.generator import body_of

_TRIES = 5


class Morning:
    """One run of the plan."""

    def __init__(self, task: dict[str, Any]) -> None:
        self.task = task
        self.random = random.Random(5)
        self.began = time.perf_counter()
        self.answers: list[tuple[float, str, int, float]] = []
        self.came: list[float] = []
        self.counts = {"ended": 0, "went away": 0, "broke": 0, "saved": 0, "unsaved": 0}
        self.causes: dict[str, int] = {}

    async def run(self) -> dict[str, Any]:
        journeys = self.task["journeys"]
        weights = [journey["weight"] for journey in journeys]
        started = []
        for at in _arrivals(self.task["plan"], self.random):
            await asyncio.sleep(max(0.0, at - self._now()))
            self.came.append(at)
            journey = self.random.choices(journeys, weights)[0]
            started.append(asyncio.create_task(self._journey(self.random.choice(journey["people"]))))
        await asyncio.gather(*started)
        return {"answers": self.answers, "came": self.came, "causes": self.causes, **self.counts}

    def _now(self) -> float:
        return time.perf_counter() - self.began

    async def _journey(self, steps: list[dict[str, Any]]) -> None:
        try:
            async with asyncio.timeout(self.task["timeout"]):
                outcome = await self._walk(steps)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            outcome = "broke"
            self.causes[type(error).__name__] = self.causes.get(type(error).__name__, 0) + 1
        self.counts[outcome] += 1

    async def _walk(self, steps: list[dict[str, Any]]) -> str:
        line = _Line(self.task["host"], self.task["port"], self.random)
        try:
            for step in steps:
                if not await self._step(line, step):
                    return "went away"
            return "ended"
        finally:
            line.close()

    async def _step(self, line: "_Line", step: dict[str, Any]) -> bool:
        for _ in range(_TRIES if step["saves"] else 1):
            asked = self._now()
            status, retry = await line.ask(base64.b64decode(step["request"]), step.get("form"))
            self.answers.append((asked, step["name"], status, (self._now() - asked) * 1000))
            if status < 400:
                self.counts["saved"] += step["saves"]
                return True
            if status != 503:
                self.causes[f"{step['name']}: {status}"] = self.causes.get(f"{step['name']}: {status}", 0) + 1
                raise OSError(status)
            if step["saves"]:
                await asyncio.sleep(retry)
        self.counts["unsaved"] += step["saves"]
        return False


class _Line:
    """A person's browser: one connection, opened again where the server closed it, from an address of its own."""

    def __init__(self, host: str, port: int, dice: random.Random) -> None:
        self._host, self._port = host, port
        self._from = ".".join(str(dice.randint(1, 250)) for _ in range(4))
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._cookies = self._token = ""

    async def ask(self, request: bytes, form: str | None = None) -> tuple[int, float]:
        """The status, and after how many seconds one may come back. `form` is sent with the token of the page before."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=4 * 1024 * 1024)
        reader, writer = self._streams
        writer.write(self._completed(request, form))
        head = await reader.readuntil(b"\r\n\r\n")
        body = await body_of(reader, head.lower())
        self._remember(head, body)
        retry = re.search(rb"(?i)\r\nretry-after: (\d+)", head)
        return int(head[9:12]), float(retry[1]) if retry else 0.0

    def _completed(self, request: bytes, form: str | None) -> bytes:
        more = f"X-Forwarded-For: {self._from}\r\n"
        if form is None:
            return request.replace(b"\r\n\r\n", b"\r\n" + more.encode() + b"\r\n", 1)
        body = f"{form}&csrfmiddlewaretoken={self._token}"
        more += f"Cookie: {self._cookies}\r\nContent-Length: {len(body)}\r\n"
        return request.replace(b"\r\n\r\n", f"\r\n{more}\r\n{body}".encode(), 1)

    def _remember(self, head: bytes, body: bytes) -> None:
        found = re.findall(rb"(?i)\r\nset-cookie: ([^;]+)", head)
        self._cookies = "; ".join(cookie.decode() for cookie in found) or self._cookies
        token = re.search(rb'name="csrfmiddlewaretoken"[^>]*value="([^"]+)"', body)
        self._token = token[1].decode() if token else self._token

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


def _arrivals(plan: list[tuple[float, float]], dice: random.Random) -> list[float]:
    """When each person comes: a Poisson process whose rate follows the plan."""
    found, at = [], plan[0][0]
    highest = max(rate for _, rate in plan)
    while (at := at + dice.expovariate(highest)) < plan[-1][0]:
        if dice.random() * highest < _rate(plan, at):
            found.append(at)
    return found


def _rate(plan: list[tuple[float, float]], at: float) -> float:
    for (from_, low), (until, high) in itertools.pairwise(plan):
        if from_ <= at < until:
            return low + (high - low) * (at - from_) / (until - from_)
    return 0.0


if __name__ == "__main__":
    json.dump(asyncio.run(Morning(json.load(sys.stdin)).run()), sys.stdout)
