"""The authority sees all its schools in figures: nobody's name, and nothing so small that somebody could be guessed."""

from datetime import timedelta
from functools import partial
from html import escape
from io import BytesIO
from types import SimpleNamespace
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pupitre.attendance.models import AuthorityDay, SchoolStanding
from pupitre.attendance.rules.telling import SMALLEST
from pupitre.people import actions as people
from pupitre.people.models import Person
from pupitre.people.rules import Actor, Role
from pupitre.reports.queries.authority import Order, figures_of, sheets_of
from pupitre.reports.rules import Count, total_of
from pupitre.tenancy import actions as founding
from pupitre.tenancy.models import School
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor
from tests.reports.arranging import figure, statements

PATH = "/a/valley/"


@pytest.fixture
def inspector(cast: Cast) -> SimpleNamespace:
    return SimpleNamespace(account=cast.inspector)


def test_the_schools_side_by_side(cast: Cast, visit: Visitor, inspector: SimpleNamespace) -> None:
    figure(cast, missed=10, marks=100, on=TODAY)
    figure(cast, missed=30, marks=100, on=TODAY, school_id=cast.other_school.id)
    page = visit.as_(inspector).get(PATH).content.decode()
    for word in ("The Valley", "Oak School", "Elm School", "10.0", "30.0", "20.0"):
        assert word in page


def test_nobodys_name_is_on_it(cast: Cast, visit: Visitor, inspector: SimpleNamespace) -> None:
    for days in range(20):
        figure(cast, missed=8, marks=90, on=TODAY - timedelta(days=days))
    page = visit.as_(inspector).get(PATH).content.decode()
    with scope(cast.school.id):
        names = Person.objects.values_list("given_name", "family_name")
        assert len(names) > 5
        for given_name, family_name in names:
            assert given_name not in page, given_name
            assert f"{given_name} {family_name}" not in page


def test_its_scope_reads_no_person_at_all(cast: Cast) -> None:
    with scope(0, account=cast.inspector.pk, authority=cast.authority.pk):
        assert not Person.objects.exists()


def test_small_figures_are_not_told(cast: Cast, visit: Visitor, inspector: SimpleNamespace) -> None:
    figure(cast, missed=3, marks=100, on=TODAY)
    figure(cast, missed=30, marks=100, on=TODAY, school_id=cast.other_school.id)
    page = visit.as_(inspector).get(PATH).content.decode().split("<main")[1]
    assert "&lt; 5" in page
    assert "3.0 %" not in page
    assert "16.5" not in page, "the sum would give the small figure away"
    with scope(0, account=cast.inspector.pk, authority=cast.authority.pk):
        figures = figures_of(_actor(cast), now=NOW)
    assert figures.today == Count(30, 100)
    assert any(one.today.count.is_hidden for one in figures.shown)


def test_a_small_day_is_not_found_by_taking_the_others_from_the_month(cast: Cast) -> None:
    figure(cast, missed=3, marks=100, on=TODAY)
    figure(cast, missed=20, marks=100, on=TODAY - timedelta(days=1))
    with scope(0, account=cast.inspector.pk, authority=cast.authority.pk):
        figures = figures_of(_actor(cast), now=NOW)
    oak = next(one for one in figures.shown if one.name == "Oak School")
    assert oak.window == Count(20, 100)


def _actor(cast: Cast) -> Actor:
    return Actor(
        cast.inspector.pk, authority_id=cast.authority.pk, authority_roles=frozenset({Role.INSPECTOR})
    )


@pytest.mark.parametrize(("missed", "marks"), [(1, 100), (4, 100), (98, 100), (0, 3), (3, 3)])
def test_few_of_anything_is_hidden(missed: int, marks: int) -> None:
    assert Count(missed, marks).is_hidden
    assert Count(missed, marks).percent is None


@pytest.mark.parametrize(("missed", "marks"), [(0, 100), (5, 100), (95, 100), (100, 100), (0, 0)])
def test_none_and_many_are_told(missed: int, marks: int) -> None:
    assert not Count(missed, marks).is_hidden


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8))
def test_nothing_hidden_is_found_by_taking_the_told_from_the_sum(rows: list[tuple[int, int]]) -> None:
    counts = [Count(missed, missed + present) for missed, present in rows]
    total = total_of(counts)
    told = [one for one in counts if not one.is_hidden]
    assert total.missed - sum(one.missed for one in told) == 0
    assert SMALLEST == 5


def test_another_authoritys_schools_are_not_there(
    cast: Cast, visit: Visitor, inspector: SimpleNamespace
) -> None:
    hills = founding.found_authority(
        slug="hills",
        name="The Hills",
        country="ES",
        locale="es",
        time_zone="Europe/Madrid",
        requires_second_factor=False,
    )
    founding.found_school(
        hills, slug="ash", name="Ash School", country="ES", locale="es", time_zone="Europe/Madrid"
    )
    assert "Ash School" not in visit.as_(inspector).get(PATH).content.decode()
    assert visit.as_(inspector).get("/a/hills/").status_code == 404
    assert visit.as_(inspector).get("/a/nowhere/").status_code == 404


def test_it_is_the_inspectors(cast: Cast, visit: Visitor) -> None:
    for member in (cast.head, cast.teacher, cast.mother, cast.stranger):
        for path in (PATH, f"{PATH}figures.xlsx"):
            assert visit.as_(member).get(path).status_code == 404
    assert visit.anonymous().get(PATH).status_code == 302


def test_a_second_factor_is_demanded_where_the_authority_says_so(cast: Cast, visit: Visitor) -> None:
    strict = founding.found_authority(
        slug="strict",
        name="Strict",
        country="ES",
        locale="es",
        time_zone="Europe/Madrid",
        requires_second_factor=True,
    )
    people.appoint_inspector(authority_id=strict.pk, account=cast.inspector)
    answer = visit.as_(SimpleNamespace(account=cast.inspector)).get("/a/strict/")
    assert answer.status_code == 302
    assert "second-factor" in answer.headers["Location"]


def test_the_workbook_says_what_the_page_says(cast: Cast, visit: Visitor, inspector: SimpleNamespace) -> None:
    figure(cast, missed=3, marks=100, on=TODAY)
    figure(cast, missed=30, marks=100, on=TODAY, school_id=cast.other_school.id)
    answer = visit.as_(inspector).get(f"{PATH}figures.xlsx")
    assert answer.headers["Content-Type"].endswith("spreadsheetml.sheet")
    book = ZipFile(BytesIO(answer.content))
    words = book.read("xl/sharedStrings.xml").decode()
    assert "Oak School" in words
    assert "&lt; 5" in words
    first = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<v>30</v>" in first
    assert "<v>3</v>" not in first.split("<row")[2]


@pytest.mark.parametrize(
    "name", ['=HYPERLINK("http://x")', "{=1+1}", "+1", "-1", "@SUM(A1)", "\t=1", "http://x"]
)
def test_a_schools_name_is_never_a_formula(
    cast: Cast, visit: Visitor, inspector: SimpleNamespace, name: str
) -> None:
    School.objects.filter(pk=cast.school.id).update(name=name)
    figure(cast, missed=30, marks=100, on=TODAY)
    book = ZipFile(BytesIO(visit.as_(inspector).get(f"{PATH}figures.xlsx").content))
    assert escape(name, quote=False) in book.read("xl/sharedStrings.xml").decode()
    for sheet in ("xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"):
        assert "<f>" not in book.read(sheet).decode()
        assert "<hyperlink" not in book.read(sheet).decode()


def test_thirty_days_cost_what_one_costs(cast: Cast, visit: Visitor, inspector: SimpleNamespace) -> None:
    client = visit.as_(inspector)
    figure(cast, missed=9, marks=100, on=TODAY)
    one = statements(lambda: client.get(PATH))
    for days in range(1, 30):
        figure(cast, missed=9, marks=100, on=TODAY - timedelta(days=days))
    assert statements(lambda: client.get(PATH)) == one


def _found_schools(cast: Cast, count: int) -> None:
    for number in range(count):
        founding.found_school(
            cast.authority, slug=f"school-{number}", name=f"School {number:02d}", country="ES", locale="es", time_zone="Europe/Madrid"
        )  # fmt: skip


@pytest.mark.parametrize("missed", [(9, 3, 20), (0, 0, 0), (4, 96, 50)])
def test_what_is_kept_says_what_the_days_say(cast: Cast, missed: tuple[int, int, int]) -> None:
    for days, count in enumerate(missed):
        figure(cast, missed=count, marks=100, on=TODAY - timedelta(days=7 * days))
        figure(cast, missed=30, marks=90, on=TODAY - timedelta(days=days), school_id=cast.other_school.id)
    figure(cast, missed=50, marks=100, on=TODAY + timedelta(days=1))
    figure(cast, missed=50, marks=100, on=TODAY - timedelta(days=40))
    with scope(0, account=cast.inspector.pk, authority=cast.authority.pk):
        kept = figures_of(_actor(cast), now=NOW, order=Order.NAME)
        sheets = sheets_of(_actor(cast), now=NOW)
    assert kept.window.marks > 0
    assert kept.shown == [sheet.school for sheet in sheets]
    assert kept.window == total_of(one.window for one in kept.shown)
    assert kept.today == total_of(one.today.count for one in kept.shown)
    assert kept.expected == sum(one.expected for one in kept.shown)


def test_many_schools_have_the_days_that_few_have(cast: Cast) -> None:
    for days, count in enumerate((9, 3, 20)):
        figure(cast, missed=count, marks=100, on=TODAY - timedelta(days=7 * days))
        figure(cast, missed=30, marks=90, on=TODAY - timedelta(days=days), school_id=cast.other_school.id)
    with scope(0, account=cast.inspector.pk, authority=cast.authority.pk):
        few = figures_of(_actor(cast), now=NOW)
        assert len(few.lines) == 2
    _found_schools(cast, 2)
    with scope(0, account=cast.inspector.pk, authority=cast.authority.pk):
        many = figures_of(_actor(cast), now=NOW)
        assert not many.lines
    assert few.days == many.days


def test_a_school_that_was_counted_yesterday_has_no_register_today(cast: Cast) -> None:
    figure(cast, missed=10, marks=100, on=TODAY)
    figure(cast, missed=10, marks=100, on=TODAY - timedelta(days=6))
    with scope(0, account=cast.inspector.pk, authority=cast.authority.pk):
        tomorrow = figures_of(_actor(cast), now=NOW + timedelta(days=1))
    oak = next(one for one in tomorrow.shown if one.name == "Oak School")
    assert (oak.today.registers, oak.usual, oak.expected) == (0, 1, 1)
    assert oak.window == Count(20, 200)


def test_of_many_schools_a_page_shows_some_and_sums_all(
    cast: Cast, visit: Visitor, inspector: SimpleNamespace
) -> None:
    _found_schools(cast, 40)
    figure(cast, missed=10, marks=100, on=TODAY)
    client = visit.as_(inspector)
    pages = [
        client.get(f"{PATH}?page={page}&order=name").content.decode().split("<main")[1] for page in (1, 2, 9)
    ]
    assert "School 05" in pages[0]
    assert "School 05" not in pages[1]
    assert "School 39" in pages[1]
    assert pages[2].split("<tbody>")[1] == pages[1].split("<tbody>")[1], (
        "the last page answers for those behind it"
    )
    for page in pages:
        assert "10.0" in page


def test_the_worst_come_first_or_those_whose_registers_lack(
    cast: Cast, visit: Visitor, inspector: SimpleNamespace
) -> None:
    _found_schools(cast, 6)
    figure(cast, missed=10, marks=100, on=TODAY)
    figure(cast, missed=30, marks=100, on=TODAY - timedelta(days=7), school_id=cast.other_school.id)
    client = visit.as_(inspector)

    def first(order: str) -> list[str]:
        page = client.get(f"{PATH}?order={order}").content.decode().split("<tbody>")[1]
        return [row.split("<")[0] for row in page.split('<th scope="row">')[1:]]

    assert first("")[:3] == ["Elm School", "Oak School", "School 00"]
    assert first("registers")[:2] == ["Elm School", "Oak School"]
    assert first("name")[0] == "Elm School"
    assert first("nonsense") == first("missed")


def test_what_is_too_small_is_not_found_by_the_order(cast: Cast, inspector: SimpleNamespace) -> None:
    figure(cast, missed=4, marks=5, on=TODAY)
    figure(cast, missed=30, marks=100, on=TODAY, school_id=cast.other_school.id)
    with scope(0, account=cast.inspector.pk, authority=cast.authority.pk):
        shown = figures_of(_actor(cast), now=NOW).shown
    assert [one.name for one in shown] == ["Elm School", "Oak School"]


@pytest.mark.parametrize("words", ["oák", "OAK school", "school oa"])
def test_a_school_is_found_by_its_name(
    cast: Cast, visit: Visitor, inspector: SimpleNamespace, words: str
) -> None:
    _found_schools(cast, 6)
    client = visit.as_(inspector)
    page = client.get(PATH, {"q": words}).content.decode().split("<main")[1]
    assert "Oak School" in page
    assert "Elm School" not in page
    part = client.get(PATH, {"q": words}, headers={"HX-Request": "true"}).content.decode()
    assert "Oak School" in part
    assert "<main" not in part
    assert "No school of that name" in client.get(PATH, {"q": "zz"}).content.decode()


def test_a_hundred_schools_cost_the_statements_that_six_cost(
    cast: Cast, visit: Visitor, inspector: SimpleNamespace
) -> None:
    client = visit.as_(inspector)
    _found_schools(cast, 6)

    def asked() -> list[int]:
        return [statements(partial(client.get, path)) for path in (PATH, f"{PATH}?q=s")]

    few = asked()
    for number in range(6, 100):
        founding.found_school(
            cast.authority, slug=f"school-{number}", name=f"School {number}", country="ES", locale="es", time_zone="Europe/Madrid"
        )  # fmt: skip
    assert asked() == few
    assert few[0] < 8


def test_nobody_else_reads_the_authoritys_days(cast: Cast) -> None:
    figure(cast, missed=10, marks=100, on=TODAY)
    with scope(authority=cast.authority.pk):
        assert AuthorityDay.objects.count() == 1
        assert SchoolStanding.objects.count() == 1
    for held in (scope(cast.school.id), scope(authority=cast.authority.pk + 1), scope(cast.other_school.id)):
        with held:
            assert not AuthorityDay.objects.exists()
    with scope(cast.other_school.id):
        assert not SchoolStanding.objects.exists()
