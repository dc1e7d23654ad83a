"""PowerShell, called so that nothing of a policy's words is read as a command."""

from .machine import Args


def literal(text: str) -> str:
    """A text in single quotes, in which PowerShell expands nothing."""
    return "'" + text.replace("'", "''").replace("\u2018", "''").replace("\u2019", "''") + "'"


def powershell(command: str) -> Args:
    """A command for PowerShell, which stops at the first error."""
    return (
        "powershell.exe",
        "-NoProfile",
        "-NonInteractive",
        "-ExecutionPolicy",
        "Bypass",
        "-Command",
        f"$ErrorActionPreference = 'Stop'; {command}",
    )
