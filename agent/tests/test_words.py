"""What people at the computer read: complete in every language, and made of what the agent really says."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pupitre_agent
import pytest
from pupitre_agent.commands import carry_out
from pupitre_agent.explaining import explain
from pupitre_agent.words import LANGUAGES, Words, of_machine, of_surroundings

from agent.tests.computers import Computer

SOURCES = Path(pupitre_agent.__file__).parent
NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
TOLD: dict[str, Any] = {
    "time_zone": "Europe/Madrid",
    "settings": {"camera": False, "bluetooth": True, "web": {"mode": "block", "hosts": ["tiktok.com"]}},
    "why": {"camera": "Rules of the Oak"},
    "schedule": [
        {
            "id": "rule-7", "label": "Calculator only", "days": [2], "from": "09:00", "to": "09:55",
            "settings": {"allowed_applications": {"packages": ["calc"]}},
        }
    ],
}  # fmt: skip


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_every_language_has_every_sentence_with_its_placeholders(language: str) -> None:
    said = Words(language)._said
    source = "".join(path.read_text() for path in SOURCES.rglob("*.py"))
    assert [sentence for sentence in said if f'"{sentence}"' not in source] == []
    used = set(re.findall(r'words\(\s*"([^"]+)"', source)) | set(re.findall(r'said\("([^"]+)"', source))
    assert used <= set(said)
    for sentence, own in said.items():
        assert sorted(re.findall(r"%\(\w+\)s", sentence)) == sorted(re.findall(r"%\(\w+\)s", own))


def test_it_says_what_is_blocked_by_whom_and_until_when() -> None:
    assert explain(TOLD, NOW, Words("en")) == [
        "Only these applications can be used: calc. By “Calculator only”, until 09:55.",
        "The camera is off. Always, by the policy “Rules of the Oak”.",
        "These web sites cannot be opened: tiktok.com.",
    ]
    assert explain(TOLD, NOW, Words("de"))[1].startswith("Die Kamera ist aus.")
    assert explain({"schedule": TOLD["schedule"]}, datetime(2026, 11, 25, 9, tzinfo=UTC), Words("fr")) == [
        "Rien n’est bloqué en ce moment."
    ]


def test_it_speaks_the_language_of_who_asks_and_of_the_computer(
    computer: Computer, windows: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "ca_ES.UTF-8")
    assert of_surroundings().language == "ca"
    assert of_machine(computer.machine).language == "en"
    computer.put("/etc/default/locale", 'LANG="pt_PT.UTF-8"\n')
    carry_out(computer.machine, "lock", {}, "/var/lib/pupitre-agent")
    assert computer.text("/etc/nologin") == "A tua escola bloqueou este computador.\n"
    key = r"HKLM\SYSTEM\CurrentControlSet\Control\Nls\Language"
    windows.machine.registry.put(key, "InstallLanguage", "0403")
    assert of_machine(windows.machine).language == "ca"
