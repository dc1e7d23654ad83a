"""Debian packages by apt-get and dpkg."""

from pupitre_agent.machine import Machine, Ran


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
        return machine.run("apt-get", "install", *self._options, "--", what, seconds=1800)

    def remove(self, machine: Machine, package: str) -> Ran:
        return machine.run("apt-get", "remove", *self._options, "--", package, seconds=1800)

    def hold(self, machine: Machine, package: str, *, is_held: bool) -> Ran | None:
        return machine.run("apt-mark", "hold" if is_held else "unhold", "--", package)

    def is_newer(self, machine: Machine, one: str, other: str) -> bool:
        return machine.run("dpkg", "--compare-versions", one, "gt", other).succeeded
