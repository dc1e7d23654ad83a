"""The pages of an import: from the upload to the report, without script."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pupitre.courses.actions import rosters
from pupitre.courses.models import Class, Enrolment, RosterImport
from pupitre.kernel import clock
from pupitre.people.models import Person
from pupitre.tenancy.scoping import scope
from tests.cast import TODAY, Cast
from tests.conftest import Visitor
from tests.courses.importing import imported, row_counts
from tests.courses.made_rosters import ONEROSTER_1_2, changed
from tests.jobs import run_jobs

REFERENCE = Path(__file__).parents[3] / "shared" / "data" / "rosters"
HOME = "/s/oak/rosters"


def sent(files: dict[str, str] | dict[str, bytes]) -> dict[str, Any]:
    content = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    return {"files": [SimpleUploadedFile(name, data) for name, data in content.items()]}


def packed(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@pytest.fixture
def office(cast: Cast, visit: Visitor) -> Client:
    return visit.as_(cast.secretary)


def upload(office: Client, files: dict[str, str] | dict[str, bytes]) -> str:
    answer = office.post(HOME, sent(files))
    assert answer.status_code == 303, answer.content.decode()[:3000]
    return str(answer.headers["Location"])


def test_a_zip_goes_from_the_upload_to_the_report(cast: Cast, office: Client) -> None:
    page = upload(office, {"roster.zip": packed(ONEROSTER_1_2)})
    shown = office.get(page).content.decode()
    assert "What will change" in shown
    assert "OneRoster CSV 1.2" in shown
    started = office.post(f"{page}/application")
    assert started.status_code == 303
    assert "being imported" in office.get(page).content.decode()
    assert run_jobs() == ["pupitre.courses.jobs.apply_roster"]
    report = office.get(page).content.decode()
    assert "The roster is imported" in report
    assert "by Sira Secretary" in report
    with scope(cast.school.id):
        assert Person.objects.filter(sourced_id="p1").exists()
        assert RosterImport.objects.get().done == RosterImport.objects.get().total


def test_several_csv_files_at_once_are_one_roster(office: Client) -> None:
    page = upload(office, ONEROSTER_1_2)
    assert "What will change" in office.get(page).content.decode()


def test_history_says_who_imported(cast: Cast, office: Client) -> None:
    from pupitre.tenancy import queries as tenancy

    office.post(f"{upload(office, ONEROSTER_1_2)}/application")
    run_jobs()
    with scope(cast.school.id):
        change = tenancy.changes_about(Person.objects.get(sourced_id="p1").pk)[-1]
        assert change.account_id == cast.secretary.account.pk


def test_errors_are_shown_with_place_and_mend_and_can_be_downloaded(cast: Cast, office: Client) -> None:
    with scope(cast.school.id):
        before = row_counts()
    page = upload(office, changed(ONEROSTER_1_2, "enrollments.csv", "e1,,,c1,s1,p1", "e1,,,c1,s1,=p7"))
    shown = office.get(page).content.decode()
    assert "cannot be imported yet" in shown
    assert "line 2" in shown
    assert office.post(f"{page}/application").status_code == 422
    table = office.get(f"{page}/findings?severity=error").content.decode()
    assert "enrollments.csv, line 2" in table
    assert "Nothing of this sort" not in table
    download = office.get(f"{page}/findings?format=csv")
    assert download.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "'=p7" in download.content.decode()
    with scope(cast.school.id):
        assert row_counts() == before


def test_an_unknown_role_is_mapped_by_a_select(cast: Cast, office: Client) -> None:
    page = upload(
        office, changed(ONEROSTER_1_2, "roles.csv", "t1,primary,teacher", "t1,primary,Koordinatorin")
    )
    assert "“Koordinatorin”" in office.get(page).content.decode()
    office.post(f"{page}/choices", {"role-0": "teacher"})
    with scope(cast.school.id):
        record = RosterImport.objects.get()
        assert (record.state, record.choices["roles"]) == (RosterImport.READ, {"Koordinatorin": "teacher"})


def test_an_unknown_grade_is_mapped_by_a_select_of_the_countrys_names(cast: Cast, office: Client) -> None:
    page = upload(office, changed(ONEROSTER_1_2, "users.csv", '"g1",07', '"g1",1ESO'))
    shown = office.get(page).content.decode()
    assert '<option value="07">1º ESO (07)</option>' in shown
    assert '<option value="UG">Without a grade (UG)</option>' in shown
    office.post(f"{page}/choices", {"grade-0": "07"})
    with scope(cast.school.id):
        assert RosterImport.objects.get().choices["grades"] == {"1ESO": "07"}
    assert '<option value="07" selected>1º ESO (07)</option>' in office.get(page).content.decode()


def test_a_grade_that_changes_is_told_by_its_name(cast: Cast, office: Client) -> None:
    with scope(cast.school.id):
        imported(cast.office, ONEROSTER_1_2)
    page = upload(office, changed(ONEROSTER_1_2, "users.csv", '"g1",07', '"g1",08'))
    rows = office.get(f"{page}/changes/users").content.decode()
    assert "<del>1º ESO (07)</del> → <ins>2º ESO (08)</ins>" in rows


def test_a_conflict_is_shown_field_by_field_and_decided(cast: Cast, office: Client) -> None:
    with scope(cast.school.id):
        imported(cast.office, ONEROSTER_1_2)
        Person.objects.filter(sourced_id="p1").update(given_name="Ona", family_name="Roca")
    page = upload(office, ONEROSTER_1_2)
    assert "2 values were changed by the school" in office.get(page).content.decode()
    rows = office.get(f"{page}/changes/users?sort=conflict").content.decode()
    assert "Keep: Ona" in rows
    assert "Take: Aina" in rows
    answer = office.post(f"{page}/changes/users", {"conflict-0": "file", "conflict-1": "school"})
    assert answer.status_code == 303
    office.post(f"{page}/application")
    run_jobs()
    with scope(cast.school.id):
        pupil = Person.objects.get(sourced_id="p1")
        assert {pupil.given_name, pupil.family_name} in ({"Aina", "Roca"}, {"Ona", "Puig"})


def test_all_conflicts_are_decided_at_once(cast: Cast, office: Client) -> None:
    with scope(cast.school.id):
        imported(cast.office, ONEROSTER_1_2)
        Person.objects.filter(sourced_id="p1").update(given_name="Ona", family_name="Roca")
    page = upload(office, ONEROSTER_1_2)
    assert "nothing changes" in office.get(page).content.decode().lower()
    office.post(f"{page}/decisions", {"take": "file"})
    office.post(f"{page}/application")
    run_jobs()
    with scope(cast.school.id):
        assert str(Person.objects.get(sourced_id="p1")) == "Aina Puig"


def test_which_school_of_the_files_this_is_is_chosen(cast: Cast, office: Client) -> None:
    files = changed(
        ONEROSTER_1_2, "orgs.csv", "s1,,,Escola Mar", "s2,,,Escola Alt,school,081,\ns1,,,Escola Mar"
    )
    page = upload(office, files)
    assert "Escola Alt" in office.get(page).content.decode()
    office.post(f"{page}/choices", {"org": ["s1"]})
    with scope(cast.school.id):
        assert RosterImport.objects.get().choices["orgs"] == ["s1"]


def test_the_progress_is_a_fragment_that_ends_in_the_report(cast: Cast, office: Client) -> None:
    page = upload(office, ONEROSTER_1_2)
    office.post(f"{page}/application")
    with scope(cast.school.id):
        RosterImport.objects.update(done=12000, total=48000)
    fragment = office.get(page, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "12,000 of 48,000" in fragment
    run_jobs()
    done = office.get(page, headers={"HX-Request": "true"})
    assert done.headers["HX-Redirect"] == page


def test_large_files_are_read_by_a_job(cast: Cast, office: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "READ_AT_ONCE", 10)
    page = upload(office, ONEROSTER_1_2)
    assert "The files are being checked" in office.get(page).content.decode()
    assert run_jobs() == ["pupitre.courses.jobs.read_files"]
    assert "What will change" in office.get(page).content.decode()


def test_a_small_zip_of_large_files_is_read_by_a_job_too(cast: Cast) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.csv", b"sourcedId,givenName\n" + b" ,\n" * rosters.READ_AT_ONCE)
    assert len(packed.getvalue()) < rosters.READ_AT_ONCE
    with scope(cast.school.id):
        record = rosters.receive_roster(
            cast.secretary.actor,
            files={"roster.zip": packed.getvalue()},
            file_name="roster.zip",
            now=clock.now(),
        )
        assert record.state == RosterImport.UPLOADED


def test_what_is_uploaded_large_waits_in_the_store_and_goes_when_it_is_read(
    cast: Cast, office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rosters, "READ_AT_ONCE", 10)
    with_password = {**ONEROSTER_1_2, "users.csv": ONEROSTER_1_2["users.csv"].replace("07,\n", "07,geheim\n")}
    page = upload(office, with_password)
    with scope(cast.school.id):
        (record,) = RosterImport.objects.filter(state=RosterImport.UPLOADED)
        waiting = list(record.choices["uploads"].values())
        assert all(rosters.store().get(key) for key in waiting)
    run_jobs()
    with scope(cast.school.id):
        record = RosterImport.objects.get(pk=record.pk)
        assert "uploads" not in record.choices
        with zipfile.ZipFile(io.BytesIO(rosters.store().get(record.file_key))) as archive:
            assert b"geheim" not in archive.read("users.csv")
    assert "What will change" in office.get(page).content.decode()


def test_what_the_job_cannot_unpack_is_told_on_the_page(
    cast: Cast, office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rosters, "READ_AT_ONCE", 10)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../users.csv", b"sourcedId\n1\n" * 9)
    answer = office.post(HOME, sent({"roster.zip": packed.getvalue()}))
    run_jobs()
    told = office.get(answer.headers["Location"]).content.decode()
    assert "points outside of it" in told
    with scope(cast.school.id):
        assert RosterImport.objects.get(file_name="roster.zip").state == RosterImport.REFUSED


def test_an_import_that_fails_writes_nothing_and_says_so(
    cast: Cast, office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = upload(office, ONEROSTER_1_2)
    office.post(f"{page}/application")
    with scope(cast.school.id):
        before = row_counts()
        Class.objects.create(school_id=cast.school.id, sourced_id="c1", title="x", kind="scheduled")
        record = RosterImport.objects.get()
        record.file_key = "0/rosters/gone"
        record.save()
    run_jobs()
    with scope(cast.school.id):
        record.refresh_from_db()
        assert record.state == RosterImport.FAILED
        assert row_counts() == {**before, "Class": before["Class"] + 1}
    assert "nothing was changed" in office.get(page).content.decode()


GARBAGE = [
    ({"x.zip": b"PK\x03\x04 not a zip"}, "not a readable zip"),
    ({"photo.jpg": b"\xff\xd8\xff"}, "no file of a roster"),
    ({}, "no file of a roster"),
]


@pytest.mark.parametrize(("files", "told"), GARBAGE)
def test_garbage_is_refused_kindly(cast: Cast, office: Client, files: dict[str, bytes], told: str) -> None:
    answer = office.post(HOME, sent(files))
    assert answer.status_code == 422
    assert told in answer.content.decode()
    with scope(cast.school.id):
        assert RosterImport.objects.count() == 0


def test_a_zip_bomb_is_refused(office: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "MOST_UNPACKED", 1 << 20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.csv", b"0" * (1 << 24))
    answer = office.post(HOME, sent({"bomb.zip": buffer.getvalue()}))
    assert answer.status_code == 422
    assert "larger than 1 MiB" in answer.content.decode()


def test_too_much_is_refused_before_it_is_read(office: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "MOST_UPLOADED", 100)
    answer = office.post(HOME, sent(ONEROSTER_1_2))
    assert answer.status_code == 422
    assert "larger than" in answer.content.decode()


def test_files_without_meaning_are_refused_with_their_findings(office: Client) -> None:
    page = upload(office, {"users.csv": "a;b\n1;2\n"})
    assert "cannot be imported yet" in office.get(page).content.decode()


def test_no_password_is_stored(cast: Cast, office: Client) -> None:
    files = changed(ONEROSTER_1_2, "users.csv", '"g1",07,\n', '"g1",07,Secret-1\n')
    page = upload(office, {"roster.zip": packed(files)})
    assert "holds passwords" in office.get(page).content.decode()
    with scope(cast.school.id):
        record = RosterImport.objects.get()
    with zipfile.ZipFile(io.BytesIO(rosters.store().get(record.file_key))) as archive:
        assert all(b"Secret-1" not in archive.read(name) for name in archive.namelist())


def test_the_export_is_a_zip(office: Client) -> None:
    answer = office.post(f"{HOME}/export")
    assert answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "manifest.csv" in archive.namelist()


def test_who_may_not_import(cast: Cast, visit: Visitor, office: Client) -> None:
    page = upload(office, ONEROSTER_1_2)
    for address in (HOME, page, f"{page}/findings", f"{page}/changes/users"):
        assert visit.as_(cast.teacher).get(address).status_code == 403
        assert visit.as_(cast.mother).get(address).status_code == 403
        assert visit.as_(cast.stranger).get(address).status_code == 404
        assert visit.anonymous().get(address).status_code == 302
    for address in (f"{page}/application", f"{page}/choices", f"{page}/decisions", f"{HOME}/export"):
        assert visit.as_(cast.teacher).post(address).status_code == 403
        assert visit.as_(cast.stranger).post(address).status_code == 404
    assert office.get(f"/s/elm/rosters/{page.rpartition('/')[2]}").status_code == 404


def many(count: int) -> dict[str, str]:
    files = dict(ONEROSTER_1_2)
    for n in range(count):
        files["users.csv"] += f"x{n},,,true,x{n},,Given{n},Family{n},,,,,,,07,\n"
        files["roles.csv"] += f"rx{n},,,x{n},primary,student,,,s1,\n"
        files["enrollments.csv"] += f"ex{n},,,c1,s1,x{n},student,,,\n"
    return files


def queries_of(office: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert office.get(address).status_code == 200
    return len(captured)


def test_the_number_of_queries_does_not_grow(office: Client) -> None:
    small, large = upload(office, many(1)), upload(office, many(30))
    for tail in ("", "/findings", "/changes/users", "/changes/enrollments"):
        assert queries_of(office, small + tail) == queries_of(office, large + tail)
    before = queries_of(office, HOME)
    for n in range(5):
        upload(office, many(n + 40))
    assert queries_of(office, HOME) == before


def test_statements_of_an_import_do_not_grow_with_its_rows(cast: Cast) -> None:
    def statements(count: int) -> int:
        with scope(cast.other_school.id):
            from tests.courses.importing import checked, office_of

            office = office_of(cast)
            record = checked(office, many(count))
            with CaptureQueriesContext(connection) as captured:
                rosters.apply_import(office, record.pk, now=clock.now())
        return len(captured)

    statements(1)
    assert statements(10) == statements(300)


@pytest.mark.reference
@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference data is not beside the repository")
class TestRealRosters:
    def test_school_data_sync_v1_through_the_page(self, cast: Cast, office: Client) -> None:
        files = {path.name: path.read_bytes() for path in (REFERENCE / "sds-v1-100-users").iterdir()}
        page = upload(office, files)
        assert "Fabrikam High School" in office.get(page).content.decode()
        office.post(f"{page}/choices", {"org": ["10002"]})
        office.post(f"{page}/application")
        run_jobs()
        with scope(cast.school.id):
            assert Person.objects.filter(sourced_id__startswith="1").count() == 31
            assert Enrolment.objects.filter(klass__sourced_id__startswith="11").count() == 196
            assert Class.objects.filter(sourced_id__startswith="11").count() == 14

    def test_school_data_sync_v2_1_through_the_page(self, cast: Cast, office: Client) -> None:
        page = upload(office, {path.name: path.read_bytes() for path in (REFERENCE / "sds-v2.1").iterdir()})
        office.post(f"{page}/application")
        run_jobs()
        with scope(cast.school.id):
            assert Person.objects.filter(sourced_id__startswith="114").count() == 8
            assert Enrolment.objects.filter(klass__sourced_id__startswith="112").count() == 6
        again = upload(office, {path.name: path.read_bytes() for path in (REFERENCE / "sds-v2.1").iterdir()})
        assert "Nothing changes" in office.get(again).content.decode()


def test_a_person_who_left_is_in_the_preview(cast: Cast, office: Client) -> None:
    with scope(cast.school.id):
        imported(cast.office, ONEROSTER_1_2)
    gone = changed(ONEROSTER_1_2, "enrollments.csv", "e2,,,c1,s1,t1,teacher,true,,\n", "")
    page = upload(office, gone)
    rows = office.get(f"{page}/changes/enrollments?sort=ended").content.decode()
    assert "Joan Riu" in rows
    assert "Teacher · 7A Maths" in rows
    office.post(f"{page}/application")
    run_jobs()
    with scope(cast.school.id):
        ended = Enrolment.objects.get(person__sourced_id="t1")
        assert ended.ends_on is not None
        assert ended.ends_on < TODAY
