"""Accessible PDF: Typst sets a template with data, tagged for screen readers (PDF/UA-1)."""

import json
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def typeset(template: Path, data: object) -> bytes:
    """One PDF. The template reads `data` as JSON from `sys.inputs.data`, so text is never taken for markup.

    Raises typst's error where a template is broken: nothing a reader could mend.
    """
    import typst

    compiler = typst.Compiler(template, root=template.parent, font_paths=_fonts())
    inputs = {"data": json.dumps(data, default=str)}
    made = compiler.compile(format="pdf", pdf_standards="ua-1", sys_inputs=inputs)
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


@lru_cache(maxsize=1)
def _fonts() -> Any:
    """Looking through the fonts takes longer than a letter, so it is done once a process."""
    import typst

    found = find_spec("font_hanken_grotesk")
    paths = [str(Path(str(found.origin)).parent / "files")] if found else []
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=paths)
