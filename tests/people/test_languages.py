"""Letters, e-mails and pages speak the reader's language."""

import pypdfium2
import pytest
from django.core import mail
from django.test import Client

from pupitre.people import printing
from pupitre.people.queries import invitations as queries
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast
from tests.people.arrange import letter_for, newcomer

GREETINGS = {
    "es": ("Iniciar sesión", "Su código", "Elija una contraseña nueva"),
    "ca": ("Iniciar la sessió", "El vostre codi", "Trieu una contrasenya nova"),
    "fr": ("Se connecter", "Votre code", "Choisissez un nouveau mot de passe"),
    "de": ("Anmelden", "Ihr Code", "Wählen Sie ein neues Passwort"),
    "en": ("Sign in", "Your code", "Choose a new password"),
    "pt": ("Iniciar sessão", "O seu código", "Escolha uma nova palavra-passe"),
}


@pytest.mark.parametrize("language", GREETINGS)
def test_the_sign_in_speaks_it(cast: Cast, language: str) -> None:
    page = Client().get("/account/login/", headers={"Accept-Language": language}).content.decode()
    assert f"<h1>{GREETINGS[language][0]}</h1>" in page


@pytest.mark.parametrize("language", GREETINGS)
def test_a_letter_speaks_its_recipients(cast: Cast, language: str) -> None:
    letter = letter_for(cast, newcomer(cast, "Olga", "Nueva", locale=language))
    with scope(cast.school.id):
        pdf = printing.print_letters(cast.school, queries.letterhead(cast.office), [letter], now=NOW)
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    assert GREETINGS[language][1] in document[0].get_textpage().get_text_bounded()


@pytest.mark.parametrize("language", GREETINGS)
def test_an_e_mail_speaks_it(cast: Cast, language: str) -> None:
    Client().post(
        "/account/password/reset/", {"email": "mara@familia.example"}, headers={"Accept-Language": language}
    )
    assert mail.outbox[0].subject == f"[Pupitre] {GREETINGS[language][2]}"
