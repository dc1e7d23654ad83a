"""Sign-in by a school's own OpenID provider, a certified one that runs beside: who gets in, and who does not."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client, override_settings

from pupitre.connections.actions import identity as actions
from pupitre.connections.models import IdentityLink, IdentityProvider
from pupitre.connections.rules.identity import MatchBy, ProviderKind
from pupitre.connections.upstream import forget_descriptions
from pupitre.kernel import clock, sealing
from pupitre.people import actions as people
from pupitre.people.models import Account, Person
from pupitre.people.rules import Role, system_actor
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope
from tests.cast import PASSWORD, TODAY, Cast
from tests.conftest import Visitor
from tests.connections.second import CLIENT_ID, SECRET, free_port, second_provider, sign_in_there

KEY = "1-0123456789abcdef01234567"
BACK = f"{settings.CONFIG.base_url}/account/through/{KEY}/callback"
#: Whom the second provider knows. "tess" is the teacher; "mallory" is whoever wants to be somebody else.
PEOPLE: dict[str, dict[str, Any]] = {
    "tess": {"email": "Tess@oak.example", "email_verified": True},
    "hasty": {"email": "tess@oak.example", "email_verified": False},
    "stringy": {"email": "tess@oak.example", "email_verified": "true"},
    "mallory": {"email": "tess@oak.example", "email_verified": True},
    "elm": {"email": "stan@elm.example", "email_verified": True},
    "family": {"email": "both@oak.example", "email_verified": True},
    "nobody": {"email": "new@oak.example", "email_verified": True},
    "mother": {"email": "mara@familia.example", "email_verified": True},
    "bare": {},
    "numbered": {"employee": "pupil"},
}


@dataclass
class School:
    """The cast's first school with the second provider as its own."""

    cast: Cast
    issuer: str
    row: IdentityProvider

    def start(self, browser: Client, **sent: str) -> str:
        answer = browser.post(f"/account/through/{KEY}", sent)
        assert answer.status_code == 302, answer.content
        return str(answer.headers["Location"])

    def sign_in(self, browser: Client, name: str, **sent: str) -> Any:
        """Go there as that person and come back; answers what came of it."""
        back = sign_in_there(self.start(browser, **sent), name, until=settings.CONFIG.base_url)
        return browser.get(back.removeprefix(settings.CONFIG.base_url))


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with second_provider(free_port(), BACK, PEOPLE) as found:
        yield found


@pytest.fixture
def school(cast: Cast, issuer: str) -> Iterator[School]:
    forget_descriptions()
    with override_settings(CONFIG=replace(settings.CONFIG, private_addresses=True)):
        with scope(cast.school.id):
            Person.objects.filter(pk=cast.teacher.person.pk).update(email="tess@oak.example")
            row = actions.add_provider(cast.office, form(issuer), now=clock.now())
            IdentityProvider.objects.filter(pk=row.pk).update(key=KEY)
        yield School(cast, issuer, row)


def form(issuer: str, **facts: Any) -> actions.ProviderForm:
    wanted: dict[str, Any] = {
        "kind": ProviderKind.OIDC,
        "name": "Oak’s directory",
        "issuer": issuer,
        "client_id": CLIENT_ID,
        "secret": SECRET,
        "domains": ("oak.example",),
    }
    return actions.ProviderForm(**{**wanted, **facts})


def signed_in_as(browser: Client) -> int:
    return int(browser.session.get("_auth_user_id", 0))


def refused(answer: Any, browser: Client, saying: str) -> None:
    assert answer.status_code == 403
    assert saying in answer.content.decode()
    assert not signed_in_as(browser)


def also_in_elm(cast: Cast, account: Account, other: SchoolFacts) -> None:
    office = system_actor(other)
    with scope(other.id):
        person = people.register_person(
            office, sourced_id="also", given_name="T", family_name="T", now=clock.now()
        )
        people.grant_role(office, person, Role.TEACHER)
        people.link_account(office, person, account)


def test_the_schools_sign_in_page_offers_it_and_the_general_one_does_not(school: School) -> None:
    assert "Oak’s directory" in Client().get("/account/login/?school=oak").content.decode()
    for path in ("/account/login/", "/account/login/?school=elm", "/account/login/?school=%00"):
        assert "Oak’s directory" not in Client().get(path).content.decode()


def test_a_school_is_found_by_its_name_and_by_the_domain_of_an_address(school: School) -> None:
    for words in ("oak", "tess@oak.example", "TESS@OAK.EXAMPLE"):
        assert "/account/login/?school=oak" in Client().get("/account/school/", {"q": words}).content.decode()
    for words in ("", "x", "tess@elm.example", "a\0b"):
        assert "?school=oak" not in Client().get("/account/school/", {"q": words}).content.decode()


def test_a_teacher_signs_in_there_and_is_signed_in_here(school: School) -> None:
    browser = Client()
    answer = school.sign_in(browser, "tess", next="/s/oak/people")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/s/oak/people")
    assert signed_in_as(browser) == school.cast.teacher.account.pk
    assert browser.session.get_expire_at_browser_close()
    again = Client()
    school.sign_in(again, "tess")
    assert signed_in_as(again) == school.cast.teacher.account.pk
    with scope(school.cast.school.id):
        link = IdentityLink.objects.get()
    assert (link.subject, link.by_owner, link.account_id) == ("tess", False, school.cast.teacher.account.pk)


def test_nothing_of_what_was_said_is_kept_but_the_name(school: School) -> None:
    from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken

    school.sign_in(Client(), "tess")
    assert [model.objects.count() for model in (SocialAccount, SocialApp, SocialToken)] == [0, 0, 0]
    with scope(school.cast.school.id):
        row = IdentityProvider.objects.get()
    assert row.secret is not None
    assert SECRET.encode() not in bytes(row.secret)
    assert sealing.unseal(row.secret) == SECRET


@pytest.mark.parametrize(
    ("name", "saying"),
    [
        ("hasty", "did not confirm it"),
        ("stringy", "did not confirm it"),
        ("bare", "did not confirm it"),
        ("elm", "did not confirm it"),
        ("mother", "did not confirm it"),  # of another domain, though the roster has it
        ("nobody", "Nobody of the school is known"),
    ],
)
def test_who_is_not_surely_of_the_school_stays_outside(school: School, name: str, saying: str) -> None:
    with scope(school.cast.other_school.id):
        Person.objects.filter(pk=school.cast.stranger.person.pk).update(email="stan@elm.example")
    persons = Account.objects.count()
    browser = Client()
    refused(school.sign_in(browser, name), browser, saying)
    assert Account.objects.count() == persons


def test_a_provider_cannot_claim_another_schools_domain_for_its_people(school: School) -> None:
    """Even if the office writes the other school's domain into its settings: nobody of that school is known here."""
    cast = school.cast
    with scope(cast.other_school.id):
        Person.objects.filter(pk=cast.stranger.person.pk).update(email="stan@elm.example")
    with scope(cast.school.id):
        actions.change_provider(cast.office, school.row.pk, form(school.issuer, domains=("elm.example",)))
        IdentityProvider.objects.update(key=KEY)
    browser = Client()
    refused(school.sign_in(browser, "elm"), browser, "Nobody of the school is known")


def test_an_address_that_two_persons_share_opens_nobodys_account(school: School) -> None:
    with scope(school.cast.school.id):
        ids = [school.cast.mother.person.pk, school.cast.father.person.pk]
        Person.objects.filter(pk__in=ids).update(email="both@oak.example")
    browser = Client()
    refused(school.sign_in(browser, "family"), browser, "Several people")


def test_an_address_given_on_does_not_lead_into_the_account_of_who_had_it(school: School) -> None:
    school.sign_in(Client(), "tess")
    browser = Client()
    refused(school.sign_in(browser, "mallory"), browser, "belongs to another one there")


def test_an_account_that_leads_to_another_school_is_opened_only_once_its_owner_said_so(
    school: School,
) -> None:
    cast = school.cast
    also_in_elm(cast, cast.teacher.account, cast.other_school)
    browser = Client()
    refused(school.sign_in(browser, "tess"), browser, "leads to other schools")
    mine = Client()
    mine.post("/account/login/", {"login": "teacher", "password": PASSWORD})
    assert "Whoever looks after this provider" not in mine.get("/account/identity").content.decode()
    there = mine.post(f"/account/through/{KEY}/connection")
    back = sign_in_there(there.headers["Location"], "tess", until=settings.CONFIG.base_url)
    assert mine.get(back.removeprefix(settings.CONFIG.base_url)).headers["Location"] == "/account/identity"
    school.sign_in(browser, "tess")
    assert signed_in_as(browser) == cast.teacher.account.pk


def test_a_link_made_by_the_rule_opens_nothing_more_once_the_account_leads_elsewhere(school: School) -> None:
    school.sign_in(Client(), "tess")
    also_in_elm(school.cast, school.cast.teacher.account, school.cast.other_school)
    browser = Client()
    refused(school.sign_in(browser, "tess"), browser, "leads to other schools")


def test_who_has_left_the_school_does_not_get_in(school: School) -> None:
    school.sign_in(Client(), "tess")
    with scope(school.cast.school.id):
        Person.objects.filter(pk=school.cast.teacher.person.pk).update(ended_on=TODAY)
    browser = Client()
    refused(school.sign_in(browser, "tess"), browser, "do not belong to the school")


def test_a_second_factor_is_still_asked_for(school: School) -> None:
    Authenticator.objects.create(
        user=school.cast.teacher.account, type=Authenticator.Type.TOTP, data={"secret": "x"}
    )
    browser = Client()
    answer = school.sign_in(browser, "tess")
    assert answer.headers["Location"].startswith("/account/2fa/authenticate/")
    assert not signed_in_as(browser)


def test_the_providers_word_is_no_password_for_changing_the_account(school: School) -> None:
    browser = Client()
    school.sign_in(browser, "tess")
    assert "/reauthenticate/" in browser.get("/account/2fa/totp/activate/").headers.get("Location", "")


@pytest.mark.parametrize(
    "where", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_out_of_the_house_after_it(school: School, where: str) -> None:
    answer = school.sign_in(Client(), "tess", next=where)
    assert answer.headers["Location"].startswith("/")
    assert "evil" not in answer.headers["Location"]
    assert "alert" not in answer.headers["Location"]


def test_an_answer_counts_once_in_its_own_browser_and_for_its_own_provider(school: School) -> None:
    browser = Client()
    back = sign_in_there(school.start(browser), "tess", until=settings.CONFIG.base_url)
    path = back.removeprefix(settings.CONFIG.base_url)
    thief = Client()
    refused(thief.get(path), thief, "was not finished")
    with scope(school.cast.school.id):
        other = actions.add_provider(school.cast.office, form(school.issuer, name="Other"), now=clock.now())
    refused(browser.get(path.replace(KEY, other.key)), browser, "was not finished")
    assert browser.get(path).status_code == 302
    browser.logout()
    refused(browser.get(path), browser, "was not finished")


def test_an_answer_to_another_attempt_is_refused(school: School) -> None:
    """A code that was got by another attempt, brought in under this browser's own state."""
    theirs = sign_in_there(school.start(Client()), "mallory", until=settings.CONFIG.base_url)
    browser = Client()
    mine = parse_qs(urlsplit(school.start(browser)).query)["state"][0]
    code = parse_qs(urlsplit(theirs).query)["code"][0]
    answer = browser.get(f"/account/through/{KEY}/callback?{urlencode({'code': code, 'state': mine})}")
    refused(answer, browser, "was not finished")


def test_a_provider_that_calls_itself_otherwise_is_not_believed(school: School) -> None:
    with scope(school.cast.school.id):
        IdentityProvider.objects.update(issuer=school.issuer.replace("127.0.0.1", "localhost"))
    browser = Client()
    refused(browser.post(f"/account/through/{KEY}"), browser, "does not answer as it should")


def test_a_provider_in_our_own_house_is_not_asked(school: School) -> None:
    with override_settings(CONFIG=replace(settings.CONFIG, private_addresses=False)):
        browser = Client()
        refused(browser.post(f"/account/through/{KEY}"), browser, "does not answer as it should")
        with scope(school.cast.school.id):
            IdentityProvider.objects.update(issuer=school.issuer.replace("http:", "https:"))
        refused(browser.post(f"/account/through/{KEY}"), browser, "does not answer as it should")


def test_people_are_known_by_the_rosters_identifier_where_the_school_says_so(school: School) -> None:
    with scope(school.cast.school.id):
        rule = form(school.issuer, match_by=MatchBy.SOURCED_ID, claim="employee")
        actions.change_provider(school.cast.office, school.row.pk, rule)
    browser = Client()
    school.sign_in(browser, "numbered")
    assert signed_in_as(browser) == school.cast.pupil.account.pk
    other = Client()
    refused(school.sign_in(other, "tess"), other, "did not")


def test_another_house_under_the_same_key_opens_nobodys_account(school: School) -> None:
    school.sign_in(Client(), "tess")
    with scope(school.cast.school.id):
        actions.change_provider(school.cast.office, school.row.pk, form("https://elsewhere.example"))
        assert not IdentityLink.objects.exists()


def test_a_link_is_cut_by_its_owner_and_by_the_office_and_by_nobody_else(
    school: School, visit: Visitor
) -> None:
    school.sign_in(Client(), "tess")
    with scope(school.cast.school.id):
        link = IdentityLink.objects.get().pk
    where = f"/s/oak/own-links/{link}/end"
    assert visit.as_(school.cast.pupil).post(where).status_code == 404
    assert visit.as_(school.cast.stranger).post(where).status_code == 404
    assert visit.as_(school.cast.teacher).post(where).status_code == 303
    with scope(school.cast.school.id):
        assert not IdentityLink.objects.exists()


def test_going_there_needs_a_form_of_ours(school: School) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/account/through/{KEY}").status_code == 403
    assert Client().get(f"/account/through/{KEY}").status_code == 405
    assert Client().post("/account/through/1-ffffffffffffffffffffffff").status_code == 404
    assert Client().post("/account/through/elsewhere").status_code == 404


def test_connecting_needs_somebody_of_the_school_signed_in(school: School, visit: Visitor) -> None:
    where = f"/account/through/{KEY}/connection"
    assert "/account/login/" in Client().post(where).headers["Location"]
    assert visit.as_(school.cast.stranger).post(where).status_code == 404
    assert "/reauthenticate/" in visit.as_(school.cast.teacher).post(where).headers["Location"]
