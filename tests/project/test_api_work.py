"""What other systems do by the API: read a school page by page, take registers, note absences, publish, import."""

import io
import zipfile

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from pupitre.courses import actions as courses
from pupitre.people import actions as people
from pupitre.people.rules import Role
from pupitre.tenancy.scoping import scope
from tests.attendance.registers import at, send
from tests.cast import NOW, Cast
from tests.conftest import Visitor
from tests.jobs import run_jobs
from tests.project.api import Machine, connected

DAY = "2026-10-13"


@pytest.fixture
def machine(cast: Cast) -> Machine:
    return connected(cast.school)


def join(cast: Cast, first: int, last: int, name: str = "Zeta") -> None:
    with scope(cast.school.id):
        for number in range(first, last):
            person = people.register_person(
                cast.office, sourced_id=f"n{number}", given_name=f"N{number:02}", family_name=name, now=NOW
            )
            people.grant_role(cast.office, person, Role.PUPIL)
            courses.enrol(cast.office, cast.homeroom, person)


# -- lists


def test_pages_are_whole_and_in_order_while_people_join(cast: Cast, machine: Machine) -> None:
    join(cast, 0, 9)
    first = machine.get("/people?limit=6").json()
    join(cast, 20, 24, name="Aaa")  # before what was read: neither moves anything nor is missed later
    rest = machine.every(f"/people?cursor={first['next']}&x=1", limit=4)
    names = [(one["family_name"], one["given_name"]) for one in first["items"] + rest]
    assert len(names) == len(set(names)) == 11 + 9
    assert sum(name == "Zeta" for name, _ in names) == 9
    assert names == sorted(names, key=lambda name: (name[0].lower(), name[1].lower()))
    everybody = machine.every("/people", limit=5)
    assert len(everybody) == 11 + 9 + 4
    link = machine.get("/people?limit=2").headers["Link"]
    assert link.startswith("<http://testserver/api/v1/people?limit=2&cursor=")
    assert link.endswith('>; rel="next"')


def test_people_are_chosen_by_role_class_and_words(cast: Cast, machine: Machine) -> None:
    assert {one["given_name"] for one in machine.every("/people?role=pupil")} == {"Pau", "Sia", "Clàudia"}
    assert len(machine.every(f"/people?class_id={cast.homeroom.pk}")) == 3
    assert [one["given_name"] for one in machine.every("/people?q=claud")] == ["Clàudia"]
    assert machine.every("/people?role=nurse") == []
    assert [one["roles"] for one in machine.every("/people?role=technician")] == [["technician"]]
    with scope(cast.school.id):
        people.end_person(cast.office, cast.sister.person.pk, on=NOW.date(), now=NOW)
    assert len(machine.every("/people?role=pupil")) == 2
    assert len(machine.every("/people?role=pupil&ended=with")) == 3


@pytest.mark.parametrize(
    "path",
    ["/people", "/enrolments", "/classes", "/absences", f"/days/{DAY}/registers", f"/lessons?first={DAY}"],
)
def test_thirty_rows_cost_the_statements_of_one(
    cast: Cast, machine: Machine, visit: Visitor, path: str
) -> None:
    from tests.house.test_query_counts import grow

    grow(cast, visit, 0, 2)
    counts = []
    for first, last in ((0, 0), (2, 16)):
        grow(cast, visit, first, last) if last else None
        machine.get(f"{path}{'&' if '?' in path else '?'}limit=200")
        with CaptureQueriesContext(database) as captured:
            assert machine.get(f"{path}{'&' if '?' in path else '?'}limit=200").status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_cursor_of_another_list_is_refused(machine: Machine) -> None:
    cursor = machine.get("/people?limit=1").json()["next"]
    answer = machine.get(f"/classes?cursor={cursor}")
    assert answer.status_code == 422


# -- people and classes


def test_a_person_comes_changes_and_leaves(cast: Cast, machine: Machine) -> None:
    body = {
        "given_name": "Ona",
        "family_name": "Roca",
        "role": "pupil",
        "born_on": "2014-05-06",
        "sex": "female",
    }
    made = machine.ask("POST", "/people", body)
    assert made.status_code == 201
    path = f"/people/{made.json()['id']}"
    assert machine.ask("PATCH", path, {"email": "ona@school.example", "phone": None}).status_code == 204
    facts = machine.get(path).json()
    assert (facts["email"], facts["born_on"], facts["sex"]) == ("ona@school.example", "2014-05-06", "female")
    assert [role["role"] for role in facts["roles"]] == ["pupil"]
    assert machine.ask("PUT", f"{path}/departure").status_code == 204
    assert machine.get(path).json()["ended_on"] == DAY
    assert machine.ask("DELETE", f"{path}/departure").status_code == 204
    assert machine.get(path).json()["ended_on"] is None
    again = machine.ask("POST", "/people", {**body, "sourced_id": "pupil"})
    assert again.status_code == 409


def test_no_connection_makes_or_dismisses_a_head(cast: Cast, machine: Machine) -> None:
    path = f"/people/{cast.head.person.pk}/roles"
    assert machine.ask("POST", path, {"role": "head"}).status_code == 400
    (role,) = machine.get(f"/people/{cast.head.person.pk}").json()["roles"]
    assert machine.ask("DELETE", f"{path}/{role['id']}").status_code == 404
    given = machine.ask("POST", path, {"role": "teacher"})
    assert given.status_code == 201
    assert machine.ask("DELETE", f"{path}/{given.json()['id']}").status_code == 204


def test_guardians_are_read_and_set(cast: Cast, machine: Machine) -> None:
    path = f"/people/{cast.pupil.person.pk}/guardians"
    found = machine.get(path).json()
    assert [one["name"] for one in found] == ["Mara Pupil", "Pere Pupil", "Bard Outsider"]
    assert "Order 12/2026" not in str(found)
    father = cast.father.person.pk
    assert machine.ask("PUT", f"{path}/{father}", {"sees_record": False}).status_code == 204
    changed = {one["person_id"]: one for one in machine.get(path).json()}
    assert changed[father]["sees_record"] is False


def test_a_pupil_joins_a_class_and_leaves_it(cast: Cast, machine: Machine) -> None:
    body = {"person_id": cast.classmate.person.pk, "role": "student"}
    made = machine.ask("POST", f"/classes/{cast.klass.pk}/enrolments", body)
    assert made.status_code == 201
    assert cast.classmate.person.pk in {
        one["person_id"] for one in machine.every(f"/enrolments?class_id={cast.klass.pk}")
    }
    end = f"/classes/{cast.homeroom.pk}/enrolments/{made.json()['id']}"
    assert machine.ask("DELETE", end).status_code == 404
    sessions = machine.every("/academic-sessions")
    assert [one["title"] for one in sessions] == ["2026-27"]
    assert {one["title"] for one in machine.every("/classes")} == {"1A", "Maths 1A"}


def test_a_roster_comes_back_as_it_went(cast: Cast, machine: Machine) -> None:
    exported = machine.get("/roster-export")
    assert exported.headers["Content-Type"] == "application/zip"
    assert "users.csv" in zipfile.ZipFile(io.BytesIO(exported.content)).namelist()
    upload = io.BytesIO(exported.content)
    upload.name = "roster.zip"
    made = machine.client.post(
        "/api/v1/rosters", {"file": upload}, headers={"Authorization": f"Bearer {machine.secret}"}
    )
    assert made.status_code == 201, made.content
    facts = made.json()
    assert facts["state"] == "read"
    assert facts["errors"] == 0
    path = f"/rosters/{facts['id']}"
    assert machine.get(f"{path}/changes?kind=users").status_code == 200
    assert len(machine.every(f"{path}/findings")) == facts["warnings"] + sum(
        one["severity"] == "note" for one in machine.every(f"{path}/findings")
    )
    assert machine.ask("POST", f"{path}/application").status_code == 202
    run_jobs()
    assert machine.get(path).json()["state"] == "applied"
    assert [one["id"] for one in machine.every("/rosters")] == [facts["id"]]


# -- the school day


def test_marks_of_the_api_and_of_the_page_are_merged(cast: Cast, machine: Machine, visit: Visitor) -> None:
    path = f"/lessons/{cast.lesson.pk}/registers/{DAY}"
    pau, sia = cast.pupil.person.pk, cast.sister.person.pk
    early, late = at(1).isoformat(), at(8).isoformat()
    page = {"pupil": pau, "code": "A", "minutes": 0, "recorded_at": late, "explicit": True}
    assert send(visit.as_(cast.teacher), cast, page).status_code == 200
    body = {"marks": [{"pupil_id": pau, "code": "P", "recorded_at": early}, {"pupil_id": sia, "code": "L"}]}
    saved = machine.ask("POST", f"{path}/marks", body)
    assert saved.status_code == 200, saved.content
    facts = saved.json()
    assert {one["pupil_id"]: one["status"] for one in facts["marks"]}[pau] == "absent"
    assert [(one["pupil_id"], one["kind"]) for one in facts["happenings"]] == [(pau, "overruled")]
    sheet = machine.get(path).json()
    marks = {one["pupil_id"]: one["mark"]["status"] for one in sheet["pupils"]}
    assert (marks[pau], marks[sia]) == ("absent", "late")
    assert sheet["phase"] == "taken"
    corrected = {"marks": [{"pupil_id": pau, "code": "P"}], "base_version": sheet["version"]}
    assert machine.ask("POST", f"{path}/marks", corrected).json()["happenings"] == []
    register = visit.as_(cast.teacher).get(f"/s/{cast.school.slug}/registers/{cast.lesson.pk}/{DAY}")
    assert register.status_code == 200


def test_a_register_is_closed_and_opened_again(cast: Cast, machine: Machine) -> None:
    path = f"/lessons/{cast.lesson.pk}/registers/{DAY}"
    assert machine.get(path).json()["phase"] == "open"
    assert machine.ask("PUT", f"{path}/closure").status_code == 204
    assert machine.get(path).json()["phase"] == "closed"
    refused = machine.ask("POST", f"{path}/marks", {"marks": []})
    assert refused.status_code == 409
    assert refused.json()["title"] == "This register is closed. Reopen it to correct it."
    assert machine.ask("POST", f"{path}/reopening", {"reason": "late bus"}).status_code == 204
    (line, other) = machine.every(f"/days/{DAY}/registers")
    assert (line["marks"], line["closed_at"], other["taken_at"]) == (3, None, None)


def test_an_absence_is_noted_decided_and_taken_back(cast: Cast, machine: Machine) -> None:
    body = {
        "pupil_id": cast.pupil.person.pk,
        "starts_at": "2026-10-13T22:00:00Z",
        "ends_at": "2026-10-14T22:00:00Z",
        "kind": "illness",
        "reason": "Fever",
    }
    made = machine.ask("POST", "/absences", body)
    assert made.status_code == 201, made.content
    path = f"/absences/{made.json()['id']}"
    facts = machine.get(path).json()
    assert (facts["state"], facts["reason"], facts["whole_days"]) == ("accepted", "Fever", True)
    assert "reason" not in machine.every("/absences")[0]
    assert machine.ask("PUT", f"{path}/decision", {"accepted": True}).status_code == 409
    assert machine.ask("POST", f"{path}/withdrawal").status_code == 204
    assert machine.every("/absences") == []
    assert len(machine.every("/absences?withdrawn=with")) == 1
    backwards = machine.ask("POST", "/absences", {**body, "ends_at": body["starts_at"]})
    assert backwards.status_code == 422


def test_a_notice_is_published_and_who_read_it_told(cast: Cast, machine: Machine) -> None:
    body = {"title": "Excursion", "body": "At nine.", "audience": "families", "class_id": cast.homeroom.pk}
    made = machine.ask("POST", "/notices", body)
    assert made.status_code == 201, made.content
    run_jobs()
    path = f"/notices/{made.json()['id']}"
    facts = machine.get(path).json()
    assert (facts["audience"], facts["read"], facts["class_id"]) == ("families", 0, cast.homeroom.pk)
    names = {one["name"] for one in machine.every(f"{path}/recipients", limit=1)}
    assert names == {"Mara Pupil", "Pere Pupil"}
    unknown = machine.ask("POST", "/notices", {**body, "class_id": 999999})
    assert unknown.status_code == 422
    assert machine.ask("POST", f"{path}/withdrawal").status_code == 204
    assert machine.every("/notices")[0]["withdrawn_at"] is not None


def test_lessons_are_changed_for_a_day(cast: Cast, machine: Machine) -> None:
    (first, second) = machine.every(f"/lessons?first={DAY}", limit=1)
    assert (first["room"], first["teachers"][0]["name"]) == ("Room 12", "Tess Teacher")
    path = f"/lessons/{second['lesson_id']}/days/{DAY}/change"
    assert machine.ask("PUT", path, {"substitute_id": cast.colleague.person.pk}).status_code == 204
    changed = machine.every(f"/lessons?first={DAY}")[1]
    assert changed["substitute_id"] == cast.colleague.person.pk
    assert {one["name"]: one["acts"] for one in changed["teachers"]} == {
        "Tess Teacher": False,
        "Cole League": True,
    }
    nobody = machine.ask("PUT", path, {"substitute_id": cast.pupil.person.pk})
    assert nobody.status_code == 422
    assert machine.ask("DELETE", path).status_code == 204
    assert machine.get("/lessons?first=2026-10-01&last=2026-12-01").status_code == 422
    room = machine.ask("POST", "/rooms", {"name": "Lab", "capacity": 20}).json()["id"]
    assert machine.ask("DELETE", f"/rooms/{room}").status_code == 204
    assert [one["name"] for one in machine.every("/rooms")] == ["Room 12"]
    days = {"starts_on": "2026-12-22", "ends_on": "2027-01-07", "label": "Christmas"}
    free = machine.ask("POST", "/calendar", days)
    assert [one["label"] for one in machine.every("/calendar")] == ["Christmas"]
    assert machine.ask("DELETE", f"/calendar/{free.json()['id']}").status_code == 204
    assert machine.get("/bell-schedules").json()[0]["periods"][0]["starts_at"] == "09:00"


def test_figures_are_those_of_the_pages(cast: Cast, machine: Machine) -> None:
    path = f"/lessons/{cast.lesson.pk}/registers/{DAY}/marks"
    machine.ask("POST", path, {"marks": [{"pupil_id": cast.pupil.person.pk, "code": "A"}]})
    run_jobs()
    figures = machine.get("/figures").json()
    assert (figures["total"]["marks"], figures["total"]["absent"]) == (3, 1)
    (line,) = machine.get("/figures/pupils").json()
    assert (line["pupil_id"], line["figures"]["absent"]) == (cast.pupil.person.pk, 1)


# -- the same write twice


def test_a_write_with_a_key_is_done_once(cast: Cast, machine: Machine) -> None:
    body = {"given_name": "Ona", "family_name": "Roca", "role": "pupil"}
    first = machine.ask("POST", "/people", body, Idempotency_Key="k-1")
    again = machine.ask("POST", "/people", body, Idempotency_Key="k-1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(machine.every("/people?q=roca")) == 1
    other = machine.ask("POST", "/people", {**body, "given_name": "Pol"}, Idempotency_Key="k-1")
    assert other.status_code == 422
    elsewhere = connected(cast.school).ask("POST", "/people", body, Idempotency_Key="k-1")
    assert "Idempotency-Replayed" not in elsewhere.headers
    unfit = machine.ask("POST", "/people", body, Idempotency_Key="a b")
    assert unfit.status_code == 400


def test_what_was_refused_is_tried_again(cast: Cast, machine: Machine) -> None:
    path = f"/lessons/{cast.lesson.pk}/registers/{DAY}"
    refused = machine.ask("POST", f"{path}/reopening", {"reason": "x"}, Idempotency_Key="k-2")
    assert refused.status_code == 409
    machine.ask("PUT", f"{path}/closure")
    done = machine.ask("POST", f"{path}/reopening", {"reason": "x"}, Idempotency_Key="k-2")
    assert done.status_code == 204
    replayed = machine.ask("POST", f"{path}/reopening", {"reason": "x"}, Idempotency_Key="k-2")
    assert (replayed.status_code, replayed.headers["Idempotency-Replayed"]) == (204, "true")


def test_keys_are_forgotten_after_a_day(cast: Cast, machine: Machine) -> None:
    from datetime import timedelta

    from pupitre.connections.actions.repeating import forget_keys
    from pupitre.kernel import clock

    body = {"name": "Lab"}
    machine.ask("POST", "/rooms", body, Idempotency_Key="k-3")
    with scope(cast.school.id):
        assert forget_keys(cast.school, now=NOW + timedelta(hours=23)) == 0
    with clock.frozen(NOW + timedelta(hours=25)):
        later = machine.ask("POST", "/rooms", body, Idempotency_Key="k-3")
        assert "Idempotency-Replayed" not in later.headers
    with scope(cast.school.id):
        assert forget_keys(cast.school, now=NOW + timedelta(hours=60)) == 1
