"""Grades are stored as OneRoster's codes and read as the school's country calls them."""

import pytest

from pupitre.people.actions import change_person
from pupitre.people.rules.grades import grade_label, grade_options
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
