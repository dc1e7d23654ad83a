"""Rendering: a page whole, or the one block of it that htmx asked for."""

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import engines
from jinja2 import Environment
from markupsafe import Markup, escape

from .forgery import token_for


def render(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    block: str = "",
) -> HttpResponse:
    """Render a page in its shell, or only `block` of it for htmx: a fragment stays in its page's template."""
    found = environment().get_template(template)
    facts = {**shared(request), **(context or {})}
    if block:
        scope = found.new_context(facts)
        return HttpResponse("".join(found.blocks[block](scope)), status=status)
    return HttpResponse(found.render(facts), status=status)


def shared(request: HttpRequest) -> dict[str, Any]:
    """What every template may use besides its own context."""
    token = token_for(request)
    return {
        "request": request,
        "shell": LazyShell(request),
        "csrf_token": token,
        "csrf_input": Markup('<input type="hidden" name="csrfmiddlewaretoken" value="%s">') % escape(token),
    }


def environment() -> Environment:
    """The pages' Jinja2, for what is rendered outside of a request too: mails, letters."""
    found: Environment = engines["jinja2"].env  # type: ignore[attr-defined]
    return found


class LazyShell:
    """The shell's facts, looked up when a template first asks: a fragment asks for none."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._facts: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._facts is None:
            try:
                self._facts = _provider()(self._request)
            except AttributeError as error:
                # A template takes an AttributeError for "undefined" and would quietly leave the navigation out.
                raise RuntimeError("the shell could not be made") from error
        return getattr(self._facts, name)


@lru_cache(maxsize=1)
def _provider() -> Any:
    """The composition root knows everybody's navigation; pages only name it."""
    module, _, name = settings.SHELL_PROVIDER.rpartition(".")
    return getattr(import_module(module), name)


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asked for a part of the page (and not for the page through a boosted link)."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def see(request: HttpRequest, to: str, **arguments: Any) -> HttpResponse:
    """Answer a form with the page to look at next (303 for a browser, HX-Redirect for htmx)."""
    answer: HttpResponse = redirect(to, **arguments)
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": answer.headers["Location"]})
    answer.status_code = 303
    return answer


__all__ = ["get_messages", "is_fragment", "render", "see", "shared"]
