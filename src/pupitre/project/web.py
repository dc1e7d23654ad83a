"""The web server: granian, whose processes answer pages (`python -m pupitre.project.web`)."""

import os

from pupitre.kernel import config as configuration
from pupitre.kernel import processes


def serve(config: configuration.Config) -> None:
    """Answer pages until told to stop."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    Server(
        "pupitre.project.wsgi:application",
        address=config.host,
        port=config.port,
        interface=Interfaces.WSGI,
        workers=config.web_workers,
        # A waiting request costs a sleeping thread. There must always be some left to refuse: where all wait, people wait
        # before the door, and nobody tells them. See web/turns.py.
        blocking_threads=2 * (config.web_threads + config.web_waiting) + 16,
        websockets=False,
        # With several workers the others go on while a lost one is replaced; a single one is the supervisor's to replace.
        respawn_failed_workers=config.web_workers > 1,
        workers_kill_timeout=2,
        log_level=LogLevels(config.log_level if config.log_level == "debug" else "warning"),
    ).serve()


def main() -> None:
    if "PUPITRE_SUPERVISOR" in os.environ:
        processes.follow_parent()
    serve(configuration.load(os.environ))


if __name__ == "__main__":
    main()
