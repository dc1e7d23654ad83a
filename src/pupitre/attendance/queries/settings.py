"""Reading the school's own delays, switches and codes."""

from pupitre.attendance.models import AttendanceCode, AttendanceSettings
from pupitre.people.rules import Actor


def settings_for(actor: Actor) -> AttendanceSettings:
    """The school's settings; an unsaved row with the defaults where it has chosen none."""
    return AttendanceSettings.objects.first() or AttendanceSettings(school_id=actor.place.id)


def own_codes() -> list[AttendanceCode]:
    """The codes that the school has written itself, the inactive ones too. Empty: it uses the defaults."""
    return list(AttendanceCode.objects.order_by("position", "id"))
