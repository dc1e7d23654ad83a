"""The gateway under tablets with Headwind's stock agent: what its requests cost, and what it costs to hold them.

A part of `bench.fleet`. Run as a module it is the process that holds requests: it reads one JSON line that says how many.
"""

import asyncio
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from bench.fleet_filling import ROOT
from bench.running import cpu_of, memory_of

if TYPE_CHECKING:
    from bench.fleet import Bench

FLEET_SECRET = "the secret of the bench's tablets"
TABLETS = 10_000
#: Those that ask; all of them are held.
_ASKING = 4_000
#: Applications of each tablet: with 40 a configuration is some 14 kB.
APPLICATIONS = 40
_PUT = (
    (
        "INSERT INTO devices_device (school_id, authority_id, number, serial, imei, asset_tag, name, platform, protocol, maker, model, "
        "standing, condition, groups, created_at, enrolled_at, search_key, notes) SELECT 1 + d % {schools}, 1, 'h-' || d, 'H' || d, '', '', '', "
        "1, 1, 'Maker', 'SM-T500', 3, 1, ARRAY[d % ({schools} * 20)], now(), now(), '', '' FROM generate_series(1, {tablets}) d"
    ),
    (
        "INSERT INTO devices_application (authority_id, package, name, platform, kind, publisher, notes, icon_key, created_at) "
        "SELECT 1, 'org.example.application' || n, 'Application ' || n, 1, 'apk', '', '', '', now() FROM generate_series(1, {applications}) n"
    ),
    (
        "INSERT INTO devices_applicationversion (authority_id, application_id, version, code, file_key, file_name, size, sha256, url, created_at) "
        "SELECT 1, id, '1.0', 1, 'key-' || id, '', 1, repeat('d', 64), '', now() FROM devices_application WHERE package ^@ 'org.example.application'"
    ),
    (
        "UPDATE devices_target SET revision = nextval('devices_revision'), document = jsonb_set(document, '{settings,applications}', "
        "(SELECT jsonb_agg(jsonb_build_object('package', 'org.example.application' || n, 'action', 'install')) "
        "FROM generate_series(1, {applications}) n)) WHERE level = 1"
    ),
)
_TAKE = (
    "UPDATE devices_target SET revision = nextval('devices_revision'), document = document #- '{settings,applications}' WHERE level = 1",
    "DELETE FROM devices_applicationversion WHERE application_id IN (SELECT id FROM devices_application WHERE package ^@ 'org.example.application')",
    "DELETE FROM devices_application WHERE package ^@ 'org.example.application'",
    "DELETE FROM devices_installation WHERE device_id IN (SELECT id FROM devices_device WHERE number ^@ 'h-')",
    "DELETE FROM devices_inventory WHERE device_id IN (SELECT id FROM devices_device WHERE number ^@ 'h-')",
    "DELETE FROM devices_devicestatus WHERE device_id IN (SELECT id FROM devices_device WHERE number ^@ 'h-')",
    "DELETE FROM devices_device WHERE number ^@ 'h-'",
)


def headwind(bench: "Bench") -> None:
    """Status, configuration and messages of tablets, and 10,000 requests that are held."""
    from bench.fleet import gateway

    before = bench.port, bench.gateway
    with _tablets(bench), gateway(bench, PUPITRE_HEADWIND_SECRET=FLEET_SECRET):
        _cycle(bench)
        _held(bench)
    bench.port, bench.gateway = before


def _cycle(bench: "Bench") -> None:
    from bench.fleet import drive

    numbers = [f"h-{number}" for number in range(1, _ASKING + 1)]
    reports = [_report(number) for number in numbers]
    cases = {
        "a tablet's first report": reports,
        "a tablet's report": reports,
        "  its configuration": [_get(f"/rest/public/sync/configuration/{n}", n) for n in numbers],
        "  a request for messages": [_get(path := f"/rest/notifications/device/{n}", path) for n in numbers],
    }
    whole = 0.0
    for name, requests in cases.items():
        found = drive(bench, what="listed", requests=requests, seconds=50.0)
        beside = f"database {found.database:.0f} us, p99 {found.p99:.0f} ms, {found.transactions:.0f} transactions a 1,000"
        bench.tell(name, f"{found.server:.0f} us, {found.a_core:,.0f} a core", beside)
        whole += found.server if "first" not in name else 0.0
    empty = bench.facts.get("empty")
    bench.tell(
        "  the three together", f"{whole:.0f} us, {1e6 / whole:,.0f} a core", f"{whole / empty:.1f} empty replies" if empty else ""
    )  # fmt: skip


def _held(bench: "Bench") -> None:
    number = TABLETS
    time.sleep(1.0)
    memory, cpu = memory_of(bench.gateway)[1], cpu_of(bench.gateway)
    load = subprocess.Popen(
        [sys.executable, "-m", "bench.fleet_headwind"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    )  # fmt: skip
    assert load.stdin
    assert load.stdout
    load.stdin.write(json.dumps({"port": bench.port, "number": number}) + "\n")
    load.stdin.flush()
    held = json.loads(load.stdout.readline())["held"]
    cpu = cpu_of(bench.gateway) - cpu
    after = memory_of(bench.gateway)[1]
    bench.tell(
        f"a held request, {held:,} held", f"{(after - memory) / max(1, held):.1f} kB", f"{cpu / max(1, held) * 1e6:.0f} us to take"
    )  # fmt: skip
    began = time.perf_counter()
    bench.run("UPDATE devices_target SET revision = nextval('devices_revision') WHERE level = 1")
    told = json.loads(load.stdout.readline())
    bench.tell(
        "  all told of one policy",
        f"{told['told']:,} of {held:,}",
        f"within {time.perf_counter() - began:.1f} s",
    )
    load.wait()


@contextmanager
def _tablets(bench: "Bench") -> Iterator[None]:
    """Tablets and their applications, as long as they are needed."""
    _run(bench, (*_TAKE, *_PUT))
    try:
        yield
    finally:
        _run(bench, _TAKE)


def _run(bench: "Bench", statements: tuple[str, ...]) -> None:
    """As the superuser, and without triggers: not a change but a state."""
    numbers = {"schools": bench.size.schools, "tablets": TABLETS, "applications": APPLICATIONS}
    with psycopg.connect(bench.server.url("postgres", "pupitre"), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for one in statements:
            for name, number in numbers.items():
                one = one.replace("{" + name + "}", str(number))
            connection.execute(one)
        connection.execute("NOTIFY pupitre_fleet, 'targets'")
        connection.execute("NOTIFY pupitre_fleet, 'applications'")


def _report(number: str) -> str:
    listed = [
        {"pkg": f"org.example.application{n}", "name": f"Application {n}", "version": "1.0"}
        for n in range(1, 41)
    ]
    listed.insert(0, {"pkg": "com.hmdm.launcher", "name": "pupitre 1f.2a~0badcafe", "version": "6.36"})
    body = json.dumps(
        {
            "deviceId": number, "model": "SM-T500", "permissions": [1, 1, 0, 0], "applications": listed, "files": [],
            "mdmMode": True, "kioskMode": False, "batteryLevel": 80, "batteryCharging": "", "androidVersion": "13",
            "serial": number, "cpu": "arm64-v8a", "location": {"ts": 1, "lat": 1.5, "lon": 2.5},
        }
    )  # fmt: skip
    return (
        "POST /rest/public/sync/info HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )


def _get(path: str, signed: str) -> str:
    signature = hashlib.sha1((FLEET_SECRET + signed).encode()).hexdigest().upper()
    return f"GET {path} HTTP/1.1\r\nHost: gateway\r\nX-Request-Signature: {signature}\r\n\r\n"


async def hold(asked: dict[str, Any]) -> None:
    """Ask for messages with many connections; say when all are held, and then how many were told something."""
    answers: asyncio.Queue[bool] = asyncio.Queue()

    async def one(number: int) -> None:
        path = f"/rest/notification/polling/h-{number}"
        reader, writer = await asyncio.open_connection("127.0.0.1", asked["port"], limit=4096)
        writer.write(_get(path, path).encode())
        found = await reader.readuntil(b"}")
        answers.put_nowait(b"configUpdated" in found or b"configUpdated" in await reader.read(200))
        writer.close()

    tasks = []
    for number in range(1, asked["number"] + 1):
        tasks.append(asyncio.create_task(one(number)))
        if number % 100 == 0:
            await asyncio.sleep(0.05)
    await asyncio.sleep(3.0)
    held = asked["number"] - answers.qsize()
    sys.stdout.write(json.dumps({"held": held}) + "\n")
    sys.stdout.flush()
    await asyncio.wait(tasks, timeout=100)
    told = [answers.get_nowait() for _ in range(answers.qsize())]
    sys.stdout.write(json.dumps({"told": sum(told[asked["number"] - held :])}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    asyncio.run(hold(json.loads(sys.stdin.readline())))
