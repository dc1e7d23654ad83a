"""One's own account."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from pupitre.kernel import clock
from pupitre.people import actions, queries
from pupitre.people.access import actor_of, signed_in
from pupitre.people.queries import accounts
from pupitre.web.pages import render, see


@signed_in
def account(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    places = [
        {"school": place.school, "people": [_line(known) for known in place.people]}
        for place in accounts.account_places(actor, clock.now().date())
    ]
    facts = {
        "account": accounts.access_account(actor),
        "email": queries.own_address(actor),
        "unconfirmed": queries.unconfirmed_addresses(actor.account_id),
        "second_factor": queries.has_second_factor(actor),
        "languages": [("", _("as the school writes")), *settings.LANGUAGES],
        "places": places,
        "notices_url": _notices_url(),
    }
    return render(request, "people/account.html", facts)


def _line(known: accounts.Known) -> dict[str, object]:
    return {"id": known.id, "name": known.name, "note": _("You") if known.is_self else _("Your child")}


def _notices_url() -> str:
    """Another context's page, known by its name only."""
    try:
        return reverse("notification-preferences")
    except NoReverseMatch:
        return ""


@signed_in
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("locale", "")
    if chosen in {"", *dict(settings.LANGUAGES)}:
        actions.choose_language(actor_of(request), locale=chosen)
    return see(request, "account")


@signed_in
def second_factor_needed(request: HttpRequest) -> HttpResponse:
    return render(request, "people/second_factor_needed.html")
