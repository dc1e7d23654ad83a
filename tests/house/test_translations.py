"""Six languages, complete: a missing, fuzzy or stale translation fails, and so does one that lost a placeholder."""

import re

import pytest

from house import catalogues

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
