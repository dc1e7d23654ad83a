"""Asking for a page again and again, and what that cost: requests a second, and CPU of the server and of the database from /proc."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from statistics import quantiles
from urllib.parse import urlsplit

from bench.running import ROOT, Running, Session, cpu_of


@dataclass(frozen=True)
class Case:
    """What is asked for. `requests` makes the raw requests of the nth measurement; connections share them out."""

    name: str
    requests: Callable[[int], list[bytes]]
    path: str = ""
    session: Session | None = None
    body: str = ""


@dataclass
class Measured:
    """One case at one number of connections; times per request in milliseconds, `sent` bytes of `size` that are read."""

    rate: float
    server: float
    database: float
    median: float
    late: float
    size: int
    failed: int
    failure: str = field(default="")
    sent: int = 0


def raw(path: str, session: Session | None, body: str = "", kind: str = "application/json") -> bytes:
    """A request as a browser sends it, without what does not matter here."""
    head = [
        f"{'POST' if body else 'GET'} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Accept-Language: es",
        "Accept: text/html",
        "Accept-Encoding: gzip, deflate, br, zstd",
    ]
    if session is not None:
        head.append(f"Cookie: {session.header}")
    if body and session is not None:
        head += [
            f"Content-Type: {kind}",
            f"Content-Length: {len(body.encode())}",
            f"X-CSRFToken: {session.token}",
        ]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


_turns = count()


def measure(found: Running, case: Case, connections: int, seconds: float) -> Measured:
    """Ask for so long, and read what it cost."""
    where = urlsplit(found.address)
    task = {
        "host": where.hostname,
        "port": where.port,
        "seconds": seconds,
        "connections": connections,
        "requests": [base64.b64encode(one).decode() for one in case.requests(next(_turns))],
    }
    web, database = found.of("web"), found.of("database")
    before = [sum(map(cpu_of, pids)) for pids in (web, database)]
    command = [sys.executable, "-m", "bench.generator"]
    done = subprocess.run(
        command, input=json.dumps(task), capture_output=True, text=True, check=True, cwd=ROOT
    )
    told = json.loads(done.stdout)
    answered = len(told["latencies"])
    spent = [
        sum(map(cpu_of, pids)) - was for pids, was in zip((web, found.of("database")), before, strict=True)
    ]
    cuts = quantiles(told["latencies"], n=20) if answered > 1 else [0.0] * 19
    return Measured(
        rate=answered / told["seconds"],
        server=spent[0] / answered * 1000,
        database=spent[1] / answered * 1000,
        median=cuts[9],
        late=cuts[18],
        size=told["bytes"],
        failed=told["failed"],
        failure=told["failure"],
        sent=told["sent"],
    )


def marks_of(pupils: tuple[int, ...], turn: int, now: str) -> str:
    """What a device sends that has the whole register: three pupils are absent in turn, so that every save changes marks."""
    first = 3 * (turn % 8)
    absent = set(pupils[first : first + 3])
    rows = [
        {
            "pupil": pupil,
            "code": "F" if pupil in absent else "P",
            "recorded_at": now,
            "explicit": pupil in absent,
        }
        for pupil in pupils
    ]
    return json.dumps({"batch": f"bench-{turn}", "device": f"bench-{turn}-device", "marks": rows})
