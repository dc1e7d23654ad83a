"""Versions that are numbers with dots, compared where no tool of the system does it."""

import re


def parts(version: str) -> list[tuple[int, int, str]]:
    """Numbers by their worth, words by their letters; a number is after a word, as 1.0 is after 1.0rc."""
    found = re.findall(r"\d+|[a-z]+", version.lower())
    return [(1, int(one), "") if one.isdigit() else (0, 0, one) for one in found]


def is_newer(one: str, other: str) -> bool:
    """Whether the first is after the second; a longer one of the same beginning is, unless it goes on with a word."""
    first, second = parts(one), parts(other)
    length = max(len(first), len(second))
    nothing = (1, 0, "")
    filled = [part + [nothing] * (length - len(part)) for part in (first, second)]
    return filled[0] > filled[1]
