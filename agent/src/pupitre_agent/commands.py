"""What the computer is told to do once. Each verb answers what came of it; none is done twice."""

import posixpath
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .errors import CannotApply
from .machine import WINDOWS, Machine, Ran, text_of
from .powershell import literal, powershell
from .words import of_machine

_LIMIT: Final = 16_000
_RESTARTS: Final = "Your school restarts this computer in a minute."
_ERASED: Final = "This computer was erased by your school."
_LONGEST_SCRIPT: Final = 3600.0
_SCRIPT_SECONDS: Final = 300.0
_NO_SIGN_IN: Final = "/etc/nologin"
_NOTICE: Final = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
_USER: Final = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a command."""

    state: str
    output: str = ""
    code: int | None = None

    def told(self, command: int) -> dict[str, Any]:
        """As a check-in tells it."""
        told = {"command": command, "state": self.state, "output": self.output[:_LIMIT]}
        return told | ({"code": self.code} if self.code is not None else {})


def done(output: str = "") -> Result:
    return Result("done", output)


def failed(output: str) -> Result:
    return Result("failed", output)


def _of(ran: Ran, what: str = "") -> Result:
    if ran.succeeded:
        return Result("done", what or ran.output, ran.code)
    return Result("failed", f"{ran.failure}\n{ran.output}".strip(), ran.code)


def carry_out(machine: Machine, verb: str, arguments: Mapping[str, Any], folder: str) -> Result:
    """Do it. `folder` is the agent's own, as the machine's tools name it."""
    act = _ACTS.get((verb, machine.system))
    if act is None:
        return failed(f"This agent does not know the command {verb!r} on this system.")
    try:
        return act(machine, arguments, folder)
    except (CannotApply, OSError, ValueError) as error:
        return failed(str(error))


# Lock and unlock: on Linux nobody but root signs in or unlocks a screen while /etc/nologin says why.


def _lock(machine: Machine, arguments: Mapping[str, Any], folder: str) -> Result:
    text = _line(arguments.get("text")) or of_machine(machine)("This computer was locked by your school.")
    machine.write(_NO_SIGN_IN, f"{text}\n".encode())
    return _of(machine.run("loginctl", "lock-sessions"), "Locked.")


def _unlock(machine: Machine, arguments: Mapping[str, Any], folder: str) -> Result:
    machine.remove(_NO_SIGN_IN)
    return done("People can sign in again.")


def _lock_windows(machine: Machine, arguments: Mapping[str, Any], folder: str) -> Result:
    text = _line(arguments.get("text")) or of_machine(machine)("This computer was locked by your school.")
    machine.registry.put(_NOTICE, "legalnoticecaption", "Pupitre")
    machine.registry.put(_NOTICE, "legalnoticetext", text)
    return _of(machine.run("tsdiscon", "console"), "The screen was locked; its owner's password opens it.")


def _unlock_windows(machine: Machine, arguments: Mapping[str, Any], folder: str) -> Result:
    for name in ("legalnoticecaption", "legalnoticetext"):
        machine.registry.drop(_NOTICE, name)
    return done()


# Reboot: in a minute, so that what came of it can be told before.


def _reboot(machine: Machine, arguments: Mapping[str, Any], folder: str) -> Result:
    return _of(machine.run("shutdown", "-r", "+1", of_machine(machine)(_RESTARTS)))


def _reboot_windows(machine: Machine, arguments: Mapping[str, Any], folder: str) -> Result:
    return _of(machine.run("shutdown", "/r", "/t", "60", "/c", of_machine(machine)(_RESTARTS)))


# Messages


def _message(machine: Machine, arguments: Mapping[str, Any], folder: str) -> Result:
    """On every desktop that somebody is signed in to, and on terminals."""
    text = _line(arguments.get("text"))
    shown = 0
    for user in machine.names("/run/user"):
        if not user.isdigit() or machine.mode(f"/run/user/{user}/bus") is None:
            continue
        ran = machine.run(
            "systemd-run", f"--machine={user}@.host", "--user", "--collect", "--quiet", "--wait",
            "notify-send", "--urgency=critical", "--app-name=Pupitre", "--", "Pupitre", text,
        )  # fmt: skip
        shown += ran.succeeded
    # By its input: a text that is a file's path it would take for that file, and show what only root may read.
    on_terminals = machine.run("wall", given=f"{text}\n".encode()).succeeded
    if shown or on_terminals:
        return done(f"Shown on {shown} desktops" + (" and on terminals." if on_terminals else "."))
    return failed("Nobody is signed in who could read it.")


def _message_windows(machine: Machine, arguments: Mapping[str, Any], folder: str) -> Result:
    # With a word before it: what begins with a stroke it would take for one of its options.
    text = f"Pupitre: {_line(arguments.get('text'))}"
    return _of(machine.run("msg", "*", "/TIME:3600", text), "Shown.")


def _line(text: object) -> str:
    return " ".join(str(text or "").split())[:500]


# Scripts


def _script(machine: Machine, arguments: Mapping[str, Any], folder: str) -> Result:
    """Its first line names what runs it, else sh does; as root, or as the user who is named."""
    text = _script_text(arguments)
    name = f"{folder}/script-{secrets.token_hex(8)}"
    user = str(arguments.get("user") or "root")
    if not _USER.fullmatch(user):
        raise CannotApply(f"{user!r} is not the name of a user.")
    first = text.split("\n", 1)[0]
    words = first.removeprefix("#!").split() if first.startswith("#!") else ["sh"]
    interpreter = [posixpath.basename(word) for word in words[:2]]
    tool = interpreter[-1] if interpreter[0] == "env" else interpreter[0]
    if user == "root":
        return _run_file(machine, name, text, arguments, (tool, name))
    # Who is not root cannot read the agent's folder: the script comes by its input.
    return _of(
        machine.run("runuser", "-u", user, "--", tool, "-s", given=text.encode(), **_bounds(arguments))
    )


def _script_windows(machine: Machine, arguments: Mapping[str, Any], folder: str) -> Result:
    if arguments.get("user"):
        raise CannotApply("Scripts run as the system on Windows, as no other user.")
    name = rf"{folder}\script-{secrets.token_hex(8)}.ps1"
    command = (*powershell("")[:-2], "-File", name)
    return _run_file(machine, name, _script_text(arguments), arguments, command)


def _script_text(arguments: Mapping[str, Any]) -> str:
    text = str(arguments.get("text") or "").replace("\r\n", "\n")
    if not text.strip():
        raise CannotApply("The script is empty.")
    return text


def _run_file(
    machine: Machine, name: str, text: str, arguments: Mapping[str, Any], command: tuple[str, ...]
) -> Result:
    machine.write(name, text.encode("utf-8-sig" if machine.system == WINDOWS else "utf-8"), 0o600)
    try:
        # Below a foreign root a tool is told where the file lies in truth.
        real = str(machine.real(name)) if machine.is_foreign else name
        return _of(machine.run(*(real if part == name else part for part in command), **_bounds(arguments)))
    finally:
        machine.remove(name)


def _bounds(arguments: Mapping[str, Any]) -> dict[str, Any]:
    seconds = float(arguments.get("seconds") or _SCRIPT_SECONDS)
    return {"seconds": min(max(seconds, 1.0), _LONGEST_SCRIPT), "limit": _LIMIT}


# Passcodes


def _clear_passcode(machine: Machine, arguments: Mapping[str, Any], folder: str) -> Result:
    """Everybody who signs in with a password of this computer gets the one that is told, or is asked for a new one."""
    users = _people(machine)
    if not users:
        raise CannotApply("Nobody has an account on this computer.")
    passcode = str(arguments.get("passcode") or "")
    if any(ord(sign) < 32 for sign in passcode):
        raise CannotApply("This is not a password.")
    for user in users:
        if passcode:
            ran = machine.run("chpasswd", given=f"{user}:{passcode}\n".encode())
        else:
            ran = machine.run("passwd", "--delete", user)
        if not ran.succeeded:
            return _of(ran)
        machine.run("passwd", "--expire", user)
    return done(f"{len(users)} accounts choose a new password when they sign in.")


def _people(machine: Machine) -> list[str]:
    """Accounts of people: neither the system's nor administrators'."""
    groups = (line.split(":") for line in text_of(machine, "/etc/group").splitlines())
    powerful = {
        name
        for one in groups
        if len(one) == 4 and one[0] in {"sudo", "wheel", "admin"}
        for name in one[3].split(",")
    }
    lines = (line.split(":") for line in text_of(machine, "/etc/passwd").splitlines())
    return [
        one[0]
        for one in lines
        if len(one) == 7 and one[2].isdigit() and 1000 <= int(one[2]) < 60_000 and one[0] not in powerful
    ]


def _clear_passcode_windows(machine: Machine, arguments: Mapping[str, Any], folder: str) -> Result:
    passcode = str(arguments.get("passcode") or "")
    if not passcode:
        raise CannotApply("Windows takes a passcode away only by a new one: name it.")
    command = (
        "$admins = (Get-LocalGroupMember -SID 'S-1-5-32-544').SID; "
        f"$p = ConvertTo-SecureString {literal(passcode)} -AsPlainText -Force; "
        "Get-LocalUser | Where-Object { $_.Enabled -and $admins -notcontains $_.SID } | Set-LocalUser -Password $p"
    )
    return _of(machine.run(*powershell(command)), "The passwords were set.")


# Wipe


def _wipe(machine: Machine, arguments: Mapping[str, Any], folder: str) -> Result:
    """An encrypted disk loses its key, which nothing brings back; where none is, people's folders are removed."""
    device = _encrypted_root(machine)
    if device:
        ran = machine.run("cryptsetup", "erase", "--batch-mode", device)
        if not ran.succeeded:
            return _of(ran)
        machine.run("shutdown", "-h", "+1", of_machine(machine)(_ERASED))
        return done(f"The key of {device} was erased.")
    for name in machine.names("/home"):
        shutil.rmtree(machine.real(f"/home/{name}"), ignore_errors=True)
    machine.run("fstrim", "/home", seconds=600)
    left = machine.names("/home")
    machine.run("shutdown", "-r", "+1", of_machine(machine)(_ERASED))
    if left:
        return failed(f"Not everything could be removed: {', '.join(left)}.")
    return done(
        "The disk is not encrypted: people's folders were removed; a laboratory may find parts of them."
    )


def _encrypted_root(machine: Machine) -> str:
    """The encrypted device that the root lies on; empty where it lies in the open."""
    ran = machine.run(
        "lsblk", "--inverse", "--noheadings", "--list", "--output", "PATH,FSTYPE", _root_device(machine)
    )
    for line in ran.output.splitlines() if ran.succeeded else []:
        path, _, kind = line.strip().partition(" ")
        if kind.strip() == "crypto_LUKS":
            return path
    return ""


def _root_device(machine: Machine) -> str:
    return machine.run("findmnt", "--noheadings", "--output", "SOURCE", "/").output.strip()


_WIPE_WINDOWS: Final = (
    "$n = 'root\\cimv2\\mdm\\dmmap'; $c = 'MDM_RemoteWipe'; $s = New-CimSession; "
    "$i = Get-CimInstance -Namespace $n -ClassName $c -Filter \"ParentID='./Vendor/MSFT' and InstanceID='RemoteWipe'\"; "
    "$p = New-Object Microsoft.Management.Infrastructure.CimMethodParametersCollection; "
    "$p.Add([Microsoft.Management.Infrastructure.CimMethodParameter]::Create('param', '', 'String', 'In')); "
    "$s.InvokeMethod($n, $i, 'doWipeMethod', $p)"
)


def _wipe_windows(machine: Machine, arguments: Mapping[str, Any], folder: str) -> Result:
    return _of(machine.run(*powershell(_WIPE_WINDOWS)), "The reset has begun.")


Act = Callable[[Machine, Mapping[str, Any], str], Result]
_ACTS: Final[Mapping[tuple[str, str], Act]] = {
    ("lock", "linux"): _lock,
    ("lock", WINDOWS): _lock_windows,
    ("unlock", "linux"): _unlock,
    ("unlock", WINDOWS): _unlock_windows,
    ("reboot", "linux"): _reboot,
    ("reboot", WINDOWS): _reboot_windows,
    ("message", "linux"): _message,
    ("message", WINDOWS): _message_windows,
    ("run_script", "linux"): _script,
    ("run_script", WINDOWS): _script_windows,
    ("clear_passcode", "linux"): _clear_passcode,
    ("clear_passcode", WINDOWS): _clear_passcode_windows,
    ("wipe", "linux"): _wipe,
    ("wipe", WINDOWS): _wipe_windows,
}
