"""Settings as a form: what its page shows of each, and what was typed as a document."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext as _

from pupitre.devices.rules import Platform, secrets
from pupitre.devices.rules.composing import Applied
from pupitre.devices.rules.settings import EVERYWHERE, SETTINGS, Group, Kind, Setting
from pupitre.devices.rules.validation import Finding

from . import setting_words as words

#: What a form does not change: files come from where they are uploaded.
KEPT: Final = frozenset({"files"})
_BLANK_ROWS: Final = 2
_LISTS: Final = frozenset({"packages", "hosts", "except"})
_FLAGS: Final = frozenset({"hidden", "pinned"})
_NUMBERS: Final = frozenset({"port", "size"})
_LONG: Final = frozenset({"pem"})
_TIMES: Final = frozenset({"from", "to"})


@dataclass(frozen=True, slots=True)
class Part:
    """One control: its name in the form, what it is, and what stands in it."""

    name: str
    label: str
    kind: str  # text, number, time, lines, long, choice, flag, secret
    value: Any = ""
    options: tuple[tuple[str, str], ...] = ()
    errors: tuple[str, ...] = ()
    is_kept: bool = False
    ticked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A setting in the form. One part for a plain value, several for what belongs together, rows for what is named."""

    key: str
    name: str
    help: str
    kind: str
    parts: tuple[Part, ...] = ()
    rows: tuple[tuple[Part, ...], ...] = ()
    platforms: tuple[str, ...] = ()
    limits: tuple[tuple[str, str], ...] = ()
    is_set: bool = False
    is_locked: bool = False
    inherited: str = ""
    inherited_locked: bool = False
    errors: tuple[str, ...] = ()
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A group of settings."""

    key: str
    name: str
    help: str
    icon: str
    fields: tuple[Field, ...] = field(default_factory=tuple)

    @property
    def set_fields(self) -> int:
        return sum(one.is_set for one in self.fields)

    @property
    def has_errors(self) -> bool:
        return any(one.errors or any(part.errors for part in one.parts) for one in self.fields)


def sections(
    document: Mapping[str, Any],
    *,
    keys: Collection[str] = SETTINGS.keys(),
    inherited: Mapping[str, Applied] | None = None,
    findings: Sequence[Finding] = (),
    applications: Sequence[tuple[str, str]] = (),
) -> list[Section]:
    """The form's groups; `inherited` is what wider levels say, `findings` what was refused, `applications` packages with their
    names to choose from.
    """
    found = []
    for group in Group:
        name, text, icon = words.GROUPS[group]
        fields = tuple(
            _field(setting, document, (inherited or {}).get(setting.key), findings, applications)
            for setting in SETTINGS.values()
            if setting.group is group and setting.key in keys and setting.key not in KEPT
        )
        if fields:
            found.append(Section(group.value, str(name), str(text), icon, fields))
    return found


def _field(
    setting: Setting,
    document: Mapping[str, Any],
    wider: Applied | None,
    findings: Sequence[Finding],
    applications: Sequence[tuple[str, str]],
) -> Field:
    key = setting.key
    settings = document.get("settings", {})
    name, text = words.NAMES[key]
    own = [one for one in findings if one.key == key]
    is_everywhere = setting.platforms == EVERYWHERE
    value = settings.get(key)
    return Field(
        key=key,
        name=str(name),
        help=str(text),
        kind=setting.kind.value,
        parts=_parts(setting, value, own, applications) if setting.kind is not Kind.NAMED else (),
        rows=tuple(_rows(setting, value or [], own)) if setting.kind is Kind.NAMED else (),
        platforms=()
        if is_everywhere
        else tuple(words.PLATFORMS[one] for one in Platform if one in setting.platforms),
        limits=tuple(words.limits(key)),
        is_set=key in settings,
        is_locked=key in document.get("locked", ()),
        inherited=words.say(key, secrets.hidden({key: wider.value})[key]) if wider else "",
        inherited_locked=wider.is_locked if wider else False,
        errors=tuple(message(one) for one in own if not one.path),
        shown=words.say(key, secrets.hidden({key: value})[key]) if _is_sayable(setting, value) else "",
    )


def _is_sayable(setting: Setting, value: Any) -> bool:
    shapes: dict[Kind, type] = {Kind.WHOLE: dict, Kind.NAMED: list}
    return value is not None and isinstance(value, shapes.get(setting.kind, object))


def message(finding: Finding) -> str:
    """What is wrong, in the reader's language."""
    text = _(finding.message)
    return text % finding.facts if finding.facts else text


def _parts(
    setting: Setting, value: Any, findings: Sequence[Finding], applications: Sequence[tuple[str, str]]
) -> tuple[Part, ...]:
    name = f"set-{setting.key}"
    if setting.kind is Kind.FLAG:
        answers = (("", _("Not set")), ("yes", _("Allowed")), ("no", _("Not allowed")))
        held = {True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else ""
        return (Part(name, words.name_of(setting.key), "choice", held, answers),)
    if setting.kind is Kind.CHOICE:
        choices = words.CHOICES[setting.key]
        options = (("", _("Not set")), *((one, str(choices[one])) for one in setting.choices))
        return (Part(name, words.name_of(setting.key), "select", value or "", options),)
    if setting.kind in (Kind.NUMBER, Kind.TEXT):
        kind = "number" if setting.kind is Kind.NUMBER else "text"
        errors = tuple(message(one) for one in findings if not one.path)
        return (Part(name, words.name_of(setting.key), kind, "" if value is None else value, errors=errors),)
    entry = value if isinstance(value, Mapping) else {}
    if setting.fields == ("packages",):
        return (_packages(setting, entry, findings, applications),)
    return tuple(_part(setting, f"{name}.{one}", one, entry, findings, ()) for one in setting.fields)


def _packages(
    setting: Setting,
    entry: Mapping[str, Any],
    findings: Sequence[Finding],
    offered: Sequence[tuple[str, str]],
) -> Part:
    """Applications of the catalogue to tick, and others to type."""
    held = entry.get("packages", ())
    known = {package for package, _name in offered}
    lines = "\n".join(str(one) for one in held if one not in known)
    errors = tuple(message(found) for found in findings if found.path)
    label = str(words.FIELDS[setting.key, "packages"])
    ticked = tuple(one for one in held if one in known)
    return Part(
        f"set-{setting.key}.packages", label, "packages", lines, tuple(offered), errors, ticked=ticked
    )


def _rows(setting: Setting, value: Any, findings: Sequence[Finding]) -> Iterator[tuple[Part, ...]]:
    entries = value if isinstance(value, list) else []
    for number in range(len(entries) + _BLANK_ROWS):
        held = entries[number] if number < len(entries) else {}
        yield tuple(
            _part(setting, f"set-{setting.key}.{number}.{one}", one, held, findings, (number,))
            for one in setting.fields
        )


def _part(
    setting: Setting,
    name: str,
    one: str,
    held: Mapping[str, Any],
    findings: Sequence[Finding],
    place: tuple[int, ...],
) -> Part:
    value = held.get(one)
    label = str(words.FIELDS[setting.key, one])
    path = (*place, one)
    errors = tuple(message(found) for found in findings if found.path[: len(path)] == path)
    if one in setting.secret:
        is_kept = secrets.is_sealed(value) or value is True
        typed = value if isinstance(value, str) else ""
        return Part(name, label, "secret", typed, errors=errors, is_kept=is_kept)
    if (setting.key, one) in words.FIELD_CHOICES:
        options = tuple((key, str(text)) for key, text in words.FIELD_CHOICES[setting.key, one].items())
        if setting.kind is not Kind.NAMED:
            options = (("", _("Not set")), *options)
        return Part(name, label, "select", value or "", options, errors)
    if one in _LISTS:
        lines = "\n".join(str(line) for line in value) if isinstance(value, list) else ""
        return Part(name, label, "lines", lines, errors=errors)
    if one in _FLAGS:
        return Part(name, label, "flag", bool(value), errors=errors)
    kind = "time" if one in _TIMES else "number" if one in _NUMBERS else "long" if one in _LONG else "text"
    return Part(name, label, kind, "" if value is None else value, errors=errors)


# Reading.


def read(
    post: QueryDict, *, keys: Collection[str] = SETTINGS.keys(), before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What was typed, as {"settings", "locked"}: not checked yet. Secrets left empty stay as in `before` (as `True`)."""
    settings: dict[str, Any] = {}
    was = (before or {}).get("settings", {})
    for key in keys:
        setting = SETTINGS[key]
        if key in KEPT:
            if key in was:
                settings[key] = was[key]
            continue
        value = _typed(setting, post, was.get(key))
        if value is not None:
            settings[key] = value
    locked = [
        key for key in settings if post.get(f"locked-{key}") or (key in KEPT and _was_locked(before, key))
    ]
    return {"settings": settings, "locked": sorted(locked)}


def _was_locked(before: Mapping[str, Any] | None, key: str) -> bool:
    return key in (before or {}).get("locked", ())


def _typed(setting: Setting, post: QueryDict, before: Any) -> Any:
    name = f"set-{setting.key}"
    text = post.get(name, "").strip()
    if setting.kind is Kind.FLAG:
        return {"yes": True, "no": False}.get(text)
    if setting.kind is Kind.NUMBER:
        return _number(text)
    if setting.kind in (Kind.CHOICE, Kind.TEXT):
        return text or None
    if setting.kind is Kind.NAMED:
        return _typed_rows(setting, post, before) or None
    found = _typed_entry(setting, post, name, before or {})
    return found if _says_something(setting, found) else None


def _says_something(setting: Setting, entry: Mapping[str, Any]) -> bool:
    """A secret that was kept says nothing by itself."""
    return any(
        value not in ("", None, [], False) for name, value in entry.items() if name not in setting.secret
    )


def _typed_rows(setting: Setting, post: QueryDict, before: Any) -> list[dict[str, Any]]:
    known = {one.get(setting.name_by): one for one in before or ()}
    numbers = {
        int(parts[1])
        for parts in (name.split(".") for name in post if name.startswith(f"set-{setting.key}."))
        if len(parts) == 3 and parts[1].isdecimal() and len(parts[1]) < 5
    }
    rows = []
    for number in sorted(numbers):
        place = f"set-{setting.key}.{number}"
        named = post.get(f"{place}.{setting.name_by}", "").strip()
        entry = _typed_entry(setting, post, place, known.get(named, {}))
        # Of a blank row only the choices say something: they have a first one.
        if named or any(
            entry.get(one) for one in setting.fields if (setting.key, one) not in words.FIELD_CHOICES
        ):
            rows.append(entry)
    return rows


def _typed_entry(setting: Setting, post: QueryDict, place: str, before: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in setting.fields:
        text = post.get(f"{place}.{one}", "")
        if one in setting.secret:
            found[one] = text or (True if one in before else "")
        elif one in _LISTS:
            typed = [line.strip() for line in text.splitlines() if line.strip()]
            found[one] = post.getlist(f"{place}.{one}.ticked") + typed
        elif one in _FLAGS:
            found[one] = bool(text)
        elif one in _NUMBERS:
            found[one] = _number(text.strip())
        else:
            found[one] = text.strip()
    return {name: value for name, value in found.items() if value not in ("", None, [])}


def _number(text: str) -> Any:
    """A number where it is one; else what was typed, for the check to refuse by name."""
    if not text:
        return None
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 10 else text
