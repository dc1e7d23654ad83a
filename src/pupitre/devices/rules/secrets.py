"""Secrets within settings: sealed before they are written, opened only where a device is told its state.

A sealed secret is {"sealed": "<text>"} in the place of the text.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pupitre.kernel import sealing

from .settings import SETTINGS, Kind, Setting

_SEALED: Final = "sealed"


def is_sealed(value: object) -> bool:
    """Whether the value is a secret that is sealed already."""
    return isinstance(value, Mapping) and set(value) == {_SEALED} and isinstance(value[_SEALED], str)


def sealed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with their secrets sealed; those that are sealed already stay."""
    return _each(settings, lambda text: text if is_sealed(text) else {_SEALED: sealing.seal(text).decode()})


def opened(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with their secrets to be read, for the device that they are for. Raises sealing.Unreadable."""
    return _each(settings, lambda held: sealing.unseal(held[_SEALED].encode()) if is_sealed(held) else held)


def hidden(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings for people and other systems: of a secret only that there is one (true)."""
    return _each(settings, lambda _: True)


def kept(settings: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Settings whose secrets came back as `hidden` shows them (true), with the secrets that were there before."""
    return {key: _kept(SETTINGS.get(key), value, before.get(key)) for key, value in settings.items()}


def _kept(setting: Setting | None, value: Any, before: Any) -> Any:
    if setting is None or not setting.secret or before is None:
        return value
    if setting.kind is Kind.NAMED and isinstance(value, list):
        known = {one[setting.name_by]: one for one in before}
        return [
            _fill(setting, one, known.get(one.get(setting.name_by), {})) if isinstance(one, Mapping) else one
            for one in value
        ]
    return _fill(setting, value, before) if isinstance(value, Mapping) else value


def _fill(setting: Setting, entry: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    back = {name: before[name] for name in setting.secret if entry.get(name) is True and name in before}
    return {**entry, **back}


def _each(settings: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    return {key: _changed(SETTINGS.get(key), value, change) for key, value in settings.items()}


def _changed(setting: Setting | None, value: Any, change: Callable[[Any], Any]) -> Any:
    if setting is None or not setting.secret:
        return value
    if setting.kind is Kind.NAMED:
        return [_entry(setting, one, change) for one in value]
    return _entry(setting, value, change)


def _entry(setting: Setting, entry: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    return {name: change(held) if name in setting.secret and held else held for name, held in entry.items()}
