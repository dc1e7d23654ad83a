"""What the agent's tests may ask for."""

from pathlib import Path

import pytest

from agent.tests.computers import Computer


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    """A Debian laptop."""
    return Computer(tmp_path / "pc")


@pytest.fixture
def windows(tmp_path: Path) -> Computer:
    """A Windows laptop."""
    return Computer(tmp_path / "win", "windows")
