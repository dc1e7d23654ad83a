"""A database of its own with two schools, gateways before it as real processes, and a device that speaks as ours does."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from pupitre.devices.rules import CommandState, Level, Platform, Protocol, Standing, Verb
from pupitre.kernel.tokens import digest, new_code

ROOT = Path(__file__).resolve().parents[3]
STARTS_WITHIN = 20.0
SECRET = "the secret of the gateway's tests, long enough"
HEADERS = {"Content-Type": "application/json"}


@dataclass
class Place:
    """The database, and what is written to it as pages would."""

    url: str
    folder: Path
    authority: int = 0
    oak: int = 0
    elm: int = 0

    def run(self, sql: str, *values: Any, school: int = 0) -> list[dict[str, Any]]:
        """One statement in the gateway's scope, and a school's where history is kept."""
        opened = psycopg.connect(self.url, autocommit=True, row_factory=dict_row)
        with opened as connection, connection.transaction():
            for name, value in (("school", school), ("account", "0"), ("authority", self.authority)):
                connection.execute(f"SET LOCAL pupitre.{name} = '{value}'")
            connection.execute("SET LOCAL pupitre.gateway = 'on'")
            found = connection.execute(sql, values)
            return found.fetchall() if found.description else []

    def as_school(self, school: int, sql: str, *values: Any) -> list[dict[str, Any]]:
        """One statement in a school's scope, as its pages have it."""
        opened = psycopg.connect(self.url, autocommit=True, row_factory=dict_row)
        with opened as connection, connection.transaction():
            for name, value in (("school", school), ("account", "0"), ("authority", "0")):
                connection.execute(f"SET LOCAL pupitre.{name} = '{value}'")
            found = connection.execute(sql, values)
            return found.fetchall() if found.description else []

    def ticket(self, school: int, *, admits: bool = False, uses: int = 40, **facts: Any) -> str:
        code = new_code()
        ends = facts.get("expires_at", datetime.now(UTC) + timedelta(days=1))
        self.run(
            "INSERT INTO devices_enrolmentticket (school_id, authority_id, digest, platform, label, admits_unknown, uses_left, "
            "created_at, expires_at) VALUES (%s, %s, %s, %s, '', %s, %s, now(), %s)",
            school, self.authority, digest(code), facts.get("platform"), admits, uses, ends, school=school,
        )  # fmt: skip
        return code

    def device(
        self, school: int, *, serial: str = "", standing: Standing = Standing.EXPECTED, number: str = ""
    ) -> int:
        found = self.run(
            "INSERT INTO devices_device (school_id, authority_id, number, serial, imei, asset_tag, name, platform, protocol, maker, "
            "model, standing, condition, groups, created_at, search_key, notes) "
            "VALUES (%s, %s, %s, %s, '', '', '', %s, %s, '', '', %s, 1, '{}', now(), '', '') RETURNING id",
            school, self.authority, number or f"x-{uuid4().hex[:10]}", serial, int(Platform.LINUX), int(Protocol.NONE),
            int(standing), school=school,
        )  # fmt: skip
        return int(found[0]["id"])

    def say(self, level: Level, whom: int, **settings: Any) -> None:
        """What a policy says to somebody."""
        document = Jsonb({"settings": settings, "locked": [], "why": {}})
        self.run(
            "INSERT INTO devices_target (authority_id, level, whom, revision, document, changed_at) "
            "VALUES (%s, %s, %s, nextval('devices_revision'), %s, now()) ON CONFLICT (authority_id, level, whom) DO UPDATE "
            "SET revision = excluded.revision, document = excluded.document",
            self.authority, int(level), whom, document,
        )  # fmt: skip

    def tell(self, school: int, device: int, verb: Verb, **facts: Any) -> int:
        now = datetime.now(UTC)
        found = self.run(
            "INSERT INTO devices_command (school_id, device_id, verb, arguments, state, supersede_key, batch, created_at, "
            "not_before, expires_at, reason, attempts, result) VALUES (%s, %s, %s, %s, %s, '', %s, %s, %s, %s, '', 0, '{}') RETURNING id",
            school, device, int(verb), Jsonb(facts.get("arguments", {})), int(facts.get("state", CommandState.QUEUED)), uuid4(),
            now, facts.get("not_before", now), facts.get("expires_at", now + timedelta(days=1)),
        )  # fmt: skip
        return int(found[0]["id"])

    def status(self, device: int) -> dict[str, Any]:
        return self.run("SELECT * FROM devices_devicestatus WHERE device_id = %s", device)[0]


def fill(place: Place) -> None:
    """Two schools of one authority."""
    with psycopg.connect(place.url, autocommit=True) as connection:
        found = connection.execute(
            "INSERT INTO tenancy_authority (slug, name, country, locale, time_zone, requires_second_factor) "
            "VALUES ('valley', 'The Valley', 'ES', 'es', 'Europe/Madrid', false) RETURNING id"
        ).fetchone()
        assert found
        place.authority = found[0]
        for name, zone in (("oak", "Europe/Madrid"), ("elm", "America/Santiago")):
            made = connection.execute(
                "INSERT INTO tenancy_school (authority_id, slug, sourced_id, identifier, name, country, locale, time_zone, address, "
                "phone, email, settings_stamp) VALUES (%s, %s, '', '', %s, 'ES', 'es', %s, '', '', '', %s) RETURNING id",
                [place.authority, name, name, zone, uuid4()],
            ).fetchone()
            assert made
            setattr(place, name, made[0])


@dataclass
class Running:
    """A gateway process."""

    port: int
    process: "subprocess.Popen[bytes]"

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> "Reply":
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body or None, headers or {})
            found = connection.getresponse()
            return Reply(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())
        finally:
            connection.close()

    def ready(self) -> dict[str, Any]:
        with suppress(OSError):
            reply = self.ask("GET", "/health/ready")
            if reply.status == 200:
                return dict(reply.json())
        return {}

    def wait_until_ready(self) -> None:
        until = time.monotonic() + STARTS_WITHIN
        while not self.ready():
            assert time.monotonic() < until, "the gateway did not become ready"
            assert self.process.poll() is None, "the gateway ended"
            time.sleep(0.05)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@contextmanager
def gateway(place: Place, **settings: str) -> Iterator[Running]:
    """One process of the gateway, as `pupitre gateway` starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {
        "PUPITRE_DATA_DIR": str(place.folder),
        "PUPITRE_DATABASE_URL": place.url,
        "PUPITRE_SECRET_KEY": SECRET,
        "PUPITRE_GATEWAY_PORT": str(port),
        "PYTHONPATH": str(ROOT / "src"),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PUPITRE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "pupitre.project.gateway"], env={**kept, **own, **settings}
    )
    running = Running(port, process)
    try:
        running.wait_until_ready()
        yield running
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class Machine:
    """A device with our agent's protocol and nothing else."""

    running: Running
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    number: str = ""
    session: str = ""
    secret: bytes = b""
    etag: str = ""
    apart: int = 0

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def enrol(self, code: str, **facts: Any) -> Reply:
        told = {
            "code": code,
            "key": base64.b64encode(self.public).decode(),
            "platform": "linux",
            "hostname": "pc-14",
            **facts,
        }
        reply = self.signed("/device/v1/enrolment", told)
        if reply.status == 201:
            self.number = reply.json()["device"]
        return reply

    def begin(self) -> Reply:
        reply = self.signed("/device/v1/session", {"device": self.number})
        if reply.status == 200:
            found = reply.json()
            self.session, self.secret = found["session"], base64.b64decode(found["secret"])
        return reply

    def signed(self, path: str, told: Any) -> Reply:
        body = json.dumps(told).encode()
        when = str(int(time.time() * 1000) + self.apart)
        text = f"POST\n{path}\n{when}\n{hashlib.sha256(body).hexdigest()}".encode()
        signature = base64.b64encode(self.key.sign(text)).decode()
        return self.running.ask(
            "POST", path, body, {**HEADERS, "Pupitre-Time": when, "Pupitre-Signature": signature}
        )

    def headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        when = str(int(time.time() * 1000) + self.apart)
        text = f"{method}\n{path}\n{when}\n{hashlib.sha256(body).hexdigest()}".encode()
        signature = base64.b64encode(hmac.digest(self.secret, text, "sha256")).decode()
        return {
            **HEADERS,
            "Pupitre-Session": self.session,
            "Pupitre-Time": when,
            "Pupitre-Signature": signature,
        }

    def check_in(self, running: Running | None = None, body: bytes | None = None, **facts: Any) -> Reply:
        path = "/device/v1/check-in"
        body = json.dumps(facts).encode() if body is None else body
        headers = self.headers("POST", path, body)
        if self.etag:
            headers["If-None-Match"] = self.etag
        reply = (running or self.running).ask("POST", path, body, headers)
        if reply.status == 200 and "etag" in reply.headers:
            self.etag = reply.headers["etag"]
        return reply
