"""What a device is, where it stands, and what may be asked of it. Pure: the gateway decides by the same rules."""

from enum import IntEnum
from typing import Final

from pupitre.kernel.errors import Conflict, Denied, Refused
from pupitre.people.rules import Role


class Platform(IntEnum):
    """The system that a device runs."""

    ANDROID = 1
    WINDOWS = 2
    LINUX = 3
    IOS = 4
    MACOS = 5
    CHROMEOS = 6


class Protocol(IntEnum):
    """How a device and the server speak: each is an adapter beside `edge/gateway`."""

    #: Not known before the device speaks for the first time.
    NONE = 0
    #: The stock Android agent of Headwind MDM.
    HEADWIND = 1
    #: Our own agent for Linux and Windows.
    PUPITRE = 2


class Standing(IntEnum):
    """Where a device is in its life with us."""

    #: On a delivery note or a zero-touch list, and not heard of yet.
    EXPECTED = 1
    #: Has come by itself, and waits for somebody to know it. It is given nothing.
    WAITING = 2
    ENROLLED = 3
    #: Taken out of use; what it sends is refused.
    RETIRED = 4


class Condition(IntEnum):
    """What is wrong with a device, if anything."""

    GOOD = 1
    BROKEN = 2
    LOST = 3
    STOLEN = 4
    IN_REPAIR = 5


class Level(IntEnum):
    """Whom a policy is for, from wide to narrow: where two say something else, the narrower holds."""

    AUTHORITY = 1
    SCHOOL = 2
    #: A class of the roster: a form, or pupils who are taught something together.
    GROUP = 3
    PERSON = 4
    DEVICE = 5


class Verb(IntEnum):
    """What a device can be told to do once. Everything lasting is a policy."""

    LOCK = 1
    WIPE = 2
    REBOOT = 3
    MESSAGE = 4
    CLEAR_PASSCODE = 5
    RUN_SCRIPT = 6
    #: Report everything anew.
    REPORT = 7
    UNLOCK = 8


class CommandState(IntEnum):
    """The way of a command."""

    #: Waits for the second person.
    PROPOSED = 1
    QUEUED = 2
    #: Handed to the device, which has not answered yet.
    SENT = 3
    DONE = 4
    FAILED = 5
    EXPIRED = 6
    CANCELLED = 7
    #: A newer command of the same kind took its place.
    SUPERSEDED = 8
    #: The second person said no.
    REJECTED = 9


class LoanState(IntEnum):
    """The way of a loan."""

    #: The contract waits for the family's signature.
    PROPOSED = 1
    RUNNING = 2
    RETURNED = 3
    #: Ended because the device was swapped for another, whose loan goes on.
    SWAPPED = 4
    CANCELLED = 5


class RolloutState(IntEnum):
    """The way of an application's new version through the schools."""

    PLANNED = 1
    RUNNING = 2
    #: Too many installations failed, or somebody stopped it.
    HALTED = 3
    DONE = 4
    ROLLED_BACK = 5


class InstallState(IntEnum):
    """What a device reported of an application."""

    INSTALLED = 1
    FAILED = 2
    REMOVED = 3


#: Verbs that destroy or expose: somebody else must agree.
TWO_PERSONS: Final = frozenset({Verb.WIPE, Verb.RUN_SCRIPT})
#: Commands that are still to be handed out or answered.
ACTIVE: Final = frozenset({CommandState.QUEUED, CommandState.SENT})
#: Care for the school's devices.
CARES: Final = frozenset({Role.TECHNICIAN, Role.HEAD, Role.SECRETARY})
#: See devices at all: teachers those of the classes they teach.
SEES: Final = CARES | {Role.TEACHER}
#: What a teacher may do with the devices of a class while teaching it.
TEACHERS_VERBS: Final = frozenset({Verb.LOCK, Verb.UNLOCK, Verb.MESSAGE, Verb.CLEAR_PASSCODE})


class UnknownTicket(Denied):
    """This enrolment code is not valid. It may have ended or been used up; ask the school for a new one."""


class NotYours(Denied):
    """This device belongs to another class than those you teach now."""


class SecondPersonNeeded(Refused):
    """Somebody else must agree to this; whoever asked for it cannot."""


class AlreadyEnded(Conflict):
    """This has ended already."""
