"""Debian packages by apt-get and dpkg."""

from typing import Final

from pupitre_agent.machine import Machine, Ran

_INTERRUPTED: Final = "dpkg --configure -a"


class Apt:
    """apt-get takes a file with a path as well as a name, and brings what it depends on."""

    _options = (
        "-y", "-q", "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold",
        "-o", "DPkg::Lock::Timeout=300", "--allow-downgrades", "--allow-change-held-packages",
    )  # fmt: skip

    def installed(self, machine: Machine) -> dict[str, str]:
        ran = machine.run(
            "dpkg-query", "-W", "-f", "${db:Status-Status}\t${Package}\t${Version}\n", limit=4_000_000
        )
        lines = (line.split("\t") for line in ran.output.splitlines())
        return {one[1]: one[2] for one in lines if len(one) == 3 and one[0] == "installed"}

    def install(self, machine: Machine, package: str, version: str, path: str, *, is_downgrade: bool) -> Ran:
        if not path:
            machine.run("apt-get", "update", "-q", seconds=600)
        what = path or (f"{package}={version}" if version else package)
        ran = self._apt(machine, "install", what)
        if not ran.succeeded and _INTERRUPTED in ran.output:
            # The power went in the middle of an earlier one.
            machine.run("dpkg", "--configure", "-a", seconds=1800)
            ran = self._apt(machine, "install", what)
        return ran

    def _apt(self, machine: Machine, act: str, what: str) -> Ran:
        return machine.run("apt-get", act, *self._options, "--", what, seconds=1800)

    def remove(self, machine: Machine, package: str) -> Ran:
        return self._apt(machine, "remove", package)

    def hold(self, machine: Machine, package: str, *, is_held: bool) -> Ran | None:
        return machine.run("apt-mark", "hold" if is_held else "unhold", "--", package)

    def is_newer(self, machine: Machine, one: str, other: str) -> bool:
        return machine.run("dpkg", "--compare-versions", one, "gt", other).succeeded
