"""Kinds of notifications and audiences of notices, and the sentences that belong to them.

A sentence is a message id: it is rendered in its reader's language when she reads it, and when it is sent.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from pupitre.kernel.errors import Refused
from pupitre.people.rules import OF_AUTHORITY, STAFF, Role


class Audience(IntEnum):
    """For whom a notice is."""

    FAMILIES = 1
    PUPILS = 2
    STAFF = 3
    EVERYBODY = 4


class Kind(IntEnum):
    """What a notification tells. Stored: never renumber."""

    PUPIL_MISSING = 1
    NOTICE = 2
    ABSENCE_ANNOUNCED = 3
    ABSENCE_ACCEPTED = 4
    ABSENCE_REFUSED = 5
    ABSENCE_LETTER = 6
    NOTICE_REMINDER = 7
    SUBSTITUTION = 8
    NOTICE_UNREAD = 9
    SUBSTITUTION_ENDED = 10
    WEBHOOK_DISABLED = 11
    ROSTER_WAITS = 12
    ROSTER_FAILED = 13
    LOAN_TO_SIGN = 14
    DEVICE_REPORTED = 15
    ROLLOUT_HALTED = 16


class Channel(IntEnum):
    EMAIL = 1
    PUSH = 2


class DeliveryState(IntEnum):
    WAITING = 1
    DONE = 2
    FAILED = 3


@dataclass(frozen=True, slots=True)
class Wording:
    """The title and the sentence of a kind, and whether a phone should wake up for it.

    `of_one_day` is the sentence where the facts "from" and "until" are the same day. `of_several` is the title where several of
    that kind wait for one reader and lead to one address: they go outside together, as one mail with a sentence each.
    """

    title: str
    sentence: str
    is_urgent: bool = False
    of_one_day: str = ""
    of_several: str = ""


class Show(StrEnum):
    """How a moment among a notification's facts is written."""

    DATE = "date"
    TIME = "time"


def moment(instant: datetime, zone: str, show: Show) -> dict[str, str]:
    """A moment as a fact of a notification: written in its reader's language, by the clock of the place `zone`."""
    return {"at": instant.isoformat(), "zone": zone, "show": show.value}


def _(text: str) -> str:
    """Marks a message for the catalogues; whoever shows it translates it."""
    return text


WORDINGS: dict[Kind, Wording] = {
    Kind.PUPIL_MISSING: Wording(
        _("%(pupil)s is missing"),
        _(
            "%(pupil)s is missing from %(subject)s since %(time)s, and we know of no reason. Please tell the school."
        ),
        is_urgent=True,
    ),
    Kind.NOTICE: Wording(_("A notice from %(school)s"), _("%(title)s")),
    Kind.ABSENCE_ANNOUNCED: Wording(
        _("An absence was announced"),
        _("%(pupil)s will be absent: %(from)s to %(until)s."),
        of_one_day=_("%(pupil)s will be absent on %(from)s."),
    ),
    Kind.ABSENCE_ACCEPTED: Wording(
        _("A justification was accepted"),
        _("The absence of %(pupil)s from %(from)s to %(until)s is justified."),
        of_one_day=_("The absence of %(pupil)s on %(from)s is justified."),
    ),
    Kind.ABSENCE_REFUSED: Wording(
        _("A justification was not accepted"),
        _(
            "The school did not accept the reason for the absence of %(pupil)s from %(from)s to %(until)s: %(note)s"
        ),
        of_one_day=_(
            "The school did not accept the reason for the absence of %(pupil)s on %(from)s: %(note)s"
        ),
    ),
    Kind.ABSENCE_LETTER: Wording(
        _("A letter about absences"), _("The school has written to you about the absences of %(pupil)s.")
    ),
    Kind.NOTICE_REMINDER: Wording(
        _("Please confirm a notice"), _("The school waits for your confirmation of: %(title)s")
    ),
    Kind.NOTICE_UNREAD: Wording(_("A notice is waiting for you"), _("You have not read this yet: %(title)s")),
    Kind.SUBSTITUTION: Wording(
        _("You cover a lesson"),
        _("You cover %(subject)s of %(class)s on %(date)s at %(time)s."),
        of_several=_("You cover %(count)s lessons"),
    ),
    Kind.SUBSTITUTION_ENDED: Wording(
        _("You need not cover a lesson"),
        _("You need not cover %(subject)s of %(class)s on %(date)s at %(time)s any more."),
        of_several=_("You need not cover %(count)s lessons"),
    ),
    Kind.WEBHOOK_DISABLED: Wording(
        _("A webhook was disabled"),
        _(
            "“%(webhook)s” of %(school)s is told nothing any more, because the other system does not accept it."
        ),
    ),
    Kind.ROSTER_WAITS: Wording(
        _("A roster waits for you"),
        _("The other system's roster changes much at %(school)s. Nothing was changed yet: look at it first."),
    ),
    Kind.ROSTER_FAILED: Wording(
        _("A roster was not taken over"),
        _("The other system's roster could not be taken over at %(school)s. Nothing was changed."),
    ),
    Kind.LOAN_TO_SIGN: Wording(
        _("A contract waits for your signature"),
        _("%(school)s lends %(pupil)s a device. Please read the contract and sign it."),
    ),
    Kind.DEVICE_REPORTED: Wording(
        _("A device was reported"), _("Reported broken, lost or stolen at %(school)s: %(device)s.")
    ),
    Kind.ROLLOUT_HALTED: Wording(
        _("A rollout has halted"),
        _(
            "%(application)s %(version)s could not be installed on %(failed)s of %(reports)s devices. Nobody else is given it."
        ),
    ),
}

#: The roles that an audience means.
REACHES: dict[Audience, frozenset[Role]] = {
    Audience.FAMILIES: frozenset({Role.GUARDIAN}),
    Audience.PUPILS: frozenset({Role.PUPIL}),
    Audience.STAFF: STAFF,
    Audience.EVERYBODY: frozenset(Role) - OF_AUTHORITY,
}

#: A delivery is tried this often before it is given up.
MOST_ATTEMPTS = 4


class AlreadyPublished(Refused):
    """This notice is published and cannot be changed any more. Withdraw it and write another."""


class NobodyReached(Refused):
    """Nobody would receive this notice. Choose another audience or class."""
