"""What can go wrong with timetables. The docstring is the message."""

from pupitre.kernel.errors import Conflict, Refused


class PeriodsUnclear(Refused):
    """The periods overlap, or one ends before it begins. Correct the times."""


class DatesReversed(Refused):
    """The last day lies before the first."""


class SlotUnclear(Refused):
    """Choose a weekday and a period of the bell schedule."""


class NotReadable(Refused):
    """The file cannot be imported. See what was found, mend it and upload it again."""


class NotDecided(Refused):
    """Some names are not decided yet: %(names)s."""


class CycleUnknown(Refused):
    """Some lessons take place in weeks A or B only. Say in which week the first week A begins."""


class DayUnknown(Refused):
    """Say which day of the week “%(name)s” is."""


class AlreadyApplied(Conflict):
    """The timetable is already in use. Upload the file again to import it once more."""


class NothingChanged(Refused):
    """Choose what is different: a substitute, another room, a note, or that the lesson is cancelled."""


class NotHeldThen(Refused):
    """The lesson is not held on that day."""
