"""Sign-in by and for other systems, on the running product: a relying party of another make, a certified provider, a browser."""

import http.server
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from django.test.utils import override_settings
from joserfc import jwt
from joserfc.jwk import KeySet
from playwright.sync_api import Page

from pupitre.connections.actions import identity, tools
from pupitre.connections.models import IdentityProvider
from pupitre.connections.rules.identity import MatchBy, ProviderKind
from pupitre.connections.rules.tools import CHOICES
from pupitre.people.rules import Role
from pupitre.tenancy.scoping import scope
from tests.cast import PASSWORD, Member
from tests.connections.second import CLIENT_ID, SECRET, free_port, second_provider
from tests.journeys.conftest import DESKTOP, Product

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _database(django_db_blocker: Any) -> Iterator[None]:
    """The tests arrange in the product's own database."""
    with django_db_blocker.unblock():
        yield


@contextmanager
def arranging(product: Product) -> Iterator[None]:
    hashed_as_there = override_settings(PASSWORD_HASHERS=["pupitre.people.hashing.Argon2"])
    with product.django(), scope(product.cast.school.id), hashed_as_there:
        yield


@dataclass
class Landing:
    """The tool's own house: remembers with what people come back to it."""

    address: str = ""
    came: list[str] = field(default_factory=list)


@contextmanager
def landing() -> Iterator[Landing]:
    found = Landing()

    class Door(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/back"):
                found.came.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>Tool</title><h1>Welcome to the tool</h1>")

        def log_message(self, *_args: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    found.address = f"http://127.0.0.1:{server.server_port}/back"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Party:
    """A tool built on Authlib, which reads nothing but the product's description of itself."""

    product: Product
    client_id: str
    secret: str
    back: str
    description: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        where = self.product.url("/.well-known/openid-configuration")
        self.description = requests.get(where, timeout=10).json()
        scopes = "openid profile email school"
        self.session = OAuth2Session(
            self.client_id, self.secret, scope=scopes, redirect_uri=self.back, code_challenge_method="S256"
        )
        self.verifier = "v" * 64

    def question(self) -> str:
        where, self.state = self.session.create_authorization_url(
            self.description["authorization_endpoint"], code_verifier=self.verifier, nonce="n-0S6"
        )
        return str(where)

    def told(self, came: str) -> dict[str, Any]:
        """Exchange what came back; answers the ID token's claims, checked, and keeps the tokens in the session."""
        assert parse_qs(urlsplit(came).query)["state"] == [self.state]
        token = self.session.fetch_token(
            self.description["token_endpoint"], authorization_response=came, code_verifier=self.verifier
        )
        keys = KeySet.import_key_set(requests.get(self.description["jwks_uri"], timeout=10).json())
        claims = jwt.decode(token["id_token"], keys, algorithms=["RS256"]).claims
        essential = {"essential": True}
        jwt.JWTClaimsRegistry(
            iss={**essential, "value": self.description["issuer"]},
            aud={**essential, "value": self.client_id},
            nonce={**essential, "value": "n-0S6"},
            exp=essential,
        ).validate(claims)
        return dict(claims)


@contextmanager
def party(product: Product, back: str, **facts: Any) -> Iterator[Party]:
    wanted = {"roles": set(Role) - {Role.INSPECTOR}, "scopes": CHOICES, "name": "Library", **facts}
    with arranging(product):
        row, secret = tools.make_tool(
            product.cast.office, addresses=back, now=product.cast.moment.now, **wanted
        )
    yield Party(product, row.client_id, secret, back)
    with arranging(product):
        tools.revoke_tool(product.cast.office, row.pk, now=product.cast.moment.now)


def test_a_relying_party_of_another_make_is_told_who_came(product: Product) -> None:
    """Authlib and requests, without a browser: sign-in, consent, tokens, userinfo, refresh, revocation."""
    back = "http://127.0.0.1:9/back"
    with party(product, back) as tool, requests.Session() as browser:
        answer = browser.get(tool.question(), timeout=10)
        for _step in range(3):
            if back in answer.headers.get("Location", ""):
                break
            hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
            hidden = {name: value.replace("&amp;", "&") for name, value in hidden.items()}
            action = re.search(r'action="(/(?:account/login/|identity/authorize))"', answer.text)
            assert action, answer.text
            scopes = re.findall(r'name="scopes" value="(\w+)"', answer.text)
            said = {**hidden, "scopes": scopes, "action": "grant", "login": "teacher", "password": PASSWORD}
            stops = "authorize" in action[1]
            answer = browser.post(urljoin(answer.url, action[1]), said, timeout=10, allow_redirects=not stops)
        claims = tool.told(answer.headers["Location"])
        assert (claims["given_name"], claims["roles"]) == ("Tess", ["teacher"])
        userinfo = tool.session.get(tool.description["userinfo_endpoint"]).json()
        assert userinfo["sub"] == claims["sub"]
        before = tool.session.token["access_token"]
        tool.session.refresh_token(tool.description["token_endpoint"])
        assert tool.session.token["access_token"] != before
        gone = tool.session.revoke_token(
            tool.description["revocation_endpoint"], token=tool.session.token["access_token"]
        )
        assert gone.status_code == 200
        bearer = {"Authorization": f"Bearer {tool.session.token['access_token']}"}
        assert (
            requests.get(tool.description["userinfo_endpoint"], headers=bearer, timeout=10).status_code == 401
        )


def test_a_mother_agrees_and_lands_at_the_tool(product: Product, visit: Callable[..., Page]) -> None:
    """From the tool through the sign-in form and the consent to the tool: forms that lead out of the house, too."""
    with landing() as house, party(product, house.address) as tool:
        page = visit(None, **DESKTOP)
        page.goto(tool.question())
        page.locator("input[name=login]").fill(product.cast.mother.account.username)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("form:has(input[name=password]) button[type=submit]").first.click()
        page.get_by_role("button", name="Go on to Library").click()
        page.get_by_role("heading", name="Welcome to the tool").wait_for()
        claims = tool.told(f"{urlsplit(house.address).scheme}://x{house.came[-1]}")
        assert claims["roles"] == ["guardian"]
        page.goto(tool.question())  # not asked again
        page.get_by_role("heading", name="Welcome to the tool").wait_for()
        assert len(house.came) == 2


def test_staff_who_sign_in_first_land_at_a_trusted_tool_without_being_asked(
    product: Product, visit: Callable[..., Page]
) -> None:
    with landing() as house, party(product, house.address, is_trusted=True) as tool:
        page = visit(None)
        page.goto(tool.question())
        page.locator("input[name=login]").fill(product.cast.colleague.account.username)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("form:has(input[name=password]) button[type=submit]").first.click()
        page.get_by_role("heading", name="Welcome to the tool").wait_for()
        assert tool.told(f"http://x{house.came[-1]}")["name"] == "Cole League"


@contextmanager
def directory(product: Product, member: Member) -> Iterator[None]:
    """The school's own provider, which knows one of its people by the roster's identifier."""
    key, port = f"{product.cast.school.id}-0123456789abcdef01234567", free_port()
    back = product.url(f"/account/through/{key}/callback")
    people = {"there": {"employee": member.person.sourced_id}}
    with second_provider(port, back, people) as issuer:
        form = identity.ProviderForm(
            kind=ProviderKind.OIDC,
            name="Oak directory",
            issuer=issuer,
            client_id=CLIENT_ID,
            secret=SECRET,
            domains=("oak.example",),
            match_by=MatchBy.SOURCED_ID,
            claim="employee",
        )
        with arranging(product):
            row = identity.add_provider(product.cast.office, form, now=product.cast.moment.now)
            IdentityProvider.objects.filter(pk=row.pk).update(key=key)
        yield
        with arranging(product):
            identity.remove_provider(product.cast.office, row.pk)


def test_a_pupil_signs_in_by_the_schools_button(product: Product, visit: Callable[..., Page]) -> None:
    """From the general sign-in page to the school's, to its provider, and back into the pupil's day."""
    with directory(product, product.cast.classmate):
        page = visit(None)
        page.goto("/account/login/")
        assert page.get_by_role("button", name="Sign in with Oak directory").count() == 0
        page.get_by_role("link", name="Sign in with your school’s account").click()
        page.get_by_label("The school’s name, or your e-mail address there").fill("oak")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="Oak School").click()
        page.get_by_role("button", name="Sign in with Oak directory").click()
        page.locator("input[name=login]").fill("there")
        page.locator("input[name=password]").fill("any")
        page.get_by_role("button", name="Sign-in").click()
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url(re.compile(re.escape(product.address) + "/(?!account)"))
        assert "Clàudia" in page.content()
