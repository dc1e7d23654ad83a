"""Sign-in by a school's identity provider: the doors, the office's pages, and the page of one's own ways in."""

from collections.abc import Callable
from typing import Any

import requests
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.account.views import LoginView
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from pupitre.connections import upstream
from pupitre.connections.actions import identity as actions
from pupitre.connections.actions import tools as tool_actions
from pupitre.connections.onward import onward
from pupitre.connections.outside import read_document
from pupitre.connections.queries import identity as queries
from pupitre.connections.queries import tools as tool_queries
from pupitre.connections.rules.identity import (
    BadMetadata,
    MatchBy,
    ProviderFacts,
    ProviderKind,
    domains_of,
    issuer_of,
)
from pupitre.connections.rules.metadata import read_metadata
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError, NotFound
from pupitre.people import queries as people
from pupitre.people.access import actor_of, only, signed_in
from pupitre.people.rules import OFFICE, Actor
from pupitre.people.sign_in import count_attempt
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope
from pupitre.web.middleware import told
from pupitre.web.pages import render, see

KINDS = (
    (ProviderKind.GOOGLE, gettext_lazy("Google Workspace")),
    (ProviderKind.MICROSOFT, gettext_lazy("Microsoft Entra (365)")),
    (ProviderKind.OIDC, gettext_lazy("Another one by OpenID Connect")),
    (ProviderKind.SAML, gettext_lazy("Another one by SAML 2.0")),
)
MATCHES = (
    (MatchBy.EMAIL, gettext_lazy("By the confirmed e-mail address, which stands in the roster, too")),
    (MatchBy.SOURCED_ID, gettext_lazy("By the roster’s identifier (sourcedId), told in a claim")),
    (MatchBy.USERNAME, gettext_lazy("By the roster’s user name, told in a claim")),
)


def _options(choices: tuple[tuple[Any, Any], ...]) -> list[tuple[str, Any]]:
    """As a form's field sends them: what was chosen comes back as text."""
    return [(str(one.value), label) for one, label in choices]


#: A whole school begins at eight from one address; each may cost a question to the provider.
_RATES = "600/m/ip"
#: What allauth runs into where a provider's answer is not of the protocol's form. SyntaxError is lxml's.
_NOT_AS_SAID: tuple[type[Exception], ...] = (
    PermissionDenied,
    ImproperlyConfigured,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    SyntaxError,
)


class SignIn(LoginView):  # type: ignore[misc]
    """The sign-in page; with `?school=` it offers that school's own ways in, too."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, **_entrances(self.request)}


def _entrances(request: HttpRequest) -> dict[str, Any]:
    slug = request.GET.get("school") or request.POST.get("school") or ""
    try:
        school = tenancy.access_school(slug) if slug and "\0" not in slug else None
    except NotFound:
        school = None
    entrances = queries.entrances_of(school) if school else []
    return {"own_school": school, "entrances": entrances, "finder_url": reverse("school-finder")}


def finder(request: HttpRequest) -> HttpResponse:
    """Where is my school's sign-in? By an e-mail address, of which only the domain is looked at, or by name."""
    words = request.GET.get("q", "").replace("\0", "")[:200]
    context = {"words": words, "schools": queries.schools_called(words), "then": request.GET.get("next", "")}
    return render(request, "connections/school_finder.html", context)


def _provider(key: str) -> ProviderFacts:
    found = queries.find_provider(key)
    if found is None:
        raise NotFound
    return found


@require_POST
@never_cache
def entrance(request: HttpRequest, key: str) -> HttpResponse:
    """Go and sign in there."""
    provider = _provider(key)
    count_attempt(request, "entrance", _RATES)
    to = upstream.begin(request, provider, process=AuthProcess.LOGIN, then=request.POST.get("next", ""))
    return onward(request, to, provider.name)


@signed_in
@require_POST
@never_cache
def connection(request: HttpRequest, key: str) -> HttpResponse:
    """Go there to show who one is, so that one's account is opened by it from then on."""
    provider = _provider(key)
    school = tenancy.school_by_id(provider.school_id)
    with scope(school.id, account=actor_of(request).account_id):
        if not people.actor_in(request.user, school, clock.today(school.time_zone)).roles:  # type: ignore[arg-type]
            raise NotFound
    raise_if_reauthentication_required(request, app="allauth.socialaccount")
    to = upstream.begin(request, provider, process=AuthProcess.CONNECT, then="")
    return onward(request, to, provider.name)


@never_cache
def callback(request: HttpRequest, key: str) -> HttpResponse:
    """Back from an OpenID provider."""
    provider = _provider(key)
    if provider.kind is ProviderKind.SAML:
        raise NotFound
    view = OAuth2CallbackView.adapter_view(upstream.SchoolOidcAdapter(request, key))
    return _answered(request, provider, lambda: view(request))


def _answered(request: HttpRequest, provider: ProviderFacts, run: Callable[[], HttpResponse]) -> HttpResponse:
    """What allauth answers; where the provider's is not what the protocol says, the page that nobody came in.

    Who comes in so is signed in until the browser is closed: nobody was asked whether the device is her own.
    """
    was_out = not request.user.is_authenticated
    wrong = (*_NOT_AS_SAID, *upstream.saml_errors(provider))
    try:
        answer = run()
    except wrong:
        return upstream.failed(request, provider.school_id, _("The sign-in was not finished. Try again."))
    if was_out and request.session.session_key:
        request.session.set_expiry(0)
    return answer


@csrf_exempt
@never_cache
def saml_acs(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Back from a SAML provider, with its word in a form."""
    return _saml(request, organization_slug, "acs")


@never_cache
def saml_finish(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """The same browser, which now shows its session."""
    return _saml(request, organization_slug, "finish_acs")


@never_cache
def saml_metadata(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """What the provider's administrator enters there."""
    return _saml(request, organization_slug, "metadata")


def no_single_logout(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Allauth wants an address for it. A sign-out there does not end the session here."""
    raise NotFound


def _saml(request: HttpRequest, key: str, name: str) -> HttpResponse:
    provider = _provider(key)
    if provider.kind is not ProviderKind.SAML:
        raise NotFound
    from allauth.socialaccount.providers.saml import (
        views,
    )  # xmlsec takes its time to load, and most never need it

    return _answered(request, provider, lambda: getattr(views, name)(request, organization_slug=key))


@only(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def providers(request: HttpRequest, school: str) -> HttpResponse:
    """The school's identity providers; POST adds one."""
    if request.method != "POST":
        return _list(request, school)
    try:
        row = actions.add_provider(actor_of(request), _form(request), now=clock.now())
    except DomainError as error:
        return _list(request, school, problem=told(error), form=request.POST, status=error.status)
    messages.success(request, _("The sign-in page offers it from now on."))
    return see(request, "identity-provider", school=school, provider=row.pk)


def _form(request: HttpRequest) -> actions.ProviderForm:
    sent = {name: value.replace("\0", "") for name, value in request.POST.items() if isinstance(value, str)}
    kind = ProviderKind(_number(sent.get("kind"), ProviderKind))
    match_by = MatchBy(_number(sent.get("match_by"), MatchBy))
    return actions.ProviderForm(
        kind=kind,
        name=sent.get("name", ""),
        issuer="" if kind is ProviderKind.SAML else issuer_of(kind, sent.get("issuer", "")),
        client_id=sent.get("client_id", ""),
        secret=sent.get("secret", ""),
        domains=domains_of(sent.get("domains", "")),
        match_by=match_by,
        claim=sent.get("claim", ""),
        saml=_saml_facts(sent) if kind is ProviderKind.SAML else None,
    )


def _number(text: str | None, known: Any) -> int:
    values = [one.value for one in known]
    return int(text) if text in {str(value) for value in values} and text else int(values[0])


def _saml_facts(sent: dict[str, str]) -> dict[str, str] | None:
    """Of the metadata given now, as an address or as a document; None where none was given: what is known stays."""
    url, document = sent.get("metadata_url", "").strip(), sent.get("metadata", "").strip()
    if document:
        return read_metadata(document)
    if not url:
        return None
    try:
        return {**read_metadata(read_document(url)), "metadata_url": url}
    except requests.RequestException:
        raise BadMetadata from None


def _list(request: HttpRequest, school: str, *, status: int = 200, **more: Any) -> HttpResponse:
    actor = actor_of(request)
    context = {
        "school": school,
        "providers": queries.providers_for(actor),
        "kinds": _options(KINDS),
        "kind_names": dict(KINDS),
        "matches": _options(MATCHES),
        "form": {},
        "sign_in_url": f"{settings.CONFIG.base_url}{reverse('account_login')}?school={school}",
        **more,
    }
    return render(request, "connections/identity.html", context, status=status)


@only(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def provider(request: HttpRequest, school: str, provider: int) -> HttpResponse:
    """One of them: what its administrator needs to know, who signs in by it, and what to change."""
    actor = actor_of(request)
    problem, status = "", 200
    if request.method == "POST":
        try:
            actions.change_provider(actor, provider, _form(request))
        except NotFound:
            raise
        except DomainError as error:
            problem, status = told(error), error.status
        else:
            messages.success(request, _("Saved."))
            return see(request, "identity-provider", school=school, provider=provider)
    line = queries.access_provider(actor, provider)
    context = {
        "school": school,
        "zone": actor.place.time_zone,
        "provider": line,
        "links": queries.links_of(actor, provider),
        "kinds": _options(KINDS),
        "matches": _options(MATCHES),
        "problem": problem,
        "form": request.POST if problem else _shown(line),
        **_addresses(line),
    }
    return render(request, "connections/identity_provider.html", context, status=status)


def _shown(line: queries.ProviderLine) -> dict[str, str]:
    issuer = line.issuer
    if line.kind is ProviderKind.MICROSOFT:
        issuer = issuer.removeprefix("https://login.microsoftonline.com/").removesuffix("/v2.0")
    return {
        "kind": str(line.kind.value),
        "name": line.name,
        "issuer": issuer,
        "client_id": line.client_id,
        "domains": " ".join(line.domains),
        "match_by": str(line.match_by.value),
        "claim": line.claim,
        "metadata_url": line.saml.get("metadata_url", ""),
    }


def _addresses(line: queries.ProviderLine) -> dict[str, Any]:
    if line.kind is not ProviderKind.SAML:
        return {"is_saml": False, "redirect_uri": upstream.callback_url(line.key)}
    base = settings.CONFIG.base_url
    return {
        "is_saml": True,
        "metadata_address": upstream.saml_entity(line.key),
        "acs_address": base + reverse("saml_acs", args=[line.key]),
    }


@only(*OFFICE)
@require_POST
def removal(request: HttpRequest, school: str, provider: int) -> HttpResponse:
    """Nobody signs in by it any more."""
    actions.remove_provider(actor_of(request), provider)
    messages.success(request, _("Nobody signs in by it any more."))
    return see(request, "identity-providers", school=school)


@only(*OFFICE)
@require_POST
def link_end(request: HttpRequest, school: str, provider: int, link: int) -> HttpResponse:
    """One person's way in by it ends; the next time the rule recognises her anew."""
    actions.cut_link(actor_of(request), link)
    messages.success(request, _("The link is cut."))
    return see(request, "identity-provider", school=school, provider=provider)


@signed_in
def own(request: HttpRequest) -> HttpResponse:
    """One's own ways in, and the tools that may know one."""
    places = []
    account_id = actor_of(request).account_id
    for place in people.places_for(account_id, clock.now().date()):
        actor = Actor(account_id, place.school, place.person_id, place.roles)
        with scope(place.school.id, account=account_id):
            links, grants = queries.own_links(actor), tool_queries.own_grants(actor)
        if links or grants:
            places.append({"school": place.school, "links": links, "grants": grants})
    return render(request, "connections/own_identity.html", {"places": places, "several": len(places) > 1})


@require_POST
def own_link_end(request: HttpRequest, school: str, link: int) -> HttpResponse:
    """One's account is not opened by it any more."""
    actor = actor_of(request)
    actions.cut_link(Actor(actor.account_id, actor.school, actor.person_id), link)
    messages.success(request, _("Your account is not opened by it any more."))
    return see(request, "account-identity")


@require_POST
def own_grant_end(request: HttpRequest, school: str, grant: int) -> HttpResponse:
    """A tool may know one no more."""
    tool_actions.withdraw(actor_of(request), grant)
    messages.success(request, _("The tool is told nothing of you any more."))
    return see(request, "account-identity")
