"""The office says where the school's people sign in; what is wrong is said, and no secret is shown again."""

import re
from typing import Any

import pytest

from pupitre.connections.models import SchoolDomain
from pupitre.connections.queries import identity as queries
from pupitre.connections.rules.identity import (
    Asserted,
    BadDirectory,
    BadDomain,
    BadIssuer,
    MatchBy,
    ProviderFacts,
    ProviderKind,
    asserted,
    domains_of,
    issuer_of,
    may_open,
)
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.conftest import Visitor

DIRECTORY = "72F988BF-86f1-41af-91ab-2d7cd011db47"
SENT = {
    "kind": "2",
    "name": "Microsoft of Oak",
    "issuer": DIRECTORY,
    "client_id": "an app",
    "secret": "their secret",
    "domains": "oak.example, @oak.example.org",
    "match_by": "1",
}


def facts(kind: ProviderKind, **more: Any) -> ProviderFacts:
    wanted: dict[str, Any] = {
        "id": 1,
        "school_id": 1,
        "key": "1-a",
        "kind": kind,
        "name": "x",
        "issuer": "https://a",
        "client_id": "c",
        "secret": "s",
        "domains": ("oak.example",),
        "match_by": MatchBy.EMAIL,
        "claim": "",
        "saml": {},
    }
    return ProviderFacts(**{**wanted, **more})


def test_a_provider_is_added_changed_and_removed(cast: Cast, visit: Visitor) -> None:
    office = visit.as_(cast.secretary)
    added = office.post("/s/oak/identity", SENT)
    assert added.status_code == 303, added.content
    where = added.headers["Location"]
    page = office.get(where).content.decode()
    assert "/callback" in page
    assert "their secret" not in page
    assert DIRECTORY.lower() in page
    assert "Microsoft of Oak" in visit.anonymous().get("/account/login/?school=oak").content.decode()
    assert office.post(where, {**SENT, "name": "Renamed", "secret": ""}).status_code == 303
    with scope(cast.school.id):
        line = queries.providers_for(cast.office)[0]
    found = queries.find_provider(line.key)
    assert found is not None
    assert (found.name, found.secret) == ("Renamed", "their secret")
    assert found.issuer == f"https://login.microsoftonline.com/{DIRECTORY.lower()}/v2.0"
    assert set(SchoolDomain.objects.values_list("domain", flat=True)) == {"oak.example", "oak.example.org"}
    assert office.post(f"{where}/removal").status_code == 303
    assert queries.find_provider(line.key) is None
    assert not SchoolDomain.objects.exists()


@pytest.mark.parametrize("kind", ["1", "2", "3"])
def test_a_form_that_is_sent_as_it_was_shown_changes_nothing(cast: Cast, visit: Visitor, kind: str) -> None:
    office = visit.as_(cast.secretary)
    issuer = {"1": "", "2": DIRECTORY, "3": "https://id.example/oak"}[kind]
    rule = {"match_by": "3", "claim": "uid"}
    where = office.post("/s/oak/identity", {**SENT, **rule, "kind": kind, "issuer": issuer}).headers[
        "Location"
    ]
    page = office.get(where).content.decode()
    shown = dict(re.findall(r'<input type="\w+" name="(\w+)" id="\w+" value="([^"]*)"', page))
    chosen = re.findall(r'<select name="(\w+)".*?<option value="(\d)" selected>', page)
    assert dict(chosen) == {"kind": kind, "match_by": "3"}
    with scope(cast.school.id):
        before = queries.providers_for(cast.office)
    assert office.post(where, {**shown, **dict(chosen)}).status_code == 303
    with scope(cast.school.id):
        assert queries.providers_for(cast.office) == before


@pytest.mark.parametrize(
    ("change", "saying"),
    [
        ({"issuer": "common"}, "directory (tenant) ID"),
        ({"domains": "gmail.com"}, "cannot be a domain"),
        ({"domains": ""}, "are needed"),
        ({"secret": ""}, "are needed"),
        ({"name": ""}, "are needed"),
        ({"match_by": "2"}, "are needed"),
        ({"kind": "4", "metadata": "<a/>"}, "no SAML metadata"),
        ({"kind": "4", "metadata_url": "http://127.0.0.1/metadata"}, "no SAML metadata"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    cast: Cast, visit: Visitor, change: dict[str, str], saying: str
) -> None:
    answer = visit.as_(cast.secretary).post("/s/oak/identity", {**SENT, **change})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert saying in page
    assert "their secret" not in page
    assert "an app" in page


def test_others_see_no_providers_and_strangers_no_school(cast: Cast, visit: Visitor) -> None:
    office = visit.as_(cast.secretary)
    where = office.post("/s/oak/identity", SENT).headers["Location"]
    for member, status in ((cast.teacher, 403), (cast.pupil, 403), (cast.stranger, 404)):
        for path in ("/s/oak/identity", where, f"{where}/removal", f"{where}/links/1/end"):
            assert visit.as_(member).post(path, SENT).status_code == status
    assert office.post(f"{where}/links/999/end").status_code == 404
    assert office.get("/s/oak/identity/999").status_code == 404


def test_an_issuer_is_read_as_its_kind_needs_it() -> None:
    assert issuer_of(ProviderKind.GOOGLE, "whatever") == "https://accounts.google.com"
    assert issuer_of(ProviderKind.OIDC, " https://a.example/realms/x ") == "https://a.example/realms/x"
    for bad in ("common", "organizations", "9188040d-6c67-4c5b-b112", "https://login.microsoftonline.com/x"):
        with pytest.raises(BadDirectory):
            issuer_of(ProviderKind.MICROSOFT, bad)
    with pytest.raises(BadIssuer):
        issuer_of(ProviderKind.OIDC, "https://a.example?x=1")


def test_domains_are_the_schools_own() -> None:
    assert domains_of("Oak.example;@oak.org\n oak.org") == ("oak.example", "oak.org")
    for bad in ("gmail.com", "oak", "oak..example", "-oak.example", "oak.example/x", "*.example"):
        with pytest.raises(BadDomain):
            domains_of(bad)


@pytest.mark.parametrize(
    ("kind", "claims", "value"),
    [
        (ProviderKind.OIDC, {"email": "A@Oak.example", "email_verified": True}, "a@oak.example"),
        (ProviderKind.OIDC, {"email": "a@oak.example", "email_verified": "true"}, ""),
        (ProviderKind.OIDC, {"email": "a@oak.example"}, ""),
        (ProviderKind.OIDC, {"email": "a@oak.example.evil", "email_verified": True}, ""),
        (ProviderKind.OIDC, {"email": "@oak.example", "email_verified": True}, ""),
        (ProviderKind.OIDC, {"email": ["a@oak.example", "b@oak.example"], "email_verified": True}, ""),
        (ProviderKind.GOOGLE, {"email": "a@oak.example", "email_verified": True}, ""),
        (
            ProviderKind.GOOGLE,
            {"email": "a@oak.example", "email_verified": True, "hd": "oak.example"},
            "a@oak.example",
        ),
        (ProviderKind.MICROSOFT, {"email": "a@oak.example", "email_verified": True}, ""),
        (ProviderKind.MICROSOFT, {"preferred_username": "a@oak.example"}, "a@oak.example"),
        (ProviderKind.SAML, {"email": "a@oak.example"}, "a@oak.example"),
    ],
    ids=str,
)
def test_an_address_counts_only_where_it_is_surely_the_schools(
    kind: ProviderKind, claims: dict[str, Any], value: str
) -> None:
    assert asserted(facts(kind), "s", claims) == Asserted("s", MatchBy.EMAIL, value)


def test_a_claim_with_one_value_counts() -> None:
    provider = facts(ProviderKind.SAML, match_by=MatchBy.SOURCED_ID, claim="id")
    assert asserted(provider, "s", {"id": ["4711"]}).value == "4711"
    assert asserted(provider, "s", {"id": ["4711", "4712"]}).value == ""
    assert asserted(provider, "s", {"id": None}).value == ""


def test_a_provider_opens_accounts_of_its_own_school_only() -> None:
    assert may_open(is_known_here=True, leads_elsewhere=False, by_owner=False)
    assert may_open(is_known_here=True, leads_elsewhere=True, by_owner=True)
    assert not may_open(is_known_here=True, leads_elsewhere=True, by_owner=False)
    assert not may_open(is_known_here=False, leads_elsewhere=False, by_owner=True)
