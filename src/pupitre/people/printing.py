"""Letters and cards as accessible PDF (PDF/UA-1)."""

import io
import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse
from django.utils import formats, translation
from django.utils.translation import gettext as _

from pupitre.kernel import clock
from pupitre.tenancy.rules import SchoolFacts
from pupitre.web.jinja import icon
from pupitre.web.typesetting import typeset

from .rules.cards import PICTURES
from .rules.grades import grade_label
from .wording import grade_in_words

if TYPE_CHECKING:
    from .actions.cards import Card
    from .actions.invitations import Letter
    from .queries.invitations import Letterhead

LETTERS = Path(__file__).parent / "letters"


def activation_url(school: SchoolFacts, code: str) -> str:
    return f"{settings.CONFIG.base_url}{reverse('activation', kwargs={'school': school.slug})}?code={code}"


def card_url(school: SchoolFacts, token: str) -> str:
    return f"{settings.CONFIG.base_url}{reverse('card', kwargs={'school': school.slug, 'token': token})}"


def print_letters(
    school: SchoolFacts, head: "Letterhead", letters: Sequence["Letter"], *, now: datetime
) -> bytes:
    """One page a letter, each in its recipient's language."""
    pages = [_letter(school, letter, now) for letter in letters]
    contact: list[str] = [line for line in (*head.address.splitlines(), head.phone, head.email) if line]
    with translation.override(school.locale):
        title = _("Letters with activation codes")
    facts = {
        "title": title,
        "lang": school.locale,
        "school": head.name,
        "contact": contact or [" "],
        "letters": pages,
    }
    return typeset(LETTERS / "invitation.typ", facts)


def _letter(school: SchoolFacts, letter: "Letter", now: datetime) -> dict[str, Any]:
    to, link = letter.recipient, activation_url(school, letter.code)
    with translation.override(to.locale):
        today, last = (
            formats.date_format(clock.local(instant, school.time_zone), "DATE_FORMAT")
            for instant in (now, letter.expires_at)
        )
        return {
            "lang": to.locale,
            "name": to.name,
            "via": _("%(school)s – to be handed over in person") % {"school": school.name},
            "lines": [*to.pupils, *([grade_in_words(to.grade, school.country)] if to.grade else [])],
            "date": today,
            "subject": _("A new password for your account") if to.account_id else _("Your account at school"),
            "greeting": _("Good day, %(name)s,") % {"name": to.name},
            "intro": _(
                "our school uses Pupitre: timetable, absences and notices in one place, on the phone or the computer. "
                "With this code you open your account."
            )
            if not to.account_id
            else _("with this code you choose a new password for your account."),
            "code": letter.code,
            "code_label": _("Your code"),
            "address": link.partition("?")[0].partition("://")[2],
            "address_label": _("Address"),
            "qr": _qr(link),
            "qr_alt": _("QR code that leads to the address with your code"),
            "steps_title": _("In three steps"),
            "steps": [
                _("Scan the picture with your phone, or open the address and enter the code."),
                _("Answer the question by which we know that it is you."),
                _("Choose your user name and your password. That is all."),
            ],
            "expiry": _(
                "The code works once, until %(date)s. Do you already have an account in another school? "
                "Sign in with it first, then enter the code: both schools will be in one place."
            )
            % {"date": last},
            "warning": _(
                "Do not give this letter to anybody. Nobody of the school will ask you for the code."
            ),
            "closing": _("With kind regards"),
        }


def print_cards(school: SchoolFacts, cards: Sequence["Card"], *, with_pictures: bool) -> bytes:
    """Eight cards a page, then the teacher's sheet. `with_pictures` prints the secret on the cards, too."""
    with translation.override(school.locale):
        words = picture_words()
        facts: dict[str, Any] = {
            "title": _("Class cards"),
            "lang": school.locale,
            "school": school.name,
            "hint": _("Scan the picture. Then choose your three pictures."),
            "qr_alt": _("QR code of the card"),
            "sheet_title": _("The pictures, for the teacher"),
            "sheet_text": _(
                "Keep this sheet apart from the cards. Whoever has a card and knows its pictures signs in as the pupil."
            ),
            "pupil_label": _("Pupil"),
            "pictures": {name: {"svg": _picture(name), "word": words[name]} for name in PICTURES},
        }
    facts["cards"] = [
        {
            "given": card.given_name,
            "family": card.family_name,
            "grade": grade_label(card.grade, school.country),
            "qr": _qr(card_url(school, card.token)),
            "secret": card.pictures,
            "shown": card.pictures if with_pictures else [],
        }
        for card in cards
    ]
    return typeset(LETTERS / "cards.typ", facts)


def picture_words() -> dict[str, str]:
    """What each picture is called, in the current language."""
    words = {
        "apple": _("apple"),
        "bird": _("bird"),
        "bike": _("bicycle"),
        "cat": _("cat"),
        "fish": _("fish"),
        "flower": _("flower"),
        "house": _("house"),
        "key": _("key"),
        "moon": _("moon"),
        "star": _("star"),
        "sun": _("sun"),
        "umbrella": _("umbrella"),
    }
    return {name: words[name] for name in PICTURES}


@lru_cache(maxsize=16)
def _picture(name: str) -> str:
    # On a page the style sheet draws icons; on paper the drawing must say so itself.
    strokes = (
        '<svg fill="none" stroke="#1d3a34" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" '
    )
    kept = re.sub(
        r' (?:fill|stroke|stroke-width|stroke-linecap|stroke-linejoin|class)="[^"]*"', "", str(icon(name, 24))
    )
    return kept.replace("<svg ", strokes, 1)


def _qr(text: str) -> str:
    import segno

    written = io.BytesIO()
    # A fixed mask: choosing the best of eight costs nine tenths of the time, and scanners read all of them.
    code = segno.make(text, error="m", mask=3, boost_error=False, micro=False)
    code.save(written, kind="svg", xmldecl=False, border=2, omitsize=True)
    return written.getvalue().decode()
