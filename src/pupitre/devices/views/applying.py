"""What applies to a device and why, in words: the part of its page that `devices/applies.html` shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import formats
from django.utils.translation import gettext as _

from pupitre.devices.queries.explaining import Explained, Reason, Ruling, explain
from pupitre.devices.rules.settings import SETTINGS, Group
from pupitre.kernel import clock

from . import setting_words as words

if TYPE_CHECKING:
    from pupitre.devices.models import Device


@dataclass(frozen=True, slots=True)
class Line:
    """A setting as the table shows it."""

    name: str
    now: str
    why: str
    by: str
    is_locked: bool
    is_ruled: bool
    overridden: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Applies:
    """For `{% include "devices/applies.html" %}` as `applies`."""

    version: str
    is_applied: bool
    rulings: tuple[str, ...]
    changes_at: str
    groups: tuple[tuple[str, tuple[Line, ...]], ...]


def shown(device: "Device", *, now: datetime, applied: str = "") -> Applies:
    """What applies to a device that the reader may see; `applied` is what it reported (`DeviceStatus.applied`)."""
    explained = explain(device, now=now, applied=applied)
    return Applies(
        version=explained.version,
        is_applied=explained.is_applied,
        rulings=tuple(sentence(one, explained, now) for one in explained.rulings),
        changes_at=moment(explained.changes_at, explained.zone, now) if explained.changes_at else "",
        groups=tuple(_groups(explained, now)),
    )


def _groups(explained: Explained, now: datetime) -> Iterator[tuple[str, tuple[Line, ...]]]:
    for group in Group:
        lines = [
            _line(one, explained, now)
            for one in explained.reasons
            if one.key in SETTINGS and SETTINGS[one.key].group is group
        ]
        if lines:
            yield str(words.GROUPS[group][0]), tuple(lines)


def _line(one: Reason, explained: Explained, now: datetime) -> Line:
    overridden = [f"{words.LEVELS[level]}: {policy}" for level, policy in one.overridden]
    if one.ruling is not None and one.level is not None:
        overridden.append(
            _("%(policy)s: %(value)s") % {"policy": one.policy, "value": words.say(one.key, one.value)}
        )
    return Line(
        name=words.name_of(one.key),
        now=words.say(one.key, one.now),
        why=sentence(one.ruling, explained, now) if one.ruling else _source(one),
        by=one.ruling.by if one.ruling else one.by,
        is_locked=one.is_locked,
        is_ruled=one.ruling is not None,
        overridden=tuple(overridden),
    )


def _source(one: Reason) -> str:
    if one.level is None:
        return ""
    level = words.LEVELS[one.level]
    whom = f"{level} {one.whom}" if one.whom else str(level)
    return _("“%(policy)s”, for: %(whom)s") % {"policy": one.policy, "whom": whom}


def sentence(ruling: Ruling, explained: Explained, now: datetime) -> str:
    """Which rule holds and until when, as a pupil understands it."""
    facts = {
        "rule": ruling.label,
        "class": ruling.class_title,
        "time": moment(ruling.until, explained.zone, now) if ruling.until else "",
        "by": ruling.by,
    }
    if ruling.is_lease:
        return _lease_sentence(ruling, facts)
    if ruling.by:
        return _("In lessons of %(class)s until %(time)s: “%(rule)s”, set by %(by)s") % facts
    return _("Until %(time)s: “%(rule)s”") % facts


def _lease_sentence(ruling: Ruling, facts: dict[str, str]) -> str:
    if ruling.lifts_rules and not ruling.settings:
        return _("The rules of the lesson do not hold until %(time)s: decided by %(by)s") % facts
    return _("Until %(time)s, decided by %(by)s for this lesson") % facts


def moment(instant: datetime, zone: str, now: datetime) -> str:
    """A time of today as a time, another with its day."""
    local, here = clock.local(instant, zone), clock.local(now, zone)
    time = f"{local:%H:%M}"
    if local.date() == here.date():
        return time
    if local.date() - here.date() < timedelta(days=7):
        return f"{formats.date_format(local.date(), 'l')}, {time}"
    return f"{formats.date_format(local.date(), 'j F')}, {time}"


def reasons_for_pupils(device: "Device", *, now: datetime) -> list[dict[str, Any]]:
    """What is restricted on the device at this moment, in words for who has it: [{"what", "how", "why"}]."""
    explained = explain(device, now=now)
    found = []
    for one in explained.reasons:
        why = sentence(one.ruling, explained, now) if one.ruling else _source(one)
        found.append({"what": words.name_of(one.key), "how": words.say(one.key, one.now), "why": why})
    return found
