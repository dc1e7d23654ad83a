"""The adapter of Headwind's stock Android agent: what its requests mean to the fleet.

The agent's signatures tell only that somebody knows the fleet's secret. Who a device is rests on its number, which must be
known to us, and on the ticket by which it came; what it may then learn is its own configuration, in which there is no secret.
"""

import hmac
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from pupitre.devices.rules import InstallState, Platform, Protocol, Standing, UnknownTicket, Verb
from pupitre.devices.rules.downloads import DOWNLOADS, expiry_for, sign_download
from pupitre.devices.rules.fleet import plain_serial
from pupitre.devices.rules.headwind import (
    configuration,
    coverage,
    enrolling,
    packages,
    reading,
    signing,
    verbs,
    versions,
)
from pupitre.devices.rules.headwind.configuration import Remembered, Wish
from pupitre.devices.rules.headwind.reading import Reported
from pupitre.devices.rules.headwind.verbs import Order
from pupitre.kernel import clock
from pupitre.kernel.errors import Busy, DomainError
from pupitre.kernel.signing import derived

from .enrolling import Newcomer, WrongCodes
from .fleet import Device, State
from .headwind_keeping import Keeping
from .headwind_mqtt import Publishing
from .headwind_polling import Hours, Now, Polling
from .protocols import Gateway
from .reports import Status
from .wire import JSON, Answer, Receive, Request, Route, Scope, Send

#: Requests with a wrong signature or number that an address may make in a minute; a school's devices share one.
_WRONG: Final = 120
_MOST_ADDRESSES: Final = 10_000
#: Lines of log of one device that are kept in an hour; the rest is taken and thrown away.
_LINES_AN_HOUR: Final = 120
#: What of the agent's own log is asked for: warnings and errors.
_LOG_LEVEL: Final = 2
#: Configurations that are kept of one state: devices of the same state differ by what they have installed.
_RENDERED: Final = 200
_MESSAGE_KEY: Final = "headwind messages"
_CONFIGURED: Final = tuple(verb for verb, one in verbs.CARRIAGE.items() if one.way is verbs.Way.CONFIGURATION)
_REFUSED: Final = tuple(verb for verb, one in verbs.CARRIAGE.items() if one.way is verbs.Way.NOT)
_PAGE_HEADERS: Final = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
Answering = Callable[[Device, Request], Awaitable[Answer]]


class Refusal(DomainError):
    """An answer in the protocol's own words."""

    def __init__(self, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.status = status


class Headwind:
    """The adapter. Where no secret of the fleet is set, nothing is answered."""

    def __init__(self, gateway: Gateway) -> None:
        config = gateway.config
        self._gateway, self._fleet = gateway, gateway.fleet
        self._secret = config.headwind_secret
        self._keeping = Keeping(gateway.postgres)
        self._hours = Hours(gateway.fleet)
        self._polling = Polling(gateway, self._keeping, self._hours, self._page_of)
        self._downloads_key = derived(config.secret_key, DOWNLOADS)
        self._messages_key = derived(config.secret_key, _MESSAGE_KEY)
        self._panel_key = derived(config.secret_key, enrolling.PANEL)
        self._publishing = Publishing(gateway, self._polling)
        self._wrong = _Counts(_WRONG, 60)
        self._lines = _Counts(_LINES_AN_HOUR, 3600)

    def routes(self) -> Iterable[Route]:
        """Where the agent asks."""
        if not self._secret:
            return ()
        plugins = "/rest/plugins/"
        found = [
            ("GET", "/rest/public/sync/configuration/", self.configure),
            ("POST", "/rest/public/sync/configuration/", self.enrol),
            ("POST", "/rest/public/sync/info", self.report),
            ("POST", "/rest/public/sync/applicationSettings/", self._below(self._take_settings)),
            ("GET", signing.SHORT_POLLING, self.poll_shortly),
            ("GET", signing.POLLING, self.poll),
            ("GET", plugins + "devicelog/log/rules/", self._below(self._log_rules)),
            ("POST", plugins + "devicelog/log/list/", self._below(self._take_log)),
            ("PUT", plugins + "deviceinfo/deviceinfo/public/", self._below(self._drop)),
            ("GET", plugins + "deviceinfo/deviceinfo-plugin-settings/device/", self._below(self._telemetry)),
            ("PUT", plugins + "devicelocations/public/update/", self._below(self._drop)),
            ("POST", plugins + "devicereset/public/", self._below(self._confirmed(Verb.WIPE))),
            ("POST", plugins + "devicereset/public/reboot/", self._below(self._confirmed(Verb.REBOOT))),
            ("POST", plugins + "devicereset/public/password/", self._below(self._confirmed(Verb.CLEAR_PASSCODE))),
            ("GET", "/rest/public/qr/json/", self.qr),
            ("GET", "/rest/public/message/", self.message),
            ("GET", "/rest/public/certificate/", self.certificate),
        ]  # fmt: skip
        return [Route(method, path, self._in_its_words(path, handler)) for method, path, handler in found]

    def background(self) -> Iterable[Coroutine[Any, Any, None]]:
        """What runs besides as long as the process does."""
        return [self._publishing.run()] if self._secret and self._gateway.config.mqtt_url else []

    async def socket(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """There are none."""
        return False

    # Who asks

    def _in_its_words(
        self, path: str, handler: Callable[[Request, str], Awaitable[Answer]]
    ) -> Callable[[Request], Awaitable[Answer]]:
        """The handler with the rest of the path, and with refusals as the agent understands them."""
        cut = len(path) if path.endswith("/") else None

        async def answered(request: Request) -> Answer:
            raw = "" if cut is None else request.raw_path.decode("latin-1")[cut:]
            try:
                self._wrong.refuse(request.address)
                return await handler(request, raw)
            except Refusal as error:
                if error.message in (signing.NOT_FOUND, signing.DENIED):
                    self._wrong.count(request.address)
                return _said(signing.error(error.message), status=error.status)
            except reading.Malformed:
                return _said(signing.error(signing.MALFORMED))
            except Busy as error:
                pause = (b"retry-after", b"%d" % error.retry_after)
                return _said(signing.error(signing.BUSY), [pause], status=503)

        return answered

    def _below(self, answering: Answering) -> Callable[[Request, str], Awaitable[Answer]]:
        """A handler for what is not signed: the device must be known, and come by this protocol."""

        async def handler(request: Request, raw: str) -> Answer:
            return await answering(await self._known(raw), request)

        return handler

    async def _known(self, raw: str) -> Device:
        """Raises Refusal, Away."""
        device = await self._fleet.by_number(_number(raw))
        if device is None or not _comes_by_this(device):
            raise Refusal(signing.NOT_FOUND)
        return device

    def _must_be_signed(self, request: Request, expected: Iterable[str], status: int = 200) -> None:
        told = request.headers.get(b"x-request-signature", b"").decode("latin-1")
        if not signing.is_one_of(told, expected):
            raise Refusal(signing.DENIED, status)

    # Configuration

    async def configure(self, request: Request, raw: str) -> Answer:
        """The agent asks what holds."""
        number = _number(raw)
        self._must_be_signed(request, [signing.of_device(self._secret, number)])
        device = await self._fleet.by_number(number) or await self._by_alias(number)
        if device is None or not _comes_by_this(device):
            raise Refusal(signing.NOT_FOUND)
        return await self._configuration(device, number, request)

    async def enrol(self, request: Request, raw: str) -> Answer:
        """The agent comes for the first time, or after it was reset."""
        number = _number(raw)
        self._must_be_signed(request, [signing.of_device(self._secret, number)])
        said = reading.enrolling(await request.body(16_000))
        device = await self._fleet.by_number(number) or await self._by_alias(number)
        if device is None or not _comes_by_this(device):
            device = await self._let_in(number, said.codes, request)
        elif said.codes and await self._gateway.enrolling.leads_elsewhere(
            said.codes, device.school, clock.now()
        ):
            # Another school was told this tablet's number before it came: it shall not have it.
            raise Refusal(signing.DENIED)
        self._hours.forget(device)
        return await self._configuration(device, number, request)

    async def _by_alias(self, told: str) -> Device | None:
        found = await self._keeping.alias(self._fleet.authorities, told)
        if found is None or found.protocol != Protocol.HEADWIND:
            return None
        return await self._fleet.by_id(found.id)

    async def _let_in(self, number: str, codes: Iterable[str], request: Request) -> Device:
        """By the first of these codes that is a ticket's. Raises Refusal, Busy."""
        expected = await self._keeping.alias(self._fleet.authorities, number)
        by_imei = expected is not None and expected.serial != plain_serial(number)
        newcomer = Newcomer(
            expected.number if by_imei and expected is not None else number,
            Platform.ANDROID,
            Protocol.HEADWIND,
            serial=expected.serial if expected is not None else plain_serial(number),
            imei=number if by_imei else "",
            address=request.address,
            listed_in=expected.school if expected and expected.standing != Standing.RETIRED else None,
        )
        for code in codes:
            try:
                await self._gateway.enrolling.enrol(newcomer, code, clock.now())
            except UnknownTicket:
                continue
            except WrongCodes:
                raise Refusal(signing.DENIED, 429) from None
            except Busy:
                raise
            except DomainError:
                raise Refusal(signing.DENIED) from None
            device = await self._fleet.by_number(newcomer.number)
            if device is not None:
                return device
        raise Refusal(signing.NOT_FOUND)

    async def _configuration(self, device: Device, asked_as: str, request: Request) -> Answer:
        if device.standing is Standing.WAITING:
            body = signing.answer(configuration.waiting(device.number, asked_as, device.number))
        else:
            panel = enrolling.panel_code(self._panel_key, device.number)
            shared = await self._shared(device, clock.now())
            body = signing.answer_in_parts(configuration.own(device.number, asked_as, panel), shared)
        headers = [
            (b"x-response-signature", signing.signature_of(self._secret, body).encode()),
            (b"x-ip-address", request.address.encode("latin-1", "replace")),
        ]
        return _said(body, headers)

    async def _shared(self, device: Device, now: datetime) -> bytes:
        """The part of the configuration that many devices have alike, as JSON."""
        state = self._fleet.state_of(device, now)
        holding = self._hours.of(state, now)
        remembered, digest, lock = await self._keeping.remembered(device)
        orders: list[Order] = []
        if device.id in self._fleet.with_commands:
            orders = await self._keeping.due(device, _CONFIGURED, now)
            await self._refuse_others(device, now)
        key = (holding.stamp, digest, now.date())
        kept: dict[Any, bytes] = state.rendered.setdefault("headwind", {})
        found = None if orders or lock else kept.get(key)
        if found is None:
            wish = self._wish(device, state, holding, remembered, now, orders=orders, lock=lock)
            locks = configuration.locks_of(wish)
            if not locks.locked <= remembered.ever_locked:
                # Before it is told: what is locked and not remembered could never be set free.
                await self._keeping.keep_locked(device, locks.locked, now)
            found = msgspec.json.encode(configuration.shared(wish, locks))
            if not orders and not lock and locks.locked <= remembered.ever_locked:
                if len(kept) >= _RENDERED:
                    kept.clear()
                kept[key] = found
        self._hours.told(device, holding.stamp)
        return found

    def _wish(
        self, device: Device, state: State, holding: Now, remembered: Remembered, now: datetime, **orders: Any
    ) -> Wish:
        settings = self._fleet.settings_of(state) | holding.settings
        is_limited = packages.allowed(settings) is not None
        return Wish(
            number=device.number,
            asked_as=device.number,
            version=holding.stamp,
            settings=settings,
            time_zone=state.zone,
            link=self._link,
            certificate_link=self._certificate_link,
            panel="",
            now=now,
            named=_named(state),
            known=self._fleet.packages_of(device.authority, Platform.ANDROID) if is_limited else frozenset(),
            applications=state.wanted,
            remembered=remembered,
            mqtt=bool(self._gateway.config.mqtt_url),
            **orders,
        )

    async def _refuse_others(self, device: Device, now: datetime) -> None:
        """Say of commands that this agent cannot carry out why not."""
        orders = await self._keeping.due(device, _REFUSED, now)
        if orders:
            await self._save(device, verbs.refused(orders))

    def _link(self, key: str, sha256: str, name: str) -> str:
        return self._gateway.config.gateway_url + _signed(
            self._downloads_key, key, sha256, name, expiry_for(clock.now())
        )

    def _certificate_link(self, token: str) -> str:
        return f"{self._gateway.config.gateway_url}/rest/public/certificate/{token}/certificate.pem"

    async def certificate(self, request: Request, raw: str) -> Answer:
        """A certificate of a policy; the address is all of it, and there is no secret in it."""
        pem = configuration.certificate_of(raw.partition("/")[0])
        if pem is None:
            return Answer(404)
        headers = [(b"content-type", b"application/x-pem-file"), (b"x-content-type-options", b"nosniff")]
        return Answer(200, pem.encode(), headers)

    # Reports

    async def report(self, request: Request, _raw: str) -> Answer:
        """The agent says how it is. It does not sign that."""
        report = reading.device_info(await request.body(reading.MOST_BYTES))
        device = await self._fleet.by_number(report.number)
        if device is None or not _comes_by_this(device):
            raise Refusal(signing.NOT_FOUND)
        await self._take(device, report, request.address)
        return _said(signing.answer(), [(b"x-ip-address", request.address.encode("latin-1", "replace"))])

    async def _take(self, device: Device, report: Reported, address: str) -> None:
        now = clock.now()
        if device.standing is not Standing.ENROLLED:
            await self._gateway.reports.save_status(
                device, Status(report.battery, report.is_charging), address
            )
            return
        state = self._fleet.state_of(device, now)
        if not self._keeping.says_something_new(device, report, state.version):
            status = Status(report.battery, report.is_charging)
        else:
            status = await self._keep(device, report, state)
        try:
            await self._gateway.reports.save_status(device, status, address)
        except DomainError:
            self._keeping.forget(device)
            raise
        if device.id in self._fleet.with_commands and report.commands:
            await self._save(device, verbs.proved(report, await self._keeping.sent(device)))

    async def _keep(self, device: Device, report: Reported, state: State) -> Status:
        """Keep what is new in a report besides its status, which is returned."""
        try:
            await self._keeping.keep_inventory(device, report, _installed(report, state))
        except DomainError:
            self._keeping.forget(device)
            raise
        return Status(
            report.battery, report.is_charging, None, report.os_version or None, report.agent_version or None, None,
            report.stamp or None, _problems(report, state),
        )  # fmt: skip

    async def _save(self, device: Device, verdicts: Iterable[verbs.Verdict]) -> None:
        results = [
            (one.command, one.is_done, {"output": one.message} if one.message else {}) for one in verdicts
        ]
        if results:
            await self._gateway.commands.save_results(device, results)

    def _confirmed(self, verb: Verb) -> Answering:
        """The agent asks leave to wipe or restart, or says that it set the passcode. Only what was handed out is confirmed."""

        async def answering(device: Device, request: Request) -> Answer:
            report = reading.device_info(await request.body(reading.MOST_BYTES))
            orders = [one for one in await self._keeping.sent(device) if one.verb is verb]
            if not orders or device.standing is not Standing.ENROLLED:
                raise Refusal(signing.DENIED)
            await self._save(device, verbs.confirmed(verb, report, orders))
            return _said(signing.answer())

        return answering

    async def _take_settings(self, _device: Device, request: Request) -> Answer:
        """What applications report of their settings is not kept: nobody here asked for it."""
        reading.settings_told(await request.body(reading.MOST_BYTES))
        return _said(signing.answer())

    async def _drop(self, _device: Device, request: Request) -> Answer:
        """Locations and detailed telemetry: taken, so that the agent does not try again, and thrown away unread."""
        await request.body(reading.MOST_BYTES)
        return _said(signing.answer())

    async def _telemetry(self, _device: Device, _request: Request) -> Answer:
        return _said(signing.answer({"sendData": False, "intervalMins": 1440}))

    async def _log_rules(self, _device: Device, _request: Request) -> Answer:
        return _said(
            signing.answer([{"packageId": packages.LAUNCHER, "logLevel": _LOG_LEVEL, "filter": None}])
        )

    async def _take_log(self, device: Device, request: Request) -> Answer:
        now = clock.now()
        lines = reading.log_lines(await request.body(reading.MOST_BYTES), now)
        if device.standing is not Standing.ENROLLED:
            return _said(signing.answer())
        kept = [
            (one.logged_at, one.level, one.package, one.message)
            for one in lines
            if one.message and self._lines.allows(str(device.id))
        ]
        await self._gateway.reports.save_log(device, kept)
        failed = dict(found for one in lines if (found := reading.failed_application(one)))
        told = [
            (one.version_id, int(InstallState.FAILED), failed[one.package])
            for one in self._fleet.state_of(device, now).wanted
            if one.version_id and one.package in failed
        ]
        if told and kept:
            await self._gateway.reports.save_installations(device, told, now)
        return _said(signing.answer())

    # Messages

    async def poll(self, request: Request, raw: str) -> Answer:
        """The agent asks for messages, and waits for them."""
        device = await self._asks(request, raw, signing.POLLING)
        return _said(signing.answer(verbs.polled(await self._polling.wait(device))))

    async def poll_shortly(self, request: Request, raw: str) -> Answer:
        """An older agent asks for messages, and does not wait."""
        device = await self._asks(request, raw, signing.SHORT_POLLING)
        return _said(signing.answer(verbs.polled(await self._polling.pending(device, clock.now()))))

    async def _asks(self, request: Request, raw: str, path: str) -> Device:
        # Refused with 403, an agent waits for a minute; with 200 it would be back after five seconds.
        self._must_be_signed(request, signing.of_poll(self._secret, path, raw), 403)
        device = await self._fleet.by_number(_number(raw))
        if device is None or not _comes_by_this(device):
            raise Refusal(signing.NOT_FOUND, 403)
        return device

    def _page_of(self, device: Device, command: int) -> str:
        told = f"{device.school}-{device.id}-{command}"
        return f"{self._gateway.config.gateway_url}/rest/public/message/{told}-{self._mac(told)}"

    def _mac(self, told: str) -> str:
        return hmac.digest(self._messages_key, told.encode(), "sha256").hex()[:32]

    async def message(self, _request: Request, raw: str) -> Answer:
        """The page of a message. That it was opened is how we learn that it arrived."""
        told, _, mac = raw.rpartition("-")
        if not hmac.compare_digest(self._mac(told).encode(), mac.encode("latin-1", "replace")):
            return Answer(404)
        school, device_id, command = (int(part) for part in told.split("-"))
        text = await self._keeping.message(school, device_id, command)
        device = await self._fleet.by_id(device_id)
        if text is None or device is None:
            return Answer(404)
        await self._gateway.commands.save_results(device, [(command, True, {})])
        return Answer(200, _page(text).encode(), _PAGE_HEADERS)

    # QR code

    async def qr(self, _request: Request, raw: str) -> Answer:
        """What the QR code of a ticket says, as Headwind's own server tells it: for zero-touch and for images with `init.json`."""
        code = _number(raw)
        async with self._gateway.postgres.gateway() as connection:
            try:
                ticket = await self._gateway.enrolling.ticket(connection, code, clock.now())
            except UnknownTicket:
                raise Refusal(signing.NOT_FOUND) from None
        found = self._fleet.newest(ticket.authority, ticket.school, Platform.ANDROID, packages.LAUNCHER)
        if found is None:
            raise Refusal("error.notfound.application")
        url = found.url or self._link(found.file_key, found.sha256, f"{packages.LAUNCHER}.apk")
        agent = enrolling.Agent(url, found.sha256)
        told = enrolling.provisioning(server=self._gateway.config.gateway_url, code=code, agent=agent)
        return Answer(200, msgspec.json.encode(told), [JSON])


@lru_cache(maxsize=4096)
def _signed(secret: bytes, key: str, sha256: str, name: str, expires: datetime) -> str:
    return sign_download(secret, key, sha256, expires, name=name)


class _Counts:
    """How often something happened to whom within the present period, at this process."""

    def __init__(self, most: int, seconds: int) -> None:
        self._most, self._seconds = most, seconds
        self._period = 0
        self._counts: dict[str, int] = {}

    def count(self, whom: str) -> int:
        period = int(clock.now().timestamp()) // self._seconds
        if period != self._period or len(self._counts) > _MOST_ADDRESSES:
            self._period, self._counts = period, {}
        self._counts[whom] = self._counts.get(whom, 0) + 1
        return self._counts[whom]

    def allows(self, whom: str) -> bool:
        """Count it, and say whether it is not too often."""
        return self.count(whom) <= self._most

    def refuse(self, whom: str) -> None:
        """Raises Refusal where it was too often already."""
        period = int(clock.now().timestamp()) // self._seconds
        if period == self._period and self._counts.get(whom, 0) > self._most:
            raise Refusal(signing.BUSY, 429)


def _said(body: bytes, headers: Iterable[tuple[bytes, bytes]] = (), *, status: int = 200) -> Answer:
    return Answer(status, body, [JSON, (b"content-length", b"%d" % len(body)), *headers])


def _number(raw: str) -> str:
    """The number in a path, as it is meant; "" where it cannot be one."""
    told = unquote(raw, errors="replace")
    return told if told and len(told) <= 200 and reading.text(told) == told.strip() == told else ""


def _comes_by_this(device: Device) -> bool:
    """Whether this protocol speaks for the device: one with a key of its own never."""
    return (
        device.protocol is Protocol.HEADWIND
        and not device.key
        and device.standing in (Standing.ENROLLED, Standing.WAITING)
    )


def _named(state: State) -> frozenset[str]:
    found = state.rendered.get("headwind named")
    if found is None:
        found = packages.named(state.desired.settings, state.desired.schedule)
        state.rendered["headwind named"] = found
    return frozenset(found)


def _installed(report: Reported, state: State) -> list[int]:
    """The versions that the device shall have and has."""
    return [
        one.version_id
        for one in state.wanted
        if one.version_id
        and (has := _version_of(report, one.package))
        and versions.compare(has, one.version) == 0
    ]


def _version_of(report: Reported, package: str) -> str:
    return report.agent_version if package == packages.LAUNCHER else report.applications.get(package, "")


def _problems(report: Reported, state: State) -> list[dict[str, str]]:
    """What keeps the device from being as it shall be: what the agent cannot do, or may not."""
    settings = state.desired.settings
    found = coverage.not_carried(settings)
    if not report.is_owner:
        found.append(
            {"key": "owner", "reason": "The agent does not own the device: it was not enrolled by QR code."}
        )
    elif report.permissions and not report.permissions[0]:
        found.append({"key": "owner", "reason": "The agent is no administrator of the device."})
    found += coverage.too_old(settings.get("oldest_system"), report.os_version)
    found += [
        {"key": "applications", "reason": f"{one.package} {one.version} is not installed yet."}
        for one in state.wanted
        if one.action == "install" and one.kind == "apk" and not _version_of(report, one.package)
    ]
    return found[:20]


def _page(text: str) -> str:
    from html import escape

    return (
        '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1.5">'
        f"<title>{escape(text[:60])}</title><h1>{escape(text)}</h1>"
    )
