"""Staff read attendance in numbers: the office all, a teacher her classes; a pupil's year; the workbook."""

import io
import xml.etree.ElementTree as ET
import zipfile
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.attendance.queries import statistics
from pupitre.attendance.queries.statistics import Stretch
from pupitre.attendance.rules.status import Status
from pupitre.courses import actions as courses
from pupitre.kernel.errors import Denied, NotFound
from pupitre.people import actions as people
from pupitre.people.models import Look, Person
from pupitre.people.rules import LookAt, Role
from pupitre.tenancy.scoping import scope
from tests.attendance.office import everybody, taken_register, tuesdays
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor
from tests.jobs import run_jobs

PAGE = "/s/oak/attendance/statistics"
YEAR = Stretch(TODAY - timedelta(days=42), TODAY)
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def some_weeks(cast: Cast) -> None:
    """Three Tuesdays: the pupil absent on all, late in a second lesson; the sister excused once."""
    with scope(cast.school.id):
        for number, on in enumerate(tuesdays(TODAY + timedelta(weeks=1), 3)):
            marks = {**everybody(cast), cast.pupil.person.pk: Status.ABSENT}
            if number == 1:
                marks[cast.sister.person.pk] = Status.EXCUSED
            taken_register(cast, marks, on=on)
        late = {**everybody(cast), cast.pupil.person.pk: Status.LATE}
        taken_register(cast, late, lesson=cast.next_lesson, minutes=7)
    run_jobs()


def test_classes_months_weekdays_and_lessons_are_counted(cast: Cast) -> None:
    some_weeks(cast)
    with scope(cast.school.id):
        found = statistics.overview_for(cast.secretary.actor, YEAR, TODAY)
    assert (found.total.marks, found.total.absent, found.total.excused, found.total.late) == (12, 3, 1, 1)
    assert found.total.percent_missed == 33.3
    assert [(one.title, one.figures.marks) for one in found.classes] == [("Maths 1A", 12)]
    assert [(one.title, one.figures.marks) for one in found.forms] == [("1A", 12)]
    assert [(month.month, figures.absent) for month, figures in found.months] == [(9, 1), (10, 2)]
    assert [(weekday, figures.missed) for weekday, figures in found.weekdays] == [(2, 4)]
    assert found.lessons == [(2, "09:00", 4, 0), (2, "09:55", 0, 1)]


def test_pupils_are_listed_by_what_they_missed(cast: Cast) -> None:
    some_weeks(cast)
    with scope(cast.school.id):
        found = statistics.pupils_for(cast.secretary.actor, YEAR, TODAY)
        assert statistics.pupils_for(cast.secretary.actor, YEAR, TODAY, form_id=cast.homeroom.pk) == found
        assert statistics.pupils_for(cast.secretary.actor, YEAR, TODAY, form_id=cast.klass.pk + 999) == []
    facts = [
        (one.name, one.form, one.figures.absent, one.figures.marks, one.minutes_late, one.days)
        for one in found
    ]
    assert facts == [("Pau Pupil", "1A", 3, 4, 7, 3), ("Sia Pupil", "1A", 0, 4, 0, 1)]


def test_a_teacher_sees_her_classes_and_her_pupils_only(cast: Cast, visit: Visitor) -> None:
    some_weeks(cast)
    with scope(cast.school.id):
        assert statistics.overview_for(cast.teacher.actor, YEAR, TODAY).total.marks == 12
        assert statistics.overview_for(cast.colleague.actor, YEAR, TODAY).total.marks == 0
        assert statistics.pupils_for(cast.colleague.actor, YEAR, TODAY) == []
        assert list(statistics.exported_marks(cast.colleague.actor, YEAR, TODAY)) == []
        with pytest.raises(NotFound):
            statistics.pupil_year_for(cast.colleague.actor, cast.pupil.person.pk, YEAR, TODAY)
        with pytest.raises(Denied):
            statistics.overview_for(cast.mother.actor, YEAR, TODAY)
    assert "Maths 1A" in visit.as_(cast.teacher).get(PAGE).content.decode()
    assert "Maths 1A" not in visit.as_(cast.colleague).get(PAGE).content.decode()
    assert visit.as_(cast.colleague).get(f"{PAGE}/pupils/{cast.pupil.person.pk}").status_code == 404


def test_a_counsellor_reads_all(cast: Cast) -> None:
    some_weeks(cast)
    with scope(cast.school.id):
        people.grant_role(cast.office, cast.colleague.person, Role.COUNSELLOR)
        actor = cast.colleague.actor.__class__(
            cast.colleague.account.pk, cast.school, cast.colleague.person.pk, frozenset({Role.COUNSELLOR})
        )
        assert statistics.overview_for(actor, YEAR, TODAY).total.marks == 12


def test_a_pupils_year_is_shown_and_the_look_kept(cast: Cast, visit: Visitor) -> None:
    some_weeks(cast)
    page = visit.as_(cast.teacher).get(f"{PAGE}/pupils/{cast.pupil.person.pk}").content.decode()
    assert "Pau Pupil" in page
    assert "75.0" in page
    assert "Lessons missed by day" in page
    with scope(cast.school.id):
        assert list(Look.objects.values_list("subject_id", "what", "account_id")) == [
            (cast.pupil.person.pk, LookAt.ATTENDANCE, cast.teacher.account.pk)
        ]


def test_the_period_is_chosen_and_nonsense_means_the_year(cast: Cast, visit: Visitor) -> None:
    some_weeks(cast)
    browser = visit.as_(cast.secretary)
    october = browser.get(f"{PAGE}?first=2026-10-01&last=2026-10-13").content.decode()
    assert "1 October 2026" in october or "Oct. 1, 2026" in october
    assert browser.get(f"{PAGE}?first=x&last=2026-99-99").status_code == 200
    assert browser.get(f"{PAGE}/pupils?first=2026-10-13&last=2026-10-01&page=x").status_code == 200


def test_the_workbook_holds_dates_numbers_and_no_formula(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        Person.objects.filter(pk=cast.pupil.person.pk).update(family_name='=HYPERLINK("http://x")')
    some_weeks(cast)
    answer = visit.as_(cast.secretary).get(f"{PAGE}.xlsx")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    book = zipfile.ZipFile(io.BytesIO(answer.content))
    sheets = [ET.fromstring(book.read(f"xl/worksheets/sheet{n}.xml")) for n in (1, 2, 3)]
    assert not any(sheet.iter(f"{SHEET}f") and list(sheet.iter(f"{SHEET}f")) for sheet in sheets)
    assert [len(list(sheet.iter(f"{SHEET}row"))) for sheet in sheets] == [3, 2, 6]
    for sheet in sheets:
        assert sheet.find(f"{SHEET}autoFilter") is not None
        pane = next(sheet.iter(f"{SHEET}pane"))
        assert pane.attrib["state"] == "frozen"
    names = [text.text for text in sheets[0].iter(f"{SHEET}t")]
    assert '=HYPERLINK("http://x")' in names
    first_day = next(cell for cell in sheets[2].iter(f"{SHEET}c") if cell.attrib["r"] == "A2")
    value = first_day.find(f"{SHEET}v")
    assert value is not None
    assert value.text == "46294"  # 29 September 2026 as spreadsheets count days
    with scope(cast.school.id):
        looks = set(Look.objects.values_list("subject_id", "what"))
    assert looks == {
        (cast.pupil.person.pk, LookAt.EXPORT), (cast.sister.person.pk, LookAt.EXPORT),
    }  # fmt: skip


def test_families_and_strangers_are_turned_away(cast: Cast, visit: Visitor) -> None:
    for address in (PAGE, f"{PAGE}/pupils", f"{PAGE}/pupils/{cast.pupil.person.pk}", f"{PAGE}.xlsx"):
        assert visit.as_(cast.mother).get(address).status_code == 403
        assert visit.as_(cast.pupil).get(address).status_code == 403
        assert visit.as_(cast.stranger).get(address).status_code == 404
        assert visit.anonymous().get(address).status_code == 302


@pytest.mark.parametrize(("address", "most"), [(PAGE, 16), (f"{PAGE}/pupils", 16), (f"{PAGE}.xlsx", 16)])
def test_pages_cost_the_same_with_one_pupil_and_with_thirty(
    cast: Cast, visit: Visitor, address: str, most: int
) -> None:
    some_weeks(cast)
    browser = visit.as_(cast.secretary)
    browser.get(address)
    with CaptureQueriesContext(connection) as few:
        browser.get(address)
    with scope(cast.school.id):
        more = {}
        for number in range(30):
            person = people.register_person(
                cast.office, sourced_id=f"m{number}", given_name="More", family_name=f"M{number}", now=NOW
            )
            people.grant_role(cast.office, person, Role.PUPIL)
            courses.enrol(cast.office, cast.homeroom, person)
            more[person.pk] = Status.ABSENT
        taken_register(cast, more, on=tuesdays(TODAY, 5)[-1])
    run_jobs()
    with CaptureQueriesContext(connection) as many:
        browser.get(address)
    assert len(many) == len(few) <= most
