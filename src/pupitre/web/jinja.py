"""The Jinja2 environment of all pages: what a template may call."""

import re
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.templatetags.static import static
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import get_language, gettext, ngettext, npgettext, pgettext, pgettext_lazy
from jinja2 import Environment, pass_context, pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from lucide import IconDoesNotExist
from lucide.jinja import lucide as lucide_icon
from markupsafe import Markup

from pupitre.kernel.text import initials

from .compiling import PageEnvironment

#: Avatars have so many colours; which one follows from the person's id.
HUES = 8


def environment(**options: Any) -> Environment:
    """What `settings.TEMPLATES` names. `i18n` extracts `{% trans %}` and `_()`; gettext is Django's own."""
    env = PageEnvironment(  # Django's backend passes autoescape=True
        **options, extensions=["jinja2.ext.i18n", "jinja2.ext.do"], trim_blocks=True, lstrip_blocks=True
    )
    install = env.install_gettext_callables  # type: ignore[attr-defined]
    install(gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext)
    env.policies["ext.i18n.trimmed"] = True
    env.globals.update(
        _=translated,
        static=cached_static,
        url=url,
        icon=icon,
        hues=HUES,
        icon_sheet=icon_sheet,
        icon_again=icon_again,
        kept=lambda name, *facts: _kept(env, get_language(), name, *facts),
        get_messages=get_messages,
        get_language=get_language,
        fragment_of=fragment_of,
        weekday_and_day=weekday_and_day,
    )
    env.filters.update(
        date=dated,
        time=hours_and_minutes,
        local=lambda value, zone: timezone.localtime(value, zone_of(zone)),
        number=number,
        initials=initials,
    )
    return env


@pass_eval_context
def translated(asked: EvalContext, text: str, /, **facts: Any) -> str:
    """`_()` in templates: the text in the reader's language, with its facts. Jinja2's own way takes thrice as long."""
    if not asked.autoescape:
        return gettext(text) % facts
    said = _said(get_language(), text)
    return said[0] % facts if facts else said[1]


@lru_cache(maxsize=16384)
def _said(language: str | None, text: str) -> tuple[Markup, Markup]:
    """The translation that facts go into, and the one without any: both are formats, as in gettext of Jinja2."""
    said = Markup(gettext(text))  # noqa: S704 - our own words
    return said, said % {} if "%(" not in said else said


def dated(value: Any, style: str = "DATE_FORMAT") -> str:
    """A date in one of Django's formats. Some languages' lists of weekdays mix "Dv" with "ds.": all begin alike here."""
    if not value:
        return ""
    if isinstance(value, datetime):
        value = value.replace(
            tzinfo=None
        )  # of two zones' equal moments each is written by its own clock; no style names it
    return _dated(value, style, get_language() or "en")


@lru_cache(maxsize=8192, typed=True)
def _dated(value: Any, style: str, language: str) -> str:
    """A page has twenty dates, and the same ones for everybody."""
    text = str(formats.date_format(value, _in_order(style, language)))
    if style.startswith("D "):
        text = text.replace(". ", " ", 1)
    return text[:1].upper() + text[1:] if style[:1] in "Dl" else text


@lru_cache(maxsize=256)
def _in_order(style: str, language: str) -> str:
    """The style with its long day and month as the language writes them: "21. November", "21 de novembre"."""
    if language.startswith("en"):  # whose long formats put the month first, and shorten it
        return style
    whole = style.replace("j F Y", formats.get_format("DATE_FORMAT", language))
    return whole.replace("j F", formats.get_format("MONTH_DAY_FORMAT", language))


#: Django's "E": the month after a day. Its Catalan lacks the preposition; the catalogue of this context has it.
MONTHS_AFTER_A_DAY = (
    pgettext_lazy("alt. month", "January"),
    pgettext_lazy("alt. month", "February"),
    pgettext_lazy("alt. month", "March"),
    pgettext_lazy("alt. month", "April"),
    pgettext_lazy("alt. month", "May"),
    pgettext_lazy("alt. month", "June"),
    pgettext_lazy("alt. month", "July"),
    pgettext_lazy("alt. month", "August"),
    pgettext_lazy("alt. month", "September"),
    pgettext_lazy("alt. month", "October"),
    pgettext_lazy("alt. month", "November"),
    pgettext_lazy("alt. month", "December"),
)


def number(value: Any, digits: int | None = None) -> str:
    """A number as the language writes it, in groups of thousands from ten thousand on."""
    return _number(value, digits, get_language() or "en")


@lru_cache(maxsize=16384, typed=True)
def _number(value: Any, digits: int | None, _language: str) -> str:
    """Django's formatter looks up five formats each time; a page of figures has a hundred, and percentages come again."""
    return formats.number_format(value, digits, force_grouping=abs(value) >= 10_000)


def hours_and_minutes(value: Any) -> str:
    """The time of day as 08:05, in every language. Django's formatter takes 15 times as long, and a day has thirty times."""
    return f"{value.hour:02}:{value.minute:02}" if value is not None and value != "" else ""


def weekday_and_day(value: Any) -> str:
    """A date or moment as "Tuesday, October 13", the day in each language's own order."""
    if not value:
        return ""
    return f"{dated(value, 'l')}, {formats.date_format(value, 'MONTH_DAY_FORMAT')}"


@lru_cache(maxsize=4096, typed=True)
def url(name: str, **arguments: object) -> str:
    """The address of a page. Addresses do not change while a process lives; making one costs 40 µs, and a page has many."""
    return reverse(name, kwargs=arguments or None)


@lru_cache(maxsize=512)
def _static(path: str) -> str:
    return static(path)


def cached_static(path: str) -> str:
    """The address of an asset. Hashed names do not change while a process lives, so they are looked up once."""
    return static(path) if settings.DEBUG else _static(path)


@lru_cache(maxsize=512)
def icon(name: str, size: int = 20) -> Markup:
    """An inline SVG of the lucide set, hidden from screen readers: the words beside it say the same."""
    try:
        drawn = lucide_icon(name, size=size, **{"aria_hidden": "true", "focusable": "false", "class": "icon"})
    except IconDoesNotExist as error:
        raise KeyError(f"there is no icon {name!r} in the lucide set") from error
    return Markup(_slim(str(drawn)))  # noqa: S704 - the library's own drawing, with our constants


def _slim(drawn: str) -> str:
    """The drawing without what the style sheet says of every icon: a page has twenty of them."""
    for attribute in ('fill="none"', 'stroke="currentColor"', 'stroke-width="2"', 'stroke-linecap="round"'):
        drawn = drawn.replace(f" {attribute}", "", 1)
    drawn = drawn.replace(' stroke-linejoin="round"', "", 1)
    return re.sub(r"\s*(/?>)\s*", r"\1", drawn)


@lru_cache(maxsize=64)
def icon_sheet(*names: str) -> Markup:
    """Icons that a long list shows in each row, drawn once: `icon_again(name)` shows one. Stands anywhere in the page."""
    drawn = ((name, str(icon(name))) for name in names)
    symbols = (
        f'<symbol id="i-{name}" viewBox="0 0 24 24">{text[text.index(">") + 1 : text.rindex("</svg>")]}</symbol>'
        for name, text in drawn
    )
    return Markup(f"<div hidden><svg>{''.join(symbols)}</svg></div>")  # noqa: S704 - the library's own drawings


@lru_cache(maxsize=512)
def icon_again(name: str, size: int = 20) -> Markup:
    """An icon of the page's `icon_sheet`."""
    return Markup(  # noqa: S704 - our constants
        f'<svg width="{size}" height="{size}" aria-hidden="true" class="icon"><use href="#i-{name}"/></svg>'
    )


@lru_cache(maxsize=2048)
def _kept(env: Environment, language: str, name: str, *facts: Any) -> Markup:
    """A macro of web/frame.html, drawn once for a language and its facts: readers of a school share it."""
    drawn: Markup = getattr(env.get_template("web/frame.html").module, name)(*facts)
    return drawn


@lru_cache(maxsize=64)
def zone_of(name: str) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


@pass_context
def fragment_of(context: Context, name: str) -> bool:
    """Whether htmx asked for just this block."""
    request = context.get("request")
    return bool(request) and request.headers.get("HX-Target") == name
