"""Calendar feeds: the page that creates and revokes them, and the feed that programs read."""

import hashlib
from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.urls import reverse
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from pupitre.kernel import clock, tokens
from pupitre.kernel.errors import NotFound
from pupitre.people.access import actor_of, open_to_all
from pupitre.tenancy import queries as tenancy
from pupitre.timetable import actions
from pupitre.timetable.queries.feed_content import feed_content, feed_version
from pupitre.timetable.queries.feeds import feed_persons_for, feeds_for, find_feed
from pupitre.web.pages import render, see

from .feed_events import feed_bytes

#: How often a program may ask again without being told anything new.
_MAX_AGE = timedelta(minutes=15)


@require_safe
def timetable_feeds(request: HttpRequest, school: str) -> HttpResponse:
    """Whose timetable the reader may subscribe to, and the addresses that are in force."""
    return _page(request, school)


def _page(request: HttpRequest, school: str, *, address: str = "", person_id: int = 0) -> HttpResponse:
    actor = actor_of(request)
    persons = feed_persons_for(actor)
    feeds = feeds_for(actor)
    context = {
        "school": school,
        "zone": actor.place.time_zone,
        "persons": [(person, [feed for feed in feeds if feed.person_id == person.id]) for person in persons],
        "address": address,
        "new_for": person_id,
    }
    return render(request, "timetable/feeds.html", context)


@require_POST
def feed_creation(request: HttpRequest, school: str, person: int) -> HttpResponse:
    """Create an address; it is shown on the page that answers, and never again."""
    secret = actions.create_feed(actor_of(request), person, now=clock.now())
    address = request.build_absolute_uri(reverse("feed", kwargs={"school": school, "secret": secret}))
    answer = _page(request, school, address=address, person_id=person)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require_POST
def feed_revocation(request: HttpRequest, school: str, feed: int) -> HttpResponse:
    """Let an address be read no longer."""
    actions.revoke_feed(actor_of(request), feed, now=clock.now())
    messages.success(request, _("The address no longer works."))
    return see(request, "timetable-feeds", school=school)


@open_to_all
@require_safe
def feed(request: HttpRequest, school: str, secret: str) -> HttpResponse:
    """The feed itself. Whoever has the address reads it; programs that ask again are told when nothing changed."""
    place = tenancy.access_school(school)
    now = clock.now()
    today = clock.today(place.time_zone)
    found = find_feed(tokens.digest(secret), today)
    if found is None:
        raise NotFound
    actions.note_reading(found.id, now)
    language = found.locale or place.locale
    version = feed_version(found, today)
    told = f"{version}|{language}|{place.name}|{request.get_host()}"
    etag = f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": f"private, max-age={int(_MAX_AGE.total_seconds())}"}
    unchanged = get_conditional_response(request, etag=etag)
    if isinstance(unchanged, HttpResponseNotModified):
        for name, value in headers.items():
            unchanged.headers[name] = value
        return unchanged
    with translation.override(language):
        body = feed_bytes(place, found, feed_content(place, found, today), request.get_host(), now)
    name = f"pupitre-{school}.ics"
    return HttpResponse(
        body,
        content_type="text/calendar; charset=utf-8",
        headers={**headers, "Content-Disposition": f'inline; filename="{name}"'},
    )
