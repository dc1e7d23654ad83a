"""Commands as the agent takes them: in its configuration, or as a push message, and by what we learn that they were done.

The agent has no list of commands. A reset, a restart and a new passcode are members of the configuration, confirmed at
addresses of their own; a lock is a state that lasts until it is taken back; a message is a page that is opened.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from pupitre.devices.rules import Verb

from .reading import Reported


class Way(Enum):
    """How a command reaches the agent."""

    CONFIGURATION = "configuration"
    MESSAGE = "message"
    NOT = "not"


class Proof(Enum):
    """By what it is known that the command was carried out."""

    #: A report that repeats the command's id, from the configuration that the device holds.
    STAMP = "stamp"
    #: The agent's call before it wipes or restarts, or after it set the passcode.
    CALL = "call"
    #: The message's page was opened on the device.
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Carriage:
    """How a verb travels, and what proves it."""

    way: Way
    proof: Proof | None = None
    reason: str = ""


CARRIAGE: Final[Mapping[Verb, Carriage]] = {
    Verb.LOCK: Carriage(Way.CONFIGURATION, Proof.STAMP),
    Verb.UNLOCK: Carriage(Way.CONFIGURATION, Proof.STAMP),
    Verb.REPORT: Carriage(Way.CONFIGURATION, Proof.STAMP),
    Verb.WIPE: Carriage(Way.CONFIGURATION, Proof.CALL),
    Verb.REBOOT: Carriage(Way.CONFIGURATION, Proof.CALL),
    Verb.CLEAR_PASSCODE: Carriage(Way.CONFIGURATION, Proof.CALL),
    Verb.MESSAGE: Carriage(Way.MESSAGE, Proof.PAGE),
    Verb.RUN_SCRIPT: Carriage(
        Way.NOT, reason="Headwind's agent runs no signed scripts, and unsigned ones are not sent."
    ),
}


@dataclass(frozen=True, slots=True)
class Order:
    """A command that is due, as the database keeps it."""

    id: int
    verb: Verb
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a command."""

    command: int
    is_done: bool
    message: str = ""


def split(orders: Iterable[Order]) -> dict[Way, list[Order]]:
    """The commands by how they travel."""
    found: dict[Way, list[Order]] = {way: [] for way in Way}
    for order in orders:
        found[CARRIAGE[order.verb].way].append(order)
    return found


def refused(orders: Iterable[Order]) -> list[Verdict]:
    """The commands that this agent cannot carry out, with the reason."""
    return [Verdict(one.id, False, CARRIAGE[one.verb].reason) for one in split(orders)[Way.NOT]]


def members(orders: Iterable[Order], lock: Order | None) -> dict[str, Any]:
    """The members of a configuration that make the agent act.

    Args:
        orders: due commands that travel in the configuration.
        lock: the newest lock or unlock that was given, done or not: it is a state and must be repeated.
    """
    verbs = {one.verb: one for one in orders}
    told: dict[str, Any] = {"factoryReset": Verb.WIPE in verbs, "reboot": Verb.REBOOT in verbs}
    told["lock"] = lock is not None and lock.verb is Verb.LOCK
    if told["lock"] and lock is not None:
        told["lockMessage"] = str(lock.arguments.get("text", ""))
    if (passcode := verbs.get(Verb.CLEAR_PASSCODE)) is not None:
        # An empty one takes the passcode away.
        told["passwordReset"] = str(passcode.arguments.get("passcode", ""))
    return told


def proved(report: Reported, orders: Iterable[Order]) -> list[Verdict]:
    """The commands that a report shows to be carried out: their ids stand in the configuration that it holds."""
    return [
        Verdict(one.id, True)
        for one in orders
        if CARRIAGE[one.verb].proof is Proof.STAMP and one.id in report.commands
    ]


def confirmed(verb: Verb, report: Reported, orders: Iterable[Order]) -> list[Verdict]:
    """What the agent's confirmation says of the commands of that verb."""
    if verb is Verb.WIPE and report.may_wipe is False:
        return [
            Verdict(one.id, False, "The agent is no administrator of the device and cannot reset it.")
            for one in orders
            if one.verb is verb
        ]
    return [Verdict(one.id, True) for one in orders if one.verb is verb]


# Push messages

CONFIG_UPDATED: Final = "configUpdated"


@dataclass(frozen=True, slots=True)
class Push:
    """A push message."""

    kind: str
    payload: Mapping[str, Any] | None = None


def page_push(url: str) -> Push:
    """Opens a page on the device: how a message reaches somebody without an application of ours."""
    return Push("intent", {"action": "android.intent.action.VIEW", "data": url})


def batch(pushes: Iterable[Push]) -> list[Push]:
    """What one answer may carry: of messages of the same kind the agent keeps only one, so the first goes and the others wait."""
    found: dict[str, Push] = {}
    for push in pushes:
        found.setdefault(push.kind, push)
    return list(found.values())


def polled(pushes: Iterable[Push]) -> list[dict[str, str | None]]:
    """The `data` of an answer to a poll. The payload is a text with JSON in it: the agent refuses an object there."""
    return [{"messageType": one.kind, "payload": _text(one.payload)} for one in pushes]


def published(push: Push) -> bytes:
    """The same over MQTT, where the payload is an object."""
    told: dict[str, Any] = {"messageType": push.kind}
    if push.payload is not None:
        told["payload"] = push.payload
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _text(payload: Mapping[str, Any] | None) -> str | None:
    return None if payload is None else json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
