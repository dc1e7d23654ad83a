"""Who is not active yet, and the letters that change it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from pupitre.kernel import clock
from pupitre.kernel.errors import Refused
from pupitre.people import actions, printing, wording
from pupitre.people.access import actor_of, only
from pupitre.people.queries import invitations as queries
from pupitre.people.rules import OFFICE
from pupitre.people.rules.grades import grade_label, grade_options
from pupitre.people.rules.invitations import LETTERS_AT_ONCE, Group, InvitationState
from pupitre.web.pages import render, see


class NobodyChosen(Refused):
    """Nobody was chosen. Mark the people whose letters you want."""


@only(*OFFICE)
def invitations(request: HttpRequest, school: str) -> HttpResponse:
    """The people without an account, families first."""
    actor, asked, now = actor_of(request), request.GET, clock.now()
    group, state = _group(asked), _state(asked)
    grade = asked.get("grade", "")
    number = asked.get("page", "1")
    found = queries.not_yet_active(
        actor,
        group,
        grade=grade,
        state=state,
        page=int(number) if number.isdecimal() else 1,
        today=clock.today(actor.place.time_zone),
        now=now,
    )
    facts = {
        "found": found,
        "group": group,
        "grade": grade,
        "state": "" if state is None else str(state.value),
        "groups": _tabs(found.counts, group),
        "grades": [("", _("All grades")), *grade_options(found.grades, actor.place.country)],
        "states": [("", _("All")), *((str(s.value), wording.STATES[s]) for s in InvitationState)],
        "words": wording,
        "grade_labels": {one: grade_label(one, actor.place.country) for one in found.grades},
        "query": "&" + urlencode({"group": group.value, "grade": grade, "state": asked.get("state", "")}),
        "most": LETTERS_AT_ONCE,
        "school_slug": school,
        "zone": actor.place.time_zone,
    }
    return render(request, "people/invitations.html", facts)


def _group(asked: Any) -> Group:
    return Group(int(asked["group"])) if asked.get("group") in {"1", "2", "3"} else Group.FAMILIES


def _state(asked: Any) -> InvitationState | None:
    return InvitationState(int(asked["state"])) if asked.get("state") in {"0", "1", "2"} else None


def _tabs(counts: dict[Group, int], current: Group) -> list[dict[str, Any]]:
    return [
        {
            "label": wording.GROUPS[one],
            "href": f"?group={one.value}",
            "current": one is current,
            "count": counts[one],
        }
        for one in Group
    ]


def _chosen(request: HttpRequest) -> list[int]:
    """The marked persons, or with `all` everybody whom the list shows."""
    asked = request.POST
    if asked.get("all"):
        actor = actor_of(request)
        today = clock.today(actor.place.time_zone)
        return queries.ids_not_yet_active(
            actor, _group(asked), grade=asked.get("grade", ""), today=today, limit=LETTERS_AT_ONCE
        )
    chosen = [int(one) for one in asked.getlist("person") if one.isdecimal()]
    if not chosen:
        raise NobodyChosen
    return chosen


@only(*OFFICE)
@require_POST
def letters(request: HttpRequest, school: str) -> HttpResponse:
    """New codes for the chosen, as a PDF: the only place where they can be read."""
    actor, now = actor_of(request), clock.now()
    issued = actions.issue_letters(actor, _chosen(request), now=now)
    if not issued:
        raise NobodyChosen
    pdf = printing.print_letters(actor.place, queries.letterhead(actor), issued, now=now)
    return as_download(pdf, f"{school}-{now:%Y-%m-%d}-letters.pdf")


def as_download(pdf: bytes, name: str) -> HttpResponse:
    """Secrets on paper: no cache keeps them."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)


@only(*OFFICE)
@require_POST
def mails(request: HttpRequest, school: str) -> HttpResponse:
    """Links by e-mail for the chosen whose address is known."""
    count = actions.invite_by_mail(actor_of(request), _chosen(request))
    told = ngettext("%(count)s link is on its way.", "%(count)s links are on their way.", count)
    messages.success(request, told % {"count": count})
    return see(request, "invitations", school=school)
