"""The palette keeps WCAG 2.2 AA in both themes: every pair of tokens that the style sheet puts together."""

import gzip
import re
from pathlib import Path

import pytest

import pupitre.web

STYLE = Path(str(pupitre.web.__file__)).parent / "static" / "web" / "pupitre.css"
TOKEN = re.compile(r"--([a-z0-9-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)")
GROUNDS = ("paper", "sheet", "sunk")
STATUSES = ("present", "absent", "late", "excused", "out")
HUES = [f"hue-{number}" for number in range(10)]

TEXT = [
    *[(ink, ground) for ink in ("ink", "ink-soft") for ground in GROUNDS],
    *[(ink, ground) for ink in ("accent-text", "absent-text") for ground in GROUNDS],
    *[(f"{status}-text", ground) for status in STATUSES for ground in ("paper", "sheet", f"{status}-soft")],
    *[(f"on-{status}", status) for status in STATUSES],
    *[("ink", f"{status}-soft") for status in STATUSES],
    *[("ink", hue) for hue in HUES],
    ("accent-text", "accent-soft"),
    ("on-accent", "accent"),
    ("on-chalk", "chalk"),
    ("on-chalk-soft", "chalk-soft"),
    ("ink", "chalk-soft"),
    *[(ink, board) for ink in ("on-board", "on-board-soft") for board in ("board", "board-lift")],
    ("paper", "ink"),
    ("ink", "heat-1"),
    ("ink", "heat-2"),
    ("on-absent", "heat-3"),
    ("on-absent", "heat-4"),
    ("ink", "seyes"),
]
SHAPES = [
    *[("line-strong", ground) for ground in GROUNDS],
    *[("focus", ground) for ground in (*GROUNDS, *(f"{status}-soft" for status in STATUSES))],
    ("chalk", "board"),
    *[("accent", ground) for ground in GROUNDS],
    *[(f"{hue}-edge", "sheet") for hue in HUES],
    *[(status, "sheet") for status in STATUSES if status != "late"],
]


def palette() -> dict[str, tuple[str, str]]:
    return {name: (light, dark) for name, light, dark in TOKEN.findall(STYLE.read_text(encoding="utf-8"))}


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it; `colour` is `#rrggbb`."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_is_readable_on_its_ground(ink: str, ground: str, theme: int) -> None:
    colours = palette()
    assert contrast(colours[ink][theme], colours[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_edges_marks_and_focus_stand_out_from_their_ground(shape: str, ground: str, theme: int) -> None:
    colours = palette()
    assert contrast(colours[shape][theme], colours[ground][theme]) >= 3


def test_every_colour_used_is_a_token_that_exists() -> None:
    text = STYLE.read_text(encoding="utf-8")
    defined = set(re.findall(r"--([a-z0-9-]+)\s*:", text))
    used = set(re.findall(r"var\(--([a-z0-9-]+)", text))
    assert used - defined == set()


def test_the_style_sheet_stays_small() -> None:
    """As a browser gets it; one file for the whole product, kept by it for ever."""
    assert len(gzip.compress(STYLE.read_bytes())) <= 16_000
