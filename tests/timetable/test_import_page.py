"""The office imports a timetable: the pages."""

import re
from datetime import date, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pupitre.courses.models import Class
from pupitre.kernel import clock
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.models import Duty, Lesson, TimetableImport
from pupitre.timetable.queries.imports import known_names, plan_of
from pupitre.timetable.rules.importing import ask
from tests.cast import TODAY, Cast
from tests.conftest import Visitor
from tests.timetable.files import DATA, SMALL, real

WHERE = "/s/oak/timetable/imports"


def send(browser: Client, *files: tuple[str, bytes]) -> str:
    """Upload; answers the address of the preview."""
    answer = browser.post(WHERE, {"uploaded": [SimpleUploadedFile(name, content) for name, content in files]})
    assert answer.status_code == 303, answer.content.decode()[:3000]
    return str(answer.headers["Location"])


def filled(cast: Cast, where: str, **changed: str) -> dict[str, Any]:
    """The preview's form as the page proposes it."""
    with scope(cast.school.id):
        upload = TimetableImport.objects.get(pk=int(where.rpartition("/")[2]))
        plan, known = plan_of(upload), known_names(TODAY)
        asked = ask(plan, known)
    form: dict[str, Any] = {"starts_on": TODAY.isoformat(), "do": "apply"}
    for kind, questions in (("teacher", asked.teachers), ("group", asked.groups), ("room", asked.rooms)):
        form |= {f"{kind}-{number}": question.choice for number, question in enumerate(questions)}
    form |= {f"day-{number}": str(day.weekday or "") for number, day in enumerate(plan.days)}
    periods = [(p.name, p.starts_at, p.ends_at, p.is_break) for p in known.periods]
    if sum(not p[3] for p in periods) != sum(not p.is_break for p in plan.periods):
        periods = [(p.name, p.starts_at, p.ends_at, p.is_break) for p in timetable_periods(plan)]
    form["period-name"] = [p[0] for p in periods]
    form["period-start"] = [f"{p[1]:%H:%M}" for p in periods]
    form["period-end"] = [f"{p[2]:%H:%M}" for p in periods]
    form["period-kind"] = ["break" if p[3] else "lesson" for p in periods]
    return form | changed


def timetable_periods(plan: Any) -> Any:
    from pupitre.timetable.rules.importing import Known, propose

    return propose(plan, Known(), TODAY).periods


def test_upload_look_and_put_to_use(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    where = send(browser, ("small.csv", SMALL.encode()))
    shown = browser.get(where).content.decode()
    for words in ("New Name", "Guard duty", "Tess Teacher", "Not in the school yet", "Same name", "Science"):
        assert words in shown or words == "Guard duty", words
    assert "3 lessons a week" in shown
    assert "1 duty without pupils" in shown
    with scope(cast.school.id):
        assert Lesson.objects.count() == 2
    answer = browser.post(where, filled(cast, where))
    assert answer.status_code == 303, answer.content.decode()[-3000:]
    report = browser.get(where).content.decode()
    assert "Lessons added" in report
    with scope(cast.school.id):
        assert Lesson.objects.exclude(source="").count() == 3
        assert Duty.objects.count() == 1
    assert "In use" in browser.get(WHERE).content.decode()


def seen_after(browser: Client, where: str) -> str:
    """The address behind "See the timetable" on the import's report."""
    found = re.search(
        r'href="([^"]+)" class="button primary">.*?See the timetable', browser.get(where).content.decode()
    )
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("now", "starts_on", "week"),
    [
        (
            "2026-10-13T07:10+00:00",
            "2026-10-13",
            "2026-10-13",
        ),  # a Tuesday: there are lessons in this very week
        ("2026-10-17T07:10+00:00", "2026-10-13", "2026-10-19"),  # a Saturday: the next week
        ("2026-10-13T07:10+00:00", "2026-11-02", "2026-11-02"),  # a timetable that is not in force yet
    ],
)
def test_the_timetable_opens_in_the_first_week_of_the_import(
    cast: Cast, visit: Visitor, now: str, starts_on: str, week: str
) -> None:
    browser = visit.as_(cast.secretary)
    with clock.frozen(datetime.fromisoformat(now)):
        where = send(browser, ("small.csv", SMALL.encode()))
        form = filled(cast, where, starts_on=starts_on, ends_hand_made="on")
        assert browser.post(where, form).status_code == 303
        address = seen_after(browser, where)
        assert address == f"/s/oak/timetable?week={week}"
        with scope(cast.school.id):
            form_2b = Class.objects.get(title="2B").pk
        assert 'class="lesson' in browser.get(f"{address}&class={form_2b}").content.decode()


def test_an_import_in_the_holidays_opens_the_week_after_them(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    with scope(cast.school.id):
        timetable.close_day(cast.office, starts_on=TODAY, ends_on=date(2026, 10, 25), label="Fair")
    where = send(browser, ("small.csv", SMALL.encode()))
    assert browser.post(where, filled(cast, where)).status_code == 303
    assert seen_after(browser, where) == "/s/oak/timetable?week=2026-10-26"
    with scope(cast.school.id):
        timetable.close_day(cast.office, starts_on=TODAY, ends_on=date(2027, 12, 31), label="Closed")
    assert seen_after(browser, where) == "/s/oak/timetable"


def test_a_teacher_is_corrected_by_search(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    where = send(browser, ("small.csv", SMALL.encode()))
    form = filled(cast, where, **{"teacher-1-other": "Nobody Such"})
    refused = browser.post(where, form)
    assert refused.status_code == 422
    assert "Nobody Such" in refused.content.decode()
    assert browser.post(where, {**form, "teacher-1-other": "Cole League"}).status_code == 303
    with scope(cast.school.id):
        taught = Lesson.objects.filter(source="file:2").values_list("pk", flat=True)
        assert list(taught)
        week = timetable_week(cast, cast.colleague.person.pk)
    assert [lesson.subject for lesson in week] == ["Science", "Science"]


def timetable_week(cast: Cast, teacher: int) -> Any:
    from datetime import timedelta

    from pupitre.timetable.queries import lessons_between

    monday = TODAY + timedelta(days=6)
    return lessons_between(cast.school, monday, monday + timedelta(days=4), teacher_id=teacher)


def test_choices_are_kept_without_putting_them_to_use(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    where = send(browser, ("small.csv", SMALL.encode()))
    assert browser.post(where, filled(cast, where, do="keep", starts_on="2026-11-02")).status_code == 303
    assert 'value="2026-11-02"' in browser.get(where).content.decode()
    with scope(cast.school.id):
        assert Lesson.objects.count() == 2


def test_overlapping_periods_are_refused_with_a_sentence(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    where = send(browser, ("small.csv", SMALL.encode()))
    form = filled(cast, where)
    form["period-end"][0] = "11:00"
    answer = browser.post(where, form)
    assert answer.status_code == 422
    assert "before “1” ends at 11:00" in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("broken.fet", b"<fet version='6'><Days_List>", "The file is damaged"),
        ("not.csv", b"\xff\xfe\x00garbage", "columns"),
        ("empty.csv", b"day,period,class\n", "no lesson"),
        ("bomb.fet", b'<!DOCTYPE x [<!ENTITY a "b">]><fet>&a;</fet>', "not accepted"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    cast: Cast, visit: Visitor, name: str, content: bytes, said: str
) -> None:
    browser = visit.as_(cast.secretary)
    where = send(browser, (name, content))
    shown = browser.get(where).content.decode()
    assert said in shown
    assert 'name="do"' not in shown
    assert browser.post(where, {"do": "apply"}).status_code == 200


def test_nothing_chosen_and_too_many_files(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    assert browser.post(WHERE, {}).status_code == 422
    files = [SimpleUploadedFile(f"{n}.csv", SMALL.encode()) for n in range(3)]
    assert browser.post(WHERE, {"uploaded": files}).status_code == 422


def test_only_the_office_and_only_its_own(cast: Cast, visit: Visitor) -> None:
    where = send(visit.as_(cast.secretary), ("small.csv", SMALL.encode()))
    for address in (WHERE, where):
        assert visit.as_(cast.teacher).get(address).status_code == 403
        assert visit.as_(cast.pupil).get(address).status_code == 403
        assert visit.as_(cast.stranger).get(address).status_code == 404
        assert visit.anonymous().get(address).status_code == 302
    assert visit.as_(cast.secretary).get(f"{WHERE}/999999").status_code == 404


def test_the_preview_costs_as_much_for_one_lesson_as_for_thirty(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    small = send(browser, ("small.csv", SMALL.encode()))
    more = "".join(f"Monday,{p},,,{c}X,Art,Teacher {c},Room {c},\n" for p in "1234" for c in "ABCDEFGH")
    large = send(browser, ("large.csv", (SMALL + more).encode()))
    browser.get(small)
    counts = []
    for where in (small, large):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(where).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.reference
@pytest.mark.skipif(not DATA.is_dir(), reason="no reference data")
@pytest.mark.parametrize(
    ("school", "lessons", "duties"), [("primaria", 254, 0), ("secondary-school", 817, 269)]
)
@pytest.mark.parametrize("combined", [True, False])
def test_a_real_school_through_the_page(
    cast: Cast, visit: Visitor, school: str, lessons: int, duties: int, combined: bool
) -> None:
    names = (
        [f"{school}_data_and_timetable.fet"] if combined else [f"{school}.fet", f"{school}_activities.xml"]
    )
    browser = visit.as_(cast.secretary)
    where = send(browser, *((file.name, file.content) for file in real(*names)))
    shown = browser.get(where).content.decode()
    assert f"{lessons} lessons a week" in shown
    assert len(shown) < 400_000
    answer = browser.post(where, filled(cast, where))
    assert answer.status_code == 303, answer.content.decode()[-3000:]
    with scope(cast.school.id):
        assert Lesson.objects.exclude(source="").count() == lessons
        assert Duty.objects.count() == duties
    again = send(browser, *((file.name, file.content) for file in real(*names)))
    assert browser.post(again, filled(cast, again)).status_code == 303
    with scope(cast.school.id):
        assert Lesson.objects.exclude(source="").count() == lessons
        assert TimetableImport.objects.get(pk=int(again.rpartition("/")[2])).report["lessons_kept"] == lessons
