"""The living page shows every component there is, so that nobody writes one twice."""

import re
from pathlib import Path

import pytest

import pupitre.web

TEMPLATES = Path(str(pupitre.web.__file__)).parent / "templates" / "web"


def components() -> list[str]:
    return re.findall(r"macro ([a-z]\w*)\(", (TEMPLATES / "components.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", components())
def test_a_component_is_on_the_living_page_and_in_the_list_of_signatures(name: str) -> None:
    signatures = (TEMPLATES / "components.html").read_text(encoding="utf-8").split("-#}")[0]
    assert f"{name}(" in signatures
    if name != "logo":  # the frame of every page shows it
        assert re.search(rf"\b{name}\(", (TEMPLATES / "design.html").read_text(encoding="utf-8"))


def test_words_are_never_kept_at_import() -> None:
    """An imported template's top level runs once per process: a word set there would keep the first reader's language."""
    text = (TEMPLATES / "components.html").read_text(encoding="utf-8")
    outside = re.sub(r"\{%-? macro .*?endmacro -?%\}|\{#.*?#\}", "", text, flags=re.DOTALL)
    assert "_(" not in outside
