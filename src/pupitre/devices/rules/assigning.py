"""Who shall have which device, as a plan to look at before it is carried out. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pupitre.kernel.errors import Conflict, Refused


class Source(StrEnum):
    """Which devices are given to a class."""

    #: Those that nobody has, and that are no class's.
    FREE = "free"
    #: All that belong to another class now, with whoever has them there.
    CLASS = "class"
    #: Those of a list of serial numbers or tags, in its order.
    LIST = "list"


class Mode(StrEnum):
    """How they are given."""

    #: One to each pupil, in the order of names and tags.
    EACH = "each"
    #: To the class as such: a trolley.
    SHARED = "shared"


class NobodyToGive(Refused):
    """There is nobody in this class to whom a device could be given, or there is no device to give."""


class PlanChanged(Conflict):
    """The devices or the class have changed since you looked. Look at the plan once more."""


@dataclass(frozen=True, slots=True)
class Giving:
    """One line of a plan: a device, who has it now, and who shall have it. `person_id` None leaves it with nobody."""

    device_id: int
    device: str
    now: str
    person_id: int | None
    person: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What would become of the devices. `without` are the pupils for whom none is left, `left` the devices left over."""

    givings: tuple[Giving, ...]
    without: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    lent: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """The same for the same plan: what was looked at is what is carried out."""
        return ",".join(f"{one.device_id}:{one.person_id or 0}" for one in self.givings)


def paired(
    devices: Sequence[tuple[int, str, str]], persons: Sequence[tuple[int, str]]
) -> tuple[tuple[Giving, ...], tuple[str, ...], tuple[str, ...]]:
    """Devices (id, label, holder's name) and persons (id, name) side by side in their order, and what is left of each."""
    givings = tuple(
        Giving(device_id, label, holder, person_id, name)
        for (device_id, label, holder), (person_id, name) in zip(devices, persons, strict=False)
    )
    without = tuple(name for _, name in persons[len(givings) :])
    left = tuple(label for _, label, _ in devices[len(givings) :])
    return givings, without, left


def wanted_words(text: str) -> list[str]:
    """The serial numbers or tags of a pasted list, each once, in its order."""
    words: Iterable[str] = (word for line in text.replace("\0", "").splitlines() for word in _split(line))
    return list(dict.fromkeys(words))


def _split(line: str) -> list[str]:
    parts = [line]
    for mark in (";", ",", "\t"):
        parts = [piece for part in parts for piece in part.split(mark)]
    return [" ".join(part.split())[:100] for part in parts if part.strip()]
