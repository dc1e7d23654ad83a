"""Six languages, complete: a missing, fuzzy or stale translation fails, and so does one that lost a placeholder."""

import re

import pytest
from django.utils import translation

from house import catalogues
from pupitre.kernel import errors
from pupitre.web.middleware import told

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
EVERY = [(context, language) for context in catalogues.contexts() for language in catalogues.LANGUAGES]


@pytest.mark.parametrize(("context", "language"), EVERY)
def test_a_catalogue_is_complete_and_current(context: str, language: str) -> None:
    assert catalogues.missing(context, language) == []
    assert not catalogues.stale(context, language), "run `make messages`"


@pytest.mark.parametrize(("context", "language"), EVERY)
def test_a_translation_keeps_its_placeholders(context: str, language: str) -> None:
    for message in catalogues.read(context, language):
        if not message.id:
            continue
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        texts = [message.string] if isinstance(message.string, str) else list(message.string)
        known = set(PLACEHOLDER.findall(" ".join(ids)))
        for text in texts:
            assert set(PLACEHOLDER.findall(text)) <= known, message.id
            if len(ids) == 1:
                assert set(PLACEHOLDER.findall(text)) == known, message.id


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_one_text_has_one_translation(language: str) -> None:
    """Django makes one catalogue of them all: where two contexts disagree, one of them is never seen."""
    assert catalogues.disagreements(language) == []


class NotOnSundays(errors.Refused):
    """The school
    is closed on %(day)s.
    """


def test_what_an_error_tells_is_extracted_as_it_is_told() -> None:
    module = '''
class Refused(DomainError):
    "This cannot be done."

class NotOnSundays(rules.Refused):
    """The school
    is closed on %(day)s.
    """

class Silent(Refused):
    pass

class Conflict:
    "A value that only shares an error's name."
'''
    errors_of_all = catalogues.descendants("DomainError", [module, "class Conflict(DomainError):\n    ''"])
    assert errors_of_all == {"DomainError", "Refused", "NotOnSundays", "Silent", "Conflict"}
    assert catalogues.error_messages(module, errors_of_all) == [
        "This cannot be done.",
        "The school is closed on %(day)s.",
    ]
    assert told(NotOnSundays(day="Sunday")) == "The school is closed on Sunday."


def test_every_error_of_the_kernel_is_told_in_the_readers_language() -> None:
    """The kernel is no application of Django's, so its catalogues must be named in the settings."""
    for error in (
        errors.NotFound,
        errors.Denied,
        errors.Conflict,
        errors.Refused,
        errors.Busy,
        errors.TooMany,
    ):
        with translation.override("en"):
            english = told(error())
        for language in catalogues.LANGUAGES:
            with translation.override(language):
                assert told(error()) != english, (error, language)
