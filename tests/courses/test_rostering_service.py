"""OneRoster 1.2's rostering service, as another system asks it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pupitre.connections import actions as connecting
from pupitre.connections.rules import Scope
from pupitre.courses.rules.rostering.resources import ENDPOINTS, Endpoint
from pupitre.kernel import clock
from pupitre.people.models import Look
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.courses.importing import imported, office_of
from tests.courses.made_rosters import ONEROSTER_1_2, changed
from tests.courses.rostering_shapes import STATUS_INFO, check, check_payload

SERVICE = "/ims/oneroster/rostering/v1p2"
EVERY = (Scope.ONEROSTER, Scope.ONEROSTER_CORE, Scope.ONEROSTER_DEMOGRAPHICS)
Get = Callable[..., Any]


def school_files(pupils: int = 40) -> dict[str, str]:
    """A school with a department, terms and grading periods, and some pupils of whom one is called like a filter."""
    users = "".join(f"q{n:02},,,true,user{n},,Noa,O'Neil {n},,,,,,,08,\n" for n in range(pupils))
    roles = "".join(f"rq{n},,,q{n:02},primary,student,,,s1,\n" for n in range(pupils))
    enrolments = "".join(f"eq{n},,,c1,s1,q{n:02},student,,,\n" for n in range(pupils))
    files = {
        **ONEROSTER_1_2,
        "users.csv": ONEROSTER_1_2["users.csv"] + users,
        "roles.csv": ONEROSTER_1_2["roles.csv"] + roles + "rt,,,t1,secondary,teacher,,,d1,\n",
        "enrollments.csv": ONEROSTER_1_2["enrollments.csv"] + enrolments,
        "orgs.csv": ONEROSTER_1_2["orgs.csv"] + "d1,,,Ciències,department,,s1\n",
    }
    sessions = files["academicSessions.csv"] + (
        "t1,,,Autumn,term,2026-09-01,2026-12-20,y1,2027\n"
        "g1,,,Autumn 1,gradingPeriod,2026-09-01,2026-10-31,t1,2027\n"
    )
    return changed({**files, "academicSessions.csv": sessions}, "classes.csv", "s1,y1,", 's1,"y1,t1",')


@pytest.fixture
def school(cast: Cast) -> Cast:
    """The cast's second school, filled from a roster."""
    with scope(cast.other_school.id):
        imported(office_of(cast), school_files())
    return cast


def getter(cast: Cast, *scopes: Scope, elsewhere: bool = False) -> Get:
    place = cast.school if elsewhere else cast.other_school
    actor = cast.office if elsewhere else office_of(cast)
    with scope(place.id):
        _, secret = connecting.open_connection(actor, name="Library", scopes=scopes, now=clock.now())

    def get(path: str, **query: str) -> Any:
        asked = f"?{urlencode(query)}" if query else ""
        return Client().get(f"{SERVICE}/{path}{asked}", headers={"Authorization": f"Bearer {secret}"})

    return get


@pytest.fixture
def get(school: Cast) -> Get:
    return getter(school, *EVERY)


SAMPLES = {
    "academicSession": "y1",
    "org": "d1",
    "course": "m1",
    "class": "c1",
    "user": "p1",
    "enrollment": "e1",
    "demographics": "p1",
}
NAMED = {"terms": "t1", "gradingPeriods": "g1", "schools": "elm", "students": "p1", "teachers": "t1"}
OF_PARENT = {**NAMED, "classes": "c1", "courses": "m1", "users": "p1"}


def address(endpoint: Endpoint) -> str:
    parts = endpoint.path.split("/")
    for place in range(1, len(parts), 2):
        if parts[place] == "{}":
            single = endpoint.is_single and place == len(parts) - 1
            named = (
                NAMED.get(parts[place - 1], SAMPLES[endpoint.resource.one])
                if single
                else OF_PARENT[parts[place - 1]]
            )
            parts[place] = named
    return "/".join(parts)


def minor(answer: Any) -> str:
    check(STATUS_INFO, answer.json())
    return str(answer.json()["imsx_CodeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"])


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    (things,) = answer.json().values()
    return [one["sourcedId"] for one in things]


def endpoint_name(endpoint: Endpoint) -> str:
    return endpoint.path


def test_the_standards_forty_one_endpoints_are_there() -> None:
    assert len({endpoint.path for endpoint in ENDPOINTS}) == len(ENDPOINTS) == 41


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=endpoint_name)
def test_every_endpoint_answers_in_the_standards_shape(endpoint: Endpoint, get: Get) -> None:
    answer = get(address(endpoint), limit="5") if not endpoint.is_single else get(address(endpoint))
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == "application/json"
    one, many = endpoint.resource.one, endpoint.resource.many
    check_payload(one, many, answer.json(), single=endpoint.is_single)
    if not endpoint.is_single:
        assert 1 <= len(answer.json()[many]) <= 5
        assert int(answer.headers["X-Total-Count"]) >= len(answer.json()[many])
        assert 'rel="first"' in answer.headers["Link"]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=endpoint_name)
def test_no_endpoint_tells_anything_to_another_schools_token(endpoint: Endpoint, school: Cast) -> None:
    answer = getter(school, *EVERY, elsewhere=True)(address(endpoint))
    if "{}" in endpoint.path:
        assert (answer.status_code, minor(answer)) == (404, "unknownobject")
    else:
        assert not {"p1", "t1", "q00", "c1", "m1", "y1", "e1"} & set(ids(answer))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=endpoint_name)
def test_every_endpoint_asks_for_a_token_and_a_scope(endpoint: Endpoint, school: Cast) -> None:
    for headers in ({}, {"Authorization": "Bearer pupitre_1_no"}, {"Authorization": "Basic eDp5"}):
        answer = Client().get(f"{SERVICE}/{address(endpoint)}", headers=headers)
        assert (answer.status_code, minor(answer)) == (401, "unauthorisedrequest")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    others = {Scope.PEOPLE_READ, Scope.ROSTERS_READ}
    answer = getter(school, *others)(address(endpoint))
    assert (answer.status_code, minor(answer)) == (403, "forbidden")
    core = getter(school, Scope.ONEROSTER_CORE)(address(endpoint))
    is_core = endpoint.core and endpoint.resource.one != "demographics"
    assert core.status_code == (200 if is_core else 403)
    whole = getter(school, Scope.ONEROSTER)(address(endpoint))
    assert whole.status_code == (403 if endpoint.resource.one == "demographics" else 200)
    births = getter(school, Scope.ONEROSTER_DEMOGRAPHICS)(address(endpoint))
    assert births.status_code == (200 if endpoint.resource.one == "demographics" else 403)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=endpoint_name)
def test_unknown_things_are_unknown_objects(endpoint: Endpoint, get: Get) -> None:
    path = endpoint.path.replace("{}", "nobody")
    answer = get(path)
    if "{}" in endpoint.path:
        assert (answer.status_code, minor(answer)) == (404, "unknownobject")
    else:
        assert answer.status_code == 200


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if not e.is_single], ids=endpoint_name)
def test_every_collection_filters_sorts_and_chooses_by_every_field(endpoint: Endpoint, get: Get) -> None:
    everything = get(address(endpoint), limit="2000")
    all_ids = ids(everything)
    for field, kind in endpoint.resource.fields.items():
        value = {"date": "2026-09-01", "moment": "2026-01-01T00:00:00Z"}.get(kind.value, "zz")
        assert set(ids(get(address(endpoint), filter=f"{field}='{value}'"))) <= set(all_ids)
        differing = ids(get(address(endpoint), filter=f"{field}!='{value}'", limit="2000"))
        equal = ids(get(address(endpoint), filter=f"{field}='{value}'", limit="2000"))
        assert sorted(differing + equal) == sorted(all_ids)
        if kind.value in ("words", "parts"):
            assert minor(get(address(endpoint), sort=field)) == "invalid_selection_field"
            assert minor(get(address(endpoint), filter=f"{field}>'a'")) == "invalid_filter_field"
        else:
            up = ids(get(address(endpoint), sort=field, limit="2000"))
            down = ids(get(address(endpoint), sort=field, orderBy="desc", limit="2000"))
            assert sorted(up) == sorted(down) == sorted(all_ids)
    (things,) = get(address(endpoint), fields="sourcedId,status").json().values()
    assert all(set(thing) == {"sourcedId", "status"} for thing in things)


def test_pages_follow_each_other_by_their_links(get: Get) -> None:
    path, seen, rels = f"{SERVICE}/students?limit=17&sort=sourcedId", [], []
    while path:
        answer = get(path.removeprefix(f"{SERVICE}/"))
        seen += ids(answer)
        assert answer.headers["X-Total-Count"] == "41"
        links = dict(reversed(link.split("; ")) for link in answer.headers["Link"].split(", "))
        rels.append({rel[5:-1] for rel in links})
        path = links.get('rel="next"', "").strip("<>").replace("http://testserver", "")
        assert "sort=sourcedId" in links['rel="last"']
    assert seen == sorted(seen)
    assert len(set(seen)) == 41
    assert rels == [{"first", "next", "last"}, {"first", "next", "prev", "last"}, {"first", "prev", "last"}]
    beyond = get("students", offset="500")
    assert ids(beyond) == []
    assert 'offset=0>; rel="prev"' in beyond.headers["Link"]
    assert len(ids(get("students", limit="999999"))) == 41


@pytest.mark.parametrize(
    ("filtered", "expected"),
    [
        ("familyName='o''neil 7'", {"q07"}),
        ("familyName='PUIG'", {"p1", "g1"}),
        ("familyName~'uig' AND givenName='Aina'", {"p1"}),
        ("username=aina OR username='joan'", {"p1", "t1"}),
        ("givenName='Aina' AND roles.role='teacher' OR sourcedId='q01'", {"q01"}),
        ("roles.role='parent'", {"g1"}),
        ("roles.org.sourcedId='d1'", {"t1"}),
        ("agents.sourcedId='g1'", {"p1"}),
        ("agents.sourcedId='p1'", {"g1"}),
        ("grades='07'", {"p1"}),
        ("grades~'07'", {"p1"}),
        ("email~'@mar.'", {"t1"}),
        ("sourcedId>='q38' AND sourcedId<='q39'", {"q38", "q39"}),
        ("sourcedId='P1'", set()),
        ("dateLastModified>'2030-01-01'", set()),
        ("status='tobedeleted'", set()),
    ],
)
def test_a_filter_finds_what_it_says(get: Get, filtered: str, expected: set[str]) -> None:
    answer = get("users", filter=filtered)
    assert set(ids(answer)) == expected
    assert answer.headers["X-Total-Count"] == str(len(expected))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"filter": "familyName"}, "invalid_filter_field"),
        ({"filter": "nothing='x'"}, "invalid_filter_field"),
        ({"filter": "password='x'"}, "invalid_filter_field"),
        ({"filter": "familyName='x"}, "invalid_filter_field"),
        ({"filter": "familyName='x' XOR givenName='y'"}, "invalid_filter_field"),
        ({"filter": "familyName='x' AND"}, "invalid_filter_field"),
        ({"filter": "(familyName='x')"}, "invalid_filter_field"),
        ({"filter": "dateLastModified>'yesterday'"}, "invalid_filter_field"),
        ({"filter": "dateLastModified~'2026'"}, "invalid_filter_field"),
        ({"filter": " AND ".join(["familyName='x'"] * 21)}, "invalid_filter_field"),
        ({"filter": "familyName='\0'"}, "invaliddata"),
        ({"sort": "nothing"}, "invalid_selection_field"),
        ({"fields": "nothing"}, "invalid_selection_field"),
        ({"fields": "familyName,password"}, "invalid_selection_field"),
        ({"limit": "0"}, "invaliddata"),
        ({"limit": "-1"}, "invaliddata"),
        ({"limit": "ten"}, "invaliddata"),
        ({"limit": "9" * 30}, "invaliddata"),
        ({"offset": "-1"}, "invaliddata"),
        ({"orderBy": "sideways"}, "invaliddata"),
    ],
)
def test_what_cannot_be_asked_is_told_by_the_standards_codes(
    get: Get, query: dict[str, str], expected: str
) -> None:
    answer = get("users", **query)
    assert (answer.status_code, minor(answer)) == (400, expected)


def test_values_are_parameters_and_never_statements(get: Get) -> None:
    for value in ("x'' OR ''1''=''1", "%s", "%(org)s", "\\", '"; DROP TABLE people_person; --', "💥"):
        assert ids(get("users", filter=f"familyName='{value}'")) == []
        assert get(f"users/{quote(value, safe='')}").status_code == 404


def test_fields_come_by_commas_and_by_repetition(get: Get) -> None:
    chosen = get("users/p1", fields="givenName, roles.role").json()["user"]
    assert set(chosen) == {"givenName", "roles"}
    assert set(get("users/p1?fields=givenName&fields=email").json()["user"]) <= {"givenName", "email"}


def test_a_user_is_told_with_roles_family_and_relations(get: Get, school: Cast) -> None:
    user = get("users/p1").json()["user"]
    base = f"http://testserver{SERVICE}"
    assert user["roles"] == [
        {
            "roleType": "primary",
            "role": "student",
            "org": {"href": f"{base}/orgs/elm", "sourcedId": "elm", "type": "org"},
            "beginDate": "2026-09-01",
        }
    ]
    assert user["agents"] == [{"href": f"{base}/users/g1", "sourcedId": "g1", "type": "user"}]
    assert user["metadata"] == {"pupitre.agentRelations": ["guardian"]}
    assert (user["grades"], user["username"], user["enabledUser"]) == (["07"], "aina", "true")
    assert get("demographics/p1").json()["demographics"]["birthDate"] == "2013-03-05"
    teacher = get("teachers/t1").json()["user"]
    assert {role["org"]["sourcedId"] for role in teacher["roles"]} == {"elm", "d1"}
    assert get("students/t1").status_code == 404


def test_the_core_tells_nobodys_address_or_number_nor_lets_them_be_guessed(school: Cast, get: Get) -> None:
    core = getter(school, Scope.ONEROSTER_CORE)
    assert get("users/t1").json()["user"]["email"] == "joan@mar.example"
    assert get("users/g1", fields="phone,primaryOrg").json()["user"]["phone"] == "+34 600 000 000"
    for path in ("users/t1", "teachers/t1"):
        assert not {"email", "sms", "phone", "identifier"} & set(core(path).json()["user"])
        check_payload("user", "users", core(path).json(), single=True)
    assert all("phone" not in user for user in core("users", limit="2000").json()["users"])
    assert minor(core("users", filter="email~'mar'")) == "invalid_filter_field"
    assert minor(core("users", sort="phone")) == "invalid_selection_field"
    assert minor(core("users/t1", fields="email")) == "invalid_selection_field"


def test_a_court_forbids_that_an_adult_is_told_to_be_an_agent(cast: Cast) -> None:
    asked = getter(cast, *EVERY, elsewhere=True)
    agents = [one["sourcedId"] for one in asked("users/pupil").json()["user"]["agents"]]
    assert agents == ["father", "mother"]
    assert asked("users/barred").json()["user"]["agents"] == []
    assert asked("users/mother").json()["user"]["metadata"] == {
        "pupitre.agentRelations": ["mother", "mother"]
    }


def test_classes_without_course_or_term_get_both_as_in_the_export(cast: Cast) -> None:
    asked = getter(cast, *EVERY, elsewhere=True)
    klass = asked("classes/1A-MAT").json()["class"]
    assert klass["course"]["sourcedId"] == "course-of-1A-MAT"
    assert [term["sourcedId"] for term in klass["terms"]] == ["2026-27"]
    assert asked("courses/course-of-1A-MAT").json()["course"]["title"] == "Maths 1A"
    assert ids(asked("courses/course-of-1A-MAT/classes")) == ["1A-MAT"]
    assert set(ids(asked("classes/1A-MAT/students"))) == {"pupil", "sister", "classmate"}
    assert ids(asked("teachers/teacher/classes")) == ["1A-MAT"]
    assert set(ids(asked("students/pupil/classes"))) == {"1A", "1A-MAT"}
    empty = getter(cast, *EVERY)
    assert ids(empty("academicSessions")) == ["year-2027"]


def test_what_has_ended_is_to_be_deleted_and_has_just_changed(school: Cast, get: Get) -> None:
    before = get("users/q39").json()["user"]["dateLastModified"]
    moment = get("users", sort="dateLastModified", orderBy="desc", limit="1").json()["users"][0][
        "dateLastModified"
    ]
    fewer = school_files(39)
    with scope(school.other_school.id):
        imported(office_of(school), fewer)
    gone = get("users/q39").json()["user"]
    assert gone["status"] == "tobedeleted"
    assert gone["dateLastModified"] > before
    assert "q39" in ids(get("users", filter=f"dateLastModified>'{moment}'"))
    assert "q38" not in ids(get("users", filter=f"dateLastModified>'{moment}'"))
    assert ids(get("enrollments", filter="status='tobedeleted'")) == ["eq39"]
    assert "q39" not in ids(get("classes/c1/students"))


def test_other_methods_and_addresses_are_refused_in_the_standards_payload(school: Cast, get: Get) -> None:
    assert minor(get("lineItems")) == "unknownobject"
    assert minor(get("classes/c1/results")) == "unknownobject"
    with scope(school.other_school.id):
        actor = office_of(school)
        _, secret = connecting.open_connection(actor, name="x", scopes=EVERY, now=clock.now())
    headers = {"Authorization": f"Bearer {secret}"}
    for method in ("post", "put", "delete", "patch"):
        answer = getattr(Client(), method)(f"{SERVICE}/users", headers=headers)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
        check(STATUS_INFO, answer.json())
    assert minor(Client().get("/ims/oneroster/gradebook/v1p2/results")) == "unknownobject"


def test_identifiers_may_hold_anything(cast: Cast) -> None:
    files = changed(school_files(1), "users.csv", "q00,", "a/b?c#d é,")
    files = changed(files, "roles.csv", "q00,", "a/b?c#d é,")
    with scope(cast.other_school.id):
        imported(office_of(cast), changed(files, "enrollments.csv", "q00,", "a/b?c#d é,"))
    asked = getter(cast, *EVERY)
    href = asked("enrollments/eq0").json()["enrollment"]["user"]["href"]
    assert href.endswith("/users/a%2Fb%3Fc%23d%20%C3%A9")
    assert asked(href.partition(f"{SERVICE}/")[2]).json()["user"]["sourcedId"] == "a/b?c#d é"
    assert ids(asked("users/a%2Fb%3Fc%23d%20%C3%A9/classes")) == ["c1"]


def test_that_another_system_reads_somebody_is_kept_once_a_month(school: Cast, get: Get) -> None:
    for _ in range(2):
        get("users", limit="2000")
        get("demographics")
    with scope(school.other_school.id):
        looks = list(Look.objects.values_list("subject__sourced_id", "actor_name"))
    assert len(looks) == 44
    assert ("p1", "Library") in looks
    with clock.frozen(clock.now() + timedelta(days=31)):
        get("users", limit="2000")
    with scope(school.other_school.id):
        assert Look.objects.count() == 88


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if not e.is_single], ids=endpoint_name)
def test_a_page_costs_the_same_with_one_thing_and_with_many(endpoint: Endpoint, get: Get) -> None:
    get(address(endpoint), limit="2000")  # what is remembered or noted once
    costs = []
    for limit in ("1", "2000"):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            get(address(endpoint), limit=limit)
        costs.append(len(captured))
    assert costs[0] == costs[1] <= 11
