"""The navigation of every role, composed here because only the composition root knows all contexts."""

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from pupitre.devices.rules import CARES as CARES_FOR_DEVICES
from pupitre.kernel.text import initials
from pupitre.messaging import queries as messaging
from pupitre.people.rules import OFFICE, STAFF, TEACHES, Actor, Role
from pupitre.web.shell import NavigationItem, SchoolLink, Shell

EVERYBODY = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Door:
    """An entry of the navigation: the URL's name, whom it is for, and the other beginnings of addresses behind it."""

    label: str | Promise
    name: str
    icon: str
    roles: frozenset[Role]
    also: tuple[str, ...] = ()


TODAY = Door(_("Today"), "day", "calendar-check", TEACHES, ("registers/",))
BOARD = Door(_("Board"), "board", "layout-dashboard", OFFICE)
MY_DAY = Door(_("My day"), "my-day", "sun", frozenset({Role.PUPIL}), ("record/",))
SCHOOL = Door(_("School"), "school-overview", "school", frozenset({Role.HEAD}))
TIMETABLE = Door(_("Timetable"), "timetable", "calendar-days", EVERYBODY)
PEOPLE = Door(_("People"), "people", "users", STAFF)
NOTICES = Door(_("Notices"), "notices", "megaphone", EVERYBODY)
ABSENCES = Door(_("Absences"), "absences", "file-check", OFFICE)
STATISTICS = Door(_("Statistics"), "attendance-statistics", "chart-column", STAFF)
FAMILY = Door(_("Family"), "family", "heart", frozenset({Role.GUARDIAN}), ("family/", "record/"))
DEVICES = Door(_("Devices"), "devices", "tablet-smartphone", CARES_FOR_DEVICES)
CLASS_DEVICES = Door(
    _("Devices"), "device-classes", "tablet-smartphone", frozenset({Role.TEACHER}), ("devices/",)
)
OFFICE_WORK = (
    DEVICES,
    Door(_("Letters"), "attendance-letters", "mail", OFFICE),
    Door(_("Calendar"), "calendar", "calendar-off", OFFICE),
    Door(_("Classes"), "classes", "graduation-cap", OFFICE),
    Door(_("Rosters"), "rosters", "upload", OFFICE),
    Door(_("Invitations"), "invitations", "key-round", OFFICE),
    Door(_("Settings"), "attendance-settings", "settings", OFFICE),
    Door(_("Connections"), "connections", "plug", OFFICE, ("webhooks", "tools", "identity")),
)
#: For whom the doors stand in which order, the most used first: four or five of them fit a phone's bar.
ORDERS: tuple[tuple[frozenset[Role], tuple[Door, ...]], ...] = (
    (
        frozenset({Role.HEAD}),
        (SCHOOL, BOARD, NOTICES, PEOPLE, ABSENCES, TIMETABLE, STATISTICS, TODAY, *OFFICE_WORK),
    ),
    (OFFICE, (BOARD, ABSENCES, PEOPLE, NOTICES, TIMETABLE, STATISTICS, TODAY, *OFFICE_WORK)),
    (frozenset({Role.TECHNICIAN}), (DEVICES, TODAY, TIMETABLE, PEOPLE, NOTICES, STATISTICS)),
    (STAFF, (TODAY, TIMETABLE, PEOPLE, NOTICES, STATISTICS, CLASS_DEVICES)),
    (EVERYBODY, (MY_DAY, TIMETABLE, NOTICES)),
)
#: An authority's: each with the part of its address behind the authority's own.
OF_AUTHORITY = {
    "": Door(_("Schools"), "home", "landmark", frozenset({Role.INSPECTOR})),
    "fleet/": Door(_("Devices"), "home", "tablet-smartphone", frozenset({Role.FLEET_MANAGER})),
}
START = Door(_("Start"), "home", "house", EVERYBODY)
BELL = Door(_("Notifications"), "notifications", "bell", EVERYBODY)


@dataclass(frozen=True, slots=True)
class Opened:
    """A door in one school and language: looked up once, shown a thousand times."""

    label: str
    url: str
    icon: str
    begins: tuple[str, ...]
    is_notices: bool
    #: A part of these that is another door's.
    but: str = "//"

    def shown(self, path: str, notices: int) -> NavigationItem:
        badge = notices if self.is_notices and notices else None
        is_current = path.startswith(self.begins) and not path.startswith(self.but)
        return NavigationItem(self.label, self.url, self.icon, is_current, badge)


def shell_for(request: HttpRequest) -> Shell:
    """The frame's facts. One statement: what waits behind the bell."""
    language = get_language() or settings.LANGUAGE_CODE
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return Shell(language, _languages(), "/", sign_in_url=_where("account_login"), theme=_theme(request))
    actor: Actor = getattr(request, "actor", None) or Actor(request.user.pk, name=str(request.user))
    unread = messaging.unread_of(actor)
    return Shell(
        language=language,
        languages=_languages(),
        home_url=f"{_where('home')}?choose",
        person_name=actor.name,
        initials=_initials(actor.name),
        school=SchoolLink(actor.school.name, f"{_where('home')}?choose", current=True)
        if actor.school
        else None,
        navigation=_navigation(request, actor, language, unread.notices),
        unread=unread.lines,
        unread_url=_where("notifications"),
        account_url=_where("account"),
        sign_out_url=_where("account_logout"),
        theme=_theme(request),
    )


def _initials(name: str) -> str:
    """Of a name in one text: two given names and two family names, as in Spain, give the first of each."""
    words = [word for word in name.split() if not word.islower()] or name.split()
    return initials(*words) if len(words) < 4 else initials(words[0], words[2])


@lru_cache(maxsize=1)
def _languages() -> tuple[tuple[str, str], ...]:
    return tuple((code, str(name)) for code, name in settings.LANGUAGES)


def _theme(request: HttpRequest) -> str:
    theme = request.COOKIES.get("theme", "auto")
    return theme if theme in {"auto", "light", "dark"} else "auto"


def _navigation(
    request: HttpRequest, actor: Actor, language: str, notices: int
) -> tuple[NavigationItem, ...]:
    if actor.school is not None and actor.roles:
        doors = _doors_in(actor.school.slug, actor.roles, language)
    else:
        doors = _doors_outside(_place(request), actor.authority_roles, language)
    return tuple(door.shown(request.path, notices) for door in doors)


def _place(request: HttpRequest) -> str:
    """Where somebody outside of a school belongs: to the page's own place, else to the one chosen last on this device."""
    for at in (request.path, request.COOKIES.get("place", "")):
        if at == "/family" or at.startswith(("/a/", "/s/")):
            return _authority(at) if at.startswith("/a/") else at
    return ""


def _authority(at: str) -> str:
    parts = at.split("/")
    return "/".join(parts[:3]) + ("/fleet/" if parts[3:4] == ["fleet"] else "/")


@lru_cache(maxsize=2048)
def _doors_in(slug: str, roles: frozenset[Role], language: str) -> tuple[Opened, ...]:
    own = next(doors for whom, doors in ORDERS if roles & whom)
    wanted = [door for door in own if roles & door.roles]
    if Role.GUARDIAN in roles:
        wanted.insert(0 if not roles & STAFF else min(3, len(wanted)), FAMILY)
    return tuple(_opened(door, slug) for door in wanted)


@lru_cache(maxsize=512)
def _doors_outside(place: str, roles: frozenset[Role], language: str) -> tuple[Opened, ...]:
    """The way back to where somebody comes from, or the authority's pages that she may open, and the bell."""
    bell = _where(BELL.name)
    end = Opened(str(BELL.label), bell, BELL.icon, (bell,), is_notices=False)
    if place.startswith("/a/"):
        return (*_doors_of_authority(place, roles), end)
    home = FAMILY if place == "/family" else START
    back = Opened(str(home.label), place or _where("home"), home.icon, (place or "//",), is_notices=False)
    return (back, end)


def _doors_of_authority(place: str, roles: frozenset[Role]) -> list[Opened]:
    """Outside of its pages nobody's roles in it are known: there one door leads back."""
    base = place.removesuffix("fleet/")
    wanted = {
        part: door
        for part, door in OF_AUTHORITY.items()
        if (roles & door.roles if roles else base + part == place)
    }
    return [
        Opened(
            str(door.label),
            base + part,
            door.icon,
            (base + part,),
            is_notices=False,
            but="//" if part else f"{base}fleet/",
        )
        for part, door in wanted.items()
    ]


def _opened(door: Door, slug: str) -> Opened:
    url = _where("family") if door is FAMILY else _where(door.name, slug)
    begins = (url, *(f"/s/{slug}/{one}" for one in door.also))
    return Opened(str(door.label), url, door.icon, begins, is_notices=door is NOTICES)


@lru_cache(maxsize=2048)
def _where(name: str, slug: str = "") -> str:
    return reverse(name, kwargs={"school": slug} if slug else None)
