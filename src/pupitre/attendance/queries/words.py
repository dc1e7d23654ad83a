"""The words for attendance's own kinds, in the active language."""

from django.utils.translation import gettext as _

from pupitre.attendance.rules.absences import AlertState, Counted, NoticeState, Reason, Window
from pupitre.people.rules import Relation


def reason_words() -> dict[Reason, str]:
    """Why a pupil is away."""
    return {
        Reason.ILLNESS: _("Illness"),
        Reason.MEDICAL: _("Medical appointment"),
        Reason.FAMILY: _("Family matter"),
        Reason.TRAVEL: _("Way to school"),
        Reason.OTHER: _("Other reason"),
    }


def state_words() -> dict[NoticeState, str]:
    """What the office made of a justification."""
    return {
        NoticeState.PENDING: _("Pending"),
        NoticeState.ACCEPTED: _("Accepted"),
        NoticeState.REFUSED: _("Refused"),
    }


STATE_TONES = {NoticeState.PENDING: "info", NoticeState.ACCEPTED: "good", NoticeState.REFUSED: "bad"}


def alert_words() -> dict[AlertState, str]:
    """What became of an unannounced absence; `%(time)s` is when."""
    return {
        AlertState.WAITING: _("Family is told at %(time)s"),
        AlertState.TOLD: _("Family told at %(time)s"),
        AlertState.CALMED: _("Family not told"),
    }


def counted_words() -> dict[Counted, str]:
    """What a threshold counts."""
    return {
        Counted.ABSENT_LESSONS: _("Lessons without a reason"),
        Counted.ABSENT_DAYS: _("Days with lessons without a reason"),
        Counted.LATENESSES: _("Latenesses"),
        Counted.PERCENT_MISSED: _("Lessons missed, in percent"),
    }


def window_words() -> dict[Window, str]:
    """Over what stretch of time a threshold counts."""
    return {Window.MONTH: _("Month"), Window.TERM: _("Term"), Window.YEAR: _("School year")}


def relation_words() -> dict[Relation, str]:
    """What a guardian is to a pupil."""
    return {
        Relation.MOTHER: _("Mother"),
        Relation.FATHER: _("Father"),
        Relation.GUARDIAN: _("Guardian"),
        Relation.GRANDPARENT: _("Grandparent"),
        Relation.RELATIVE: _("Relative"),
        Relation.OTHER: _("Other adult"),
    }
