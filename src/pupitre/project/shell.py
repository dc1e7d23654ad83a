"""The navigation of every role, composed here because only the composition root knows all contexts."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from pupitre.kernel.text import initials
from pupitre.messaging import queries as messaging
from pupitre.people.rules import OFFICE, STAFF, TEACHES, Actor, Role
from pupitre.web.shell import NavigationItem, SchoolLink, Shell

EVERYBODY = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Door:
    """An entry of the navigation: the URL's name, and whom it is for. The first five fit a phone's bar."""

    label: str | Promise
    name: str
    icon: str
    roles: frozenset[Role]


IN_SCHOOL = (
    Door(_("Today"), "day", "calendar-check", TEACHES),
    Door(_("Board"), "board", "layout-dashboard", OFFICE),
    Door(_("My day"), "my-day", "sun", frozenset({Role.PUPIL})),
    Door(_("Timetable"), "timetable", "calendar-days", EVERYBODY),
    Door(_("People"), "people", "users", STAFF),
    Door(_("Notices"), "notices", "megaphone", STAFF),
    Door(_("Absences"), "absences", "file-check", OFFICE),
    Door(_("Statistics"), "attendance-statistics", "chart-column", STAFF),
    Door(_("Letters"), "attendance-letters", "mail", OFFICE),
    Door(_("Rosters"), "rosters", "upload", OFFICE),
    Door(_("Invitations"), "invitations", "key-round", OFFICE),
    Door(_("Calendar"), "calendar", "calendar-off", OFFICE),
    Door(_("School"), "school-overview", "school", frozenset({Role.HEAD})),
    Door(_("Settings"), "attendance-settings", "settings", OFFICE),
)
FAMILY = Door(_("Family"), "family", "heart", frozenset({Role.GUARDIAN}))


def shell_for(request: HttpRequest) -> Shell:
    language = get_language() or settings.LANGUAGE_CODE
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return Shell(
            language,
            list(settings.LANGUAGES),
            "/",
            sign_in_url=reverse("account_login"),
            theme=_theme(request),
        )
    actor: Actor = getattr(request, "actor", None) or Actor(request.user.pk, name=str(request.user))
    return Shell(
        language=language,
        languages=list(settings.LANGUAGES),
        home_url=reverse("home"),
        person_name=actor.name,
        initials=initials(*actor.name.split()),
        school=SchoolLink(actor.school.name, f"/s/{actor.school.slug}/", current=True)
        if actor.school
        else None,
        navigation=_navigation(request, actor),
        unread=messaging.unread_count(actor),
        unread_url=_where("notifications"),
        account_url=reverse("account"),
        sign_out_url=reverse("account_logout"),
        theme=_theme(request),
    )


def _theme(request: HttpRequest) -> str:
    theme = request.COOKIES.get("theme", "auto")
    return theme if theme in {"auto", "light", "dark"} else "auto"


def _navigation(request: HttpRequest, actor: Actor) -> list[NavigationItem]:
    doors = [door for door in IN_SCHOOL if actor.roles & door.roles] if actor.school else []
    items = [_item(request, door, {"school": actor.place.slug}) for door in doors]
    if actor.is_guardian or not actor.school:
        items.insert(0, _item(request, FAMILY, {}))
    return [item for item in items if item]


def _where(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:  # TODO: goes when all pages of the first landing stand
        return ""


def _item(request: HttpRequest, door: Door, where: dict[str, str]) -> NavigationItem | None:
    try:
        url = reverse(door.name, kwargs=where or None)
    except NoReverseMatch:  # TODO: goes when all pages of the first landing stand
        return None
    return NavigationItem(str(door.label), url, door.icon, current=request.path.startswith(url))
