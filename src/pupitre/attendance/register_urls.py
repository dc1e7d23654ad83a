"""The addresses of the teacher's day and registers."""

from datetime import date

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from .views import registers


class DayConverter(StringConverter):
    """A date as it stands in addresses: 2026-10-13."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> date:  # type: ignore[override]
        return date.fromisoformat(value)

    def to_url(self, value: date | str) -> str:
        return str(value)


register_converter(DayConverter, "register_day")
REGISTER = "s/<slug:school>/registers/<int:lesson>/<register_day:on>"

urlpatterns = [
    path("s/<slug:school>/day", registers.day, name="day"),
    path("s/<slug:school>/day/<register_day:on>", registers.day, name="day-of"),
    path(REGISTER, registers.register, name="register"),
    path(f"{REGISTER}/marks", registers.marks, name="register-marks"),
    path(f"{REGISTER}/closure", registers.closure, name="register-closure"),
    path(f"{REGISTER}/reopening", registers.reopening, name="register-reopening"),
    path(f"{REGISTER}/history", registers.history, name="register-history"),
    path(f"{REGISTER}/pupils/<int:pupil>", registers.pupil, name="register-pupil"),
    path("registers/session", registers.session, name="register-session"),
]
