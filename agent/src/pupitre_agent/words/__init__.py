"""The sentences that people at the computer read, in the six languages of Pupitre; what is for administrators stays English."""

import json
import locale
import os
from importlib import resources
from typing import Final

from pupitre_agent.machine import WINDOWS, Machine, text_of

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


#: Windows' numbers of languages.
_WINDOWS_LANGUAGES: Final = {0x03: "ca", 0x07: "de", 0x09: "en", 0x0A: "es", 0x0C: "fr", 0x16: "pt"}


def of_machine(machine: Machine) -> Words:
    """The computer's own language, for what is said to whoever sits there."""
    if machine.system == WINDOWS:
        found = str(
            machine.registry.get(r"HKLM\SYSTEM\CurrentControlSet\Control\Nls\Language", "InstallLanguage")
            or "0"
        )
        # The lower ten bits are the language, the others the country; Catalan in Spain is 0403.
        return Words(_WINDOWS_LANGUAGES.get(int(found, 16) & 0x3FF, "en"))
    text = text_of(machine, "/etc/default/locale") or text_of(machine, "/etc/locale.conf")
    named = next(
        (line.partition("=")[2].strip("\"'") for line in text.splitlines() if line.startswith("LANG=")), "en"
    )
    return Words(named[:2].lower())
