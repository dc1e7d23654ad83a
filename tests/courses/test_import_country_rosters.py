"""Countries' files go the way of every roster: preview, apply, again without a change; and only their own part can leave."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pupitre.courses.actions import rosters
from pupitre.courses.models import Class, Enrolment, RosterImport
from pupitre.kernel import clock
from pupitre.people.models import Guardianship, Membership, Person
from pupitre.people.rules import Relation, Role
from pupitre.project import cli
from pupitre.project.commands.rosters import run_import
from pupitre.tenancy.scoping import scope
from tests.cast import TODAY, Cast
from tests.conftest import Visitor
from tests.courses.country_files import ESFERA, SAGA, SIECLE, SIMAT, STS, esfera_rows, replaced, workbook
from tests.courses.importing import imported as imported_texts
from tests.courses.importing import office_of, sums
from tests.courses.made_rosters import ONEROSTER_1_2
from tests.jobs import run_jobs

pytestmark = pytest.mark.usefixtures("cast")
NOTHING = {"new": 0, "changed": 0, "ended": 0, "back": 0, "conflicts": 0}
PUPILS = "ElevesSansAdresses.xml"


@pytest.fixture
def office(cast: Cast) -> Any:
    with scope(cast.other_school.id):
        yield office_of(cast)


def checked(office: Any, files: dict[str, bytes], **choices: Any) -> RosterImport:
    record = rosters.upload_roster(office, files=files, file_name="export", now=clock.now())
    record = rosters.read_import(office, record.pk, now=clock.now())
    return rosters.choose(office, record.pk, now=clock.now(), **choices) if choices else record


def imported(office: Any, files: dict[str, bytes], **choices: Any) -> RosterImport:
    record = checked(office, files, **choices)
    assert record.state == RosterImport.READ, record.findings
    return rosters.apply_import(office, record.pk, now=clock.now())


def without(files: dict[str, bytes], name: str, start: bytes, end: bytes) -> dict[str, bytes]:
    """The files without what stands in one of them from `start` up to and with the next `end`."""
    head, found, tail = files[name].partition(start)
    assert found
    return {**files, name: head + tail.partition(end)[2]}


@pytest.mark.parametrize("files", [SAGA, ESFERA, SIECLE, STS, {**SIECLE, **STS}, SIMAT])
def test_the_same_files_again_change_nothing(office: Any, files: dict[str, bytes]) -> None:
    first = imported(office, files)
    assert sums(first)["new"] > 10
    again = checked(office, files)
    assert again.plan["nothing"]
    assert sums(again) == NOTHING
    assert imported(office, files).report["nothing"]


def test_a_pupil_stands_in_the_school_with_form_and_family(office: Any) -> None:
    imported(office, ESFERA)
    pupil = Person.objects.get(sourced_id="ralc:90010000011")
    assert (pupil.full_name, pupil.grade, pupil.identifier) == ("Nàdia Vilanova Çelik", "07", "90010000011")
    assert (pupil.email, pupil.sms) == ("nadia@exemple.cat", "600000111")
    form = Enrolment.objects.select_related("klass").get(person=pupil).klass
    assert (form.title, form.kind) == ("ESO1A", Class.HOMEROOM)
    family = Guardianship.objects.filter(pupil=pupil).select_related("guardian")
    assert {(row.guardian.full_name, row.relation) for row in family} == {
        ("Aysegul Çelik", Relation.MOTHER),
        ("Quim Vilanova Pons", Relation.FATHER),
    }
    assert {row.role for row in Membership.objects.filter(person__in=[row.guardian for row in family])} == {
        Role.GUARDIAN
    }


def test_an_export_of_pupils_does_not_end_the_staff(cast: Cast, office: Any) -> None:
    imported_texts(office, ONEROSTER_1_2)
    record = imported(office, ESFERA)
    assert sums(record)["ended"] == 0
    for key in ("t1", "p1", "g1"):
        assert Person.objects.get(sourced_id=key).ended_on is None
    assert Person.objects.get(pk=cast.stranger.person.pk).ended_on is None
    assert Class.objects.get(sourced_id="c1").ended_on is None


def test_who_is_missing_has_left_and_comes_back(office: Any) -> None:
    imported(office, SAGA)
    gone = without(SAGA, "saga.csv", b'"4","90010000014"', b"\r\n")
    record = imported(office, gone)
    # The pupil, her guardian with no other child, their roles and family, her form and her place in it.
    assert record.report["kinds"]["users"]["ended"] == 2
    assert record.report["kinds"]["classes"]["ended"] == 1
    pupil = Person.objects.get(sourced_id="ralc:90010000014")
    assert pupil.ended_on == TODAY
    assert Person.objects.filter(ended_on=None, sourced_id__startswith="guardian:").count() == 3
    assert checked(office, gone).plan["nothing"]
    back = imported(office, SAGA)
    assert sums(back)["new"] == 0
    assert Person.objects.get(pk=pupil.pk).ended_on is None
    guardian = Guardianship.objects.get(pupil=pupil)
    assert guardian.ends_on is None
    assert Membership.objects.get(person=guardian.guardian_id).ends_on is None
    assert checked(office, SAGA).plan["nothing"]


def test_two_systems_of_one_school_do_not_end_one_anothers_pupils(office: Any) -> None:
    """Catalan schools keep some stages in SAGA and others in Esfer@; a pupil of both is one person."""
    imported(office, SAGA)
    record = imported(office, ESFERA)
    assert record.report["kinds"]["users"]["ended"] == 0
    assert Person.objects.filter(sourced_id="ralc:90010000011").count() == 1
    assert Person.objects.get(sourced_id="ralc:90010000014").ended_on is None


def test_a_guardian_of_children_in_two_systems_is_one(office: Any) -> None:
    imported(office, without(SAGA, "saga.csv", b'"2","90010000012"', b"\r\n"))
    rows = [row for row in esfera_rows() if "90010000011" not in row[1]]
    imported(office, {"a.xlsx": workbook(rows)})
    mother = Person.objects.get(given_name="Aysegul")
    assert Guardianship.objects.filter(guardian=mother).count() == 2
    assert Person.objects.get(given_name="Quim")


def test_a_pupil_who_changes_form_leaves_the_other(office: Any) -> None:
    imported(office, SAGA)
    record = imported(office, replaced(SAGA, "saga.csv", '"ESO3B"', '"ESO4B"'))
    assert record.report["kinds"]["users"]["ended"] == 0
    assert record.report["kinds"]["enrollments"]["new"] == 1
    assert record.report["kinds"]["enrollments"]["ended"] == 1


def test_an_export_of_some_groups_is_warned_about(office: Any) -> None:
    header = esfera_rows()[4]
    number = header[1].index("Identificador de l’alumne/a")
    pupil = esfera_rows()[7][1]
    rows = [(7 + n, [*pupil[:number], f"900200000{n:02}", *pupil[number + 1 :]]) for n in range(8)]
    imported(office, {"a.xlsx": workbook([header, *rows])})
    some = checked(office, {"a.xlsx": workbook([header, *rows[:2]])})
    (warning,) = [f for f in some.findings if f["code"] == "many-leave"]
    assert warning["params"] == {"count": 6, "known": 8}
    assert "many-leave" not in {
        f["code"] for f in checked(office, {"a.xlsx": workbook([header, *rows[:6]])}).findings
    }


def test_whom_the_school_knows_by_number_is_the_same_pupil(office: Any) -> None:
    imported_texts(office, ONEROSTER_1_2)
    Person.objects.filter(sourced_id="p1").update(identifier="90010000011", given_name="Nàdia")
    record = imported(office, ESFERA)
    assert Person.objects.filter(identifier="90010000011").count() == 1
    assert Enrolment.objects.filter(person__sourced_id="p1", klass__sourced_id="esfera:ESO1A").exists()
    assert record.report["kinds"]["users"]["new"] == 6
    assert checked(office, ESFERA).plan["writes"] == 0


def test_a_guardian_without_a_number_is_known_by_child_and_name(office: Any) -> None:
    imported(office, SIECLE)
    before = Person.objects.count()
    # Another number of the export, another telephone; and the eldest child, by whom she was known, has left.
    files = {
        name: data.replace(b"8001", b"8801").replace(b"06 99 00 01 01", b"06 99 00 99 99")
        for name, data in SIECLE.items()
    }
    files = without(files, PUPILS, b'<ELEVE ELEVE_ID="7001"', b"</ELEVE>")
    files = without(files, PUPILS, b'<STRUCTURES_ELEVE ELEVE_ID="7001"', b"</STRUCTURES_ELEVE>")
    imported(office, files)
    assert Person.objects.count() == before
    guardian = Person.objects.get(given_name="Anaïs")
    assert (guardian.sms, guardian.ended_on) == ("0699009999", None)
    assert Person.objects.get(given_name="Noël").ended_on == TODAY
    assert Person.objects.get(given_name="Zoé").ended_on == TODAY


def test_a_pupil_who_gets_her_number_stays_the_same(office: Any) -> None:
    imported(office, SIECLE)
    pupil = Person.objects.get(given_name="Théo")
    files = replaced(
        SIECLE, PUPILS, "<NOM_DE_FAMILLE>Nguyen<", "<INE_RNIE>099000003CC</INE_RNIE><NOM_DE_FAMILLE>Nguyen<"
    )
    record = imported(office, files)
    assert sums(record) == {**NOTHING, "changed": 1}
    assert Person.objects.get(pk=pupil.pk).identifier == "099000003CC"
    assert checked(office, files).plan["nothing"]


def test_pupils_without_their_families_leave_the_families_alone(office: Any) -> None:
    imported(office, SIECLE)
    record = checked(office, {name: data for name, data in SIECLE.items() if "Responsables" not in name})
    assert record.plan["nothing"]
    assert "partner-missing" in {finding["code"] for finding in record.findings}


def test_staff_and_pupils_of_france_do_not_end_one_another(office: Any) -> None:
    imported(office, SIECLE)
    record = imported(office, STS)
    assert record.report["kinds"]["users"]["ended"] == 0
    assert Enrolment.objects.get(klass__sourced_id="division:2026:6A", role=Enrolment.TEACHER).is_primary
    assert Enrolment.objects.filter(klass__sourced_id="division:2026:6A", role=Enrolment.STUDENT).count() == 2
    again = imported(office, SIECLE)
    assert again.report["kinds"]["users"]["ended"] == 0
    fewer = without(STS, next(iter(STS)), b'<INDIVIDU ID="17"', b"</INDIVIDU>")
    assert imported(office, fewer).report["kinds"]["users"]["ended"] == 1
    assert Person.objects.get(sourced_id="sts:local:17").ended_on == TODAY
    assert Person.objects.get(given_name="Zoé").ended_on is None


def test_staff_whom_the_school_entered_itself_are_not_doubled(cast: Cast, office: Any) -> None:
    own = Person.objects.get(pk=cast.stranger.person.pk)
    files = replaced(STS, next(iter(STS)), "OUÉDRAOGO", own.family_name)
    files = replaced(files, next(iter(STS)), "Aimé", own.given_name)
    imported(office, files)
    assert Person.objects.filter(family_name=own.family_name).count() == 1
    assert Enrolment.objects.filter(person=own, klass__sourced_id="service:2026:6A:061300").exists()
    assert Person.objects.get(pk=own.pk).ended_on is None


def test_what_the_files_do_not_tell_stays(office: Any) -> None:
    imported(office, SIMAT)
    Person.objects.filter(given_name="Luz").update(email="luz@ejemplo.co", phone="3001")
    assert checked(office, SIMAT).plan["nothing"]
    assert sums(checked(office, SIMAT))["conflicts"] == 0


def test_the_page_takes_the_files_and_shows_what_they_change(cast: Cast, visit: Visitor) -> None:
    secretary = visit.as_(cast.secretary)
    home = f"/s/{cast.school.slug}/rosters"
    page = secretary.get(home).content.decode()
    assert "Esfer@" in page
    assert ".xlsx" in page
    uploads = [SimpleUploadedFile(name, data) for name, data in SIECLE.items()]
    answer = secretary.post(home, {"files": uploads})
    assert answer.status_code == 303, answer.content.decode()[:2000]
    where = answer.headers["Location"]
    shown = secretary.get(where).content.decode()
    assert "SIECLE 3.0" in shown
    assert "What will change" in shown
    assert secretary.post(f"{where}/application").status_code == 303
    assert run_jobs() == ["pupitre.courses.jobs.apply_roster"]
    assert "The roster is imported" in secretary.get(where).content.decode()
    with scope(cast.school.id):
        assert Person.objects.filter(sourced_id="ine:099000001AA").exists()


def test_a_workbook_is_not_unpacked_as_a_zip_is(cast: Cast, visit: Visitor) -> None:
    secretary = visit.as_(cast.secretary)
    answer = secretary.post(
        f"/s/{cast.school.slug}/rosters",
        {"files": [SimpleUploadedFile("alumnes.xlsx", ESFERA["esfera.xlsx"])]},
    )
    assert answer.status_code == 303
    assert "Esfer@" in secretary.get(answer.headers["Location"]).content.decode()


def test_the_page_says_what_is_wrong(cast: Cast, visit: Visitor) -> None:
    secretary = visit.as_(cast.secretary)
    alone = [SimpleUploadedFile(n, d) for n, d in SIECLE.items() if n.startswith("Responsables")]
    where = secretary.post(f"/s/{cast.school.slug}/rosters", {"files": alone}).headers["Location"]
    shown = secretary.get(where).content.decode()
    assert "cannot be imported yet" in shown
    assert "so that nothing tells whose family it is" in shown


@pytest.mark.parametrize("files", [SAGA, ESFERA, SIECLE, STS, SIMAT])
def test_the_command_takes_a_file_or_a_folder(
    cast: Cast, tmp_path: Path, files: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    path = tmp_path if len(files) > 1 else tmp_path / next(iter(files))
    typed = cli._parser().parse_args(["import", cast.other_school.slug, str(path), "--json"])
    assert run_import(typed) == 0
    assert '"applied": true' in capsys.readouterr().out
    with scope(cast.other_school.id):
        assert Person.objects.count() > 3
