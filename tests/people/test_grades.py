"""Grades are stored as OneRoster's codes and read as the school's country calls them."""

import pytest

from pupitre.people.actions import change_person
from pupitre.people.models import Person
from pupitre.people.rules.grades import (
    CODES,
    code_options,
    grade_and_code,
    grade_label,
    grade_options,
    read_grade,
    usual_codes,
)
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.conftest import Visitor


@pytest.mark.parametrize(
    ("country", "code", "label"),
    [
        *(("ES", "PR", "Infantil 3"), ("ES", "06", "6º Primaria"), ("ES", "07", "1º ESO")),
        *(("ES", "10", "4º ESO"), ("ES", "12", "2º Bachillerato")),
        *(("FR", "01", "CP"), ("FR", "06", "6e"), ("FR", "12", "Tle")),
        *(("DE", "01", "Klasse 1"), ("DE", "13", "Klasse 13")),
        *(("PT", "12", "12.º ano"), ("CL", "08", "8º Básico"), ("CL", "12", "IV Medio"), ("CO", "11", "11°")),
        *(("ES", "13", "13"), ("ES", "Aula oberta", "Aula oberta"), ("US", "07", "07"), ("ES", "", "")),
    ],
)
def test_a_grade_is_called_as_its_country_calls_it(country: str, code: str, label: str) -> None:
    assert grade_label(code, country) == label


def test_choices_begin_with_the_youngest_and_end_with_the_schools_own_labels() -> None:
    assert grade_options(["01", "Aula oberta", "KG", "PR", "12"], "ES") == [
        ("PR", "Infantil 3"),
        ("KG", "Infantil 5"),
        ("01", "1º Primaria"),
        ("12", "2º Bachillerato"),
        ("Aula oberta", "Aula oberta"),
    ]


@pytest.mark.parametrize(
    ("country", "code", "shown"),
    [
        *(("ES", "07", "1º ESO (07)"), ("ES", "PR", "Infantil 3 (PR)"), ("FR", "06", "6e (06)")),
        *(("ES", "13", "Grade 13 (13)"), ("US", "07", "Grade 7 (07)"), ("US", "KG", "Kindergarten (KG)")),
        *(("ES", "UG", "Without a grade (UG)"), ("DE", "PS", "After secondary school (PS)")),
        *(("CL", "PS2", "After secondary school, year 2 (PS2)"), ("ES", "Aula oberta", "Aula oberta")),
        ("ES", "", ""),
    ],
)
def test_where_the_code_matters_it_stands_beside_the_name(country: str, code: str, shown: str) -> None:
    assert grade_and_code(code, country, str) == shown


@pytest.mark.parametrize("country", ["ES", "FR", "DE", "PT", "CL", "CO", "US"])
def test_every_grade_is_read_as_it_is_shown(country: str) -> None:
    options = code_options(country, str)
    assert [code for code, _ in options] == list(CODES)
    assert len({shown for _, shown in options}) == len(CODES)
    for code, shown in options:
        assert read_grade(shown, country, str) == code
        assert read_grade(code.lower(), country, str) == code
        assert read_grade(grade_label(code, country), country, str) == code
    assert read_grade("  Aula   oberta ", country, str) == "Aula oberta"
    assert set(usual_codes(country)) <= set(CODES)


def test_a_school_is_offered_its_countrys_grades() -> None:
    assert usual_codes("ES")[:4] == ["PR", "PK", "KG", "01"]
    assert "PS" not in usual_codes("ES")
    assert usual_codes("US") == list(CODES)


def test_the_office_reads_and_writes_a_grade_by_its_name(cast: Cast, visit: Visitor) -> None:
    browser, form = visit.as_(cast.secretary), f"/s/oak/people/{cast.pupil.person.pk}/edit"
    page = browser.get(form).content.decode()
    assert 'value="1º ESO (07)"' in page
    assert '<option value="2º ESO (08)"></option>' in page
    name = {"given_name": "Pau", "family_name": "Pupil"}
    for written, kept in (
        ("2º ESO (08)", "08"),
        ("3º eso", "09"),
        ("10", "10"),
        ("Aula oberta", "Aula oberta"),
        ("", ""),
    ):
        assert browser.post(form, {**name, "grade": written}).status_code == 303
        with scope(cast.school.id):
            assert Person.objects.get(pk=cast.pupil.person.pk).grade == kept
    assert browser.post(form, {**name, "grade": "x" * 41}).status_code == 422
    assert 'value=""' in browser.get("/s/oak/people/new").content.decode()


@pytest.mark.parametrize("address", ["people", "invitations?group=2", "cards", "board"])
def test_lists_offer_the_label_and_ask_for_the_code(cast: Cast, visit: Visitor, address: str) -> None:
    page = visit.as_(cast.secretary).get(f"/s/oak/{address}").content.decode()
    assert '<option value="07">1º ESO</option>' in page


def test_lists_and_files_say_the_label(cast: Cast, visit: Visitor) -> None:
    browser, file = visit.as_(cast.secretary), f"/s/oak/people/{cast.pupil.person.pk}"
    assert ">1º ESO</td>" in browser.get("/s/oak/people?q=pupil").content.decode()
    assert ">1º ESO</p>" in browser.get(file).content.decode()
    assert "1º ESO" in browser.get("/s/oak/absences/new?q=pupil").content.decode()
    with scope(cast.school.id):
        change_person(cast.office, cast.pupil.person.pk, grade="Aula oberta")
    assert ">Grade Aula oberta</p>" in browser.get(file).content.decode()
    history = browser.get(f"{file}/history").content.decode()
    assert "<del>1º ESO</del> <ins>Aula oberta</ins>" in history
