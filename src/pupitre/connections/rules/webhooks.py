"""What other systems are told of, how a delivery is signed, and when it is tried again. Pure."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, Final

from pupitre.kernel.errors import Conflict, Refused


class EventKind(StrEnum):
    """What happened. The words are the contract with receivers: never renamed."""

    PERSON_CREATED = "person.created"
    PERSON_UPDATED = "person.updated"
    PERSON_ENDED = "person.ended"
    ENROLMENT_CHANGED = "enrolment.changed"
    ROSTER_IMPORTED = "roster.imported"
    REGISTER_TAKEN = "register.taken"
    REGISTER_CLOSED = "register.closed"
    ABSENCE_ANNOUNCED = "absence.announced"
    ABSENCE_DECIDED = "absence.decided"
    PUPIL_MISSING = "pupil.missing"
    NOTICE_PUBLISHED = "notice.published"
    SUBSTITUTION_CHANGED = "substitution.changed"


#: What the office sends to see whether a receiver works. Nobody chooses it: every receiver gets its own.
TEST: Final = "webhook.test"


class DeliveryState(IntEnum):
    WAITING = 1
    DELIVERED = 2
    FAILED = 3


class Problem(IntEnum):
    """Why a delivery has not arrived. Stored: never renumber."""

    NONE = 0
    STATUS = 1  # the receiver answered something but 2xx
    REFUSED_ADDRESS = 2
    UNREACHABLE = 3
    UNTRUSTED = 4
    TOOK_TOO_LONG = 5
    DISABLED = 6  # the webhook was disabled while it waited
    UNREADABLE = 7  # the secret cannot be unsealed on this installation


class DisabledBy(IntEnum):
    """Why a webhook is disabled. Stored: never renumber."""

    OFFICE = 1
    GONE = 2  # the receiver answered 410
    FAILURES = 3


class NotHttps(Refused):
    """Write an address that begins with https:// and can be reached from the Internet."""


class NoKind(Refused):
    """Choose at least one event."""


class WebhookNameMissing(Refused):
    """Give the webhook a name by which you will know it again."""


class TooManyWebhooks(Refused):
    """A school has at most %(most)s webhooks. Remove one that is not used any more."""


class WebhookDisabled(Conflict):
    """This webhook is disabled. Enable it first."""


class NothingFailed(Refused):
    """Nothing has failed since then."""


MOST_WEBHOOKS: Final = 20
#: A receiver has so long to answer.
SECONDS: Final = 10.0
#: So much of an answer is kept.
ANSWER_KEPT: Final = 500
#: The secret before counts for so long after a new one was made: both sign.
ROTATION: Final = timedelta(hours=24)
#: Who answers nothing good for so long is not asked any more.
DISABLED_AFTER: Final = timedelta(days=5)
LOG_KEPT: Final = timedelta(days=30)
#: The waits between attempts, some three days in all. Each is stretched by up to a fifth, so that what failed together
#: does not come back together.
_WAITS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 43200, 86400)
)
_JITTER: Final = 0.2
#: How long a receiver that fails is left alone, whatever waits for it.
_PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900, 1800))
_PREFIX: Final = "whsec_"


def new_webhook_secret() -> str:
    """A secret as Standard Webhooks writes it: 256 random bits."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, event_id: str, sent_at: datetime, body: bytes) -> str:
    """Standard Webhooks' symmetric signature of one attempt, `v1,` and base64."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{event_id}.{int(sent_at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers_of(keys: Sequence[str], event_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt; with two secrets both sign, the newest first."""
    return {
        "content-type": "application/json",
        "user-agent": "Pupitre-Webhooks/1",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": " ".join(signature(key, event_id, sent_at, body) for key in keys),
    }


def payload_of(kind: str, happened_at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    """What a receiver gets, as Standard Webhooks recommends: type, timestamp, data."""
    at = happened_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"type": kind, "timestamp": at, "data": dict(data)}


def body_of(payload: Mapping[str, Any]) -> bytes:
    """The payload as it is sent and signed, the same for every attempt."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt. `status` is 0 where nothing answered."""

    problem: Problem
    status: int = 0
    answer: str = ""
    #: What the receiver asks for by Retry-After, in seconds.
    wait: int = 0

    @property
    def is_delivered(self) -> bool:
        return self.problem is Problem.NONE

    @property
    def is_gone(self) -> bool:
        return self.status == 410

    @property
    def blames_receiver(self) -> bool:
        """Whether others that wait would fare no better."""
        return not self.is_delivered and (self.status in {0, 408, 429} or self.status >= 500)


def attempt_of(status: int, answer: bytes, retry_after: str) -> Attempt:
    """How an answer is judged: 2xx is delivered, anything else, redirects too, is not."""
    text = answer[: ANSWER_KEPT * 4].decode("utf-8", "replace").replace("\0", "\ufffd")[:ANSWER_KEPT]
    problem = Problem.NONE if 200 <= status < 300 else Problem.STATUS
    wait = int(retry_after) if retry_after.isascii() and retry_after.isdecimal() else 0
    return Attempt(problem, status, text, min(wait, 86400))


def next_attempt(attempts: int, now: datetime, *, chance: float, wait: int = 0) -> datetime | None:
    """When to try again after `attempts` vain ones; None when it is given up. `chance` is from 0 to 1."""
    if attempts > len(_WAITS):
        return None
    pause = _WAITS[attempts - 1] * (1 + _JITTER * chance)
    return now + max(pause, timedelta(seconds=wait))


def pause_until(failures: int, now: datetime, *, wait: int = 0) -> datetime:
    """Until when a receiver is left alone after so many failures in a row."""
    pause = _PAUSES[min(failures, len(_PAUSES)) - 1]
    return now + max(pause, timedelta(seconds=wait))


def is_hopeless(failing_since: datetime | None, now: datetime) -> bool:
    return failing_since is not None and now - failing_since >= DISABLED_AFTER


@dataclass(frozen=True, slots=True)
class WebhookClosed:
    """A webhook was disabled without anybody of the school asking for it. An event of kernel.events."""

    school_id: int
    webhook_id: int
    name: str
    why: DisabledBy
    at: datetime
