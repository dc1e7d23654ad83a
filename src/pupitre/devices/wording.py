"""Devices in words: what they are, where they stand, what they can be told, and how that looks."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from pupitre.devices.rules import CommandState, Condition, LoanState, Platform, Standing, Verb
from pupitre.devices.rules.events import EventKind
from pupitre.devices.rules.fleet import Compliance, Held, Seen, Wear
from pupitre.devices.rules.intake import Column, Trouble

Words = Mapping[Any, str | Promise]

PLATFORMS: Final[Words] = {
    Platform.ANDROID: "Android",
    Platform.WINDOWS: "Windows",
    Platform.LINUX: "Linux",
    Platform.IOS: "iPadOS",
    Platform.MACOS: "macOS",
    Platform.CHROMEOS: "ChromeOS",
}
PLATFORM_ICONS: Final = {
    Platform.ANDROID: "tablet",
    Platform.WINDOWS: "laptop",
    Platform.LINUX: "laptop",
    Platform.IOS: "tablet",
    Platform.MACOS: "laptop",
    Platform.CHROMEOS: "laptop",
}
STANDINGS: Final[Words] = {
    Standing.EXPECTED: _("Expected"),
    Standing.WAITING: _("Waiting for approval"),
    Standing.ENROLLED: _("In use"),
    Standing.RETIRED: _("Out of use"),
}
STANDING_TONES: Final = {
    Standing.EXPECTED: "info",
    Standing.WAITING: "warn",
    Standing.ENROLLED: "good",
    Standing.RETIRED: "",
}
CONDITIONS: Final[Words] = {
    Condition.GOOD: _("In good order"),
    Condition.BROKEN: _("Broken"),
    Condition.LOST: _("Lost"),
    Condition.STOLEN: _("Stolen"),
    Condition.IN_REPAIR: _("In repair"),
}
SEEN: Final[Words] = {
    Seen.TODAY: _("Today"),
    Seen.WEEK: _("In the last week"),
    Seen.MONTH: _("In the last month"),
    Seen.LONGER: _("Longer ago"),
    Seen.NEVER: _("Never"),
}
COMPLIANCE: Final[Words] = {
    Compliance.YES: _("Everything applied"),
    Compliance.NO: _("Something is missing"),
    Compliance.UNKNOWN: _("Not known"),
}
WEAR: Final[Words] = {
    Wear.GOOD: _("80 % and more"),
    Wear.WORN: _("60 to 79 %"),
    Wear.SPENT: _("Below 60 %"),
    Wear.UNKNOWN: _("Not known"),
}
HELD: Final[Words] = {Held.YES: _("Somebody has it"), Held.NO: _("Nobody has it")}
VERBS: Final[Words] = {
    Verb.LOCK: _("Lock"),
    Verb.UNLOCK: _("Unlock"),
    Verb.MESSAGE: _("Show a message"),
    Verb.REBOOT: _("Restart"),
    Verb.CLEAR_PASSCODE: _("Remove the screen’s code"),
    Verb.REPORT: _("Report everything anew"),
    Verb.RUN_SCRIPT: _("Run a script"),
    Verb.WIPE: _("Wipe"),
}
VERB_ICONS: Final = {
    Verb.LOCK: "lock",
    Verb.UNLOCK: "lock-open",
    Verb.MESSAGE: "message-square",
    Verb.REBOOT: "rotate-cw",
    Verb.CLEAR_PASSCODE: "key-round",
    Verb.REPORT: "refresh-cw",
    Verb.RUN_SCRIPT: "terminal",
    Verb.WIPE: "eraser",
}
COMMAND_STATES: Final[Words] = {
    CommandState.PROPOSED: _("Waits for a second person"),
    CommandState.QUEUED: _("Waits for the device"),
    CommandState.SENT: _("Sent to the device"),
    CommandState.DONE: _("Done"),
    CommandState.FAILED: _("Failed"),
    CommandState.EXPIRED: _("Too late"),
    CommandState.CANCELLED: _("Called off"),
    CommandState.SUPERSEDED: _("Replaced by a newer one"),
    CommandState.REJECTED: _("Refused by the second person"),
}
COMMAND_TONES: Final = {
    CommandState.PROPOSED: "warn",
    CommandState.QUEUED: "info",
    CommandState.SENT: "info",
    CommandState.DONE: "good",
    CommandState.FAILED: "bad",
    CommandState.EXPIRED: "bad",
    CommandState.CANCELLED: "",
    CommandState.SUPERSEDED: "",
    CommandState.REJECTED: "bad",
}
LOANS: Final[Words] = {
    LoanState.PROPOSED: _("To be signed"),
    LoanState.RUNNING: _("Lent"),
    LoanState.RETURNED: _("Given back"),
    LoanState.SWAPPED: _("Swapped"),
    LoanState.CANCELLED: _("Called off"),
}
LOAN_TONES: Final = {
    LoanState.PROPOSED: "warn",
    LoanState.RUNNING: "good",
    LoanState.RETURNED: "",
    LoanState.SWAPPED: "",
    LoanState.CANCELLED: "",
}
EVENTS: Final[Words] = {
    EventKind.EXPECTED: _("Listed on a delivery"),
    EventKind.ENROLLED: _("Enrolled"),
    EventKind.WAITING: _("Came by itself, and waits for approval"),
    EventKind.APPROVED: _("Approved"),
    EventKind.REFUSED: _("Turned away"),
    EventKind.RETIRED: _("Taken out of use"),
    EventKind.RELEASED: _("Taken back into use"),
    EventKind.CHANGED: _("Changed"),
    EventKind.ASSIGNED: _("Given to somebody"),
    EventKind.UNASSIGNED: _("Taken back"),
    EventKind.CLASS_CHANGED: _("Belongs to another class"),
    EventKind.BROKEN: _("Reported broken"),
    EventKind.LOST: _("Reported lost"),
    EventKind.STOLEN: _("Reported stolen"),
    EventKind.REPAIRED: _("Repaired"),
    EventKind.FOUND: _("Found again"),
    EventKind.LENT: _("Lent"),
    EventKind.SIGNED: _("Loan signed"),
    EventKind.SWAPPED: _("Swapped"),
    EventKind.RETURNED: _("Given back"),
    "change": _("Changed by hand"),
}
COLUMNS: Final[Words] = {
    Column.SERIAL: _("Serial number"),
    Column.IMEI: "IMEI",
    Column.TAG: _("Inventory number"),
    Column.NAME: _("Name"),
    Column.MAKER: _("Maker"),
    Column.MODEL: _("Model"),
    Column.PLATFORM: _("System"),
    Column.WARRANTY: _("Warranty until"),
    Column.PERSON: _("Person"),
    Column.CLASS: _("Class"),
}
TROUBLES: Final[Words] = {
    Trouble.NO_SERIAL: _("There is neither a serial number nor an IMEI."),
    Trouble.TWICE: _("This device is in the list twice."),
    Trouble.PLATFORM: _("This system is not known: Android, Windows, Linux, iPadOS, macOS or ChromeOS."),
    Trouble.DATE: _("This is no date."),
    Trouble.PERSON: _("Nobody of the school has this number, user name or e-mail address."),
    Trouble.CLASS: _("The school has no class of this title."),
    Trouble.RETIRED: _("The school took this device out of use; it stays so."),
    Trouble.LENT: _("This device is lent to somebody else; it stays so."),
    Trouble.WAITS: _("This device has come in already and waits for approval."),
}
#: Words of keys of a row's history.
FIELDS: Final[Words] = {
    "asset_tag": _("Inventory number"),
    "name": _("Name"),
    "serial": _("Serial number"),
    "warranty_until": _("Warranty until"),
    "notes": _("Notes"),
}
#: What a lesson's teacher is offered, and what who cares for devices is.
TEACHERS: Final = (Verb.LOCK, Verb.UNLOCK, Verb.MESSAGE)
OFFERED: Final = (
    Verb.LOCK,
    Verb.UNLOCK,
    Verb.MESSAGE,
    Verb.REBOOT,
    Verb.CLEAR_PASSCODE,
    Verb.REPORT,
    Verb.RUN_SCRIPT,
    Verb.WIPE,
)
#: Said by other contexts, told by these pages, too.
ERRORS: Final = (gettext_noop("Your role does not allow this."),)


def options(words: Words, every: str | Promise) -> list[tuple[str, str | Promise]]:
    """For a select: everything, then each word by its value."""
    return [
        ("", every),
        *((str(int(key) if isinstance(key, int) else key), word) for key, word in words.items()),
    ]
