"""Computers that are folders: files below a root, and tools that write down how they were called and keep a little state."""

import os
from pathlib import Path
from typing import Final
from uuid import uuid4

from pupitre_agent.machine.local import LocalMachine, this_machine

_RECORD: Final = """#!/bin/sh
PATH=/usr/bin:/bin
ROOT='{root}'
{{ printf '%s' "${{0##*/}}"; for word in "$@"; do printf '\\037%s' "$word"; done; printf '\\036'; }} >> "$ROOT/calls"
"""
#: What `apt-get install FILE|NAME=VERSION` and `remove NAME` do: FILE's first line says "NAME VERSION".
_APT: Final = """
last=""; for word in "$@"; do last="$word"; done
case "$1" in
  install)
    case "$last" in
      /*) read -r name version < "$ROOT$last" || exit 100 ;;
      *=*) name="${last%%=*}"; version="${last#*=}" ;;
      *) name="$last"; version="1.0" ;;
    esac
    if [ -e "$ROOT/broken-$name" ]; then echo "E: $name is broken"; exit 100; fi
    touch "$ROOT/packages"; grep -v "	$name	" "$ROOT/packages" > "$ROOT/packages.new"
    printf 'installed\\t%s\\t%s\\n' "$name" "$version" >> "$ROOT/packages.new"; mv "$ROOT/packages.new" "$ROOT/packages" ;;
  remove)
    grep -v "	$last	" "$ROOT/packages" > "$ROOT/packages.new"; mv "$ROOT/packages.new" "$ROOT/packages" ;;
esac
exit 0
"""
_LINUX_TOOLS: Final[dict[str, str]] = {
    "apt-get": _APT,
    "dpkg-query": 'cat "$ROOT/packages" 2>/dev/null; exit 0',
    # 1 where the first is after the second, as sort -V has it.
    "dpkg": '[ "$2" != "$4" ] && [ "$(printf "%s\\n%s\\n" "$2" "$4" | sort -V | tail -n 1)" = "$2" ]',
    "apt-mark": "exit 0",
    "nmcli": "exit 0",
    "dconf": "exit 0",
    "udevadm": "exit 0",
    "modprobe": "exit 0",
    "systemctl": "exit 0",
    "systemd-sysusers": "exit 0",
    "systemd-tmpfiles": "exit 0",
    "systemd-run": "exit 0",
    "update-ca-certificates": "exit 0",
    "unattended-upgrade": "exit 0",
    "loginctl": "exit 0",
    "kill": "exit 0",
    "wall": "exit 0",
    "shutdown": "exit 0",
    "snap": "exit 0",
    "cage": "exit 0",
    # Scripts really run, with the real shell, below the folder.
    "sh": 'exec /bin/sh "$@"',
    "runuser": 'shift 3; echo "as told: $*"; cat; exit 0',
    "passwd": "exit 0",
    "chpasswd": 'cat >> "$ROOT/passwords"',
}
_WINDOWS_TOOLS: Final[dict[str, str]] = dict.fromkeys(("netsh", "certutil", "msiexec", "winget", "powershell.exe", "sc.exe", "net", "powercfg", "msg", "shutdown", "tsdiscon"), "exit 0")  # fmt: skip


class Computer:
    """A folder that the agent takes for a computer."""

    def __init__(self, root: Path, system: str = "linux") -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.machine: LocalMachine = this_machine(str(root), system)
        if system == "linux":
            self._prepare_linux()
        else:
            self.tools = root / "C" / "Windows" / "System32"
            for name, does in _WINDOWS_TOOLS.items():
                self.give_tool(name, does)

    def _prepare_linux(self) -> None:
        self.tools = self.root / "usr" / "bin"
        for name, does in _LINUX_TOOLS.items():
            self.give_tool(name, does)
        self.put("/etc/os-release", 'ID=debian\nVERSION_ID="13"\nNAME="Debian GNU/Linux"\n')
        self.put("/etc/debian_version", "13.1\n")
        self.put("/etc/hostname", "pc-14\n")
        self.put("/etc/passwd", "root:x:0:0:::\nadmin:x:1000:1000:::\nnuria:x:1001:1001:::\n")
        self.put("/etc/group", "sudo:x:27:admin\n")
        self.put("/etc/security/pwquality.conf", "")
        self.put("/usr/share/polkit-1/actions/one", "")
        self.put("/proc/sys/kernel/random/boot_id", "boot-1\n")
        self.put("/sys/class/dmi/id/product_serial", f"S-{uuid4().hex[:8]}\n")
        self.put("/sys/class/dmi/id/sys_vendor", "Lenovo\n")
        self.put("/sys/class/dmi/id/product_name", "L13\n")
        battery = "/sys/class/power_supply/BAT0"
        for name, value in {
            "type": "Battery", "capacity": "83", "status": "Charging", "energy_full": "43", "energy_full_design": "50",
        }.items():  # fmt: skip
            self.put(f"{battery}/{name}", f"{value}\n")

    def give_tool(self, name: str, does: str = "exit 0") -> None:
        """A tool that is found, writes its call down, and does that."""
        self.tools.mkdir(parents=True, exist_ok=True)
        path = self.tools / name
        path.write_text(_RECORD.format(root=self.root) + does + "\n")
        path.chmod(0o755)

    def take_tool(self, name: str) -> None:
        (self.tools / name).unlink()

    def put(self, path: str, text: str, mode: int = 0o644) -> Path:
        """A file that is there before the agent comes."""
        real = self.machine.real(path)
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_text(text)
        real.chmod(mode)
        return real

    def give_application(self, name: str, program: str = "", package: str = "", extra: str = "") -> None:
        """An entry in the menu, its program, and the package it came with."""
        entry = f"/usr/share/applications/{name}.desktop"
        program = program or f"/usr/bin/{name}"
        self.put(entry, f"[Desktop Entry]\nType=Application\nName={name}\nExec={program} %U\n{extra}")
        if not self.machine.real(program).exists():
            self.put(program, "#!/bin/sh\n", 0o755)
        if package:
            self.put(f"/var/lib/dpkg/info/{package}.list", f"/.\n{entry}\n{program}\n")

    def text(self, path: str) -> str:
        """What stands in a file; empty where there is none."""
        return (self.machine.read(path) or b"").decode()

    def calls(self, *starts: str) -> list[list[str]]:
        """How tools were called, in order; those of the names alone where names are given."""
        try:
            written = (self.root / "calls").read_text()
        except FileNotFoundError:
            return []
        calls = [one.split("\x1f") for one in written.split("\x1e") if one]
        return [one for one in calls if not starts or one[0] in starts]

    def forget_calls(self) -> None:
        (self.root / "calls").unlink(missing_ok=True)

    def files(self) -> dict[str, str]:
        """All files below /etc, /usr/local and the like with their content: what can be compared before and after."""
        found = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = Path(folder) / name
                relative = str(path.relative_to(self.root))
                if not relative.startswith(("var/lib/pupitre-agent", "calls")):
                    found[relative] = f"{path.stat().st_mode & 0o777:o} {path.read_bytes()!r}"
        return found
