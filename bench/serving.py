"""The web server of a populated database, at an hour of its last school day: `python -m bench.serving`.

What `pupitre up` starts, but the clock: pages of a day are only full while that day lasts, and a benchmark is called on any.
$BENCH_NOW is the instant at which the server starts; from there its clock goes on.
"""

import os
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from pupitre.kernel import clock
from pupitre.kernel import config as configuration

_BEGAN = time.monotonic()


def instant() -> datetime:
    """What the server's clock shows."""
    return datetime.fromisoformat(os.environ["BENCH_NOW"]) + timedelta(seconds=time.monotonic() - _BEGAN)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The product's pages with that clock."""
    from pupitre.project import wsgi

    with clock.frozen(instant()):
        return wsgi.application(environ, start_response)


def main() -> None:
    """Serve with the product's own settings of the web server."""
    from granian import server

    from pupitre.project import database, web

    config = configuration.load(os.environ)
    database.adopt(config, database.joined(config))
    real = server.Server

    def with_clock(_target: str, **options: Any) -> Any:
        return real("bench.serving:application", **options)

    server.Server = with_clock  # type: ignore[assignment]
    web.serve(config)


if __name__ == "__main__":
    main()
