"""Versions as the agent compares them."""

import re


def compare(one: str, other: str) -> int:
    """Which of two versions the agent takes for the newer: 1 the first, -1 the second, 0 neither. By their numbers only."""
    left, right = _digits(one), _digits(other)
    return (left > right) - (left < right)


def _digits(version: str) -> list[int]:
    bare = re.sub(r"[^0-9.]", "", version)
    return [int(part[:18]) for part in bare.split(".") if part]
