"""Applications brought to what the desired state says. What fails is tried again later and later, and told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from .downloads import Downloads
from .engine import Problem
from .errors import CannotApply, Postponed
from .machine import Machine, Ran
from .packages import Application, Tool, tools_of

_FIRST_PAUSE: Final = timedelta(minutes=15)
_LONGEST_PAUSE: Final = timedelta(days=1)
_MESSAGE: Final = 500


@dataclass
class Outcome:
    """What came of it."""

    problems: list[Problem] = field(default_factory=list)
    #: To tell: {"version", "state", "message"}.
    installations: list[dict[str, Any]] = field(default_factory=list)


class Installing:
    """`kept` is what is remembered by package, and is changed: failures and when to try again, what was told, what is held."""

    def __init__(
        self, machine: Machine, downloads: Downloads, folder: str, kept: dict[str, dict[str, Any]]
    ) -> None:
        self._machine = machine
        self._downloads = downloads
        #: The downloads' folder as the machine's tools know it.
        self._folder = folder
        self.kept = {package: dict(one) for package, one in kept.items()}

    def bring(self, entries: Sequence[Mapping[str, Any]], now: datetime) -> Outcome:
        """Install, go back, remove. Returns what was done and what could not be."""
        outcome = Outcome()
        tools = tools_of(self._machine)
        installed: dict[str, dict[str, str]] = {}
        for application in [Application.of(entry) for entry in entries]:
            if application.action == "allow":
                continue
            tool = tools.get(application.kind)
            if tool is None:
                self._say_no_tool(application, outcome)
                continue
            if application.kind not in installed:
                installed[application.kind] = tool.installed(self._machine)
            one = One(
                self, application, tool, installed[application.kind].get(application.package), now, outcome
            )
            one.bring()
        named = {str(entry.get("package")) for entry in entries}
        self.kept = {package: one for package, one in self.kept.items() if package in named}
        return outcome

    def _say_no_tool(self, application: Application, outcome: Outcome) -> None:
        if application.action == "remove" and not application.kind:
            return  # of no kind that the school's catalogue knows: there is nothing of it here
        reason = (
            f"{application.package}: this computer has no tool for packages of the kind {application.kind!r}."
        )
        outcome.problems.append(Problem("applications", reason))
        self.tell(application, "failed", reason, outcome)

    def tell(self, application: Application, state: str, message: str, outcome: Outcome) -> None:
        """Once for the same version and state."""
        memory = self.kept.setdefault(application.package, {})
        said = [application.version_id, state, message[:_MESSAGE]]
        if application.version_id and memory.get("told") != said:
            before, memory["told"] = memory.get("told"), said
            if state == "installed" and before and before[0] != application.version_id and before[1] == state:
                # The version that it took the place of is there no more.
                outcome.installations.append({"version": before[0], "state": "removed", "message": ""})
            outcome.installations.append(
                {"version": application.version_id, "state": state, "message": message[:_MESSAGE]}
            )

    def fetch(self, application: Application) -> str:
        """The package's file as the machine's tools name it; empty where its tool fetches it itself."""
        if not application.url:
            return ""
        found: Path = self._downloads.fetch(
            application.url, application.sha256, application.size, application.cache
        )
        # Tools go by the end of a file's name.
        named = found.with_name(f"{found.name}.{application.kind}")
        named.unlink(missing_ok=True)
        named.hardlink_to(found)
        separator = "\\" if "\\" in self._folder else "/"
        return f"{self._folder}{separator}{named.name}"

    def forget(self, application: Application, path: str) -> None:
        self._downloads.forget(application.sha256)
        self._machine.remove(path)


class One:
    """One application."""

    def __init__(
        self,
        all_: Installing,
        application: Application,
        tool: Tool,
        found: str | None,
        now: datetime,
        outcome: Outcome,
    ) -> None:
        self._all = all_
        self._machine = all_._machine
        self._application = application
        self._tool = tool
        #: The version that is there.
        self._found = found
        self._now = now
        self._outcome = outcome

    @property
    def _memory(self) -> dict[str, Any]:
        return self._all.kept.setdefault(self._application.package, {})

    def bring(self) -> None:
        if self._application.action == "remove":
            self._remove()
        elif self._is_as_wanted():
            self._done("installed")
        elif self._may_try():
            self._install()

    def _is_as_wanted(self) -> bool:
        wanted, found = self._application.version, self._found
        if found is None:
            return False
        if not wanted or found == wanted:
            return True
        return self._application.keeps_newer and self._tool.is_newer(self._machine, found, wanted)

    def _may_try(self) -> bool:
        again = self._memory.get("again_at")
        if again is None or self._memory.get("of") != self._what():
            return True
        if self._now >= datetime.fromisoformat(again):
            return True
        self._outcome.problems.append(Problem("applications", self._memory["reason"]))
        return False

    def _what(self) -> list[Any]:
        one = self._application
        return [one.action, one.version_id, one.version, one.sha256]

    def _install(self) -> None:
        one = self._application
        try:
            path = self._all.fetch(one)
        except Postponed as error:
            self._postponed(error)
            return
        except (CannotApply, OSError) as error:
            self._failed(str(error))
            return
        is_downgrade = bool(self._found and one.version) and self._tool.is_newer(
            self._machine, self._found or "", one.version
        )
        ran = self._tool.install(self._machine, one.package, one.version, path, is_downgrade=is_downgrade)
        found = self._tool.installed(self._machine).get(one.package) if ran.succeeded else None
        if path:
            self._all.forget(one, path)
        self._judge(ran, found)

    def _judge(self, ran: Ran, found: str | None) -> None:
        wanted = self._application.version
        if not ran.succeeded:
            self._failed(ran.failure)
        elif found is None:
            self._failed("It is not there although its tool says that it was installed.")
        elif wanted and found != wanted:
            self._failed(f"Version {found} was installed, not {wanted}.")
        else:
            self._done("installed")

    def _remove(self) -> None:
        if self._found is None:
            self._done("removed")
        elif self._may_try():
            ran = self._tool.remove(self._machine, self._application.package)
            if ran.succeeded:
                self._done("removed")
            else:
                self._failed(ran.failure)

    def _done(self, state: str) -> None:
        for name in ("again_at", "failures", "of", "reason"):
            self._memory.pop(name, None)
        self._all.tell(self._application, state, "", self._outcome)
        held = bool(self._memory.get("held"))
        wanted = self._application.pinned and state == "installed"
        if held != wanted:
            ran = self._tool.hold(self._machine, self._application.package, is_held=wanted)
            if ran is None or ran.succeeded:
                self._memory["held"] = wanted

    def _postponed(self, error: Postponed) -> None:
        """The file could not be fetched now: that says nothing about the application, and halts no rollout."""
        again = (self._now + timedelta(seconds=error.seconds)).isoformat()
        self._memory.update(
            again_at=again, of=self._what(), reason=f"{self._application.package}: {error}"[:_MESSAGE]
        )
        if not error.seconds:
            self._outcome.problems.append(Problem("applications", self._memory["reason"]))

    def _failed(self, reason: str) -> None:
        is_same = self._memory.get("of") == self._what()
        failures = (int(self._memory.get("failures", 0)) if is_same else 0) + 1
        pause = min(_FIRST_PAUSE * 2 ** min(failures - 1, 10), _LONGEST_PAUSE)
        reason = f"{self._application.package}: {reason}"[:_MESSAGE]
        again = (self._now + pause).isoformat()
        self._all.kept[self._application.package] = {
            **self._memory, "failures": failures, "again_at": again, "of": self._what(), "reason": reason,
        }  # fmt: skip
        self._outcome.problems.append(Problem("applications", reason))
        self._all.tell(self._application, "failed", reason, self._outcome)
