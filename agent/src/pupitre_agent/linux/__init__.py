"""What settings are on Linux: files of the system's own configuration, each with the tool that makes it hold."""

from typing import Final

from pupitre_agent.engine import Handler

from . import browsers, desktop, hardware, launching, network, permissions, sessions, updates

HANDLERS: Final[tuple[Handler, ...]] = (
    *hardware.HANDLERS,
    permissions.HANDLER,
    permissions.PASSCODES,
    *network.HANDLERS,
    browsers.HANDLER,
    desktop.HANDLER,
    *updates.HANDLERS,
    launching.HANDLER,
    sessions.HANDLER,
)
