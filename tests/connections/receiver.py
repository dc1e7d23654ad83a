"""Another system that is told: a real HTTP server on loopback which answers as a test wishes and keeps what it got."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`statuses` are answered one after the other, the last one for ever."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b"ok"
    seconds: float = 0.0
    drips: bool = False
    received: list[Received] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        return [json.loads(one.body)["type"] for one in self.received]


@contextmanager
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.received.append(Received(self.path, headers, body))
            time.sleep(state.seconds)
            status = state.statuses.pop(0) if len(state.statuses) > 1 else state.statuses[0]
            self.send_response(status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "10000" if state.drips else str(len(state.answer)))
            self.end_headers()
            try:
                while state.drips:
                    self.wfile.write(b".")
                    self.wfile.flush()
                    time.sleep(0.05)
                self.wfile.write(state.answer)
            except OSError:
                return

        def log_message(self, *args: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/hooks?from=pupitre"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
