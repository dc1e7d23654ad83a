"""What a command is made of: its arguments, how long it holds, and what takes its place. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from pupitre.kernel.errors import NotFound, Refused

from . import TEACHERS_VERBS, TWO_PERSONS, CommandState, Verb

#: A lock that arrives next week locks out of the wrong lesson; a wiped device may be found after weeks.
LASTS: Final[Mapping[Verb, timedelta]] = {
    Verb.LOCK: timedelta(hours=8),
    Verb.UNLOCK: timedelta(days=1),
    Verb.WIPE: timedelta(days=60),
    Verb.REBOOT: timedelta(hours=12),
    Verb.MESSAGE: timedelta(days=1),
    Verb.CLEAR_PASSCODE: timedelta(days=1),
    Verb.RUN_SCRIPT: timedelta(days=7),
    Verb.REPORT: timedelta(days=1),
}
LONGEST: Final = timedelta(days=90)
MOST_TEXT: Final = 500
#: What a newer one of the same kind replaces. A lock and an unlock replace each other.
_SUPERSEDES: Final[Mapping[Verb, str]] = {
    Verb.LOCK: "lock",
    Verb.UNLOCK: "lock",
    Verb.WIPE: "wipe",
    Verb.REBOOT: "reboot",
    Verb.CLEAR_PASSCODE: "passcode",
    Verb.REPORT: "report",
}
#: Can be asked for again.
FAILED: Final = frozenset({CommandState.FAILED, CommandState.EXPIRED})


class TextMissing(Refused):
    """Write what the message shall say."""


class ScriptMissing(Refused):
    """Choose the script that shall run."""


class TooLong(Refused):
    """A command can wait for 90 days at most."""


class NothingToTell(Refused):
    """None of these devices can be told anything: they have not come in yet, or are out of use."""


def arguments_of(verb: Verb, told: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that a verb takes, of what was told."""
    if verb in (Verb.MESSAGE, Verb.LOCK):
        text = " ".join(str(told.get("text", "")).replace("\0", "").split())[:MOST_TEXT]
        if verb is Verb.MESSAGE and not text:
            raise TextMissing
        return {"text": text} if text else {}
    if verb is Verb.RUN_SCRIPT:
        script = str(told.get("script", ""))
        if not (script.isascii() and script.isdecimal() and len(script) < 18):
            raise ScriptMissing
        return {"script": int(script)}
    if verb is Verb.CLEAR_PASSCODE:
        passcode = str(told.get("passcode", ""))[:64]
        return {"passcode": passcode} if passcode else {}
    return {}


def supersede_key_of(verb: Verb) -> str:
    return _SUPERSEDES.get(verb, "")


def lasting(verb: Verb, asked: timedelta | None) -> timedelta:
    """How long a command waits for its device."""
    if asked is None:
        return LASTS[verb]
    if asked > LONGEST or asked <= timedelta(0):
        raise TooLong
    return asked


def first_state(verb: Verb) -> CommandState:
    return CommandState.PROPOSED if verb in TWO_PERSONS else CommandState.QUEUED


def teachers_verb(verb: Verb) -> Verb:
    """The verb, if teachers may use it at all."""
    if verb not in TEACHERS_VERBS:
        raise NotFound
    return verb


def teachers_lasting(verb: Verb, asked: timedelta | None, *, left: timedelta) -> timedelta:
    """How long a teacher's command waits: a lock for what is `left` of the lesson at most."""
    most = max(left, timedelta(minutes=1)) if verb is Verb.LOCK else LASTS[verb]
    return min(lasting(verb, asked), most)
