"""A school sets its own delays, switches and codes."""

import pytest

from pupitre.attendance.actions import settings
from pupitre.attendance.actions.settings import CodeFacts
from pupitre.attendance.models import AttendanceCode, AttendanceSettings
from pupitre.attendance.rules.settings import CodeEmpty, CodeTaken, WrongDays, WrongDelay
from pupitre.attendance.rules.status import Status
from pupitre.kernel.errors import Denied
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.conftest import Visitor

PAGE = "/s/oak/attendance/settings"
CHOICE = {"alert_delay_minutes": 30, "register_due_minutes": 10, "correction_days": 3}


def code(letters: str, status: Status, *, id_: int = 0, active: bool = True) -> CodeFacts:
    return CodeFacts(id_, letters, f"Word {letters}", status, active)


def test_delays_and_switches_are_kept_in_one_row(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    assert browser.post(PAGE, CHOICE).status_code == 303
    assert browser.post(PAGE, {**CHOICE, "alerts_families": "on"}).status_code == 303
    with scope(cast.school.id):
        row = AttendanceSettings.objects.get()
    assert (row.alerts_families, row.alert_delay_minutes, row.register_due_minutes, row.correction_days) == (
        True, 30, 10, 3,
    )  # fmt: skip


def test_what_cannot_be_meant_is_refused(cast: Cast, visit: Visitor) -> None:
    answer = visit.as_(cast.secretary).post(PAGE, {**CHOICE, "alert_delay_minutes": 9999})
    assert answer.status_code == 422
    with scope(cast.school.id):
        for facts, refusal in (
            ({"alert_delay_minutes": -1}, WrongDelay),
            ({"correction_days": 91}, WrongDays),
        ):
            with pytest.raises(refusal):
                settings.change_settings(cast.secretary.actor, alerts_families=True, **{**CHOICE, **facts})


def test_codes_are_written_in_their_order_and_may_swap_letters(cast: Cast) -> None:
    with scope(cast.school.id):
        first = settings.change_codes(
            cast.secretary.actor,
            codes=[code("f", Status.ABSENT), code("R", Status.LATE), code("E", Status.EXCUSED)],
        )
        ids = [row.pk for row in first]
        settings.change_codes(
            cast.secretary.actor,
            codes=[
                code("R", Status.ABSENT, id_=ids[0]),
                code("F", Status.LATE, id_=ids[1]),
                code("E", Status.EXCUSED, id_=ids[2], active=False),
            ],
        )
        held = list(
            AttendanceCode.objects.order_by("position").values_list("id", "code", "status", "is_active")
        )
    assert held == [
        (ids[0], "R", Status.ABSENT, True),
        (ids[1], "F", Status.LATE, True),
        (ids[2], "E", Status.EXCUSED, False),
    ]


def test_codes_without_words_and_with_the_same_letter_are_refused(cast: Cast) -> None:
    with scope(cast.school.id):
        with pytest.raises(CodeTaken):
            settings.change_codes(
                cast.secretary.actor, codes=[code("a", Status.ABSENT), code("A", Status.LATE)]
            )
        with pytest.raises(CodeEmpty):
            settings.change_codes(cast.secretary.actor, codes=[CodeFacts(0, "A", " ", Status.ABSENT)])
        assert not AttendanceCode.objects.exists()


def test_the_page_proposes_the_usual_codes_and_keeps_what_is_sent(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    page = browser.get(PAGE).content.decode()
    assert 'value="Out of class"' in page
    lines = {
        "codes-TOTAL_FORMS": 3, "codes-INITIAL_FORMS": 2,
        "codes-0-code": "A", "codes-0-label": "Absent", "codes-0-status": 2, "codes-0-is_active": "on",
        "codes-1-code": "J", "codes-1-label": "Justified", "codes-1-status": 4, "codes-1-is_active": "on",
        "codes-2-code": "", "codes-2-label": "", "codes-2-status": 1, "codes-2-is_active": "on",
    }  # fmt: skip
    assert browser.post(f"{PAGE}/codes", lines).status_code == 303
    with scope(cast.school.id):
        assert list(AttendanceCode.objects.order_by("position").values_list("code", flat=True)) == ["A", "J"]
    answer = browser.post(f"{PAGE}/codes", {**lines, "codes-1-code": "A"})
    assert answer.status_code == 422
    assert "same letter" in answer.content.decode()


def test_only_the_office_sets(cast: Cast, visit: Visitor) -> None:
    for member, status in ((cast.teacher, 403), (cast.mother, 403), (cast.stranger, 404)):
        assert visit.as_(member).get(PAGE).status_code == status
        assert visit.as_(member).post(f"{PAGE}/codes").status_code == status
    assert visit.anonymous().get(PAGE).status_code == 302
    with scope(cast.school.id), pytest.raises(Denied):
        settings.change_codes(cast.teacher.actor, codes=[code("A", Status.ABSENT)])
