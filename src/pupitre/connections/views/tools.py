"""The office's pages of tools, and the doors by which people sign in to one."""

from typing import Any

from allauth.idp.oidc import views as allauth
from allauth.idp.oidc.internal.oauthlib.server import get_server
from allauth.idp.oidc.internal.oauthlib.utils import extract_params
from allauth.idp.oidc.internal.resources import get_resources
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, ConsentRequired, FatalClientError, OAuth2Error

from pupitre.connections.actions import tools as actions
from pupitre.connections.onward import onward
from pupitre.connections.queries import tools as queries
from pupitre.connections.rules.keys import school_of
from pupitre.connections.rules.tools import NotForYou, ToolFacts, ToolScope, asks_first
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError, NotFound
from pupitre.people import queries as people
from pupitre.people.access import actor_of, only
from pupitre.people.rules import OFFICE, Actor, Role, needs_second_factor
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope
from pupitre.web.middleware import told
from pupitre.web.pages import render, see

#: Who may use a tool, in the plural that a form asks with.
GROUPS = (
    (Role.HEAD, gettext_lazy("Head")),
    (Role.SECRETARY, gettext_lazy("Office")),
    (Role.TEACHER, gettext_lazy("Teachers")),
    (Role.AIDE, gettext_lazy("Aides")),
    (Role.COUNSELLOR, gettext_lazy("Counsellors")),
    (Role.NURSE, gettext_lazy("Nurses")),
    (Role.PUPIL, gettext_lazy("Pupils")),
    (Role.GUARDIAN, gettext_lazy("Families")),
)
SCOPES = (
    (ToolScope.PROFILE, gettext_lazy("Name and user name"), gettext_lazy("And the language of the account.")),
    (ToolScope.EMAIL, gettext_lazy("E-mail"), gettext_lazy("Only an address that its owner has confirmed.")),
    (
        ToolScope.SCHOOL,
        gettext_lazy("School, roles and classes"),
        gettext_lazy("With the roster's identifiers."),
    ),
)
#: What the page that asks says of each.
ASKED = {
    ToolScope.OPENID: gettext_lazy("a name for you that only this tool knows"),
    ToolScope.PROFILE: gettext_lazy("your name, your user name and your language"),
    ToolScope.EMAIL: gettext_lazy("your confirmed e-mail address"),
    ToolScope.SCHOOL: gettext_lazy("your school, what you are there, and your classes"),
}


@only(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def tools(request: HttpRequest, school: str) -> HttpResponse:
    """The school's tools; POST makes one, whose secret the answer shows and no page ever again."""
    if request.method != "POST":
        return _page(request, school)
    form = _form(request)
    try:
        row, secret = actions.make_tool(actor_of(request), **form, now=clock.now())
    except DomainError as error:
        return _page(request, school, problem=told(error), form=form, status=error.status)
    return _unkept(_page(request, school, secret=secret, new=row))


def _form(request: HttpRequest) -> dict[str, Any]:
    sent = request.POST
    known_roles, known_scopes = {str(role.value) for role, _label in GROUPS}, {one for one, *_more in SCOPES}
    return {
        "name": sent.get("name", "").replace("\0", ""),
        "addresses": sent.get("addresses", "").replace("\0", ""),
        "roles": [Role(int(one)) for one in sent.getlist("role") if one in known_roles],
        "scopes": [ToolScope(one) for one in sent.getlist("scope") if one in known_scopes],
        "is_trusted": "is_trusted" in sent,
        "is_public": "is_public" in sent,
    }


def _page(request: HttpRequest, school: str, *, status: int = 200, **more: Any) -> HttpResponse:
    actor = actor_of(request)
    lines = queries.tools_for(actor)
    context = {
        "school": school,
        "zone": actor.place.time_zone,
        "open": [line for line in lines if line.revoked_at is None],
        "ended": [line for line in lines if line.revoked_at is not None],
        "groups": GROUPS,
        "scopes": SCOPES,
        "issuer": settings.CONFIG.base_url,
        "form": {"name": "", "addresses": "", "roles": (), "scopes": (ToolScope.PROFILE,)},
        "new": None,
        **more,
    }
    return render(request, "connections/tools.html", context, status=status)


def _unkept(answer: HttpResponse) -> HttpResponse:
    answer.headers["Cache-Control"] = "no-store"
    return answer


@only(*OFFICE)
def tool(request: HttpRequest, school: str, tool: int) -> HttpResponse:
    """One tool: its facts for its administrator, and who signed in when."""
    return _tool(request, school, tool)


def _tool(request: HttpRequest, school: str, tool_id: int, secret: str = "") -> HttpResponse:
    actor = actor_of(request)
    line = queries.access_tool(actor, tool_id)
    labels = {one.value: label for one, label, _help in SCOPES}
    context = {
        "school": school,
        "zone": actor.place.time_zone,
        "tool": line,
        "uses": queries.uses_of(actor, tool_id),
        "issuer": settings.CONFIG.base_url,
        "groups": [label for role, label in GROUPS if role in line.roles],
        "told": [labels[one] for one in line.scopes if one in labels],
        "secret": secret,
    }
    return render(request, "connections/tool.html", context)


@only(*OFFICE)
@require_POST
def secret(request: HttpRequest, school: str, tool: int) -> HttpResponse:
    """A new secret, shown in the answer and never again."""
    _row, fresh = actions.renew_secret(actor_of(request), tool)
    return _unkept(_tool(request, school, tool, fresh))


@only(*OFFICE)
@require_POST
def revocation(request: HttpRequest, school: str, tool: int) -> HttpResponse:
    """Nobody signs in there any more."""
    actions.revoke_tool(actor_of(request), tool, now=clock.now())
    messages.success(request, _("Nobody can sign in to the tool any more."))
    return see(request, "tools", school=school)


def _redirected(to: str) -> HttpResponse:
    answer: HttpResponse = allauth._ClientHttpResponseRedirect(to)
    return answer


class _AskedError(Exception):
    """What the person has to see before anything else."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__()
        self.answer = answer


@method_decorator([csrf_exempt, never_cache], name="dispatch")
class Authorization(allauth.AuthorizationView):  # type: ignore[misc]
    """The door to tools: allauth's protocol; who may pass and who is asked, we say."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            answer = super().dispatch(request, *args, **kwargs)
        except _AskedError as asked:
            answer = asked.answer
        return onward(request, answer, self._tool.name if hasattr(self, "_tool") else "")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if answer := self._login_required(request):
            return answer  # type: ignore[no-any-return]
        try:
            self._scopes, self._request_info = get_server().validate_authorization_request(
                *extract_params(request)
            )
            self._request_info["resources"] = get_resources(request)
        except (FatalClientError, ValidationError):
            return render(request, "connections/tool_refused.html", {"message": ""}, status=400)
        except OAuth2Error as error:
            return _redirected(error.in_uri(str(error.redirect_uri)))
        prompt = self._request_info.get("prompt") or ()
        granted = self._enter(request)
        if "consent" not in prompt and not asks_first(self._tool, self._actor.roles, granted, self._scopes):
            return self._skip_consent()  # type: ignore[no-any-return]
        if "none" in prompt:
            return self._back(ConsentRequired)
        return self.render_to_response(self.get_context_data())  # type: ignore[no-any-return]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.POST.get("request") and request.user.is_authenticated:
            try:
                self._scopes, self._request_info = Signer().unsign_object(request.POST["request"])
            except BadSignature:
                raise PermissionDenied from None
            self._enter(request)
        answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        self._admit(form.cleaned_data["scopes"])
        answer: HttpResponse = super().form_valid(form)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "tool": self._tool,
            "school": self._actor.place.name,
            "is_pupil": self._actor.is_pupil,
            "asked": [ASKED[ToolScope(one)] for one in self._scopes if one in ASKED],
            "wanted": self._scopes,
        }

    def _enter(self, request: HttpRequest) -> set[str]:
        """Find the tool, and the person in its school; answers what she has let it know. Raises _AskedError."""
        client_id = str(self._request_info["client_id"])
        school_id = school_of(client_id)
        if school_id is None:
            raise NotFound
        account: Any = request.user
        with scope(school_id, account=account.pk):
            tool = queries.find_tool(client_id)
            if tool is None:
                raise NotFound
            self._tool: ToolFacts = tool
            actor = queries.find_user(tool, account)
            if actor is None:
                raise _AskedError(self._not_for_you(request))
            if needs_second_factor(actor) and not people.has_second_factor(actor):
                raise _AskedError(redirect("second-factor-needed"))
            self._actor: Actor = actor
            grant = queries.find_grant(tool, account_id=actor.account_id)
        return set(grant.scopes) if grant else set()

    def _not_for_you(self, request: HttpRequest) -> HttpResponse:
        if "none" in (self._request_info.get("prompt") or ()):
            return self._back(AccessDeniedError)
        school = tenancy.school_by_id(self._tool.school_id)
        message = told(NotForYou(None, tool=self._tool.name, school=school.name))
        return render(request, "connections/tool_refused.html", {"message": message}, status=403)

    def _admit(self, scopes: list[str]) -> None:
        with scope(self._tool.school_id, account=self._actor.account_id):
            actions.admit(self._actor, self._tool, scopes=scopes, now=clock.now())

    def _back(self, kind: type[OAuth2Error]) -> HttpResponse:
        """Tell the tool why nobody comes."""
        error = kind(state=self._request_info.get("state"))
        return _redirected(error.in_uri(self._request_info["redirect_uri"]))


@method_decorator([csrf_exempt, never_cache], name="dispatch")
class SignOut(allauth.LogoutView):  # type: ignore[misc]
    """A tool's request to sign its person out: she says whether of here, too."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return onward(request, super().dispatch(request, *args, **kwargs))


def no_devices(request: HttpRequest) -> HttpResponse:
    """Allauth wants an address for its device flow, which we do not have."""
    raise NotFound
