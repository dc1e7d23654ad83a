"""What somebody writes by hand into an address or a form is refused, whatever it is: no page breaks by it."""

import json
from datetime import date

import pytest
from django.test import Client

from tests.cast import Cast
from tests.conftest import Visitor
from tests.house.pages import Page, address
from tests.house.test_pages import IN_SCHOOL, ids

# Names that pages read from addresses and forms, and with them what a form would never send.
READ = [
    "q",
    "page",
    "role",
    "grade",
    "left",
    "group",
    "state",
    "form",
    "first",
    "last",
    "threshold",
    "pupil",
    "letter",
    "person",
    "all",
    "code",
    "picked",
    "show",
    "sort",
    "week",
    "class",
    "teacher",
    "room",
    "by",
    "date",
    "severity",
    "file",
    "format",
    "query",
    "adult",
    "given_name",
    "family_name",
    "title",
    "body",
    "audience",
    "klass",
    "reason",
    "note",
    "first_day",
    "last_day",
    "kind",
    "register",
    "notice",
    "verdict",
    "homeroom",
    "do",
    "take",
    "with_pictures",
    "email",
    "on",
    "born_on",
    "shown",
    "minutes",
    "version",
    "mark-1",
    "mark-²",
    "org",
    "starts_on",
    "ends_on",
    "from_on",
    "name",
]
IMPOSSIBLE = (
    "\0",
    "a@\0b.c",
    "²",
    "9" * 30,
    "9999-12-31",
    "0001-01-01",
    str(2**63),
    "-1",
    "\ud83d",
    "%s%(x)s{0}",
)
HUGE = 10**25


def where(page: Page, cast: Cast, number: int) -> str:
    names = {part.partition(">")[0].rpartition(":")[2] for part in page.route.split("<")[1:]}
    days = {"on": "9999-12-31", "held_on": "9999-12-31"}
    return address(
        page, {**dict.fromkeys(names, number), **days, "school": cast.school.slug, "kind": "users"}
    )


@pytest.mark.parametrize("page", IN_SCHOOL, ids=ids)
def test_an_address_with_an_impossible_number_is_refused(page: Page, cast: Cast, visit: Visitor) -> None:
    for member in (cast.head, cast.mother):
        client = visit.as_(member)
        for answer in (client.get(where(page, cast, HUGE)), client.post(where(page, cast, 2**63))):
            assert answer.status_code < 500, (member.account, answer)


@pytest.mark.parametrize("value", IMPOSSIBLE, ids=repr)
def test_no_page_breaks_by_what_is_asked_of_it(cast: Cast, visit: Visitor, value: str) -> None:
    facts = dict.fromkeys(READ, value.encode("utf-8", "replace").decode())
    clients = {"office": visit.as_(cast.secretary), "teacher": visit.as_(cast.teacher)}
    clients |= {"mother": visit.as_(cast.mother), "nobody": Client()}
    broken = []
    for page in IN_SCHOOL:
        arguments = {
            "person": cast.pupil.person.pk, "pupil": cast.pupil.person.pk, "guardian": cast.mother.person.pk,
            "lesson": cast.lesson.pk, "klass": cast.klass.pk, "on": "2026-10-13", "held_on": "2026-10-13",
            "school": cast.school.slug,
        }  # fmt: skip
        names = {part.partition(">")[0].rpartition(":")[2] for part in page.route.split("<")[1:]}
        path = address(page, {**dict.fromkeys(names, 7), **arguments})
        for who, client in clients.items():
            if who == "nobody" and not page.is_open:
                continue
            for ask in (client.get, client.post):
                try:
                    if ask(path, facts).status_code >= 500:
                        broken.append((who, path))
                except Exception as error:  # noqa: BLE001 - every page that breaks is to be named
                    broken.append((who, ask.__name__, path, repr(error)))
    assert not broken


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"marks": 5}',
        '{"marks": [{"pupil": 1e400, "code": "A", "recorded_at": "2026-10-13T07:10:00Z"}]}',
        '{"marks": [{"pupil": 99999999999999999999999, "code": "A", "recorded_at": "2026-10-13T07:10:00Z"}]}',
        '{"marks": [], "base_version": 99999999999999999999999}',
    ],
)
def test_a_device_that_sends_nonsense_is_refused(cast: Cast, visit: Visitor, body: str) -> None:
    path = f"/s/oak/registers/{cast.lesson.pk}/2026-10-13/marks"
    for target in (path, "/notifications/browsers"):
        answer = visit.as_(cast.teacher).post(target, body, content_type="application/json")
        assert answer.status_code < 500


@pytest.mark.parametrize(
    "row",
    [{"note": "a\0b"}, {"recorded_at": "0001-01-01T00:00:00Z"}, {"recorded_at": "9999-12-31T23:59:59-12:00"},
     {"minutes": 10**30}, {"code": "\0"}],
)  # fmt: skip
def test_a_mark_with_an_impossible_value_is_refused_or_made_possible(
    cast: Cast, visit: Visitor, row: dict[str, object]
) -> None:
    usual = {"pupil": cast.pupil.person.pk, "code": "A", "recorded_at": "2026-10-13T07:10:00Z"}
    answer = visit.as_(cast.teacher).post(
        f"/s/oak/registers/{cast.lesson.pk}/{date(2026, 10, 13)}/marks",
        json.dumps({"marks": [{**usual, **row}]}),
        content_type="application/json",
    )
    assert answer.status_code < 500
