"""Devices by the thousand, in a process of their own: `python -m bench.fleet_load` reads one JSON line that says what to do.

Requests are made and signed before the clock starts. Each connection asks for its next request when the answer to the last
has come, as devices do that are many.
"""

import asyncio
import base64
import gc
import hashlib
import hmac
import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import uvloop

from bench.fleet_filling import SECRET, seeded_key
from pupitre.edge.gateway import agent_wire
from pupitre.kernel.signing import derived


def sign(method: str, path: str, body: bytes, device: int, sessions: bytes, now_ms: int) -> dict[str, str]:
    """The headers of a filled device, with a session as the gateway would have given it."""
    ends_at = now_ms // 1000 + 3600
    text = agent_wire.new_session(device, seeded_key(f"b-{device}"), ends_at).text
    secret = agent_wire.secret_of(text, sessions)
    signed = agent_wire.signed_text(method, path, b"%d" % now_ms, body)
    signature = base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
    return {"Pupitre-Session": text, "Pupitre-Time": str(now_ms), "Pupitre-Signature": signature}


def check_ins(devices: list[int], etags: dict[int, str], rounds: int) -> list[list[bytes]]:
    """`rounds` requests of each device, whose batteries run down."""
    sessions, now_ms = derived(SECRET, "sessions"), int(time.time() * 1000)
    made = []
    for device in devices:
        own = []
        for turn in range(rounds):
            body = b'{"battery":%d,"charging":false}' % (80 - turn % 50)
            headers = sign("POST", "/device/v1/check-in", body, device, sessions, now_ms)
            tag = f"If-None-Match: {etags[device]}\r\n" if device in etags else ""
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            head = (
                f"POST /device/v1/check-in HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n{tag}{lines}"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            own.append(head.encode() + body)
        made.append(own)
    return made


class Connection(asyncio.Protocol):
    """One connection, whose devices ask in turn."""

    def __init__(self, requests: Iterator[bytes], told: "Told") -> None:
        self._requests, self._told = requests, told
        self._begun = 0.0
        self._held = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._told.open.add(self)

    def ask(self) -> None:
        request = None if self._told.is_over else next(self._requests, None)
        if request is None:
            self._told.leave(self)
            return
        self._begun = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        data = self._held + data if self._held else data
        end = data.find(b"\r\n\r\n")
        if end < 0 or not _is_whole(data, end):
            self._held = data
            return
        self._held = b""
        self._told.take(data, time.perf_counter() - self._begun)
        self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        self._told.leave(self)


def _is_whole(data: bytes, end: int) -> bool:
    if data.startswith(b"HTTP/1.1 304"):
        return True
    at = data.lower().find(b"content-length:", 0, end)
    if at < 0:
        return True
    return len(data) >= end + 4 + int(data[at + 15 : data.find(b"\r\n", at)])


class Told:
    """What came back."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.statuses: dict[str, int] = {}
        self.size = 0
        self.open: set[Connection] = set()
        self.is_over = False
        self.done = asyncio.Event()
        self.example = b""

    def leave(self, connection: Connection) -> None:
        """This connection has nothing more to ask. It is closed only when the clock has stopped."""
        self.open.discard(connection)
        if not self.open:
            self.done.set()

    def take(self, data: bytes, seconds: float) -> None:
        self.times.append(seconds)
        status = data[9:12].decode()
        if status not in self.statuses:
            self.example = data[:400]
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.size += len(data)


async def drive(port: int, queues: list[Iterator[bytes]], seconds: float) -> dict[str, Any]:
    """Let every connection ask until the time is over or nothing is left."""
    loop, told = asyncio.get_running_loop(), Told()
    gc.collect()
    gc.freeze()
    for at in range(0, len(queues), 100):
        some = queues[at : at + 100]
        await asyncio.gather(
            *(loop.create_connection(partial(Connection, q, told), "127.0.0.1", port) for q in some)
        )
    sys.stdout.write(json.dumps({"begins": True}) + "\n")
    sys.stdout.flush()
    await asyncio.sleep(0.2)  # whoever started us reads the counters
    began = time.perf_counter()
    for connection in tuple(told.open):
        connection.ask()
    loop.call_later(seconds, lambda: setattr(told, "is_over", True))
    with suppress(TimeoutError):
        await asyncio.wait_for(told.done.wait(), seconds + 15)
    took = time.perf_counter() - began
    times = sorted(told.times) or [0.0]
    return {
        "requests": len(told.times), "seconds": took, "statuses": told.statuses, "bytes": told.size,
        "p50": times[len(times) // 2] * 1000, "p99": times[int(len(times) * 0.99)] * 1000,
        "example": told.example.decode("latin-1"),
    }  # fmt: skip


def queues_of(asked: dict[str, Any]) -> list[Iterator[bytes]]:
    """The requests of each connection."""
    number = asked["connections"]
    if asked["what"] == "raw":
        request = asked["request"].encode()
        return [iter(lambda: request, None) for _ in range(number)]
    if asked["what"] == "listed":
        listed = [one.encode() for one in asked["requests"]]
        return [iter(listed[at::number]) for at in range(number)]
    etags = {int(key): value for key, value in asked.get("etags", {}).items()}
    made = check_ins(asked["ids"], etags, asked["rounds"])
    return [
        _in_turn(made[at::number], again=asked.get("again", True)) for at in range(min(number, len(made)))
    ]


def _in_turn(own: list[list[bytes]], *, again: bool) -> Iterator[bytes]:
    while True:
        for turn in range(len(own[0])):
            for requests in own:
                yield requests[turn]
        if not again:
            return


async def _sockets(asked: dict[str, Any]) -> dict[str, Any]:
    """Open wake sockets, hold them, close them when told so."""
    sessions, now_ms = derived(SECRET, "sessions"), int(time.time() * 1000)
    made, held = 0, []

    async def open_one(device: int) -> None:
        nonlocal made
        reader, writer = await asyncio.open_connection("127.0.0.1", asked["port"], limit=4096)
        lines = "".join(
            f"{k}: {v}\r\n" for k, v in sign("GET", "/device/v1/wake", b"", device, sessions, now_ms).items()
        )
        key = base64.b64encode(hashlib.md5(str(device).encode()).digest()).decode()
        writer.write(
            (
                "GET /device/v1/wake HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{lines}\r\n"
            ).encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 101"):
            made += 1
        held.append((reader, writer))

    first = asked["first"]
    for at in range(0, asked["devices"], 50):
        await asyncio.gather(*(open_one(first + one) for one in range(at, min(at + 50, asked["devices"]))))
    sys.stdout.write(json.dumps({"held": made}) + "\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    heard = 0
    for reader, _writer in held:
        try:
            heard += bool(await asyncio.wait_for(reader.read(64), 5.0 if heard == 0 else 0.5))
        except TimeoutError:
            break
    return {"held": made, "heard": heard}


def main() -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    asked = json.loads(sys.stdin.readline())
    if asked["what"] == "sockets":
        found = uvloop.run(_sockets(asked))
    else:
        found = uvloop.run(drive(asked["port"], queues_of(asked), asked["seconds"]))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
