"""Text as the database compares it."""

import unicodedata


def fold(text: str) -> str:
    """Lower case without accents or doubled spaces: what prefix search by `^@` compares.

    `LIKE` is not leakproof and cannot use an index under row-level security; a folded column and `starts_with` can.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def initials(*names: str) -> str:
    """Up to two letters for an avatar."""
    return "".join(name[0] for name in names if name)[:2].upper()
