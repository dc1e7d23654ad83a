"""Where everybody arrives."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from pupitre.kernel import clock
from pupitre.people import queries as people
from pupitre.people.access import actor_of, signed_in
from pupitre.people.rules import OFFICE, TEACHES, Role
from pupitre.web.pages import render


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """One place and one role lead straight to its page; otherwise the reader chooses."""
    actor = actor_of(request)
    places = people.places_for(actor.account_id, clock.now().date())
    authorities = people.authorities_for(actor.account_id)
    if not authorities and places and all(place.roles == {Role.GUARDIAN} for place in places):
        return redirect("family")
    if len(places) == 1 and not authorities:
        return redirect("school-home", school=places[0].school.slug)
    return render(request, "reports/home.html", {"places": places, "authorities": authorities})


def school_home(request: HttpRequest, school: str) -> HttpResponse:
    """Each role's first page of a school: the lesson of now, the board, the own day."""
    roles = actor_of(request).roles
    if roles & OFFICE:
        return redirect("board", school=school)
    if roles & TEACHES:
        return redirect("day", school=school)
    if Role.PUPIL in roles:
        return redirect("my-day", school=school)
    return redirect("family")
