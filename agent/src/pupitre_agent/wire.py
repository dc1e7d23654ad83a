"""What is said to the server and what it answers: parsed and looked at, with no network. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from .errors import Untrusted
from .signing import verify

ENROLMENT: Final = "/device/v1/enrolment"
SESSION: Final = "/device/v1/session"
CHECK_IN: Final = "/device/v1/check-in"
WAKE: Final = "/device/v1/wake"


@dataclass(frozen=True, slots=True)
class Command:
    """Something to be done once."""

    id: int
    verb: str
    arguments: Mapping[str, Any]
    not_after: datetime


def trusted_state(answer: Mapping[str, Any], server_key: str) -> dict[str, Any] | None:
    """The desired state of an answer, or None where it has none. Raises Untrusted unless the server's key signed it."""
    state = answer.get("state")
    if state is None:
        return None
    verify(server_key, answer.get("signature"), state)
    if not isinstance(state, dict) or not isinstance(state.get("settings", {}), dict):
        raise Untrusted("The state is not one.")
    return state


def trusted_command(told: Any, server_key: str, device: str, now: datetime) -> Command:
    """A command that is signed for this device and not past its time. Raises Untrusted."""
    if not isinstance(told, dict):
        raise Untrusted("The command is not one.")
    signed = {name: told.get(name) for name in ("arguments", "id", "not_after", "verb")} | {"device": device}
    verify(server_key, told.get("signature"), signed)
    try:
        not_after = datetime.fromisoformat(told["not_after"])
        command = Command(int(told["id"]), str(told["verb"]), dict(told["arguments"] or {}), not_after)
        is_past = now > not_after
    except (KeyError, TypeError, ValueError) as error:
        raise Untrusted("The command is not one.") from error
    if is_past:
        raise Untrusted("The command is past its time.")
    return command


def problem_kind(told: Any) -> tuple[str, str]:
    """Of an answer that says no: the last word of its type, and its reason."""
    if not isinstance(told, dict):
        return "", ""
    kind = str(told.get("type", "")).rstrip("/").rsplit("/", 1)[-1]
    return kind, str(told.get("detail") or told.get("title") or "")
