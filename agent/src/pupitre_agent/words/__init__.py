"""The sentences that people at the computer read, in the six languages of Pupitre; what is for administrators stays English."""

import json
import locale
import os
from importlib import resources
from typing import Final

LANGUAGES: Final = ("ca", "de", "en", "es", "fr", "pt")


class Words:
    """A language: called with an English sentence, answers its own."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._said: dict[str, str] = {}
        if self.language != "en":
            text = resources.files(__name__).joinpath(f"{self.language}.json").read_text(encoding="utf-8")
            self._said = json.loads(text)

    def __call__(self, sentence: str, **named: object) -> str:
        said = self._said.get(sentence, sentence)
        return said % named if named else said


def of_surroundings() -> Words:
    """The language of whoever calls."""
    names = [os.environ.get(name, "") for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")]
    names.append(locale.getlocale()[0] or "")
    named = next((name for name in names if name and name not in {"C", "C.UTF-8", "POSIX"}), "en")
    return Words(named.split(":", 1)[0][:2].lower())
