"""The desired state and how it is reached: what each handler wants of the computer is compared with what is there.

A handler turns settings into resources and does nothing itself. What was put there is written down with what was there before, so
all of it can be given back, also by a later release. Applying twice changes nothing the second time; what somebody
changed in between is put right.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .errors import CannotApply
from .machine import Args, Machine, RegistryValue, quoted
from .signing import decode, encode
from .store import Store

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """A file of the agent's own, or in the place of one that comes back when it is given free."""

    path: str
    content: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the registry."""

    key: str
    name: str
    value: RegistryValue


@dataclass(frozen=True, slots=True)
class Mode:
    """The permissions of a file that is somebody else's."""

    path: str
    mode: int


@dataclass(frozen=True, slots=True)
class Made:
    """Something that tools make and unmake: `put` makes it, and is called again where it changes; `drop` undoes it."""

    name: str
    put: tuple[Args, ...]
    drop: tuple[Args, ...] = ()


Resource = File | Value | Mode | Made


@dataclass(frozen=True, slots=True)
class Problem:
    """A setting that does not hold, and why, in words for the school."""

    key: str
    reason: str


@dataclass
class Part:
    """What one handler wants of the computer."""

    resources: list[Resource] = field(default_factory=list)
    #: Tools to call when any of the resources changed.
    after: list[Args] = field(default_factory=list)
    #: Tools to call now, whether or not anything changed.
    now: list[Args] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def cannot(self, key: str, reason: str) -> None:
        self.problems.append(Problem(key, reason))


@dataclass(frozen=True, slots=True)
class Handler:
    """The handler of some settings. `wants` may raise CannotApply for all of them."""

    name: str
    keys: frozenset[str]
    wants: Callable[[Settings, Machine], Part]


@dataclass
class Held:
    """What a handler has put there: what must be known to take it away again."""

    files: dict[str, str | None] = field(default_factory=dict)  # path: what was there before, base64
    file_modes: dict[str, int | None] = field(default_factory=dict)
    values: dict[str, RegistryValue | None] = field(
        default_factory=dict
    )  # "key\\name": what was there before
    modes: dict[str, int] = field(default_factory=dict)
    made: dict[str, dict[str, Any]] = field(default_factory=dict)  # name: {"digest", "drop"}
    after: list[list[str]] = field(default_factory=list)
    #: The last change was not carried through: tools are to be called again.
    is_open: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.files or self.values or self.modes or self.made or self.is_open)


class Engine:
    """Brings a machine to what settings say."""

    def __init__(self, machine: Machine, handlers: Sequence[Handler], store: Store) -> None:
        self._machine = machine
        self._handlers = handlers
        self._store = store

    def apply(self, settings: Settings) -> list[Problem]:
        """Make it so. Returns what could not be made so."""
        known = {key for handler in self._handlers for key in handler.keys}
        problems = [
            Problem(key, "This agent cannot do that on this system.") for key in settings if key not in known
        ]
        for handler in self._handlers:
            problems += self._apply(handler, {key: settings[key] for key in settings if key in handler.keys})
        return problems + self._forget_unknown()

    def release(self) -> list[Problem]:
        """Give everything back."""
        return self.apply({})

    def _apply(self, handler: Handler, settings: Settings) -> list[Problem]:
        try:
            part = handler.wants(settings, self._machine) if settings else Part()
        except CannotApply as error:
            part = Part(problems=[Problem(key, str(error)) for key in settings])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"The setting is not as it should be ({type(error).__name__}: {error})."
            part = Part(problems=[Problem(key, reason) for key in settings])
        blamed = next(iter(settings), handler.name)
        failures = Pass(self._machine, self._store, handler.name).bring(part)
        return part.problems + [Problem(blamed, reason) for reason in failures]

    def _forget_unknown(self) -> list[Problem]:
        """What a handler put there that this release does not have any more."""
        names = {handler.name for handler in self._handlers}
        kept = [name for name in self._store.read("managed") if name not in names]
        return [
            Problem(name, reason)
            for name in kept
            for reason in Pass(self._machine, self._store, name).bring(Part())
        ]


class Pass:
    """One handler's part, brought about."""

    def __init__(self, machine: Machine, store: Store, name: str) -> None:
        self._machine = machine
        self._store = store
        self._name = name
        self._all = store.read("managed")
        self._held = Held(**self._all.get(name, {}))
        self._failures: list[str] = []
        self._changed = False

    def bring(self, part: Part) -> list[str]:
        """Returns what failed, in words."""
        if self._held.is_empty and not (part.resources or part.now):
            return []
        self._drop_unwanted(part.resources)
        for resource in part.resources:
            self._guarded(self._put, resource)
        after = [list(args) for args in part.after] or self._held.after
        if self._changed or self._held.is_open:
            succeeded = [self._tool(tuple(args)) for args in after]
            self._held.is_open = not all(succeeded)
        self._held.after = after if part.resources or self._held.is_open else []
        for args in part.now:
            self._tool(args)
        self._keep()
        return self._failures

    def _keep(self) -> None:
        if self._held.is_empty:
            self._all.pop(self._name, None)
        else:
            self._all[self._name] = asdict(self._held)
        self._store.write("managed", self._all)

    def _guarded(self, act: Callable[[Any], None], what: Any) -> None:
        try:
            act(what)
        except (OSError, CannotApply) as error:
            self._failures.append(str(error))
            self._held.is_open = True

    def _tool(self, args: Args) -> bool:
        ran = self._machine.run(*args, seconds=300)
        if not ran.succeeded:
            self._failures.append(f"{quoted(args[:3])}: {ran.failure}")
        return ran.succeeded

    # Putting there

    def _put(self, resource: Resource) -> None:
        match resource:
            case File():
                self._put_file(resource)
            case Value():
                self._put_value(resource)
            case Mode():
                self._put_mode(resource)
            case Made():
                self._put_made(resource)

    def _put_file(self, file: File) -> None:
        found = self._machine.read(file.path)
        if file.path not in self._held.files:
            self._held.files[file.path] = None if found is None else encode(found)
            self._held.file_modes[file.path] = self._machine.mode(file.path)
            self._keep()
        elif found == file.content and self._machine.mode(file.path) in {file.mode, None}:
            return
        self._machine.write(file.path, file.content, file.mode)
        self._changed = True

    def _put_value(self, value: Value) -> None:
        name = f"{value.key}\\{value.name}"
        found = self._machine.registry.get(value.key, value.name)
        if name not in self._held.values:
            self._held.values[name] = found
            self._keep()
        elif found == value.value:
            return
        self._machine.registry.put(value.key, value.name, value.value)
        self._changed = True

    def _put_mode(self, mode: Mode) -> None:
        found = self._machine.mode(mode.path)
        if found is None or (mode.path in self._held.modes and found == mode.mode):
            return
        if mode.path not in self._held.modes:
            self._held.modes[mode.path] = found
            self._keep()
        self._machine.set_mode(mode.path, mode.mode)
        self._changed = True

    def _put_made(self, made: Made) -> None:
        digest = hashlib.sha256(json.dumps(made.put).encode()).hexdigest()
        held = self._held.made.get(made.name)
        if held is not None and held["digest"] == digest:
            return
        self._held.made[made.name] = {"digest": "", "drop": [list(args) for args in made.drop]}
        self._keep()
        for args in made.put:
            if not self._tool(args):
                return  # its digest stays empty: it is tried again
        self._held.made[made.name]["digest"] = digest
        self._changed = True

    # Taking away

    def _drop_unwanted(self, wanted: Iterable[Resource]) -> None:
        named = {_name(resource) for resource in wanted}
        held = self._held
        # In the order opposite to that in which they were put: a tool may need the file that it was given.
        for names, drop in (
            (held.made, self._drop_made),
            (held.modes, self._drop_mode),
            (held.values, self._drop_value),
            (held.files, self._drop_file),
        ):
            for name in [one for one in reversed(list(names)) if one not in named]:
                self._guarded(drop, name)

    def _drop_made(self, name: str) -> None:
        done = [self._tool(tuple(args)) for args in self._held.made[name]["drop"]]
        del self._held.made[name]
        self._changed = self._changed or bool(done)

    def _drop_mode(self, path: str) -> None:
        if self._machine.mode(path) is not None:
            self._machine.set_mode(path, self._held.modes[path])
        del self._held.modes[path]
        self._changed = True

    def _drop_value(self, name: str) -> None:
        key, _, own = name.rpartition("\\")
        before = self._held.values[name]
        if before is None:
            self._machine.registry.drop(key, own)
        else:
            self._machine.registry.put(key, own, before)
        del self._held.values[name]
        self._changed = True

    def _drop_file(self, path: str) -> None:
        before = self._held.files[path]
        if before is None:
            self._machine.remove(path)
        else:
            self._machine.write(path, decode(before), self._held.file_modes.get(path) or 0o644)
        del self._held.files[path]
        self._held.file_modes.pop(path, None)
        self._changed = True


def _name(resource: Resource) -> str:
    match resource:
        case Value():
            return f"{resource.key}\\{resource.name}"
        case Made():
            return resource.name
        case _:
            return resource.path
