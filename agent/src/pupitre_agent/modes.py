"""What a mode means besides its own name: settings that it brings along, on every system the same."""

from typing import Any, Final

from .engine import Problem, Settings

#: While an exam is on, whatever else a policy says.
_EXAM: Final[Settings] = {
    "usb_storage": False,
    "bluetooth": False,
    "developer_mode": False,
    "install_applications": False,
    "add_accounts": False,
}


def expanded(settings: Settings) -> tuple[dict[str, Any], list[Problem]]:
    """The settings with those that their mode brings."""
    found = dict(settings)
    if found.get("mode") != "exam":
        return found, []
    found |= _EXAM
    named = (found.get("allowed_applications") or {}).get("packages") or found.get("kiosk_application")
    if named:
        return found, []
    return found, [
        Problem("mode", "An exam needs allowed_applications or a kiosk_application: none is named.")
    ]
