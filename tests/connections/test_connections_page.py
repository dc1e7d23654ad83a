"""The office makes a connection, sees its secret once, sees when it was used last, and shuts it out."""

import re

from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pupitre.connections import actions, queries
from pupitre.connections.rules import Scope, presented
from pupitre.kernel import clock
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.conftest import Visitor


def address(cast: Cast) -> str:
    return reverse("connections", kwargs={"school": cast.school.slug})


def test_the_secret_is_shown_once_and_lets_in(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    answer = browser.post(address(cast), {"name": "Library", "scope": ["people:read", "registers:read"]})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    shown = re.search(r'value="(pupitre_[^"]+)"', answer.content.decode())
    assert shown is not None
    token = presented(shown[1])
    assert token is not None
    with scope(cast.school.id):
        machine = queries.find_machine(token, clock.now())
    assert machine is not None
    assert machine.scopes == {Scope.PEOPLE_READ, Scope.REGISTERS_READ}
    again = browser.get(address(cast)).content.decode()
    assert shown[1] not in again
    assert "Library" in again
    assert f"secret ends with {shown[1][-4:]}" in again
    assert "Sira Secretary" in again


def test_a_form_without_name_or_rights_is_explained(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.head)
    for facts, said in (
        ({"name": " ", "scope": ["scim"]}, "Give the connection a name"),
        ({"name": "x"}, "Choose at least one right."),
        ({"name": "x", "scope": ["everything"]}, "Choose at least one right."),
    ):
        answer = browser.post(address(cast), facts)
        assert answer.status_code == 422
        assert said in answer.content.decode()
    with scope(cast.school.id):
        assert queries.connections_for(cast.office) == []


def test_revoking_shuts_out_and_stays_to_be_seen(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        row, _ = actions.open_connection(cast.office, name="Canteen", scopes=[Scope.SCIM], now=clock.now())
    browser = visit.as_(cast.secretary)
    assert f'popovertarget="revoke-{row.pk}"' in browser.get(address(cast)).content.decode()
    end = reverse("connection-revocation", kwargs={"school": cast.school.slug, "connection": row.pk})
    assert browser.post(end).status_code == 303
    after = browser.get(address(cast)).content.decode()
    assert "Revoked connections" in after
    assert "never used" in after
    assert f"revoke-{row.pk}" not in after
    assert browser.post(end).status_code == 404


def test_only_the_office_sees_the_page(cast: Cast, visit: Visitor) -> None:
    for member in (cast.teacher, cast.pupil, cast.mother):
        assert visit.as_(member).get(address(cast)).status_code == 403
        assert visit.as_(member).post(address(cast), {"name": "x", "scope": "scim"}).status_code == 403
    assert visit.as_(cast.stranger).get(address(cast)).status_code == 404


def test_thirty_connections_cost_what_one_costs(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    counts = []
    for number in (1, 29):
        with scope(cast.school.id):
            for one in range(number):
                actions.open_connection(cast.office, name=f"S{one}", scopes=list(Scope), now=clock.now())
        browser.get(address(cast))
        with CaptureQueriesContext(database) as captured:
            assert browser.get(address(cast)).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]
