"""Where everybody arrives."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from pupitre.kernel import clock
from pupitre.people import queries as people
from pupitre.people.access import actor_of, signed_in
from pupitre.people.queries import Place
from pupitre.people.rules import OFFICE, STAFF, TEACHES, Role
from pupitre.web.pages import render

#: The place chosen last on this device, as the address of its first page.
COOKIE = "place"
_REMEMBERED_FOR = 180 * 24 * 3600


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Who has one place goes there; who has several goes to the one chosen last, or chooses (`?choose`)."""
    actor = actor_of(request)
    places = people.places_for(actor.account_id, clock.now().date())
    authorities = people.authorities_for(actor.account_id)
    working = [place for place in places if place.roles - {Role.GUARDIAN}]
    doors = [reverse("school-home", kwargs={"school": place.school.slug}) for place in working]
    overseen = [
        (
            one,
            one.role == Role.FLEET_MANAGER,
            reverse(_first_page(one.role), kwargs={"authority": one.authority.slug}),
        )
        for one in authorities
    ]
    doors += [address for _one, _is_fleet, address in overseen]
    if any(Role.GUARDIAN in place.roles for place in places):
        doors.append(reverse("family"))
    if len(doors) == 1:
        return redirect(doors[0])
    if "choose" not in request.GET and (last := request.COOKIES.get(COOKIE)) in doors:
        return redirect(str(last))
    context = {
        "working": working,
        "authorities": overseen,
        "families": [place for place in places if Role.GUARDIAN in place.roles],
        "parts": {place.school.id: part_of(place) for place in working},
    }
    return render(request, "reports/home.html", context)


def _first_page(role: int) -> str:
    return "fleet" if role == Role.FLEET_MANAGER else "authority-overview"


def part_of(place: Place) -> str:
    """The part that counts most in a place, as a key of the page's words and icons."""
    for key, roles in (("head", {Role.HEAD}), ("office", OFFICE), ("teacher", TEACHES), ("staff", STAFF)):
        if place.roles & roles:
            return key
    return "pupil"


def school_home(request: HttpRequest, school: str) -> HttpResponse:
    """Each role's first page of a school: the lesson of now, the board, the own day."""
    roles = actor_of(request).roles
    if Role.HEAD in roles:
        to = reverse("school-overview", kwargs={"school": school})
    elif roles & OFFICE:
        to = reverse("board", kwargs={"school": school})
    elif Role.TECHNICIAN in roles:
        to = reverse("devices", kwargs={"school": school})
    elif roles & TEACHES:
        to = reverse("day", kwargs={"school": school})
    elif roles & STAFF:
        to = reverse("people", kwargs={"school": school})
    elif Role.PUPIL in roles:
        to = reverse("my-day", kwargs={"school": school})
    else:
        return redirect("family")
    return remembered(redirect(to), request.path)


def remembered(answer: HttpResponse, place: str) -> HttpResponse:
    """Let this device lead to that place the next time."""
    answer.set_cookie(COOKIE, place, max_age=_REMEMBERED_FOR, httponly=True, samesite="Lax")
    return answer
