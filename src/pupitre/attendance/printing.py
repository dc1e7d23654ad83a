"""Letters as PDF: Typst sets what the archive holds, tagged for screen readers (PDF/UA-1)."""

from pathlib import Path
from typing import Any

from pupitre.web.typesetting import typeset

TEMPLATE = Path(__file__).parent / "letters" / "absence.typ"


def print_letters(copies: list[dict[str, Any]]) -> bytes:
    """One PDF with all copies, each on pages of its own."""
    return typeset(TEMPLATE, copies)
