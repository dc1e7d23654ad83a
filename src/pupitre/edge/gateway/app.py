"""The gateway as an ASGI application: `create` reads the settings; the adapters say what is answered where."""

import asyncio
import gc
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from pupitre.kernel import config as configuration
from pupitre.kernel import processes, sealing
from pupitre.kernel.config import Config
from pupitre.kernel.errors import Busy, DomainError
from pupitre.kernel.postgres import Postgres
from pupitre.kernel.signing import Signer

from .agent import Agent
from .commands import Commands
from .enrolling import Enrolling
from .files import Files
from .fleet import Fleet
from .headwind import Headwind
from .listening import Listening
from .protocols import Adapter, Gateway
from .reports import Reports
from .waiting import Waiting
from .wire import Answer, Gone, Handler, Receive, Request, Route, Scope, Send, json_answer, problem, refusal

#: The protocols that are spoken. The next one goes here.
ADAPTERS: Final[tuple[type[Adapter], ...]] = (Agent, Headwind, Files)
#: The purpose of the key by which the server signs what agents obey.
SERVER_KEY: Final = "devices"
_log: Final = logging.getLogger(__name__)


class Application:
    """One gateway process."""

    def __init__(self, config: Config, adapters: Sequence[type[Adapter]] = ADAPTERS) -> None:
        secrets = (config.secret_key, *config.old_secret_keys)
        sealing.use(secrets)
        postgres = Postgres(config.database_url or "", size=config.gateway_connections)
        fleet = Fleet(postgres, most=config.gateway_devices)
        waiting = Waiting()
        self.gateway = Gateway(
            config, postgres, fleet, Reports(postgres), Commands(postgres, fleet), Enrolling(postgres, fleet), waiting,
            Signer(secrets, SERVER_KEY),
        )  # fmt: skip
        self.listening = Listening(postgres, fleet, waiting)
        self._adapters = [adapter(self.gateway) for adapter in adapters]
        self._trusted = config.trusted_proxies
        self._exact: dict[tuple[str, str], Handler] = {}
        self._below: list[tuple[str, str, Handler]] = []
        self._add(Route("GET", "/health/live", _live))
        self._add(Route("GET", "/health/ready", self._ready))
        for one in self._adapters:
            for route in one.routes():
                self._add(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            answer = await self._answer(scope, receive)
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            if answer.stream is None:
                await send({"type": "http.response.body", "body": answer.body})
            else:
                await _pour(answer, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._live(receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        handler = self._exact.get((scope["method"], scope["path"])) or self._find(scope)
        try:
            if isinstance(handler, Answer):
                return handler
            return await handler(Request(scope, receive, self._trusted))
        except Gone:
            return Answer(400)
        except DomainError as error:
            return refusal(error)
        except Exception:  # noqa: BLE001 - told, logged, and the next request is answered
            _log.exception("%s %s failed", scope["method"], scope["path"])
            return problem(500, "Something went wrong on our side.", headers=[(b"retry-after", b"60")])

    def _add(self, route: Route) -> None:
        if route.path.endswith("/"):
            self._below.append((route.method, route.path, route.handler))
            self._below.sort(key=lambda one: -len(one[1]))
        else:
            self._exact[route.method, route.path] = route.handler

    def _find(self, scope: Scope) -> Handler | Answer:
        method, path = scope["method"], scope["path"]
        others = {known for known, address in self._exact if address == path}
        for known, prefix, handler in self._below:
            if path.startswith(prefix):
                if known == method:
                    return handler
                others.add(known)
        if others:
            allow = ", ".join(sorted(others)).encode()
            return problem(405, "This address does not know that method.", headers=[(b"allow", allow)])
        return problem(404, "There is nothing here.")

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        for one in self._adapters:
            if await one.socket(scope, receive, send):
                return
        await receive()
        await send({"type": "websocket.close", "code": 1008})

    async def _live(self, receive: Receive, send: Send) -> None:
        """Begin following the fleet when the server starts, and write what is left when it stops."""
        running: list[asyncio.Task[None]] = []
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                running = [asyncio.create_task(self.listening.run())]
                running += [asyncio.create_task(one) for own in self._adapters for one in own.background()]
                await send({"type": "lifespan.startup.complete"})
            else:
                for one in running:
                    one.cancel()
                await asyncio.gather(*running, return_exceptions=True)
                with suppress(TimeoutError, Busy):
                    await asyncio.wait_for(self.gateway.reports.finish(), 2.0)
                await self.gateway.postgres.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _ready(self, _request: Request) -> Answer:
        is_ready = self.listening.is_current
        told = {"ready": is_ready, "devices": len(self.gateway.fleet), "waiting": len(self.gateway.waiting)}
        return json_answer(200 if is_ready else 503, told)


async def _live(_request: Request) -> Answer:
    return json_answer(200, {"alive": True})


async def _pour(answer: Answer, send: Send) -> None:
    """Send the pieces as fast as they are taken."""
    assert answer.stream is not None
    async for piece in answer.stream:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def create() -> Application:
    """The application of the settings in the environment: what uvicorn calls in each of its processes."""
    if "PUPITRE_SUPERVISOR" in os.environ:
        processes.follow_parent()
    # What devices leave in memory is looked through seldom: there is much of it, and hardly a cycle in it.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    return Application(configuration.load(os.environ))
