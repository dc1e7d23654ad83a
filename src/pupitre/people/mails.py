"""E-mails about accounts that are not allauth's."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from pupitre.tenancy.rules import SchoolFacts

from .printing import activation_url

if TYPE_CHECKING:
    from .actions.invitations import Letter


def send_link(school: SchoolFacts, letter: "Letter") -> None:
    """The link with the code, in the recipient's language."""
    with translation.override(letter.recipient.locale):
        facts = {
            "school": school,
            "name": letter.recipient.name,
            "link": activation_url(school, letter.code),
            "expires_at": letter.expires_at,
        }
        subject = " ".join(render_to_string("people/activation_mail_subject.txt", facts).split())
        body = render_to_string("people/activation_mail.txt", facts).strip()
    EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [letter.recipient.email]).send()
