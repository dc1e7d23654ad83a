"""Pages of tools and providers cost the same number of statements with one row and with thirty."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pupitre.connections.actions import identity
from pupitre.connections.actions import tools as actions
from pupitre.connections.queries import identity as queries
from pupitre.connections.queries import tools as tool_queries
from pupitre.connections.rules.identity import Asserted, MatchBy, ProviderKind
from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.rules import Actor, Role
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast
from tests.conftest import Visitor
from tests.connections.signing import make_tool


def grow(cast: Cast, first: int, last: int, where: tuple[int, int]) -> None:
    """One more tool and provider a number, and one more person in the first ones."""
    for number in range(first, last):
        _tool(cast, number)
        _person(cast, number, where)


def _tool(cast: Cast, number: int) -> None:
    tool = make_tool(cast, name=f"Tool {number}")
    form = identity.ProviderForm(
        kind=ProviderKind.OIDC,
        name=f"Provider {number}",
        issuer="https://id.example",
        client_id="x",
        secret="y",
        domains=(f"oak{number}.example",),
    )
    with scope(cast.school.id):
        row = identity.add_provider(cast.office, form, now=clock.now())
        facts = tool_queries.find_tool(tool.client_id)
        assert facts is not None
        actions.admit(cast.mother.actor, facts, scopes=["openid"], now=clock.now())
        provider = queries.find_provider(row.key)
        assert provider is not None
        identity.connect(cast.mother.actor, provider, f"mother-{number}", now=clock.now())


def _person(cast: Cast, number: int, where: tuple[int, int]) -> None:
    office, (tool_id, provider_id) = cast.office, where
    with scope(cast.school.id):
        person = people.register_person(
            office, sourced_id=f"a{number}", given_name="Ada", family_name=f"A{number}", now=NOW
        )
        people.grant_role(office, person, Role.TEACHER)
        account = people.open_account(username=f"ada{number}", password="x", display_name="Ada", now=NOW)
        people.link_account(office, person, account)
        actor = Actor(account.pk, cast.school, person.pk, frozenset({Role.TEACHER}))
        line = tool_queries.access_tool(office, tool_id)
        facts = tool_queries.find_tool(line.client_id)
        provider = queries.find_provider(queries.access_provider(office, provider_id).key)
        assert facts is not None
        assert provider is not None
        actions.admit(actor, facts, scopes=["openid"], now=clock.now())
        identity.connect(actor, provider, f"ada-{number}", now=clock.now())


def first_ones(cast: Cast) -> tuple[int, int]:
    _tool(cast, 0)
    with scope(cast.school.id):
        return tool_queries.tools_for(cast.office)[0].id, queries.providers_for(cast.office)[0].id


def statements(browser: Client, path: str) -> int:
    assert browser.get(path).status_code == 200
    with CaptureQueriesContext(connection) as captured:
        browser.get(path)
    return len(captured)


def test_no_page_of_sign_in_asks_row_by_row(cast: Cast, visit: Visitor) -> None:
    tool_id, provider_id = where = first_ones(cast)
    office, mother = visit.as_(cast.secretary), visit.as_(cast.mother)
    pages = [
        (office, "/s/oak/tools"),
        (office, f"/s/oak/tools/{tool_id}"),
        (office, "/s/oak/identity"),
        (office, f"/s/oak/identity/{provider_id}"),
        (mother, "/account/identity"),
        (visit.anonymous(), "/account/login/?school=oak"),
        (visit.anonymous(), "/account/school/?q=school"),
    ]
    grow(cast, 1, 2, where)
    few = [statements(*page) for page in pages]
    grow(cast, 2, 30, where)
    assert [statements(*page) for page in pages] == few


def test_an_address_of_nobody_is_looked_for_nowhere(cast: Cast) -> None:
    with scope(cast.school.id), CaptureQueriesContext(connection) as captured:
        assert queries.persons_known_as(Asserted("s", MatchBy.EMAIL, "")) == []
    assert len(captured) == 0
