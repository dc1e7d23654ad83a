"""docs/devices/settings.md has every setting as the rules have it, and every setting has words."""

from pathlib import Path

import pytest

from pupitre.devices.rules.settings import EVERYWHERE, SETTINGS, Group, Kind, Setting
from pupitre.devices.rules.validation import FOR_AN_HOUR
from pupitre.devices.views import setting_words as words

TABLE = Path(__file__).parents[2] / "docs" / "devices" / "settings.md"


def value_of(setting: Setting) -> str:
    if setting.kind is Kind.CHOICE:
        return ", ".join(setting.choices)
    if setting.kind is Kind.NUMBER:
        return f"{setting.least} to {setting.most}"
    return ", ".join(name + ("\\*" if name in setting.secret else "") for name in setting.fields)


def line_of(setting: Setting) -> str:
    systems = (
        "all"
        if setting.platforms == EVERYWHERE
        else ", ".join(platform.name.lower() for platform in sorted(setting.platforms))
    )
    in_lessons = "yes" if setting.key in FOR_AN_HOUR else ""
    return f"| {setting.key} | {setting.kind.value} | {value_of(setting)} | {systems} | {in_lessons} |"


def test_the_table_is_the_rules() -> None:
    found = [line for line in TABLE.read_text().splitlines() if line.startswith("| ") and " key " not in line]
    assert found == [line_of(setting) for setting in SETTINGS.values()]


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
def test_every_setting_has_words(setting: Setting) -> None:
    name, text = words.NAMES[setting.key]
    assert str(name)
    assert str(text)
    assert set(words.CHOICES.get(setting.key, {})) == set(setting.choices)
    for field in setting.fields:
        assert str(words.FIELDS[setting.key, field])


def test_every_group_has_words() -> None:
    assert set(words.GROUPS) == set(Group)
