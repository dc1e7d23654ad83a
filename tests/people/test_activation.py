"""From a letter's code to an account, and everything that must not lead there."""

import re
import time
from datetime import date, timedelta
from typing import Any

import pytest
from allauth.core.internal import ratelimit
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.test.utils import override_settings

from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.models import Account, AuthorityMembership, Invitation, Membership, Person
from pupitre.people.rules import Role, system_actor
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, PASSWORD, Cast
from tests.conftest import Visitor
from tests.jobs import run_jobs
from tests.people.arrange import letter_for, newcomer

SECRET = "three green umbrellas"


def enter(browser: Client, code: str, school: str = "oak") -> HttpResponse:
    return browser.post(f"/s/{school}/activation", {"code": code})


def prove(browser: Client, **told: str) -> HttpResponse:
    return browser.post("/s/oak/activation/proof", told)


def choose(browser: Client, **chosen: str) -> HttpResponse:
    facts = {"username": "olga.nueva", "password": SECRET, **chosen}
    return browser.post("/s/oak/activation/account", facts)


def test_a_mother_opens_her_account_with_her_letter(cast: Cast) -> None:
    olga = newcomer(cast, "Olga", "Nueva Pérez", email="olga@familia.example")
    letter, browser = letter_for(cast, olga), Client()
    assert enter(browser, letter.code.lower().replace("-", " ")).status_code == 303
    assert "Family name" in browser.get("/s/oak/activation/proof").content.decode()
    assert prove(browser, family_name="NUEVA PEREZ").status_code == 303
    page = browser.get("/s/oak/activation/account").content.decode()
    assert 'value="olga.nueva"' in page
    assert 'value="olga@familia.example"' in page
    assert choose(browser, email="olga@familia.example").status_code == 302
    assert browser.get("/account").status_code == 200
    account = Account.objects.get(username="olga.nueva")
    assert account.activated_at == NOW
    with scope(cast.school.id):
        assert Person.objects.get(pk=olga.pk).account_id == account.pk
        assert Membership.objects.get(person=olga).account_id == account.pk
    assert Client().post("/account/login/", {"login": "olga.nueva", "password": SECRET}).status_code == 302


def test_a_child_without_e_mail_proves_itself_by_its_birth_date(cast: Cast) -> None:
    child = newcomer(cast, "Ona", "Nova", Role.PUPIL, born_on=date(2016, 5, 4), grade="04")
    browser = Client()
    enter(browser, letter_for(cast, child).code)
    assert "Date of birth" in browser.get("/s/oak/activation/proof").content.decode()
    assert prove(browser, born_on="2016-05-05").status_code == 422
    assert prove(browser, born_on="2016-05-04").status_code == 303
    assert choose(browser, username="ona.nova").status_code == 302
    assert browser.get("/account").status_code == 200


def test_with_a_passkey_no_password_is_needed(cast: Cast) -> None:
    browser = Client()
    enter(browser, letter_for(cast, newcomer(cast, "Olga", "Nueva")).code)
    prove(browser, family_name="Nueva")
    answer = choose(browser, password="", with_passkey="on")
    assert answer.headers["Location"] == "/account/2fa/webauthn/add/"
    assert "Add a passkey" in browser.get("/account/2fa/webauthn/add/").content.decode()
    assert not Account.objects.get(username="olga.nueva").has_usable_password()


def test_a_code_works_once(cast: Cast) -> None:
    letter = letter_for(cast, newcomer(cast, "Olga", "Nueva"))
    first, second = Client(), Client()
    for browser in (first, second):
        enter(browser, letter.code)
        prove(browser, family_name="Nueva")
    assert choose(first).status_code == 302
    assert choose(second, username="thief").status_code == 403
    assert enter(Client(), letter.code).status_code == 422
    assert not Account.objects.filter(username="thief").exists()


def test_a_code_expires(cast: Cast) -> None:
    letter = letter_for(cast, newcomer(cast, "Olga", "Nueva"))
    with clock.frozen(NOW + timedelta(days=59)):
        assert enter(Client(), letter.code).status_code == 303
    with clock.frozen(NOW + timedelta(days=61)):
        assert enter(Client(), letter.code).status_code == 422


def test_a_new_letter_ends_the_one_before(cast: Cast) -> None:
    olga = newcomer(cast, "Olga", "Nueva")
    lost, found = letter_for(cast, olga), letter_for(cast, olga)
    assert enter(Client(), lost.code).status_code == 422
    assert enter(Client(), found.code).status_code == 303


def test_a_code_of_one_school_opens_nothing_in_another(cast: Cast) -> None:
    letter = letter_for(cast, newcomer(cast, "Olga", "Nueva"))
    assert enter(Client(), letter.code, school="elm").status_code == 422


def test_a_session_of_one_school_proves_nothing_in_another(cast: Cast) -> None:
    browser = Client()
    enter(browser, letter_for(cast, newcomer(cast, "Olga", "Nueva")).code)
    prove(browser, family_name="Nueva")
    assert browser.get("/s/elm/activation/account").status_code == 403


def test_the_steps_cannot_be_jumped(cast: Cast) -> None:
    browser = Client()
    assert browser.get("/s/oak/activation/proof").status_code == 403
    enter(browser, letter_for(cast, newcomer(cast, "Olga", "Nueva")).code)
    assert browser.get("/s/oak/activation/account").status_code == 403
    assert choose(browser).status_code == 403


def test_wrong_unknown_used_and_expired_codes_answer_the_same(cast: Cast) -> None:
    letter = letter_for(cast, newcomer(cast, "Olga", "Nueva"))
    unknown = enter(Client(), "AAAA-AAAA-AAAA").content.decode()
    with clock.frozen(NOW + timedelta(days=61)):
        expired = enter(Client(), letter.code).content.decode()
    told = "The code is not valid."
    assert told in unknown
    assert told in expired
    assert "Olga" not in expired


def test_nobody_is_named_before_the_proof(cast: Cast) -> None:
    browser = Client()
    enter(browser, letter_for(cast, newcomer(cast, "Olga", "Nueva")).code)
    page = browser.get("/s/oak/activation/proof").content.decode()
    assert "Olga" not in page
    assert "Nueva" not in page


def test_codes_cannot_be_guessed_at_leisure(cast: Cast) -> None:
    browser = Client()
    for _ in range(40):
        assert enter(browser, "AAAA-AAAA-AAAA").status_code == 422
    assert enter(browser, "AAAA-AAAA-AAAA").status_code == 429
    letter = letter_for(cast, newcomer(cast, "Olga", "Nueva"))
    assert enter(browser, letter.code).status_code == 429


def test_behind_a_proxy_one_guesser_does_not_close_the_door_to_everybody(cast: Cast) -> None:
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1):
        for number in range(41):
            guesser = Client(headers={"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.7"})
            status = enter(guesser, "AAAA-AAAA-AAAA").status_code
        assert status == 429, "what the guesser writes before the proxy's word does not count"
        letter = letter_for(cast, newcomer(cast, "Olga", "Nueva"))
        other = Client(headers={"X-Forwarded-For": "203.0.113.8"})
        assert enter(other, letter.code).status_code == 303


def test_a_found_letters_birth_date_cannot_be_guessed(cast: Cast) -> None:
    child = newcomer(cast, "Ona", "Nova", Role.PUPIL, born_on=date(2016, 5, 4))
    code = letter_for(cast, child).code
    browser = Client()
    enter(browser, code)
    for day in range(10, 15):
        assert prove(browser, born_on=f"2016-05-{day}").status_code == 422
    another = Client(REMOTE_ADDR="203.0.113.9")
    enter(another, code)
    assert another.post("/s/oak/activation/proof", {"born_on": "2016-05-04"}).status_code == 429


def test_patience_does_not_guess_it_either(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter lasts for two months, in which five guesses an hour would go through all birth dates of a class."""
    child = newcomer(cast, "Ona", "Nova", Role.PUPIL, born_on=date(2016, 5, 4))
    browser = Client()
    enter(browser, letter_for(cast, child).code)
    begun = time.time()
    for hour in range(3):
        monkeypatch.setattr(ratelimit.time, "time", lambda hour=hour: begun + hour * 3601)
        for day in range(10, 15):
            assert prove(browser, born_on=f"2016-{hour + 1:02}-{day}").status_code == 422
    monkeypatch.setattr(ratelimit.time, "time", lambda: begun + 30 * 24 * 3600)
    assert prove(browser, born_on="2016-05-04").status_code == 429


def test_a_planted_session_is_worth_nothing_after_a_step(cast: Cast) -> None:
    """Session fixation: whoever planted the session's key in the browser does not share what is proved in it."""
    victim, planter = Client(), Client()
    session = victim.session
    session["planted"] = True
    session.save()
    key = session.session_key or ""
    victim.cookies["sessionid"] = key
    planter.cookies["sessionid"] = key
    enter(victim, letter_for(cast, newcomer(cast, "Olga", "Nueva")).code)
    middle = victim.cookies["sessionid"].value
    prove(victim, family_name="Nueva")
    assert len({key, middle, victim.cookies["sessionid"].value}) == 3
    assert planter.get("/s/oak/activation/account").status_code == 403


def test_a_parent_adds_a_second_school_to_her_account(cast: Cast, visit: Visitor) -> None:
    with scope(cast.other_school.id):
        from pupitre.people.rules import system_actor

        elm = system_actor(cast.other_school)
        there = people.add_person(elm, given_name="Mara", family_name="Pupil", role=Role.GUARDIAN, now=NOW)
        (letter,) = people.issue_letters(elm, [there.pk], now=NOW)
    browser = visit.as_(cast.mother)
    browser.post("/s/elm/activation", {"code": letter.code})
    browser.post("/s/elm/activation/proof", {"family_name": "Pupil"})
    assert "Add the school to your account" in browser.get("/s/elm/activation/account").content.decode()
    assert browser.post("/s/elm/activation/account", {"link": "1"}).status_code == 303
    with scope(cast.other_school.id):
        assert Person.objects.get(pk=there.pk).account_id == cast.mother.account.pk
    with scope(0, account=cast.mother.account.pk):
        assert Membership.objects.count() == 2


def test_one_account_is_not_two_persons_of_a_school(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.mother)
    enter(browser, letter_for(cast, newcomer(cast, "Olga", "Nueva")).code)
    prove(browser, family_name="Nueva")
    answer = browser.post("/s/oak/activation/account", {"link": "1"})
    assert answer.status_code == 409
    assert "already is another person" in answer.content.decode()


def test_somebody_elses_person_with_an_account_is_not_taken_over(cast: Cast, visit: Visitor) -> None:
    """The father's letter in the mother's browser: it recovers the father's account and links nothing to hers."""
    browser = visit.as_(cast.mother)
    enter(browser, letter_for(cast, cast.father.person).code)
    prove(browser, family_name="Pupil")
    browser.post("/s/oak/activation/account", {"link": "1"})
    with scope(cast.school.id):
        assert Person.objects.get(pk=cast.father.person.pk).account_id == cast.father.account.pk


def test_a_letter_recovers_a_forgotten_password(cast: Cast) -> None:
    browser = Client()
    enter(browser, letter_for(cast, cast.pupil.person).code)
    prove(browser, born_on="2014-03-02")
    page = browser.get("/s/oak/activation/account").content.decode()
    assert "Your user name is pupil." in page
    assert browser.post("/s/oak/activation/account", {"password": SECRET}).status_code == 302
    assert Client().post("/account/login/", {"login": "pupil", "password": SECRET}).status_code == 302


def head_of_elm(cast: Cast) -> Person:
    """The teacher's account leads to another school, too, where it may do more."""
    with scope(cast.other_school.id):
        elm = system_actor(cast.other_school)
        there = people.add_person(elm, given_name="Tess", family_name="Teacher", role=Role.HEAD, now=NOW)
        people.link_account(elm, there, cast.teacher.account)
        return there


def letter_of_elm(cast: Cast, person: Person) -> str:
    with scope(cast.other_school.id):
        (letter,) = people.issue_letters(system_actor(cast.other_school), [person.pk], now=NOW)
        return letter.code


def proved(cast: Cast) -> Client:
    """A browser in which the teacher's letter of the first school was entered and proved."""
    browser = Client()
    enter(browser, letter_for(cast, cast.teacher.person).code)
    prove(browser, family_name="Teacher")
    return browser


def recover(browser: Client, codes: str = "") -> Any:
    return browser.post("/s/oak/activation/account", {"password": SECRET, "codes": codes})


def lets_in(password: str) -> bool:
    answer = Client().post("/account/login/", {"login": "teacher", "password": password})
    return answer.status_code == 302


def test_a_letter_of_one_school_cannot_take_over_an_account_of_two(cast: Cast) -> None:
    """The office of one school issues the letter itself: it must not become what the account is elsewhere."""
    there = head_of_elm(cast)
    browser = proved(cast)
    page = browser.get("/s/oak/activation/account").content.decode()
    assert "leads to other schools too" in page
    assert "Elm" not in page  # which ones is not this school's business
    for codes in ("", "ABCD-EFGH-JKLM", letter_for(cast, cast.colleague.person).code):
        answer = recover(browser, codes)
        assert answer.status_code == 422
        assert "of a letter of each of them is needed" in answer.content.decode()
    stranger = newcomer_of_elm(cast)
    assert recover(browser, letter_of_elm(cast, stranger)).status_code == 422
    assert not lets_in(SECRET)
    with scope(cast.other_school.id):
        assert Person.objects.get(pk=there.pk).account_id == cast.teacher.account.pk


def newcomer_of_elm(cast: Cast) -> Person:
    with scope(cast.other_school.id):
        elm = system_actor(cast.other_school)
        return people.add_person(elm, given_name="Olga", family_name="Nueva", role=Role.GUARDIAN, now=NOW)


def test_letters_of_all_schools_together_recover_an_account(cast: Cast) -> None:
    """Who confirmed no address is not locked out: each of the schools says that it is she."""
    code = letter_of_elm(cast, head_of_elm(cast))
    assert recover(proved(cast), f"\n{code.lower()}\n").status_code == 302
    assert lets_in(SECRET)
    again = proved(cast)
    assert recover(again, code).status_code == 422  # a code works once


def test_a_school_that_somebody_has_left_prints_no_letter_and_is_not_asked_for_one(cast: Cast) -> None:
    there = head_of_elm(cast)
    with scope(cast.other_school.id):
        Person.objects.filter(pk=there.pk).update(ended_on=NOW.date())
    assert recover(proved(cast)).status_code == 302
    assert lets_in(SECRET)


def test_no_letter_recovers_an_account_of_an_authority(cast: Cast) -> None:
    letter = letter_for(cast, cast.teacher.person)
    AuthorityMembership.objects.create(
        authority=cast.authority, account=cast.teacher.account, role=Role.INSPECTOR
    )
    browser = Client()
    enter(browser, letter.code)
    prove(browser, family_name="Teacher")
    assert "leads to an authority too" in browser.get("/s/oak/activation/account").content.decode()
    assert recover(browser).status_code == 422
    assert not lets_in(SECRET)
    with scope(cast.school.id):
        assert people.issue_letters(cast.office, [cast.teacher.person.pk], now=NOW) == []


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"username": "mother"}, "The user name is taken"),
        ({"username": "olga@familia.example"}, "A user name has 3 to 40"),
        ({"password": "short"}, "at least 10 characters"),
        ({"password": "olga.nueva"}, "too similar"),
    ],
)
def test_an_unfit_choice_is_told_and_uses_nothing_up(cast: Cast, facts: dict[str, str], told: str) -> None:
    browser = Client()
    enter(browser, letter_for(cast, newcomer(cast, "Olga", "Nueva")).code)
    prove(browser, family_name="Nueva")
    answer = choose(browser, **facts)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert choose(browser).status_code == 302


def test_an_address_of_another_account_is_not_told_of(cast: Cast) -> None:
    browser = Client()
    enter(browser, letter_for(cast, newcomer(cast, "Olga", "Nueva")).code)
    prove(browser, family_name="Nueva")
    assert choose(browser, email="mara@familia.example").status_code == 302
    assert Account.objects.get(username="olga.nueva").email == ""


def test_an_adult_whose_address_is_known_has_a_link_sent(cast: Cast) -> None:
    newcomer(cast, "Olga", "Nueva", email="Olga@familia.example")
    answer = Client().post("/s/oak/activation/mail", {"email": "olga@familia.example"})
    assert "If the school knows" in answer.content.decode()
    assert mail.outbox == []
    run_jobs()
    (message,) = mail.outbox
    link = re.search(r"https?://[^/]+(/s/oak/activation\?code=\S+)", str(message.body))
    assert link is not None
    browser = Client()
    page = browser.get(link.group(1)).content.decode()
    code = link.group(1).partition("code=")[2]
    assert f'value="{code}"' in page
    enter(browser, code)
    prove(browser, family_name="Nueva")
    choose(browser, email="olga@familia.example")
    from allauth.account.models import EmailAddress

    assert EmailAddress.objects.get(email="olga@familia.example").verified


def test_an_unknown_address_and_a_childs_get_the_same_answer_and_no_mail(cast: Cast) -> None:
    newcomer(cast, "Ona", "Nova", Role.PUPIL, email="ona@familia.example")
    answers = {
        Client().post("/s/oak/activation/mail", {"email": address}).content.decode().replace(address, "")
        for address in ("nobody@familia.example", "ona@familia.example", "mara@familia.example")
    }
    run_jobs()
    assert len(answers) == 1
    assert mail.outbox == []


def test_asking_for_a_link_does_not_spoil_a_letter(cast: Cast) -> None:
    olga = newcomer(cast, "Olga", "Nueva", email="olga@familia.example")
    letter = letter_for(cast, olga)
    Client().post("/s/oak/activation/mail", {"email": "olga@familia.example"})
    run_jobs()
    assert enter(Client(), letter.code).status_code == 303


def test_links_cannot_be_asked_for_without_end(cast: Cast) -> None:
    for _ in range(3):
        assert Client().post("/s/oak/activation/mail", {"email": "a@b.example"}).status_code == 200
    assert Client().post("/s/oak/activation/mail", {"email": "a@b.example"}).status_code == 429


def test_the_database_keeps_no_code(cast: Cast) -> None:
    letter = letter_for(cast, newcomer(cast, "Olga", "Nueva"))
    with scope(cast.school.id):
        kept = Invitation.objects.get(person_id=letter.recipient.person_id)
        assert letter.code not in str(vars(kept))
        assert len(kept.code_digest) == 64


def test_who_has_left_opens_nothing(cast: Cast) -> None:
    olga = newcomer(cast, "Olga", "Nueva")
    letter = letter_for(cast, olga)
    with scope(cast.school.id):
        people.end_person(cast.office, olga.pk, on=NOW.date(), now=NOW)
    assert enter(Client(), letter.code).status_code == 422


def test_a_second_factor_is_asked_for_after_a_recovery(cast: Cast) -> None:
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(cast.teacher.account, generate_totp_secret())
    browser = Client()
    enter(browser, letter_for(cast, cast.teacher.person).code)
    prove(browser, family_name="Teacher")
    answer = browser.post("/s/oak/activation/account", {"password": PASSWORD + "2"})
    assert answer.headers["Location"] == "/account/2fa/authenticate/"
    assert browser.get("/account").status_code == 302
