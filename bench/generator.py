"""The load, in a process of its own: raw HTTP/1.1 over connections that stay open, each asking as fast as it is answered.

    python -m bench.generator < task.json

The task: host, port, seconds, connections, and `requests`, a list of raw requests in base64; each connection repeats its own
share of them. Answers JSON: how many were answered in how many seconds, latencies in milliseconds, bytes of the last answer as
they were sent and as they are read, and how many answers were not 2xx.
"""

import asyncio
import base64
import gzip
import json
import sys
import time
from typing import Any


async def _connection(
    task: dict[str, Any], requests: list[bytes], told: dict[str, Any], until: float
) -> None:
    reader, writer = await asyncio.open_connection(task["host"], task["port"], limit=4 * 1024 * 1024)
    at = 0
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(requests[at % len(requests)])
        at += 1
        head = await reader.readuntil(b"\r\n\r\n")
        body = await body_of(reader, head.lower())
        told["latencies"].append((time.perf_counter() - began) * 1000)
        told["last"] = body
        if head[9:10] != b"2":
            told["failed"] += 1
            told["failure"] = head.split(b"\r\n")[0].decode() + " " + body[:300].decode(errors="replace")
    writer.close()


async def body_of(reader: asyncio.StreamReader, head: bytes) -> bytes:
    """What follows the head: as long as it says, or in chunks."""
    if b"\r\ntransfer-encoding: chunked" not in head:
        found = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
        return await reader.readexactly(int(found or 0))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def _run(task: dict[str, Any]) -> dict[str, Any]:
    requests = [base64.b64decode(one) for one in task["requests"]]
    told: dict[str, Any] = {"latencies": [], "last": b"", "failed": 0, "failure": ""}
    count = task["connections"]
    began = time.perf_counter()
    shares = [requests[at::count] or requests for at in range(count)]
    await asyncio.gather(*(_connection(task, share, told, began + task["seconds"]) for share in shares))
    seconds, last = time.perf_counter() - began, told.pop("last")
    read = gzip.decompress(last) if last[:2] == b"\x1f\x8b" else last
    return {**told, "seconds": seconds, "sent": len(last), "bytes": len(read)}


if __name__ == "__main__":
    json.dump(asyncio.run(_run(json.load(sys.stdin))), sys.stdout)
