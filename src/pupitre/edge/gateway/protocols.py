"""How a protocol is joined to the gateway. The next one is a module beside `agent.py` and a line in `ADAPTERS` of `app.py`.

An adapter has two halves. The wire is pure: it parses, renders and authenticates, knows nothing of the database, and
raises `DomainError`s. The handlers map it to the domain: whose request it is (`Fleet.by_number`, `by_id`), what the device
shall be (`Fleet.state_of`, `Fleet.desired_of`), what it reports (`Reports`), which commands wait for it (`Commands`), who
waits for a sign (`Waiting`). Neither half knows another protocol, and nothing of the domain knows either.
"""

from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from pupitre.kernel.config import Config
from pupitre.kernel.postgres import Postgres
from pupitre.kernel.signing import Signer

from .commands import Commands
from .enrolling import Enrolling
from .fleet import Fleet
from .reports import Reports
from .waiting import Waiting
from .wire import Receive, Route, Scope, Send


@dataclass(frozen=True, slots=True)
class Gateway:
    """What a protocol's handlers work with."""

    config: Config
    postgres: Postgres
    fleet: Fleet
    reports: Reports
    commands: Commands
    enrolling: Enrolling
    waiting: Waiting
    signer: Signer


class Adapter(Protocol):
    """One protocol."""

    def __init__(self, gateway: Gateway) -> None: ...

    def routes(self) -> Iterable[Route]:
        """Where it is asked."""
        ...

    async def socket(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Take a WebSocket whose path is the protocol's; False where it is not."""
        ...

    def background(self) -> Iterable[Coroutine[Any, Any, None]]:
        """What runs besides as long as the process does."""
        ...
