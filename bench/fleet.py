"""The gateway under a fleet: what a check-in costs beside the raw limits, in CPU of the server and of the database.

    python -m bench.fleet [--size small|full] [--seconds 10] [--only NAME ...]

`full` is 500,000 devices and 10,000,000 finished commands (filling takes some minutes, once), `small` 20,000 and 200,000. One
gateway process; the load comes from another. CPU is read from /proc, so other work on the machine changes wall times and
rates, not the cost of a check-in; "a core" is what one core would do at that cost. Linux only.
"""

import argparse
import http.client
import json
import os
import random
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from bench.fleet_filling import CLASSES, ROOT, SECRET, SIZES, Size, filled
from bench.fleet_headwind import headwind
from bench.fleet_load import sign
from bench.running import cpu_of, memory_of
from pupitre.edge.gateway import agent_wire
from pupitre.kernel.embedded import EmbeddedPostgres, Urls
from pupitre.kernel.signing import derived

CONNECTIONS = 1000
#: What a figure shall reach (section 3 of the goals), printed beside it.
GOALS = {"check-ins a core": 9000, "database": 25.0}
_STARTS_WITHIN = 30.0


@dataclass
class Bench:
    """What all cases share, and what they found."""

    size: Size
    server: EmbeddedPostgres
    urls: Urls
    seconds: float
    port: int = 0
    gateway: int = 0
    rows: list[tuple[str, ...]] = field(default_factory=list)
    facts: dict[str, float] = field(default_factory=dict)

    def tell(self, name: str, found: str, beside: str = "") -> None:
        self.rows.append((name, found, beside))
        sys.stderr.write(f"{name}: {found}  {beside}\n")

    def run(self, sql: str, *values: Any, quietly: bool = False) -> list[tuple[Any, ...]]:
        """One statement as the superuser: the benchmark's own questions and changes; `quietly` without triggers."""
        with psycopg.connect(self.server.url("postgres", "pupitre"), autocommit=True) as connection:
            if quietly:
                connection.execute("SET session_replication_role = replica")
            found = connection.execute(sql, values)
            return found.fetchall() if found.description else []

    def database_cpu(self) -> float:
        """Seconds of CPU of all of PostgreSQL's processes, also of those that ended meanwhile."""
        top = self.server.process_id or 0
        stat = Path(f"/proc/{top}/stat").read_text().rpartition(")")[2].split()
        ended = (int(stat[13]) + int(stat[14])) / os.sysconf("SC_CLK_TCK")
        children = Path(f"/proc/{top}/task/{top}/children").read_text().split()
        return ended + cpu_of(top) + sum(cpu_of(int(one)) for one in children)


@dataclass
class Cost:
    """What one case took; microseconds a request."""

    requests: int
    seconds: float
    server: float
    database: float
    p50: float
    p99: float
    statuses: dict[str, int]
    transactions: float
    rows_written: float
    hot: float

    @property
    def a_core(self) -> float:
        return 1e6 / self.server if self.server else 0.0


@contextmanager
def gateway(bench: Bench, **settings: str) -> Iterator[None]:
    """One gateway process on the filled database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PUPITRE_")}
    environment |= {
        "PUPITRE_DATA_DIR": str(bench.size.home), "PUPITRE_DATABASE_URL": bench.urls.application, "PUPITRE_SECRET_KEY": SECRET,
        "PUPITRE_GATEWAY_PORT": str(port), "PUPITRE_GATEWAY_DEVICES": "600000", "PYTHONPATH": str(ROOT / "src"),
        "MALLOC_ARENA_MAX": "2", **settings,
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "pupitre.project.gateway"], env=environment)
    bench.port, bench.gateway = port, process.pid
    try:
        _wait(bench, process)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait(bench: Bench, process: "subprocess.Popen[bytes]") -> None:
    import urllib.error
    import urllib.request

    until = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < until:
        assert process.poll() is None, "the gateway ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{bench.port}/health/ready", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError("the gateway did not become ready")


def drive(bench: Bench, **asked: Any) -> Cost:
    """Let the other process ask, and read what that took."""
    asked = {"port": bench.port, "seconds": bench.seconds, "connections": CONNECTIONS, **asked}
    load = subprocess.Popen(
        [sys.executable, "-m", "bench.fleet_load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert load.stdin
    assert load.stdout
    load.stdin.write(json.dumps(asked) + "\n")
    load.stdin.flush()
    load.stdout.readline()  # it made its requests and begins
    before = _counters(bench)
    server, database = cpu_of(bench.gateway), bench.database_cpu()
    told = json.loads(load.stdout.readline())
    server, database = cpu_of(bench.gateway) - server, bench.database_cpu() - database
    load.wait()
    time.sleep(1.2)  # the database's counters are told with a delay
    after = _counters(bench)
    transactions, rows, hot = (after[at] - before[at] for at in range(3))
    number = max(1, told["requests"])
    if set(told["statuses"]) - {"200", "304", "201"}:
        sys.stderr.write(f"{told['statuses']} {told['example']}\n")
    return Cost(
        number, told["seconds"], server / number * 1e6, database / number * 1e6, told["p50"], told["p99"], told["statuses"],
        transactions / number * 1000, rows / number, hot / rows if rows else 1.0,
    )  # fmt: skip


def _counters(bench: Bench) -> tuple[int, int, int]:
    found = bench.run(
        "SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = 'pupitre'), sum(n_tup_upd + n_tup_ins), "
        "sum(n_tup_hot_upd + n_tup_ins) FROM pg_stat_user_tables"
    )[0]
    return int(found[0]), int(found[1]), int(found[2])


# The cases


def empty(bench: Bench) -> None:
    """An empty ASGI reply of the same server."""
    request = "GET /health/live HTTP/1.1\r\nHost: gateway\r\n\r\n"
    found = drive(bench, what="raw", request=request, seconds=min(5.0, bench.seconds))
    bench.facts["empty"] = found.server
    bench.tell(
        "an empty ASGI reply", f"{found.server:.0f} us, {found.a_core:,.0f} a core", f"p99 {found.p99:.0f} ms"
    )


def statements(bench: Bench) -> None:
    """The same batched statement without HTTP: rows put as fast as they are kept."""
    code = (
        "import asyncio, json, os, sys, time, uvloop\n"
        "from pupitre.kernel.postgres import Postgres\n"
        "from pupitre.edge.gateway.reports import Reports\n"
        "class D:\n"
        "    def __init__(self, id): self.id = id\n"
        "async def main():\n"
        "    postgres = Postgres(os.environ['URL'], size=4); reports = Reports(postgres); count = 0\n"
        "    end = time.monotonic() + float(os.environ['SECONDS'])\n"
        "    async def one(first):\n"
        "        nonlocal count\n"
        "        at = first\n"
        "        while time.monotonic() < end:\n"
        "            await reports.save_seen(D(at), 70, False); count += 1; at = first + (at - first + 1000) % 20000\n"
        "    await asyncio.gather(*(one(1 + n) for n in range(1000)))\n"
        "    print(json.dumps([count, reports.seen.statements, time.process_time()]))\n"
        "uvloop.run(main())\n"
    )
    environment = {
        **os.environ,
        "URL": bench.urls.application,
        "SECONDS": str(min(5.0, bench.seconds)),
        "PYTHONPATH": str(ROOT / "src"),
    }
    database = bench.database_cpu()
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    database = bench.database_cpu() - database
    rows, written, own = json.loads(done.stdout)
    bench.facts["statements"] = database / rows * 1e6
    bench.tell(
        "the same batches without HTTP", f"{own / rows * 1e6:.0f} us own, {database / rows * 1e6:.0f} us database",
        f"{rows / written:.0f} rows a statement",
    )  # fmt: skip


def check_ins(bench: Bench) -> None:
    """Unchanged check-ins of as many devices as are held warm, at 1,000 connections."""
    devices = _sample(bench)
    etags = _etags(bench, devices)
    assert _ask(bench, devices[0]) == etags[devices[0]]
    drive(bench, what="check-ins", ids=devices, rounds=1, etags=etags, again=False, seconds=20.0)
    found = drive(bench, what="check-ins", ids=devices, rounds=2, etags=etags)
    bench.facts["steady"], bench.facts["steady database"] = found.server, found.database
    unchanged = found.statuses.get("304", 0) / found.requests
    beside = bench.facts.get("empty")
    bench.tell(
        "an unchanged check-in", f"{found.server:.0f} us, {found.a_core:,.0f} a core",
        f"goal {GOALS['check-ins a core']:,} a core; {found.server / beside:.1f} empty replies" if beside else "",
    )  # fmt: skip
    raw = bench.facts.get("statements")
    bench.tell(
        "  database", f"{found.database:.0f} us", f"goal {GOALS['database']:.0f}; {found.database / raw:.1f} of the batches alone" if raw else ""
    )  # fmt: skip
    bench.tell(
        "  wall",
        f"{found.requests / found.seconds:,.0f} a second",
        f"p50 {found.p50:.0f} ms, p99 {found.p99:.0f} ms (goal 250)",
    )
    bench.tell(
        "  writes", f"{found.transactions:.1f} transactions a 1,000 check-ins",
        f"{unchanged:.1%} answered 304, {found.hot:.1%} of the rows stayed in their page",
    )  # fmt: skip


def few(bench: Bench) -> None:
    """The same at few connections, where batches are small."""
    devices = _sample(bench)[:2000]
    etags = _etags(bench, devices)
    found = drive(
        bench,
        what="check-ins",
        ids=devices,
        rounds=4,
        etags=etags,
        connections=32,
        seconds=min(5.0, bench.seconds),
    )
    bench.tell(
        "at 32 connections", f"{found.server:.0f} us, database {found.database:.0f} us", f"p50 {found.p50:.1f} ms, p99 {found.p99:.1f} ms"
    )  # fmt: skip


def cold(bench: Bench) -> None:
    """The first check-in of devices that the process does not know: read, authenticated, given their state, written whole."""
    devices = _sample(bench, share=1)
    found = drive(bench, what="check-ins", ids=devices, rounds=1, again=False, seconds=50.0)
    bench.facts["cold"] = found.server
    steady = bench.facts.get("steady")
    bench.tell(
        "a first check-in (read, given its state)", f"{found.server:.0f} us, database {found.database:.0f} us",
        f"{found.server / steady:.1f} unchanged ones" if steady else "",
    )  # fmt: skip


def policy(bench: Bench) -> None:
    """A change of policy for every device: until it holds, what it writes, and what the check-ins that follow cost."""
    devices = _sample(bench)
    etags = _etags(bench, devices)
    since, asked = bench.run("SELECT clock_timestamp()")[0][0], 0
    began = time.perf_counter()
    bench.run(
        "UPDATE devices_target SET revision = nextval('devices_revision'), changed_at = now() WHERE level = 1"
    )
    while asked == 0 or _ask(bench, devices[0]) == etags[devices[0]]:
        asked += 1
        time.sleep(0.005)
    flipped = time.perf_counter() - began
    written = bench.run("SELECT count(*) FROM devices_devicestatus WHERE last_seen_at >= %s", since)[0][0]
    bench.tell(
        "a policy for all devices holds after",
        f"{flipped * 1000:.0f} ms (goal 1,000)",
        f"1 row written, and the status of {written} device that asked {asked} times",
    )
    found = drive(bench, what="check-ins", ids=devices, rounds=1, etags=etags, again=False, seconds=50.0)
    steady = bench.facts.get("steady")
    bench.tell(
        "  a check-in that fetches it", f"{found.server:.0f} us, database {found.database:.0f} us",
        f"{found.server / steady:.2f} unchanged ones (goal 2)" if steady else "",
    )  # fmt: skip


def commands(bench: Bench) -> None:
    """The next command: the statement among all those finished ones, and a whole check-in that fetches one."""
    number = 150
    first = bench.size.devices // 2
    active = "devices_command WHERE state IN (2, 3)"
    bench.run(f"DELETE FROM {active}")
    bench.run(
        "INSERT INTO devices_command (school_id, device_id, verb, arguments, state, supersede_key, batch, created_at, not_before, "
        "expires_at, reason, attempts, result) SELECT school_id, id, 4, '{}', 2, '', gen_random_uuid(), now(), now(), now() + interval '1 day', "
        "'', 0, '{}' FROM devices_device WHERE id >= %s AND id < %s",
        first, first + 20 * number,
    )  # fmt: skip
    times = sorted(_handed_out(bench, first, 20 * number))
    bench.tell(
        "the next command, as a statement", f"p50 {times[len(times) // 2]:.2f} ms, p99 {times[int(len(times) * 0.99)]:.2f} ms",
        "goal 5 ms; not committed",
    )  # fmt: skip
    told = drive(
        bench,
        what="check-ins",
        ids=list(range(first, first + number)),
        rounds=1,
        connections=1,
        again=False,
        seconds=30.0,
    )
    bench.run("UPDATE devices_command SET state = 2, sent_at = NULL WHERE state = 3")
    time.sleep(0.5)
    found = drive(
        bench,
        what="check-ins",
        ids=list(range(first, first + number)),
        rounds=1,
        connections=1,
        again=False,
        seconds=30.0,
    )
    bench.run(f"DELETE FROM {active}")
    assert told.statuses == {"200": number}, told.statuses
    bench.tell(
        "  a check-in that fetches it", f"p50 {found.p50:.1f} ms, p99 {found.p99:.1f} ms",
        f"two transactions, committed; {found.server:.0f} us, database {found.database:.0f} us",
    )  # fmt: skip


def _handed_out(bench: Bench, first: int, number: int) -> Iterator[float]:
    """Milliseconds of handing out the command of each device."""
    from pupitre.edge.gateway.statements import statement
    from pupitre.kernel.scope import gateway_opening

    sql = statement("hand_out_commands")
    with psycopg.connect(bench.urls.application, autocommit=True) as connection:
        run = connection.pgconn.exec_
        run(f"PREPARE next (bigint, bigint, timestamptz, timestamptz, int) AS {sql}".encode())
        run(b"SET plan_cache_mode = force_generic_plan")
        run(gateway_opening())
        for device in range(first, first + number):
            school = 1 + device % bench.size.schools
            began = time.perf_counter()
            result = run(f"EXECUTE next ({school}, {device}, now(), now(), 10)".encode())
            yield (time.perf_counter() - began) * 1000
            assert result.ntuples == 1, connection.pgconn.error_message
        run(b"ROLLBACK")


def enrolments(bench: Bench) -> None:
    """Devices that enrol: signature checked, ticket used, device, status and first line of its history written."""
    from bench.fleet_enrolling import requests

    number = 1500
    bench.run(
        "INSERT INTO devices_enrolmentticket (school_id, authority_id, digest, label, admits_unknown, uses_left, created_at, expires_at) "
        "SELECT s, 1, encode(sha256(convert_to('BENCH-' || s, 'UTF8')), 'hex'), '', true, 1000000, now(), now() + interval '1 day' "
        "FROM generate_series(1, 20) s ON CONFLICT (digest) DO UPDATE SET uses_left = 1000000, expires_at = excluded.expires_at",
        quietly=True,
    )
    made = requests(number)
    found = drive(bench, what="listed", requests=made, connections=40, seconds=40.0)
    for table in ("deviceevent", "devicestatus"):
        whose = "SELECT id FROM devices_device WHERE number ^@ 'd-'"
        bench.run(f"DELETE FROM devices_{table} WHERE device_id IN ({whose})", quietly=True)
    bench.run("DELETE FROM devices_device WHERE number ^@ 'd-'", quietly=True)
    bench.tell(
        "an enrolment", f"{found.server:.0f} us, {found.a_core:,.0f} a core (goal 300)", f"database {found.database:.0f} us; {found.statuses}"
    )  # fmt: skip


def sockets(bench: Bench) -> None:
    """Wake sockets, held by a process that only holds them."""
    number = min(10_000, bench.size.devices)
    time.sleep(1.0)
    before = memory_of(bench.gateway)[1]
    cpu = cpu_of(bench.gateway)
    load = subprocess.Popen(
        [sys.executable, "-m", "bench.fleet_load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert load.stdin
    assert load.stdout
    load.stdin.write(
        json.dumps({"what": "sockets", "port": bench.port, "first": 1, "devices": number}) + "\n"
    )
    load.stdin.flush()
    held = json.loads(load.stdout.readline())["held"]
    cpu = cpu_of(bench.gateway) - cpu
    time.sleep(1.0)
    after = memory_of(bench.gateway)[1]
    bench.tell(
        f"a wake socket, {held:,} held", f"{(after - before) / max(1, held):.1f} kB", f"{cpu / max(1, held) * 1e6:.0f} us to open"
    )  # fmt: skip
    began = time.perf_counter()
    bench.run("UPDATE devices_target SET revision = nextval('devices_revision') WHERE level = 1")
    load.stdin.write("\n")
    load.stdin.flush()
    heard = json.loads(load.stdout.readline())["heard"]
    bench.tell(
        "  all woken by one policy", f"{heard:,} of {held:,}", f"within {time.perf_counter() - began:.1f} s"
    )
    load.wait()


def outage(bench: Bench) -> None:
    """How devices come back after half an hour without us, by the protocol's own rules: reckoned, not asked."""
    number, interval, length = 100_000, 900.0, 1800.0
    chance = random.Random(1)
    minutes = [0] * 120
    for _ in range(number):
        at, pause = chance.random() * interval, 5.0
        while at < length:  # nobody answers: full jitter, doubling to a quarter of an hour
            at += chance.random() * pause if pause < interval else interval * (0.5 + chance.random() / 2)
            pause = min(pause * 2, interval)
        while at < length + 3600:
            minutes[min(119, int(at // 60))] += 1
            at += interval * (0.85 + 0.3 * chance.random())
    steady = number / (interval / 60)
    peak = max(minutes[int(length // 60) :])
    bench.tell(
        "check-ins a minute after an outage of 30 minutes",
        f"{peak / steady:.2f} of a steady minute at most",
    )
    # Whatever was remembered is read anew then, and the devices hold the state that they had.
    devices = _sample(bench, share=2)
    etags = _etags(bench, devices)
    found = drive(bench, what="check-ins", ids=devices, rounds=1, etags=etags, again=False, seconds=50.0)
    usual = bench.facts.get("steady")
    bench.tell(
        "  an unchanged check-in that is read anew",
        f"{found.server:.0f} us, database {found.database:.0f} us",
        f"{found.server / usual:.2f} of a remembered one: {peak / steady * found.server / usual:.2f} times the load (goal 2)"
        if usual
        else "",
    )


def _sample(bench: Bench, number: int = 20_000, share: int = 0) -> list[int]:
    """Devices that share their states as all do: those of whole classes. Another `share` has other classes."""
    classes = bench.size.schools * CLASSES
    chosen = max(1, min(classes // 4, number * classes // bench.size.devices))
    first = share * chosen
    return [one for one in range(1, bench.size.devices + 1) if first <= one % classes < first + chosen][
        :number
    ]


def _etags(bench: Bench, devices: list[int]) -> dict[int, str]:
    """What the gateway would answer: reckoned from the targets' revisions, and one of them asked for."""
    revisions = {
        (level, whom): revision
        for level, whom, revision in bench.run("SELECT level, whom, revision FROM devices_target")
    }
    found = {}
    for device in devices:
        chain = ((1, 1), (2, 1 + device % bench.size.schools), (3, device % (bench.size.schools * CLASSES)))
        found[device] = '"' + ".".join(f"{revisions[one]:x}" for one in chain) + '"'
    return found


def _ask(bench: Bench, device: int) -> str:
    """The version that one device is answered."""
    sessions, now_ms = derived(SECRET, "sessions"), int(time.time() * 1000)
    headers = sign("POST", agent_wire.CHECK_IN, b"{}", device, sessions, now_ms)
    connection = http.client.HTTPConnection("127.0.0.1", bench.port, timeout=20)
    connection.request("POST", agent_wire.CHECK_IN, b"{}", headers)
    reply = connection.getresponse()
    reply.read()
    connection.close()
    assert reply.status == 200, reply.status
    return str(reply.headers["etag"])


#: In the order in which they are measured. Other protocols' cases are added here.
CASES: dict[str, Callable[[Bench], None]] = {
    "empty": empty,
    "statements": statements,
    "check-ins": check_ins,
    "few": few,
    "cold": cold,
    "policy": policy,
    "commands": commands,
    "enrolments": enrolments,
    "outage": outage,
    "sockets": sockets,
    "headwind": headwind,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=sorted(SIZES), default=os.environ.get("SIZE", "small"))
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--only", nargs="*", choices=sorted(CASES), default=sorted(CASES))
    asked = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    size = SIZES[asked.size]
    with filled(size) as (server, urls):
        bench = Bench(size, server, urls, min(asked.seconds, 60.0))
        with gateway(bench):
            for name, case in CASES.items():
                if name in asked.only:
                    case(bench)
    table = Table(
        "case", "found", "beside", title=f"{size.devices:,} devices, {size.commands:,} finished commands"
    )
    for row in bench.rows:
        table.add_row(*row)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
