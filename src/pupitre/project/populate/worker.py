"""A process that fills schools beside others. Imports nothing that needs Django before Django is awake."""

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pupitre.project.populate.load import Filled, Ground


def wake() -> None:
    """Make a fresh process ready. Ctrl-C is for the one that started it, which then ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import django

    django.setup()


def fill(ground: "Ground", number: int) -> "Filled":
    """Fill one school."""
    from pupitre.project.populate import load

    return load.fill_school(ground, number)
