"""Tools and providers for the tests of sign-in, and a tool's side of OpenID Connect as far as Django's client goes."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from django.conf import settings
from django.test import Client

from pupitre.connections.actions import tools as actions
from pupitre.connections.rules.tools import CHOICES, ToolScope
from pupitre.kernel import clock
from pupitre.people.rules import Role
from pupitre.tenancy.scoping import scope
from tests.cast import Cast

BACK = "https://tool.example/back"
EVERYBODY = frozenset(Role) - {Role.INSPECTOR}
VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


@dataclass(frozen=True)
class MadeTool:
    """A tool as its own administrator knows it."""

    id: int
    client_id: str
    secret: str


def make_tool(cast: Cast, **facts: Any) -> MadeTool:
    """A tool of the first school for everybody, told everything, unless the facts say otherwise."""
    wanted = {"name": "Library", "addresses": BACK, "roles": EVERYBODY, "scopes": CHOICES, **facts}
    with scope(cast.school.id):
        row, secret = actions.make_tool(cast.office, now=clock.now(), **wanted)
    return MadeTool(row.pk, row.client_id, secret)


def question(tool: MadeTool, **more: str) -> dict[str, str]:
    """What a tool asks with, at the door."""
    return {
        "client_id": tool.client_id,
        "response_type": "code",
        "redirect_uri": BACK,
        "scope": " ".join([ToolScope.OPENID, *CHOICES]),
        "state": "the state",
        "nonce": "the nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **more,
    }


def consent(browser: Client, tool: MadeTool, **more: str) -> Any:
    """Open the door, and go on where it asks; answers what leads back to the tool, or what was said instead."""
    answer = browser.get("/identity/authorize", question(tool, **more))
    if answer.status_code != 200:
        return answer
    context: Any = answer.context_data
    asked = {"request": context["form"]["request"].value(), "scopes": context["wanted"], "action": "grant"}
    return browser.post("/identity/authorize", asked)


def told(answer: Any) -> dict[str, str]:
    """What came back to the tool in its address."""
    where = urlsplit(answer.headers["Location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == BACK, answer.headers["Location"]
    return {name: values[0] for name, values in parse_qs(where.query).items()}


def exchange(tool: MadeTool, code: str, **more: str) -> Any:
    """The tool's own request for tokens."""
    sent = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "client_id": tool.client_id,
        "client_secret": tool.secret,
        "code_verifier": VERIFIER,
        **more,
    }
    return Client().post("/identity/token", sent)


def decoded(id_token: str, tool: MadeTool) -> dict[str, Any]:
    """The token's facts, its signature checked by the published key."""
    keys = Client().get("/.well-known/jwks.json").json()
    kid = jwt.get_unverified_header(id_token)["kid"]
    key = next(jwt.PyJWK(one) for one in keys["keys"] if one["kid"] == kid)
    options: Any = {"verify_exp": False, "verify_iat": False}  # the test's clock stands
    return jwt.decode(
        id_token, key, ["RS256"], audience=tool.client_id, issuer=settings.CONFIG.base_url, options=options
    )
