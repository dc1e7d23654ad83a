"""The devices' gateway: uvicorn, whose processes answer devices (`python -m pupitre.project.gateway`)."""

import os

from pupitre.kernel import config as configuration
from pupitre.kernel import processes
from pupitre.kernel.config import Config

#: Seconds that what is being answered may still take when the gateway is told to stop.
GRACE = 2


def serve(config: Config) -> None:
    """Answer devices until told to stop. The database's address stands in the environment."""
    import uvicorn

    uvicorn.run(
        "pupitre.edge.gateway.app:create",
        factory=True,
        host=config.host,
        port=config.gateway_port,
        workers=config.gateway_workers,
        loop="auto",
        http="httptools",
        # Named, because what "auto" chooses changes with releases; compression would cost every idle socket its tables.
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=4096,
        ws_ping_interval=300,
        ws_ping_timeout=60,
        # The address of a device behind proxies is told by the request itself (edge/gateway/wire.py).
        proxy_headers=False,
        server_header=False,
        access_log=False,
        lifespan="on",
        backlog=4096,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE,
        log_level="debug" if config.log_level == "debug" else "warning",
    )


def main() -> None:
    if "PUPITRE_SUPERVISOR" in os.environ:
        processes.follow_parent()
    serve(configuration.load(os.environ))


if __name__ == "__main__":
    main()
