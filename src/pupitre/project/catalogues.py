"""Translation catalogues: `.po` files, which people write, compiled to the `.mo` files that gettext reads."""

import os
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]


def stale(source: Path = SOURCE) -> list[Path]:
    """The catalogues whose compiled form is missing or older than they are."""
    return [po for po in sorted(source.glob("**/locale/*/LC_MESSAGES/*.po")) if not _is_fresh(po)]


def compile_stale(source: Path = SOURCE) -> int:
    """Compile what is stale; returns how many catalogues that was. Unsure ("fuzzy") translations are left out."""
    from babel.messages import mofile, pofile

    catalogues = stale(source)
    for po in catalogues:
        with po.open("rb") as file:
            catalogue = pofile.read_po(file, locale=po.parents[1].name)
        fresh = po.with_suffix(f".mo.{os.getpid()}")  # tests compile side by side
        with fresh.open("wb") as file:
            mofile.write_mo(file, catalogue)
        fresh.replace(po.with_suffix(".mo"))
    return len(catalogues)


def _is_fresh(po: Path) -> bool:
    mo = po.with_suffix(".mo")
    return mo.exists() and mo.stat().st_mtime_ns >= po.stat().st_mtime_ns
