"""The agent: what it knows, what it does with what it is told, and what it tells."""

import contextlib
import threading
import urllib.request
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from . import VERSION, commands, health, inventory, modes, schedule, wallpaper
from .client import Client, Network, Reply
from .clock import Clock
from .downloads import Downloads
from .engine import Engine, Handler, Problem
from .errors import CannotApply, Retired, Untrusted
from .explaining import publish
from .files import Files
from .installing import Installing
from .linux import HANDLERS as LINUX_HANDLERS
from .machine import WINDOWS, Machine
from .signing import decode, encode, verify_bytes
from .store import Identity, Memory, Store
from .windows import HANDLERS as WINDOWS_HANDLERS
from .wire import Command, trusted_command, trusted_state

#: Where the agent keeps its own things.
FOLDER: Final = {"linux": "/var/lib/pupitre-agent", WINDOWS: r"C:\ProgramData\Pupitre\Agent"}
_MOST_PROBLEMS: Final = 100
_MOST_RESULTS: Final = 100
_REASON: Final = 1000
#: A state that is younger is not asked for again because of its addresses.
_FRESH: Final = timedelta(minutes=30)
#: A script may run that long; a lesson's rule does not wait for it.
_SOFTWARE, _COMMANDS = "software", "commands"


def handlers_of(machine: Machine) -> tuple[Handler, ...]:
    return WINDOWS_HANDLERS if machine.system == WINDOWS else LINUX_HANDLERS


@dataclass
class SoftwareDone:
    """What the installing of applications and files came to."""

    problems: list[Problem] = field(default_factory=list)
    installations: list[dict[str, Any]] = field(default_factory=list)
    applications: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    #: Addresses in the state have ended: it must be asked for again.
    is_outdated: bool = False


class Agent:
    """One enrolled device. All methods are called by one thread; installing and scripts run beside it."""

    def __init__(self, machine: Machine, store: Store, clock: Clock, client: Client) -> None:
        self._machine = machine
        self._store = store
        self._clock = clock
        self._client = client
        self.identity: Identity = store.identity()
        self.memory: Memory = store.memory()
        self._engine = Engine(machine, handlers_of(machine), store)
        self._lanes = ThreadPoolExecutor(2, "lane")
        self._running: dict[str, Future[Any]] = {}
        #: Set when something beside has ended.
        self.something_ended = threading.Event()
        self._setting_problems: list[Problem] = []
        self._schedule_problems: list[Problem] = []
        self._software_problems = [Problem(**one) for one in self.memory.software_problems]
        self._refusals: list[Problem] = []
        self._held_ids: list[Any] = []
        client.session_begun = self.trust_newer_key
        self._give_up_interrupted()

    # The state

    @property
    def zone(self) -> str:
        return str((self.memory.state or {}).get("time_zone") or "UTC")

    def effective(self) -> schedule.Effective:
        """What holds now."""
        settings = (self.memory.state or {}).get("settings") or {}
        self._schedule_problems = []
        try:
            return schedule.effective(settings, self._schedule(), self._clock.now(), self.zone)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # Of a newer server: what is understood holds, and who can put it right is told.
            reason = f"The week's rules are not understood ({type(error).__name__}: {error})."
            self._schedule_problems = [Problem("schedule", reason)]
            return schedule.Effective(settings, {}, ())

    def _schedule(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (self.memory.state or {}).get("schedule") or []
        return found

    def next_change(self) -> datetime | None:
        """When a rule begins or ends next, within the days to come."""
        if self._schedule_problems:
            return None
        return schedule.next_change(self._schedule(), self._clock.now(), self.zone, furthest=3)

    def apply(self) -> None:
        """Bring the computer to what holds now."""
        if self.memory.state is None:
            return
        try:
            self._apply(self.memory.state)
        except Exception as error:  # noqa: BLE001 - who cannot check in any more cannot be put right
            reason = f"The settings could not be applied ({type(error).__name__}: {error})."
            self._setting_problems = [Problem("settings", reason)]
        self._keep()

    def _apply(self, state: Mapping[str, Any]) -> None:
        now = self.effective()
        self._held_ids = [one.get("id") for one in now.entries]
        settings, problems = modes.expanded(
            {
                key: value
                for key, value in now.settings.items()
                if key not in {"applications", "files", "site_cache"}
            }
        )
        try:
            settings = wallpaper.with_place(self._machine, settings)
        except CannotApply as error:
            problems.append(Problem("wallpaper", str(error)))
            settings.pop("wallpaper")
        self._client.network.proxy = _address_of(settings.get("proxy"))
        self._setting_problems = problems + self._engine.apply(settings)
        self.memory.applied = str(state.get("version", ""))
        self._lift_lock()
        publish(self._machine, state, self._clock.now())

    def apply_if_changed(self) -> None:
        """Apply anew where a rule has begun or ended since."""
        ids = [one.get("id") for one in self.effective().entries]
        self._lift_lock()
        if ids != self._held_ids:
            self.apply()

    def seconds_to_change(self) -> float:
        """Until the next rule begins or ends; infinite where none does within days."""
        change = self.next_change()
        return max(0.0, (change - self._clock.now()).total_seconds()) if change else float("inf")

    @property
    def network(self) -> Network:
        return self._client.network

    def wake_headers(self) -> Mapping[str, str]:
        """What opens the wake channel; asked by its own thread."""
        return self._client.wake_headers(self.identity)

    def forget_session(self) -> None:
        self._client.forget_session()

    def begin_software(self) -> None:
        """Applications, files and the picture, beside the rest; once at a time."""
        state = self.memory.state
        if state is not None and _SOFTWARE not in self._running:
            self._start(_SOFTWARE, self._bring_software, state, self._clock.now())

    def _bring_software(self, state: Mapping[str, Any], now: datetime) -> SoftwareDone:
        downloads = Downloads(self._store.folder / "downloads", self._client.network.open)
        done = SoftwareDone()
        address = (state.get("settings") or {}).get("wallpaper")
        if wallpaper.is_address(address) and not wallpaper.place_of(self._machine, str(address)):
            try:
                wallpaper.fetch(self._machine, str(address), self._client.network.open)
            except CannotApply as error:
                done.problems.append(Problem("wallpaper", str(error)))
        files = Files(self._machine, downloads, self.memory.files)
        done.problems += files.bring(state.get("files") or [])
        separator = "\\" if self._machine.system == WINDOWS else "/"
        folder = f"{FOLDER[self._machine.system]}{separator}downloads"
        installing = Installing(self._machine, downloads, folder, self.memory.applications)
        outcome = installing.bring(_with_cache(state), now)
        done.problems += outcome.problems
        done.installations, done.applications, done.files = outcome.installations, installing.kept, files.kept
        done.is_outdated = downloads.address_ended
        return done

    # Beside

    def _start(self, lane: str, work: Any, *args: Any) -> None:
        future = self._running[lane] = self._lanes.submit(work, *args)
        future.add_done_callback(lambda _: self.something_ended.set())

    def gather(self, *, waits: bool = False) -> bool:
        """Take in what has ended beside. Returns whether there is something new to tell."""
        self.something_ended.clear()
        ended = [lane for lane, future in self._running.items() if waits or future.done()]
        for lane in ended:
            future = self._running.pop(lane)
            try:
                result = future.result()
            except Exception as error:  # noqa: BLE001 - whatever it was must not end the agent, and is told
                self._software_problems = [Problem(lane, f"{type(error).__name__}: {error}")]
                if lane == _COMMANDS:
                    self._give_up_interrupted()
                continue
            if lane == _SOFTWARE:
                self._take_software(result)
        self._keep()
        return bool(ended) and bool(self.memory.installations or self._untold_results())

    def _take_software(self, done: SoftwareDone) -> None:
        had_picture = any(one.key == "wallpaper" for one in self._setting_problems)
        self._software_problems = done.problems
        self.memory.applications, self.memory.files = done.applications, done.files
        self.memory.installations += done.installations
        if done.is_outdated and self._is_old(self.memory.state_at):
            self.memory.etag = ""
        if had_picture:
            self.apply()

    def _is_old(self, moment: str) -> bool:
        return not moment or self._clock.now() - datetime.fromisoformat(moment) > _FRESH

    # Checking in

    def check_in(self) -> float:
        """Report, and take what is new. Returns after how many seconds to come again. Raises AgentErrors."""
        body, taken = self._report()
        try:
            reply = self._client.check_in(self.identity, body, self.memory.etag)
        except Retired:
            self.retire()
            raise
        self.memory.told = taken["told"]
        self._clock.finding = ""
        if not _is_waiting(reply):
            self._was_taken(taken)  # of a device that waits for approval the rest is not kept
        self.memory.last_contact = self._clock.now().isoformat(timespec="seconds")
        self.memory.last_failure = ""
        if reply.told is None:
            self._keep()
            return reply.seconds("Pupitre-Next", self.identity.check_in_seconds)
        told = reply.told if isinstance(reply.told, dict) else {}
        self._take(told, reply.headers.get("etag", ""))
        return _seconds(told.get("next_seconds"), self.identity.check_in_seconds)

    def has_news(self) -> bool:
        """Whether there is something that should be told before long."""
        return (
            bool(self._untold_results() or self.memory.installations)
            or self.memory.told.get("applied") != self.memory.applied
            or (self.memory.state is not None and not self.memory.etag)
        )

    @property
    def has_other_problems(self) -> bool:
        """Whether the server knows other problems than there are."""
        return bool(self.memory.told.get("problems") != self.problems())

    @property
    def is_busy(self) -> bool:
        return bool(self._running)

    def _take(self, told: Mapping[str, Any], etag: str) -> None:
        self.memory.standing = str(told.get("standing") or "enrolled")
        self._refusals = []
        if told.get("inventory") == "send all":
            self.memory.inventory = {}
        try:
            state = trusted_state(told, self.identity.server_key)
        except Untrusted as error:
            self._refusals.append(Problem("state", str(error)))
        else:
            self._take_state(state, etag)
        for one in told.get("commands") or []:
            self._take_command(one)
        self._forget_old_commands()
        self._keep()
        self._begin_commands()

    def _take_state(self, state: dict[str, Any] | None, etag: str) -> None:
        if state is not None:
            self.memory.state = state
            self.memory.state_at = self._clock.now().isoformat()
            self.memory.etag = etag or f'"{state.get("version", "")}"'
            self._keep()
            self.apply()

    def _report(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The body of a check-in, and what is remembered once it was taken."""
        told = {
            **health.measures(self._machine),
            "applied": self.memory.applied,
            "os_version": health.system_name(self._machine)[:200],
            "agent_version": VERSION,
            "problems": self.problems(),
        }
        body = {name: value for name, value in told.items() if self.memory.told.get(name) != value}
        packages = inventory.applications(self._machine, self._named_packages())
        hardware = health.hardware(self._machine)
        difference = inventory.difference(packages, hardware, self.memory.inventory)
        if difference is not None:
            body["inventory"] = difference
        results = self._untold_results()[:_MOST_RESULTS]
        if results:
            body["results"] = [one["result"] for one in results]
        installations = self.memory.installations[:_MOST_RESULTS]
        if installations:
            body["installations"] = installations
        known = {"digest": inventory.digest(packages, hardware), "packages": packages, "hardware": hardware}
        return body, {
            "told": told,
            "inventory": known,
            "results": results,
            "installations": len(installations),
        }

    def _was_taken(self, taken: Mapping[str, Any]) -> None:
        self.memory.inventory = taken["inventory"]
        for one in taken["results"]:
            one["is_taken"] = True
        self.memory.installations = self.memory.installations[taken["installations"] :]

    def _named_packages(self) -> list[str]:
        return [str(one.get("package")) for one in (self.memory.state or {}).get("applications") or []]

    def problems(self) -> list[dict[str, str]]:
        """All that does not hold, each once."""
        found = [*self._schedule_problems, *self._setting_problems, *self._software_problems, *self._refusals]
        if self._clock.finding:
            found.append(Problem("clock", self._clock.finding))
        unique = dict.fromkeys((one.key[:200], one.reason[:_REASON]) for one in found)
        return [{"key": key, "reason": reason} for key, reason in list(unique)[:_MOST_PROBLEMS]]

    # Commands

    def _take_command(self, told: Any) -> None:
        number = str(told.get("id")) if isinstance(told, dict) else ""
        if number in self.memory.commands:
            self.memory.commands[number]["is_taken"] = False  # it was not heard: told again, not done again
            return
        try:
            command = trusted_command(told, self.identity.server_key, self.identity.device, self._clock.now())
        except Untrusted as error:
            self._refusals.append(Problem("command", f"{number}: {error}"))
            return
        self.memory.commands[number] = {
            "command": {"id": command.id, "verb": command.verb, "arguments": dict(command.arguments)},
            "not_after": command.not_after.isoformat(),
            "begun": False,
            "result": None,
            "is_taken": False,
        }

    def _begin_commands(self) -> None:
        waiting = [one for one in self.memory.commands.values() if one["result"] is None and not one["begun"]]
        if not waiting or _COMMANDS in self._running:
            return
        for one in waiting:
            one["begun"] = True
        self._keep()
        self._start(_COMMANDS, self._carry_out, waiting)

    def _carry_out(self, waiting: list[dict[str, Any]]) -> None:
        for one in waiting:
            told = one["command"]
            command = Command(
                told["id"], told["verb"], told["arguments"], datetime.fromisoformat(one["not_after"])
            )
            one["result"] = self._one_result(command).told(command.id)
            one["command"] = {"id": command.id, "verb": command.verb}  # a passcode is not kept
            self.something_ended.set()

    def _one_result(self, command: Command) -> commands.Result:
        if command.verb == "report":
            self.memory.told, self.memory.inventory = {}, {}
            return commands.done("Everything is reported anew.")
        if command.verb == "lock":
            self._note_lock(command.arguments)
        return commands.carry_out(
            self._machine, command.verb, command.arguments, FOLDER[self._machine.system]
        )

    def _untold_results(self) -> list[dict[str, Any]]:
        return [
            one for one in self.memory.commands.values() if one["result"] is not None and not one["is_taken"]
        ]

    def _give_up_interrupted(self) -> None:
        """What had begun when the agent or the computer stopped is not begun again: nobody knows how far it came."""
        for one in self.memory.commands.values():
            if one["begun"] and one["result"] is None:
                one["result"] = commands.failed("The computer or its agent stopped meanwhile.").told(
                    one["command"]["id"]
                )
        self._forget_old_commands()

    def _forget_old_commands(self) -> None:
        """What is past its time is refused for that: it need not be known any more, once its result was taken."""
        now = self._clock.now() - timedelta(hours=1)
        self.memory.commands = {
            number: one
            for number, one in self.memory.commands.items()
            if not one["is_taken"] or datetime.fromisoformat(one["not_after"]) > now
        }

    # A lock that says when it ends needs nobody to open it.

    def _note_lock(self, arguments: Mapping[str, Any]) -> None:
        with contextlib.suppress(ValueError):
            self.memory.locked_until = datetime.fromisoformat(str(arguments.get("until"))).isoformat()

    def _lift_lock(self) -> None:
        until = self.memory.locked_until
        if until and self._clock.now() >= datetime.fromisoformat(until):
            commands.carry_out(self._machine, "unlock", {}, FOLDER[self._machine.system])
            self.memory.locked_until = ""

    # The end

    def retire(self) -> list[Problem]:
        """Taken out of use: everything is given free, and this device is forgotten."""
        return self.give_free("retired")

    def give_free(self, standing: str) -> list[Problem]:
        self.gather(waits=True)
        problems = self._engine.release()
        commands.carry_out(self._machine, "unlock", {}, FOLDER[self._machine.system])
        files = Files(self._machine, Downloads(self._store.folder / "downloads", _never), self.memory.files)
        problems += files.bring([])
        publish(self._machine, None, self._clock.now())
        self._store.forget_identity()
        self.memory = Memory(standing=standing)
        self._keep()
        return problems

    def _keep(self) -> None:
        self.memory.problems = self.problems()
        self.memory.software_problems = [asdict(one) for one in self._software_problems]
        self._store.keep(self.memory)
        if kept := self._clock.memory():
            self._store.write("clock", kept)

    def tick(self) -> None:
        """What must be known after the power went: the moment."""
        self._keep()

    def trust_newer_key(self, session: Mapping[str, Any]) -> None:
        """The server has another key than the one that was learnt: it is taken where the old one vouches for it."""
        newer = str(session.get("server_key") or "")
        if not newer or newer == self.identity.server_key:
            return
        for one in session.get("endorsements") or []:
            if one.get("by") == self.identity.server_key:
                verify_bytes(
                    self.identity.server_key, one.get("signature"), b"pupitre server key\n" + decode(newer)
                )
                self.identity = replace(self.identity, server_key=encode(decode(newer)))
                self._store.keep_identity(self.identity)
                return
        raise Untrusted("The server has another key, and the one that was learnt does not vouch for it.")

    def close(self) -> None:
        self._lanes.shutdown(wait=False, cancel_futures=True)


def _is_waiting(reply: Reply) -> bool:
    return isinstance(reply.told, dict) and reply.told.get("standing") == "waiting"


def _never(request: urllib.request.Request) -> Any:
    raise OSError("Nothing is fetched any more.")


def _seconds(told: object, default: float) -> float:
    return min(max(float(told), 1.0), 86_400.0) if isinstance(told, int | float) else default


def _address_of(proxy: Any) -> str:
    return f"{proxy['host']}:{proxy['port']}" if isinstance(proxy, dict) and proxy.get("host") else ""


def _with_cache(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Applications with the site's cache where none of their own is told."""
    cache = str((state.get("settings") or {}).get("site_cache") or "")
    return [{**one, "cache": one.get("cache") or cache} for one in state.get("applications") or []]
