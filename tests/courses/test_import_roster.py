"""A roster is imported: the first time, again, with the school's changes kept, and with those who vanished ended."""

from datetime import date
from typing import Any

import pytest

from pupitre.courses import actions as courses
from pupitre.courses.actions import rosters
from pupitre.courses.models import Class, Enrolment, RosterImport
from pupitre.kernel import clock
from pupitre.kernel.errors import Denied
from pupitre.people.models import Guardianship, Membership, Person
from pupitre.people.rules import Relation, Role
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope
from tests.cast import TODAY, Cast
from tests.courses.importing import checked, imported, office_of, row_counts, sums
from tests.courses.made_rosters import ONEROSTER_1_1, ONEROSTER_1_2, changed

pytestmark = pytest.mark.usefixtures("cast")
NOTHING = {"new": 0, "changed": 0, "ended": 0, "back": 0, "conflicts": 0}


@pytest.fixture
def office(cast: Cast) -> Any:
    with scope(cast.other_school.id):
        yield office_of(cast)


def test_the_first_import_fills_the_school(office: Any) -> None:
    record = imported(office, ONEROSTER_1_2)
    assert record.state == RosterImport.APPLIED
    assert record.report["kinds"]["users"]["new"] == 3
    pupil = Person.objects.get(sourced_id="p1")
    assert (pupil.full_name, pupil.grade, pupil.born_on) == ("Aina Puig", "07", date(2013, 3, 5))
    klass = Class.objects.select_related("course__session").get(sourced_id="c1")
    assert (klass.title, klass.subject, klass.location) == ("7A Maths", "Mathematics", "R12")
    assert klass.course is not None
    assert klass.course.session is not None
    assert klass.course.session.starts_on == date(2026, 9, 1)
    teacher = Enrolment.objects.get(person__sourced_id="t1")
    assert (teacher.role, teacher.is_primary, teacher.origin) == (
        Enrolment.TEACHER,
        True,
        Enrolment.FROM_ROSTER,
    )
    assert Membership.objects.get(person=pupil).role == Role.PUPIL
    guardian = Guardianship.objects.get(pupil=pupil)
    assert (guardian.guardian.sourced_id, guardian.relation) == ("g1", Relation.GUARDIAN)


def test_the_same_files_again_change_nothing_and_leave_no_history(office: Any) -> None:
    imported(office, ONEROSTER_1_2)
    before = row_counts()
    pupil = Person.objects.get(sourced_id="p1")
    history = len(tenancy.changes_about(pupil.pk))
    again = checked(office, ONEROSTER_1_2)
    assert again.plan["nothing"]
    assert again.plan["writes"] == 0
    applied = rosters.apply_import(office, again.pk, now=clock.now())
    assert applied.report["nothing"]
    assert sums(applied) == NOTHING
    assert row_counts() == before
    assert len(tenancy.changes_about(pupil.pk)) == history


def test_an_import_is_carried_out_once(office: Any) -> None:
    record = imported(office, ONEROSTER_1_2)
    with pytest.raises(rosters.AlreadyApplied):
        rosters.apply_import(office, record.pk, now=clock.now())


def test_what_the_file_changes_is_changed(office: Any) -> None:
    imported(office, ONEROSTER_1_2)
    files = changed(ONEROSTER_1_2, "users.csv", "Aina,Puig", "Aina,Puig Mas")
    record = imported(office, changed(files, "classes.csv", "R12", "R14"))
    assert sums(record) == {**NOTHING, "changed": 2}
    assert Person.objects.get(sourced_id="p1").family_key == "puig mas aina"
    assert Class.objects.get(sourced_id="c1").location == "R14"


def test_what_the_school_changed_is_shown_and_kept(office: Any) -> None:
    imported(office, ONEROSTER_1_2)
    Person.objects.filter(sourced_id="p1").update(given_name="Ona")
    Class.objects.filter(sourced_id="c1").update(subject="Sums")
    record = checked(office, changed(ONEROSTER_1_2, "users.csv", "aina,{LDAP:aina}", "aina.p,{LDAP:aina}"))
    assert sums(record) == {**NOTHING, "changed": 1, "conflicts": 1}
    done = rosters.apply_import(office, record.pk, now=clock.now())
    pupil = Person.objects.get(sourced_id="p1")
    assert (pupil.given_name, pupil.username) == ("Ona", "aina.p")
    assert Class.objects.get(sourced_id="c1").subject == "Sums"
    assert done.report["kinds"]["users"]["conflicts"] == 1
    again = checked(office, changed(ONEROSTER_1_2, "users.csv", "aina,{LDAP:aina}", "aina.p,{LDAP:aina}"))
    assert again.plan["nothing"]
    assert sums(again)["conflicts"] == 1


def test_the_files_word_is_taken_where_the_office_says_so(office: Any) -> None:
    imported(office, ONEROSTER_1_2)
    Person.objects.filter(sourced_id__in=["p1", "t1"]).update(given_name="Ona")
    record = checked(office, ONEROSTER_1_2)
    rosters.answer_conflicts(office, record.pk, answers={("users", "p1", "given_name"): True})
    rosters.apply_import(office, record.pk, now=clock.now())
    assert Person.objects.get(sourced_id="p1").given_name == "Aina"
    assert Person.objects.get(sourced_id="t1").given_name == "Ona"


def test_the_files_word_is_taken_everywhere_but_in_one_place(office: Any) -> None:
    imported(office, ONEROSTER_1_2)
    Person.objects.filter(sourced_id__in=["p1", "t1"]).update(given_name="Ona")
    record = checked(office, ONEROSTER_1_2)
    rosters.answer_conflicts(office, record.pk, take_all=True)
    rosters.answer_conflicts(office, record.pk, answers={("users", "p1", "given_name"): False})
    rosters.apply_import(office, record.pk, now=clock.now())
    assert Person.objects.get(sourced_id="p1").given_name == "Ona"
    assert Person.objects.get(sourced_id="t1").given_name == "Joan"


def without_pupil() -> dict[str, str]:
    files = ONEROSTER_1_2
    for name, row in (
        ("users.csv", 'p1,,,true,aina,{LDAP:aina},Aina,Puig,,,,,,"g1",07,\n'),
        ("roles.csv", "r1,,,p1,primary,student,2026-09-01,,s1,\n"),
        ("enrollments.csv", "e1,,,c1,s1,p1,student,,2026-09-01,2027-06-30\n"),
        ("demographics.csv", "p1,,,2013-03-05,female\n"),
    ):
        files = changed(files, name, row, "")
    return files


def test_who_vanished_is_ended_and_not_deleted_and_comes_back(office: Any) -> None:
    imported(office, ONEROSTER_1_2)
    before = row_counts()
    record = imported(office, without_pupil())
    assert record.report["kinds"]["users"]["ended"] == 1
    assert row_counts() == before
    pupil = Person.objects.get(sourced_id="p1")
    assert pupil.ended_on == TODAY
    assert Enrolment.objects.get(person=pupil).ends_on == date(2026, 10, 12)
    assert Membership.objects.get(person=pupil).ends_on == date(2026, 10, 12)
    assert Guardianship.objects.get(pupil=pupil).ends_on == date(2026, 10, 12)
    assert checked(office, without_pupil()).plan["nothing"]
    back = imported(office, ONEROSTER_1_2)
    assert sums(back) == {**NOTHING, "back": 4}
    assert Person.objects.get(sourced_id="p1").ended_on is None
    assert Enrolment.objects.get(person=pupil).ends_on == date(2027, 6, 30)
    assert Membership.objects.get(person=pupil).ends_on is None
    assert Guardianship.objects.get(pupil=pupil).ends_on is None
    assert checked(office, ONEROSTER_1_2).plan["nothing"]


def test_whom_the_school_added_itself_a_bulk_file_does_not_end(cast: Cast, office: Any) -> None:
    imported(office, ONEROSTER_1_2)
    assert Person.objects.get(pk=cast.stranger.person.pk).ended_on is None
    assert Membership.objects.get(person=cast.stranger.person).ends_on is None


def test_whom_the_school_ended_itself_is_shown_and_stays_ended(office: Any) -> None:
    imported(office, ONEROSTER_1_2)
    Person.objects.filter(sourced_id="p1").update(ended_on=TODAY)
    record = imported(office, ONEROSTER_1_2)
    assert sums(record)["conflicts"] == 1
    assert Person.objects.get(sourced_id="p1").ended_on == TODAY


DELTA_MANIFEST = ONEROSTER_1_2["manifest.csv"].replace(",bulk", ",absent")


def delta(**files: str) -> dict[str, str]:
    manifest = DELTA_MANIFEST
    for name in files:
        manifest = manifest.replace(f"file.{name},absent", f"file.{name},delta")
    return {"manifest.csv": manifest, **{f"{name}.csv": text for name, text in files.items()}}


def test_a_delta_ends_whom_it_names_with_all_that_hangs_on_them(office: Any) -> None:
    imported(office, ONEROSTER_1_2)
    head = ONEROSTER_1_2["users.csv"].partition("\n")[0]
    row = "p1,tobedeleted,2026-10-12T10:00:00.000Z,true,aina,,Aina,Puig,,,,,,,07,\n"
    record = imported(office, delta(users=f"{head}\n{row}"))
    assert record.report["kinds"]["users"]["ended"] == 1
    assert Person.objects.get(sourced_id="p1").ended_on == TODAY
    assert Person.objects.get(sourced_id="t1").ended_on is None
    assert Enrolment.objects.get(person__sourced_id="p1").ends_on == date(2026, 10, 12)
    assert Enrolment.objects.get(person__sourced_id="t1").ends_on is None


def test_a_delta_ends_an_enrolment_by_its_own_identifier(office: Any) -> None:
    imported(office, ONEROSTER_1_2)
    head = ONEROSTER_1_2["enrollments.csv"].partition("\n")[0]
    row = "e1,tobedeleted,2026-10-12T10:00:00.000Z,c1,s1,p1,student,,2026-09-01,2027-06-30\n"
    imported(office, delta(enrollments=f"{head}\n{row}"))
    assert Enrolment.objects.get(person__sourced_id="p1").ends_on == date(2026, 10, 12)
    assert Person.objects.get(sourced_id="p1").ended_on is None


def test_a_delta_may_name_what_only_the_school_knows(office: Any) -> None:
    imported(office, ONEROSTER_1_2)
    head = ONEROSTER_1_2["enrollments.csv"].partition("\n")[0]
    stamp = "active,2026-10-12T10:00:00.000Z"
    imported(office, delta(enrollments=f"{head}\ne9,{stamp},c1,s1,g1,aide,,,\n"))
    assert Enrolment.objects.get(person__sourced_id="g1").role == Enrolment.AIDE
    unknown = checked(office, delta(enrollments=f"{head}\ne8,{stamp},c1,s1,nobody,aide,,,\n"))
    assert unknown.state == RosterImport.REFUSED
    assert [f["code"] for f in unknown.findings if f["severity"] == "error"] == ["not-in-school"]


def test_an_orphan_is_refused_and_nothing_is_changed(office: Any) -> None:
    imported(office, ONEROSTER_1_2)
    before = row_counts()
    record = checked(office, changed(ONEROSTER_1_2, "enrollments.csv", "e1,,,c1,s1,p1", "e1,,,c1,s1,p7"))
    assert record.state == RosterImport.REFUSED
    (error,) = [finding for finding in record.findings if finding["severity"] == "error"]
    assert (error["code"], error["file"], error["line"], error["value"]) == (
        "orphan",
        "enrollments.csv",
        2,
        "p7",
    )
    with pytest.raises(rosters.NotImportable):
        rosters.apply_import(office, record.pk, now=clock.now())
    assert row_counts() == before


def test_an_unknown_role_is_mapped_and_the_mapping_is_remembered(office: Any) -> None:
    files = changed(ONEROSTER_1_2, "roles.csv", "t1,primary,teacher", "t1,primary,Koordinatorin")
    record = checked(office, files)
    assert record.state == RosterImport.REFUSED
    assert [word["value"] for word in record.plan["unknown_roles"]] == ["Koordinatorin"]
    imported(office, files, roles={"Koordinatorin": "teacher"})
    assert Membership.objects.get(person__sourced_id="t1").role == Role.TEACHER
    assert checked(office, files).plan["nothing"]


def test_an_unknown_grade_is_mapped(office: Any) -> None:
    files = changed(ONEROSTER_1_2, "users.csv", '"g1",07', '"g1",1ESO')
    record = checked(office, files)
    assert [word["value"] for word in record.plan["unknown_grades"]] == ["1ESO"]
    imported(office, files, grades={"1ESO": "07"})
    assert Person.objects.get(sourced_id="p1").grade == "07"


def test_the_order_of_dates_is_chosen(office: Any) -> None:
    files = changed(ONEROSTER_1_2, "demographics.csv", "2013-03-05", "3/5/2013")
    assert checked(office, files).plan["ambiguous_dates"]
    imported(office, files, date_order="dmy")
    assert Person.objects.get(sourced_id="p1").born_on == date(2013, 5, 3)


def test_two_schools_of_one_file_are_chosen_apart(cast: Cast, office: Any) -> None:
    files = changed(
        ONEROSTER_1_2, "orgs.csv", "s1,,,Escola Mar", "s2,,,Escola Alt,school,081,\ns1,,,Escola Mar"
    )
    files = changed(files, "roles.csv", "r2,,,t1,primary,teacher,,,s1", "r2,,,t1,primary,teacher,,,s2")
    record = checked(office, files)
    assert [org["id"] for org in record.plan["orgs"] if org["chosen"]] == ["s2", "s1"]
    assert "several-schools" in {finding["code"] for finding in record.findings}
    imported(office, files, orgs=["s2"])
    assert set(Person.objects.values_list("sourced_id", flat=True)) == {"t1", "stranger"}
    assert Class.objects.count() == 0
    with pytest.raises(rosters.UnknownOrg):
        checked(office, files, orgs=["s9"])


def test_a_form_of_the_roster_brings_its_pupils_into_classes_that_take_it_as_a_whole(office: Any) -> None:
    files = changed(ONEROSTER_1_2, "classes.csv", ",scheduled,", ",homeroom,")
    imported(office, files)
    maths = courses.open_class(office, sourced_id="own", title="Maths", subject="Maths")
    courses.attach_homeroom(office, maths, Class.objects.get(sourced_id="c1"))
    joined = Enrolment.objects.get(klass=maths)
    assert (joined.person.sourced_id, joined.origin, joined.ends_on) == (
        "p1",
        Enrolment.FROM_GROUP,
        date(2027, 6, 30),
    )
    more = changed(files, "users.csv", "g1,,,true", "p2,,,true,biel,,Biel,Mas,,,,,,,07,\ng1,,,true")
    more = changed(more, "roles.csv", "r2,,,t1", "r9,,,p2,primary,student,,,s1,\nr2,,,t1")
    more = changed(
        more, "enrollments.csv", "e1,,,c1,s1,p1,student,,2026-09-01,2027-06-30", "e9,,,c1,s1,p2,student,,,"
    )
    imported(office, more)
    members = {
        e.person.sourced_id: e.ends_on for e in Enrolment.objects.filter(klass=maths).select_related("person")
    }
    assert members == {"p1": date(2026, 10, 12), "p2": None}


def test_oneroster_1_1_brings_both_guardians(office: Any) -> None:
    imported(office, ONEROSTER_1_1)
    assert {g.guardian.sourced_id for g in Guardianship.objects.filter(pupil__sourced_id="p1")} == {
        "g1",
        "g2",
    }
    assert set(
        Membership.objects.filter(role=Role.GUARDIAN).values_list("person__sourced_id", flat=True)
    ) == {"g1", "g2"}
    assert checked(office, ONEROSTER_1_1).plan["nothing"]


def test_one_school_does_not_see_anothers_import(cast: Cast) -> None:
    with scope(cast.other_school.id):
        imported(office_of(cast), ONEROSTER_1_2)
    with scope(cast.school.id):
        assert not Person.objects.filter(sourced_id="p1").exists()
        assert RosterImport.objects.count() == 0


def test_only_the_office_imports(cast: Cast) -> None:
    with scope(cast.school.id), pytest.raises(Denied):
        rosters.upload_roster(cast.teacher.actor, files={"a.csv": b""}, file_name="a", now=clock.now())
