"""Find words in templates that nobody can translate, because they stand outside of `_()` and `{% trans %}`."""

import re
from collections.abc import Iterator

from jinja2 import Environment, TemplateSyntaxError, nodes

# Names and units are the same in all six languages.
SAME = frozenset(
    {"Pupitre", "PDF", "CSV", "XLSX", "FET", "OneRoster", "QR", "MB", "kB", "min", "px", "ISO", "UTC", "Aa"}
)
READ_ALOUD = ("title", "alt", "placeholder", "aria-label", "aria-description", "aria-roledescription")
MARKS = frozenset({"_", "gettext", "ngettext", "pgettext", "npgettext"})
#: Stands for an expression, whose value is not known here.
_VALUE = "\ue000"
_TAG = re.compile(r"<!--.*?-->|<[/!]?[A-Za-z" + _VALUE + r"](?:\"[^\"]*\"|'[^']*'|[^>\"'])*>", re.DOTALL)
# What lies between these is code, or is chosen by its sound.
_CODE = re.compile(r"<(script|style|code|kbd)\b.*?</\1\s*>", re.DOTALL)
_ATTRIBUTE = re.compile(rf"\s({'|'.join(READ_ALOUD)})\s*=\s*(\"[^\"]*\"|'[^']*')", re.DOTALL)
_WORD = re.compile(r"[^\W\d_" + _VALUE + r"]{2,}")
_NO_WORDS = re.compile(r"&#?\w+;|[\w-]+=(?:\"[^\"]*\"|'[^']*')")  # entities, and what a macro adds to a tag
_TRANS = re.compile(r"(?:end)?(?:trans|blocktrans|blocktranslate)")
_SENTENCE = re.compile(r"[A-ZÀ-Ý][a-zà-ÿ]+(?: |$)")
_ENVIRONMENT = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)


def unmarked(text: str, *, is_html: bool = True, is_sample: bool = False) -> list[tuple[int, str]]:
    """The words of a template that are not marked for translation, each with its line.

    A sample's pupils and rooms have names, which are not translated: what it gives to macros is not judged.
    Raises TemplateSyntaxError.
    """
    plain = _without_templating(text)
    found = list(_in_html(plain)) if is_html else list(_in_text(plain, 0, plain))
    return sorted({*found, *([] if is_sample else _in_expressions(text))})


def _without_templating(text: str) -> str:
    """The template's own text, with as many lines: expressions become one sign, tags, comments and trans blocks nothing."""
    kept, tag, is_trans = [], "", False
    for _line, kind, value in _ENVIRONMENT.lex(text):
        if kind == "block_begin":
            tag = ""
        elif kind == "name" and not tag:
            tag = value
            if _TRANS.fullmatch(tag):
                is_trans = not tag.startswith("end")
        if kind == "data" and not is_trans:
            kept.append(value)
        else:
            kept.append("\n" * value.count("\n") + (_VALUE if kind == "variable_begin" else ""))
    return "".join(kept)


def _in_html(plain: str) -> Iterator[tuple[int, str]]:
    plain = _CODE.sub(lambda found: "\n" * found[0].count("\n"), plain)
    end = 0
    for tag in _TAG.finditer(plain):
        yield from _in_text(plain, end, plain[end : tag.start()])
        end = tag.end()
    yield from _in_text(plain, end, plain[end:])
    for attribute in _ATTRIBUTE.finditer(plain):
        yield from _in_text(plain, attribute.start(2), attribute[2])


def _in_text(whole: str, start: int, text: str) -> Iterator[tuple[int, str]]:
    text = _NO_WORDS.sub(lambda found: " " * len(found[0]), text)
    first = next((word for word in _WORD.finditer(text) if word[0] not in SAME), None)
    if first is not None:
        shown = " ".join(text[first.start() :].replace(_VALUE, "…").split())
        yield whole.count("\n", 0, start + first.start()) + 1, shown[:60].rstrip("\"'")


def _in_expressions(text: str) -> Iterator[tuple[int, str]]:
    """Strings given to a macro that look like words for a person: they begin with a capital."""
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError:  # a template of Django's own kind: its text was looked at
        return
    marked = {
        id(const)
        for call in tree.find_all(nodes.Call)
        if _is_mark(call)
        for const in call.find_all(nodes.Const)
    }
    for call in tree.find_all(nodes.Call):
        for value in (*call.args, *(keyword.value for keyword in call.kwargs)):
            for const in [value] if isinstance(value, nodes.Const) else value.find_all(nodes.Const):
                said = const.value
                if (
                    id(const) not in marked
                    and isinstance(said, str)
                    and _SENTENCE.match(said)
                    and said not in SAME
                ):
                    yield const.lineno, said[:60]


def _is_mark(call: nodes.Call) -> bool:
    return isinstance(call.node, nodes.Name) and call.node.name in MARKS
