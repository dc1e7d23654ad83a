"""The channel by which the server says that there is something to ask for. It carries nothing else, and may be gone for hours."""

import contextlib
import random
import threading
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

from .backoff import Backoff
from .client import Network
from .errors import AgentError
from .wire import WAKE

_PING: Final = 300.0
_MOST_SPREAD: Final = 600.0


class WakeChannel:
    """A thread that holds the channel open. `headers` signs it anew each time; `woken` is called after the random moment,
    `refused` where the server did not open it: the session may have ended.
    """

    def __init__(
        self,
        network: Network,
        headers: Callable[[], Mapping[str, str]],
        woken: Callable[[], None],
        refused: Callable[[], None],
    ) -> None:
        self._network = network
        self._headers = headers
        self._refused = refused
        self._woken = woken
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wake", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stopped.is_set():
            # Check-ins go on without it.
            with contextlib.suppress(OSError, WebSocketException, AgentError, ValueError):
                try:
                    self._listen(backoff)
                except InvalidStatus:
                    self._refused()
                    raise
            self._stopped.wait(backoff.next())

    def _listen(self, backoff: Backoff) -> None:
        address = urlsplit(self._network.server)
        scheme = "wss" if address.scheme == "https" else "ws"
        url = urlunsplit((scheme, address.netloc, address.path.rstrip("/") + WAKE, "", ""))
        with connect(
            url,
            ssl=self._network.context,
            additional_headers=dict(self._headers()),
            ping_interval=_PING,
            ping_timeout=60,
            max_size=1024,
            proxy=None,
        ) as channel:
            backoff.succeeded()
            while not self._stopped.is_set():
                try:
                    text = channel.recv(timeout=5)
                except TimeoutError:
                    continue
                spread = spread_of(text)
                if spread is not None and not self._stopped.wait(random.uniform(0, spread)):  # noqa: S311
                    self._woken()


def spread_of(text: str | bytes) -> float | None:
    """Within how many seconds to ask, of "wake 30"; None where the text says nothing that is known."""
    words = text.split() if isinstance(text, str) else []
    if not words or words[0] != "wake" or len(words) > 2:
        return None
    if len(words) == 1:
        return 0.0
    return min(float(words[1]), _MOST_SPREAD) if words[1].isdigit() else None
