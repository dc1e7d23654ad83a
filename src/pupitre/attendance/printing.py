"""Letters as PDF: Typst sets what the archive holds, tagged for screen readers (PDF/UA-1)."""

import json
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).parent / "letters" / "absence.typ"


@lru_cache(maxsize=1)
def _fonts() -> Any:
    """Looking through the fonts takes longer than a letter, so it is done once a process."""
    import typst

    found = find_spec("font_hanken_grotesk")
    paths = [str(Path(str(found.origin)).parent / "files")] if found else []
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=paths)


def print_letters(copies: list[dict[str, Any]]) -> bytes:
    """One PDF with all copies, each on pages of its own."""
    import typst

    compiler = typst.Compiler(TEMPLATE, root=TEMPLATE.parent, font_paths=_fonts())
    made = compiler.compile(format="pdf", pdf_standards="ua-1", sys_inputs={"data": json.dumps(copies)})
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made
