"""Who is not active yet, and printing letters for them."""

import time
from datetime import timedelta

import pypdfium2
import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people import printing
from pupitre.people.models import Invitation
from pupitre.people.queries import invitations as queries
from pupitre.people.rules import Role
from pupitre.people.rules.invitations import (
    Identity,
    InvitationState,
    is_username,
    proves,
    state_of,
    usernames,
)
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor
from tests.jobs import run_jobs
from tests.people.arrange import letter_for, newcomer

PAGE = "/s/oak/invitations"


def pages_of(pdf: bytes) -> list[str]:
    return [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(pdf)]


def test_the_list_shows_families_first_with_their_pupils(cast: Cast, visit: Visitor) -> None:
    olga = newcomer(cast, "Olga", "Nueva", email="olga@familia.example")
    newcomer(cast, "Ona", "Nova", Role.PUPIL, grade="04")
    with scope(cast.school.id):
        people.make_guardian(cast.office, cast.pupil.person, olga)
    browser = visit.as_(cast.secretary)
    page = browser.get(PAGE).content.decode()
    assert "Nueva, Olga" in page
    assert "Pau Pupil (1º ESO)" in page
    assert "Nova, Ona" not in page
    assert "Nova, Ona" in browser.get(f"{PAGE}?group=2").content.decode()
    assert "Nova, Ona" not in browser.get(f"{PAGE}?group=2&grade=07").content.decode()
    assert "Nueva, Olga" in browser.get(f"{PAGE}?group=1&grade=07").content.decode()
    assert "Nueva, Olga" not in browser.get(f"{PAGE}?group=1&grade=04").content.decode()


def test_the_list_tells_letters_that_are_out_from_expired_ones(cast: Cast, visit: Visitor) -> None:
    letter_for(cast, newcomer(cast, "Olga", "Nueva"))
    browser = visit.as_(cast.secretary)
    assert "Letter out" in browser.get(f"{PAGE}?state=1").content.decode()
    assert "Nueva" not in browser.get(f"{PAGE}?state=0").content.decode()
    with clock.frozen(NOW + timedelta(days=61)):
        assert "Nueva" in visit.as_(cast.secretary).get(f"{PAGE}?state=2").content.decode()


def test_letters_come_as_one_accessible_pdf_a_page_each(cast: Cast, visit: Visitor) -> None:
    olga = newcomer(cast, "Olga", "Nueva", locale="de")
    ivan = newcomer(cast, "Iván", "Núñez", locale="es")
    answer = visit.as_(cast.secretary).post(f"{PAGE}/letters", {"person": [olga.pk, ivan.pk]})
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Cache-Control"] == "no-store"
    texts = pages_of(answer.content)
    assert len(texts) == 2
    assert "Olga Nueva" in texts[0]
    assert "Iván Núñez" in texts[1]
    assert "Oak School" in texts[0]
    assert "/s/oak/activation" in texts[0]
    assert b"pdfuaid" in answer.content


def test_a_letters_code_opens_the_account(cast: Cast, visit: Visitor) -> None:
    olga = newcomer(cast, "Olga", "Nueva")
    answer = visit.as_(cast.secretary).post(f"{PAGE}/letters", {"person": [olga.pk]})
    text = pages_of(answer.content)[0]
    import re

    code = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}\b", text)
    assert code is not None
    assert visit.anonymous().post("/s/oak/activation", {"code": code.group()}).status_code == 303


def test_letters_for_everybody_of_the_list(cast: Cast, visit: Visitor) -> None:
    for number in range(3):
        newcomer(cast, f"Olga{number}", "Nueva")
    answer = visit.as_(cast.secretary).post(f"{PAGE}/letters", {"all": "1", "group": "1"})
    assert len(pages_of(answer.content)) == 3
    with scope(cast.school.id):
        assert Invitation.objects.filter(issued_by=cast.secretary.account).count() == 3


def test_nobody_chosen_is_told(cast: Cast, visit: Visitor) -> None:
    answer = visit.as_(cast.secretary).post(f"{PAGE}/letters", {})
    assert answer.status_code == 422
    assert "Nobody was chosen" in answer.content.decode()


def test_a_person_of_another_school_gets_no_letter(cast: Cast, visit: Visitor) -> None:
    answer = visit.as_(cast.secretary).post(f"{PAGE}/letters", {"person": [cast.stranger.person.pk]})
    assert answer.status_code == 422


@pytest.mark.parametrize("role", ["teacher", "pupil", "mother"])
def test_only_the_office_invites(cast: Cast, visit: Visitor, role: str) -> None:
    browser = visit.as_(getattr(cast, role))
    assert browser.get(PAGE).status_code == 403
    assert browser.post(f"{PAGE}/letters", {"all": "1"}).status_code == 403
    assert browser.post(f"{PAGE}/mails", {"all": "1"}).status_code == 403


def test_links_by_e_mail_go_to_those_whose_address_is_known(cast: Cast, visit: Visitor) -> None:
    olga = newcomer(cast, "Olga", "Nueva", email="olga@familia.example", locale="es")
    mute = newcomer(cast, "Mute", "Nueva")
    answer = visit.as_(cast.secretary).post(f"{PAGE}/mails", {"person": [olga.pk, mute.pk]}, follow=True)
    assert "1 link is on its way." in answer.content.decode()
    run_jobs()
    assert [message.to for message in mail.outbox] == [["olga@familia.example"]]


def test_the_list_costs_the_same_with_many(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            browser.get(PAGE)
        return len(captured)

    newcomer(cast, "Olga", "Nueva")
    statements()
    one = statements()
    for number in range(30):
        newcomer(cast, f"Olga{number}", "Nueva")
    assert statements() == one


def test_a_thousand_letters_take_seconds(cast: Cast) -> None:
    with scope(cast.school.id):
        letter = letter_for(cast, newcomer(cast, "Olga", "Nueva"))
        head = queries.letterhead(cast.office)
    begun = time.monotonic()
    pdf = printing.print_letters(cast.school, head, [letter] * 1000, now=NOW)
    assert time.monotonic() - begun < 20
    assert len(pypdfium2.PdfDocument(pdf)) == 1000


def test_how_a_holder_proves_who_she_is() -> None:
    known = Identity("García-Núñez López", None)
    assert proves(known, born_on=None, family_name=" garcia-nunez  lopez ")
    assert proves(known, born_on=None, family_name="LÓPEZ")
    assert not proves(known, born_on=None, family_name="Gar")
    assert not proves(known, born_on=None, family_name="")
    child = Identity("López", TODAY)
    assert proves(child, born_on=TODAY, family_name="")
    assert not proves(child, born_on=None, family_name="López")


def test_which_user_names_are_proposed() -> None:
    assert usernames("Núria", "Ferrer Puig")[:2] == ["nuria.ferrer", "nuria.ferrer2"]
    assert usernames("Al", "Li", "ali@school.example")[0] == "ali"
    assert all(is_username(name) for name in usernames("李", "王"))
    assert not is_username("a@b")
    assert not is_username("1abc")


def test_the_state_of_an_invitation() -> None:
    assert state_of(None, None, NOW) is InvitationState.NONE
    assert state_of(NOW, NOW + timedelta(days=1), NOW) is InvitationState.SENT
    assert state_of(NOW, NOW, NOW) is InvitationState.EXPIRED
