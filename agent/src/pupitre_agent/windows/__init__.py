"""What settings are on Windows: policies in the registry, and what only its own tools can set."""

from typing import Final

from pupitre_agent.engine import Handler

from . import browsers, launching, network, restrictions, screen

HANDLERS: Final[tuple[Handler, ...]] = (
    *restrictions.HANDLERS,
    *network.HANDLERS,
    browsers.HANDLER,
    *screen.HANDLERS,
    launching.HANDLER,
)
