"""The statements of statements.sql by their names."""

import re
from functools import cache
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def all_statements() -> dict[str, str]:
    """{name: text}, without comments."""
    parts = _NAME.split(Path(__file__).with_suffix(".sql").read_text())[1:]
    return {name: _bare(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}


def statement(name: str) -> str:
    """The text of that statement."""
    return all_statements()[name]


def _bare(text: str) -> str:
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("--"))
    return "\n".join(lines).rstrip().removesuffix(";")
