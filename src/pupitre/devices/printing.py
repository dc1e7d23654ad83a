"""Contracts as PDF, tagged for screen readers (PDF/UA-1)."""

from pathlib import Path
from typing import Any

from pupitre.web.typesetting import typeset

CONTRACT = Path(__file__).parent / "contracts" / "loan.typ"


def print_contracts(copies: list[dict[str, Any]]) -> bytes:
    """One PDF with these contracts (`queries.contracts`), each on pages of its own."""
    return typeset(CONTRACT, copies)
