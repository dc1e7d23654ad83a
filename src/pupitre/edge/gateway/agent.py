"""The own agent's protocol (docs/devices/agent-protocol.md): what its requests mean to the fleet."""

import asyncio
import base64
import random
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from pupitre.devices.rules import Protocol, Standing
from pupitre.devices.rules.downloads import DOWNLOADS, expiry_for, sign_download
from pupitre.devices.rules.fleet import plain_serial
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.kernel.signing import derived, is_signed

from . import agent_wire as wire
from .batches import overloaded
from .commands import Told
from .enrolling import Newcomer
from .fleet import Device, State
from .protocols import Gateway
from .reports import Status
from .wire import JSON, Answer, Receive, Request, Route, Scope, Send, Unreadable, json_answer, refusal

#: A session holds for so long; the check of its secret is remembered for as many as there are devices in memory.
_SESSION: Final = timedelta(hours=12)
_DONE: Final = frozenset({"done", "ok", "succeeded"})
_WAITING_SECONDS: Final = 300


class _Known:
    """A session that was checked: what its next request needs."""

    __slots__ = ("check", "device", "ends_at", "secret")

    def __init__(self, device: Device, secret: bytes, session: wire.Session) -> None:
        self.device, self.secret = device, secret
        self.ends_at, self.check = session.ends_at, session.key_check


class Agent:
    """The adapter of our own agent."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._fleet, self._reports, self._commands = gateway.fleet, gateway.reports, gateway.commands
        secret = gateway.config.secret_key
        self._sessions_key = derived(secret, "sessions")
        self._downloads_key = derived(secret, DOWNLOADS)
        self._interval = gateway.config.gateway_interval
        self._half = max(1, gateway.config.gateway_devices // 2)
        self._new: dict[bytes, _Known] = {}
        self._old: dict[bytes, _Known] = {}

    def routes(self) -> Iterable[Route]:
        """Where the agent asks."""
        return (
            Route("POST", wire.CHECK_IN, self.check_in),
            Route("POST", wire.SESSION, self.open_session),
            Route("POST", wire.ENROLMENT, self.enrol),
        )

    # Enrolment and sessions

    async def enrol(self, request: Request) -> Answer:
        """A device asks to be let in."""
        body = await request.body(wire.MOST_ENROLMENT)
        said = wire.read_enrolment(body)
        key = wire.raw_key(said.key)
        platform = wire.PLATFORMS.get(said.platform)
        if platform is None:
            raise Unreadable("platform is none of those that are known")
        self._check_key(key, request, wire.ENROLMENT, body)
        number = wire.number_of(key)
        newcomer = Newcomer(
            number, platform, Protocol.PUPITRE, key, serial=plain_serial(said.serial), name=said.hostname, maker=said.maker,
            model=said.model, os_version=said.os_version, agent_version=said.agent_version, address=request.address,
        )  # fmt: skip
        standing = await self._gateway.enrolling.enrol(newcomer, said.code, clock.now())
        told = {
            "device": number,
            "standing": standing.name.lower(),
            "server_key": base64.b64encode(self._gateway.signer.public).decode(),
            "check_in_seconds": self._interval,
        }
        return json_answer(201, told)

    async def open_session(self, request: Request) -> Answer:
        """A device that is known asks for a session."""
        body = await request.body(wire.MOST_ENROLMENT)
        device = await self._fleet.by_number(wire.read_opening(body).device)
        if device is None or not device.key:
            raise wire.IsUnknown
        self._check_key(device.key, request, wire.SESSION, body)
        _may_speak(device)
        ends_at = int((clock.now() + _SESSION).timestamp())
        session = wire.new_session(device.id, device.key, ends_at)
        told = {
            "session": session.text,
            "secret": base64.b64encode(wire.secret_of(session.text, self._sessions_key)).decode(),
            "expires_at": wire.instant(datetime.fromtimestamp(ends_at, UTC)),
            "server_key": base64.b64encode(self._gateway.signer.public).decode(),
            "endorsements": self._gateway.signer.endorsements(),
        }
        return json_answer(200, told)

    def _check_key(self, key: bytes, request: Request, path: str, body: bytes) -> None:
        headers = request.headers
        time = wire.time_of(headers.get(b"pupitre-time", b""), _milliseconds())
        signature = wire.from_base64(headers.get(b"pupitre-signature", b""))
        if not is_signed(key, signature, wire.signed_text(request.method, path, time, body)):
            raise wire.NotAuthentic

    async def _authenticated(self, request: Request, path: str, body: bytes) -> Device:
        """Whose request it is. Raises SessionEnded, NotAuthentic, OutOfTime, IsRetired, IsUnknown, Away."""
        headers = request.headers
        text = headers.get(b"pupitre-session", b"")
        now_ms = _milliseconds()
        time = wire.time_of(headers.get(b"pupitre-time", b""), now_ms)
        known = self._new.get(text)
        secret = known.secret if known is not None else wire.secret_of(text, self._sessions_key)
        signature = headers.get(b"pupitre-signature", b"")
        if not wire.is_authentic(secret, wire.signed_text(request.method, path, time, body), signature):
            wire.read_session(text)
            raise wire.NotAuthentic
        if known is None:  # only now is it worth asking the database, and remembering
            known = await self._known(text, secret)
        if known.ends_at * 1000 < now_ms:
            raise wire.SessionEnded
        if known.device.is_stale:
            known.device = await self._current(known.device.id, known.check)
        device = known.device
        if device.standing is not Standing.ENROLLED:
            _may_speak(device)
        return device

    async def _known(self, text: bytes, secret: bytes) -> _Known:
        found = self._old.pop(text, None)
        if found is None:
            session = wire.read_session(text)
            found = _Known(await self._current(session.device_id, session.key_check), secret, session)
        if len(self._new) >= self._half:
            self._old, self._new = self._new, {}
        self._new[text] = found
        return found

    async def _current(self, device_id: int, check: bytes) -> Device:
        device = await self._fleet.by_id(device_id)
        if device is None or wire.check_of(device.key) != check:
            raise wire.SessionEnded
        return device

    # The check-in

    async def check_in(self, request: Request) -> Answer:
        """A device reports, and fetches what is new."""
        body = await request.body(wire.MOST)
        device = await self._authenticated(request, wire.CHECK_IN, body)
        said = wire.read_check_in(body)
        now = clock.now()
        if device.standing is Standing.WAITING:
            await self._reports.save_status(device, _status(said), request.address)
            return json_answer(200, {"standing": "waiting", "commands": [], "next_seconds": _WAITING_SECONDS})
        if (
            device.has_told
            and not said.says_more
            and request.address == device.address
            and _is_same(said, device)
        ):
            await self._reports.seen.put((device.id, said.battery, said.charging))
        else:
            await self._reports.save_status(device, _status(said), request.address)
        sends_all = await self._take(device, said, now) if _has_work(said) else False
        state = self._fleet.state_of(device, now)
        held = request.headers.get(b"if-none-match")
        if (held == self._rendered(state).etag or wire.version_in(held) == state.version) and not sends_all:
            if device.id not in self._fleet.with_commands:
                return self._unchanged(state)
            commands = await self._commands.next_for(device, now)
            if not commands:
                return self._unchanged(state)
            return self._work(device, state, commands, with_state=False, sends_all=False)
        commands = await self._commands.next_for(device, now)
        is_other = wire.version_in(held) != state.version
        return self._work(device, state, commands, with_state=is_other, sends_all=sends_all)

    async def _take(self, device: Device, said: wire.CheckIn, now: datetime) -> bool:
        """Keep what it reports besides its status; returns whether it must send its whole inventory."""
        if said.results:
            await self._commands.save_results(device, [_result(one) for one in said.results])
        if said.installations:
            told = [
                (one.version, int(state), one.message)
                for one in said.installations
                if (state := wire.INSTALLED.get(one.state)) is not None
                and self._fleet.knows_version(one.version, device.authority)
            ]
            await self._reports.save_installations(device, told, now)
        inventory = said.inventory
        if inventory is None:
            return False
        return not await self._reports.save_inventory(
            device, base=inventory.base, digest=inventory.digest, changed=inventory.set, gone=inventory.gone,
            hardware=inventory.hardware, digest_of=wire.digest_of, now=now,
        )  # fmt: skip

    # What is told

    def _unchanged(self, state: State) -> Answer:
        rendered = self._rendered(state)
        return Answer(304, b"", (rendered.etag_header, (b"pupitre-next", b"%d" % self._next())))

    def _next(self) -> int:
        """When to come again: around the interval, so that those who came together come apart."""
        return int(self._interval * (0.85 + 0.3 * random.random()))  # noqa: S311 - spreads load

    def _work(
        self, device: Device, state: State, commands: list[Told], *, with_state: bool, sends_all: bool
    ) -> Answer:
        rendered = self._rendered(state)
        told: dict[str, Any] = {
            "commands": [self._command(device, one) for one in commands],
            "next_seconds": self._next(),
        }
        if with_state:
            told["state"] = msgspec.Raw(rendered.document(self, state))
            told["signature"] = rendered.signature
        if sends_all:
            told["inventory"] = "send all"
        body = msgspec.json.encode(told)
        return Answer(200, body, (JSON, (b"content-length", b"%d" % len(body)), rendered.etag_header))

    def _command(self, device: Device, command: Told) -> dict[str, Any]:
        told = {
            "arguments": command.arguments,
            "device": device.number,
            "id": command.id,
            "not_after": wire.instant(command.expires_at),
            "verb": wire.VERBS[command.verb],
        }
        signature = self._gateway.signer.sign(wire.canonical(told))
        return {**told, "signature": base64.b64encode(signature).decode()}

    def _rendered(self, state: State) -> "_Rendered":
        found: _Rendered | None = state.rendered.get(Agent)
        if found is None:
            found = state.rendered[Agent] = _Rendered(state)
        return found

    def document(self, state: State) -> dict[str, Any]:
        """The state as the agent is told it."""
        settings = self._fleet.settings_of(state)
        files = settings.pop("files", [])
        settings.pop("applications", None)
        return {
            "version": state.version,
            "time_zone": state.zone,
            "settings": settings,
            "why": {
                key: found.policy
                for key in settings
                if (found := state.desired.applied.get(key)) and found.policy
            },
            "schedule": list(state.desired.schedule),
            "applications": [self._application(one) for one in state.wanted],
            "files": [self._file(one, str(settings.get("site_cache", ""))) for one in files],
        }

    def _application(self, one: Any) -> dict[str, Any]:
        told: dict[str, Any] = {
            "package": one.package,
            "kind": one.kind,
            "action": one.action,
            "name": one.name,
        }
        if one.action != "install":
            return told
        told |= {"version": one.version, "version_id": one.version_id}
        told |= {"pinned": one.pinned, "keeps_newer": one.keeps_newer}
        if one.file_key:
            told |= {
                "url": self._address(one.file_key, one.sha256, one.package),
                "sha256": one.sha256, "size": one.size, "cache": one.cache,
            }  # fmt: skip
        elif one.url:
            told["url"] = one.url
        return told

    def _file(self, entry: Any, cache: str) -> dict[str, Any]:
        told = {"path": entry.get("path", ""), "action": entry.get("action", "put")}
        if entry.get("key") and entry.get("sha256"):
            told |= {
                "url": self._address(entry["key"], entry["sha256"], ""), "sha256": entry["sha256"],
                "size": entry.get("size", 0), "cache": cache,
            }  # fmt: skip
        return told

    def _address(self, key: str, sha256: str, name: str) -> str:
        path = sign_download(self._downloads_key, key, sha256, expiry_for(clock.now()), name=name)
        return self._gateway.config.gateway_url + path

    def sign(self, text: bytes) -> str:
        """The server's signature, in base64."""
        return base64.b64encode(self._gateway.signer.sign(text)).decode()

    # The wake channel

    def background(self) -> Iterable[Coroutine[Any, Any, None]]:
        """There is nothing."""
        return ()

    async def socket(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Hold the socket; tell it to wake, and nothing else."""
        if scope["path"] != wire.WAKE:
            return False
        await receive()  # websocket.connect
        try:
            request = Request({**scope, "method": "GET"}, receive, self._gateway.config.trusted_proxies)
            device = await self._authenticated(request, wire.WAKE, b"")
            if self._gateway.waiting.is_full(device.id):
                raise overloaded(len(self._gateway.waiting))
        except DomainError as error:
            await _deny(send, refusal(error))
            return True
        await send({"type": "websocket.accept"})
        await self._hold(device, receive, send)
        return True

    async def _hold(self, device: Device, receive: Receive, send: Send) -> None:
        tasks: set[asyncio.Task[None]] = set()

        async def tell(seconds: int) -> None:
            with suppress(OSError, RuntimeError):  # it may go in this moment: the loop below learns of it
                await send({"type": "websocket.send", "text": f"wake {seconds}"})

        def wake(seconds: int) -> None:
            task = asyncio.create_task(tell(seconds))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        leave = self._gateway.waiting.join(device, wake)
        try:
            if device.id in self._fleet.with_commands:
                wake(1)
            while (await receive())["type"] != "websocket.disconnect":
                pass
        finally:
            leave()


class _Rendered:
    """What this protocol makes of a state: its tag at once, its text and signature when somebody first needs them."""

    __slots__ = ("_text", "etag", "etag_header", "signature")

    def __init__(self, state: State) -> None:
        self.etag = wire.etag(state.version)
        self.etag_header = (b"etag", self.etag)
        self._text = b""
        self.signature = ""

    def document(self, agent: Agent, state: State) -> bytes:
        """The exact text that is signed."""
        if not self._text:
            self._text = wire.canonical(agent.document(state))
            self.signature = agent.sign(self._text)
        return self._text


def _milliseconds() -> int:
    return int(clock.now().timestamp() * 1000)


def _may_speak(device: Device) -> None:
    if device.standing is Standing.RETIRED:
        raise wire.IsRetired
    if device.standing is Standing.EXPECTED:
        raise wire.IsUnknown


def _is_same(said: wire.CheckIn, device: Device) -> bool:
    return said.applied is None or said.applied.partition("~")[0] == device.applied


def _has_work(said: wire.CheckIn) -> bool:
    return bool(said.results or said.installations or said.inventory is not None)


def _status(said: wire.CheckIn) -> Status:
    problems = None
    if said.problems is not None:
        problems = [{"key": one.key, "reason": one.reason} for one in said.problems]
    return Status(
        said.battery, said.charging, said.battery_health, said.os_version, said.agent_version, said.storage_free,
        said.applied, problems,
    )  # fmt: skip


def _result(one: wire.Result) -> tuple[int, bool, dict[str, Any]]:
    facts: dict[str, Any] = {"output": one.output} if one.output else {}
    if one.code is not None:
        facts["code"] = one.code
    return one.command, one.state in _DONE, facts


async def _deny(send: Send, answer: Answer) -> None:
    headers = list(answer.headers)
    await send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})
