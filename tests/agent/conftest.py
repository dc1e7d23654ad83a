"""One database and one gateway for all laptops of a file."""

from pathlib import Path

import pytest

from agent.tests.computers import Computer
from tests.edge.gateway.arranging import Place, Running
from tests.edge.gateway.conftest import place, running

from .laptops import Laptop

__all__ = ["place", "running"]


@pytest.fixture
def laptop(place: Place, running: Running, tmp_path: Path) -> Laptop:
    """A laptop of the first school that has come in by a ticket and checked in once."""
    found = Laptop(Computer(tmp_path / "pc"), running)
    found.enrol(place.ticket(place.oak, admits=True))
    return found
