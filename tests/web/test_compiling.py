"""Our quicker ways of compiled templates answer what Jinja2's and MarkupSafe's own do."""

from typing import Any

import markupsafe
import pytest
from django.template import engines
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined, pass_context, pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from markupsafe import Markup

from pupitre.web.compiling import PageEnvironment, escaped


class Drawn:
    """Something that says its own markup."""

    def __html__(self) -> str:
        return "<b>bold</b>"


class Named(str):  # noqa: SLOT000 - as somebody else might write it
    """Text of a class of its own."""


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a",
        "<script>&\"'",
        0,
        7,
        -3,
        True,
        False,
        None,
        1.5,
        Markup("<i>x</i>"),
        Drawn(),
        Named("<x>"),
        b"<x>",
        ["<x>"],
    ],
)
def test_values_are_escaped_as_markupsafe_does(value: Any) -> None:
    assert escaped(value) == str(markupsafe.escape(value))


@given(st.text())
def test_any_text_is_escaped_as_markupsafe_does(text: str) -> None:
    assert escaped(text) == str(markupsafe.escape(text))


TEMPLATES = (
    "{{ row.name }}|{{ row['name'] }}|{{ row.missing }}|{{ row.items() | list }}|{{ row.get('name') }}",
    "{% set kept %}<b>{{ row.name }}</b>{% endset %}{{ kept }}{{ kept ~ row.name }}",
    "{% macro cell(x) %}<td>{{ x }}</td>{% endmacro %}{{ cell(row.name) }}{{ cell(cell(row.name)) }}",
    "{% macro box() %}<p>{{ caller() }}</p>{% endmacro %}{% call box() %}{{ row.name }}{% endcall %}",
    "{{ row.name | e }}{{ row.name | safe }}{{ row.name | upper }}{{ [row.name, '<'] | join(', ') }}",
    "{% filter upper %}{{ row.name }}{% endfilter %}{{ drawn }}{{ none }}{{ 3 }}{{ row.values() | first }}",
    "{% for one in [row] %}{{ one.name }}{{ loop.index }}{% endfor %}{% if row.gone is defined %}no{% endif %}",
    "{% autoescape false %}{{ row.name }}{% endautoescape %}{{ row.name }}",
    "{% macro cell(x, y='-') %}{{ x }}{{ y }}{{ kwargs }}{{ varargs }}{% endmacro %}{{ cell(1, 2, 3, z=4) }}",
    "{% for one in [row] %}{{ seen(one.name) }}{{ asks(one.name) }}{{ dict(a=1).a }}{{ plain(one.name, by='!') }}{% endfor %}",
    "{% set n = cycler('a', 'b') %}{{ n.next() }}{{ n.next() }}{{ ends(1) is defined }}",
)


@pass_context
def seen(context: Context, name: str) -> str:
    return f"{name} in {sorted(context.get_all())}"


@pass_eval_context
def asks(asked: EvalContext, name: str) -> str:
    return f"{name} {asked.autoescape}"


def ends(_: int) -> str:
    """As a function whose generator ran dry."""
    raise StopIteration


def plain(name: str, by: str = "") -> str:
    return name + by


@pytest.mark.parametrize("source", TEMPLATES)
def test_templates_render_as_in_a_plain_environment(source: str) -> None:
    functions = {"seen": seen, "asks": asks, "plain": plain, "ends": ends}
    facts = {"row": {"name": "<Ana & Eva>", "keys": "k"}, "drawn": Drawn(), **functions}
    as_ever = Environment(autoescape=True).from_string(source).render(facts)
    assert PageEnvironment(autoescape=True).from_string(source).render(facts) == as_ever


@pytest.mark.parametrize(
    "source", ["{{ _('Late') }}", "{{ _('%(n)s < %(m)s', n='<', m=7) }}", "{{ _('5 %% <b>') }}"]
)
def test_words_are_those_of_jinjas_own_gettext(source: str) -> None:
    env = engines["jinja2"].env  # type: ignore[attr-defined]
    for language in ("es", "de"):
        with translation.override(language):
            for around in ("{}", "{{% autoescape false %}}{}{{% endautoescape %}}"):
                own = env.from_string(around.format(source)).render()
                assert own == env.from_string(around.format(source.replace("_(", "gettext("))).render()


def test_what_a_row_does_not_have_is_undefined_as_ever() -> None:
    strict = PageEnvironment(autoescape=True, undefined=StrictUndefined)
    with pytest.raises(Exception, match="has no attribute 'missing'"):
        strict.from_string("{{ row.missing }}").render(row={})


def test_the_products_templates_are_compiled_so() -> None:
    env = engines["jinja2"].env  # type: ignore[attr-defined]
    assert isinstance(env, PageEnvironment)
    assert env.autoescape is True
    assert "import escaped as escape" in env.compile("{{ x }}", raw=True)
