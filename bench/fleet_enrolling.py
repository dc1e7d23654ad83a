"""Requests of devices that enrol, each with a key of its own."""

import base64
import json
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pupitre.edge.gateway import agent_wire


def requests(number: int) -> list[str]:
    """Raw requests, signed now; the tickets are BENCH-1 to BENCH-20."""
    made = []
    for n in range(number):
        key = Ed25519PrivateKey.generate()
        told = {
            "code": f"BENCH-{1 + n % 20}",
            "key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
            "platform": "linux",
            "serial": f"B{time.time_ns()}",
            "hostname": f"pc-{n}",
            "maker": "Maker",
            "model": "Model",
            "os_version": "Debian 13.1",
            "agent_version": "1.0",
        }
        body = json.dumps(told)
        when = b"%d" % int(time.time() * 1000)
        signed = agent_wire.signed_text("POST", agent_wire.ENROLMENT, when, body.encode())
        made.append(
            f"POST {agent_wire.ENROLMENT} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
            f"Pupitre-Time: {when.decode()}\r\nPupitre-Signature: {base64.b64encode(key.sign(signed)).decode()}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
    return made
