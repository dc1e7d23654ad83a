"""Flatpaks of the whole computer. A file is a bundle; else the application comes from a remote of the system's."""

from pupitre_agent.machine import Machine, Ran

from . import versions


class Flatpak:
    """A version of a remote is the commit that has it."""

    def installed(self, machine: Machine) -> dict[str, str]:
        ran = machine.run(
            "flatpak", "list", "--system", "--app", "--columns=application,version,active", limit=1_000_000
        )
        lines = (line.split("\t") for line in ran.output.splitlines())
        return {one[0]: one[1] or one[2] for one in lines if len(one) == 3}

    def install(self, machine: Machine, package: str, version: str, path: str, *, is_downgrade: bool) -> Ran:
        start = ("flatpak", "install", "--system", "--noninteractive", "--assumeyes", "--or-update")
        if path:
            return machine.run(*start, "--bundle", path, seconds=1800)
        ran = machine.run(*start, "--", package, seconds=1800)
        if ran.succeeded and version:
            commit = self._commit(machine, package, version)
            if commit:
                update = ("flatpak", "update", "--system", "--noninteractive", "--assumeyes")
                return machine.run(*update, f"--commit={commit}", "--", package, seconds=1800)
        return ran

    def _commit(self, machine: Machine, package: str, version: str) -> str:
        """The commit of a remote whose subject names the version; the newest such."""
        found = machine.run("flatpak", "info", "--system", "--show-origin", package)
        log = machine.run(
            "flatpak", "remote-info", "--system", "--log", found.output.strip(), package, limit=500_000
        )
        commit = ""
        for line in log.output.splitlines():
            name, _, value = line.strip().partition(": ")
            if name == "Commit":
                commit = value
            elif name == "Subject" and version in value.split():
                return commit
        return ""

    def remove(self, machine: Machine, package: str) -> Ran:
        return machine.run(
            "flatpak", "uninstall", "--system", "--noninteractive", "--assumeyes", "--", package, seconds=1800
        )

    def hold(self, machine: Machine, package: str, *, is_held: bool) -> Ran | None:
        return machine.run("flatpak", "mask", "--system", *([] if is_held else ["--remove"]), package)

    def is_newer(self, machine: Machine, one: str, other: str) -> bool:
        return versions.is_newer(one, other)
