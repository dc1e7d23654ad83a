"""Reading notices and confirming them; writing, publishing and following them up."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.messaging.actions import notices as actions
from pupitre.messaging.forms import AUDIENCES, NoticeForm
from pupitre.messaging.queries import notices as queries
from pupitre.messaging.rules.kinds import Audience
from pupitre.messaging.rules.notices import WRITERS, is_due_for_reminder, may_manage, paragraphs_of
from pupitre.people.access import actor_of, only
from pupitre.people.rules import OF_AUTHORITY, Actor, Role
from pupitre.web.pages import render, see

_PAGE = 30
_EVERYBODY = frozenset(Role) - OF_AUTHORITY
writers_only = only(*WRITERS)
members_only = only(*_EVERYBODY)


@dataclass(frozen=True, slots=True)
class Pages:
    """Where a list goes on: page numbers, 0 for none."""

    at: int
    newer: int
    older: int


def _page_of(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    return max(int(text), 1) if text.isdecimal() and len(text) < 7 else 1


def _pages(at: int, found: int) -> Pages:
    return Pages(at, at - 1, at + 1 if found > _PAGE else 0)


@members_only
@require_GET
def notices(request: HttpRequest, school: str) -> HttpResponse:
    """What reached the reader, or (`?show=written`) what she and, for the office, the school wrote."""
    actor = actor_of(request)
    writes = actor.is_any(WRITERS)
    written = writes and request.GET.get("show", "written" if actor.is_office else "received") == "written"
    at = _page_of(request)
    limit, offset = _PAGE + 1, (at - 1) * _PAGE
    found: list[Any]
    if written:
        found = list(queries.written_by(actor, limit=limit, offset=offset))
    else:
        today = clock.today(actor.place.time_zone)
        found = list(queries.received_by(actor, today, limit=limit, offset=offset))
    context = {
        "rows": found[:_PAGE],
        "pages": _pages(at, len(found)),
        "written": written,
        "writes": writes,
        "audiences": {kind: str(words) for kind, words in AUDIENCES.items()},
        "zone": actor.place.time_zone,
    }
    return render(request, "messaging/notices.html", context)


@members_only
@require_GET
def notice(request: HttpRequest, school: str, notice: int) -> HttpResponse:
    """A notice as those read it whom it reached; for who manages it without having received it, its way."""
    actor, today = actor_of(request), clock.today(actor_of(request).place.time_zone)
    try:
        facts, received = queries.access_received_notice(actor, notice, today)
    except NotFound:
        return _managed(request, actor, queries.access_managed_notice(actor, notice))
    actions.read_notice(actor, notice_id=notice, now=clock.now())
    context = {
        "notice": facts,
        "received": received,
        "paragraphs": paragraphs_of(facts.body),
        "zone": actor.place.time_zone,
        "may_follow": may_manage(actor, facts.author_id),
    }
    return render(request, "messaging/notice.html", context)


@writers_only
@require_GET
def following(request: HttpRequest, school: str, notice: int) -> HttpResponse:
    """The way of a notice: a draft as its readers will see it, or who has read and confirmed it."""
    actor = actor_of(request)
    return _managed(request, actor, queries.access_managed_notice(actor, notice))


def _managed(request: HttpRequest, actor: Actor, facts: queries.NoticeFacts) -> HttpResponse:
    now, zone = clock.now(), actor.place.time_zone
    context: dict[str, Any] = {
        "notice": facts,
        "paragraphs": paragraphs_of(facts.body),
        "audience": str(AUDIENCES[facts.audience]),
        "zone": zone,
    }
    if facts.is_draft:
        context["reach"] = queries.count_recipients(
            facts.audience, facts.class_id, author_id=facts.author_id, today=clock.today(zone)
        )
        return render(request, "messaging/draft.html", context)
    at, answered = _page_of(request), request.GET.get("show") == "answered"
    people = queries.recipients_of(facts, answered=answered, limit=_PAGE + 1, offset=(at - 1) * _PAGE)
    context |= {
        "progress": queries.progress_of(facts.id),
        "people": people[:_PAGE],
        "pages": _pages(at, len(people)),
        "answered": answered,
        "may_remind": facts.withdrawn_at is None
        and not answered
        and any(is_due_for_reminder(one.reminded_at, now) for one in people),
    }
    return render(request, "messaging/published.html", context)


@writers_only
@require_http_methods(["GET", "POST"])
def new_notice(request: HttpRequest, school: str) -> HttpResponse:
    """An empty sheet; what is sent is kept as a draft and shown as its readers will see it."""
    return _written(request, actor_of(request), None)


@writers_only
@require_http_methods(["GET", "POST"])
def edit_notice(request: HttpRequest, school: str, notice: int) -> HttpResponse:
    """The sheet of a draft."""
    actor = actor_of(request)
    facts = queries.access_managed_notice(actor, notice)
    if not facts.is_draft:
        return see(request, "notice-following", school=school, notice=notice)
    return _written(request, actor, facts)


def _written(request: HttpRequest, actor: Actor, facts: queries.NoticeFacts | None) -> HttpResponse:
    classes = queries.classes_to_write_to(actor, clock.today(actor.place.time_zone))
    begun = {
        "title": facts.title if facts else "",
        "body": facts.body if facts else "",
        "audience": (facts.audience if facts else Audience.FAMILIES).value,
        "klass": facts.class_id if facts else None,
        "needs_confirmation": bool(facts and facts.needs_confirmation),
    }
    form = NoticeForm(request.POST or None, initial=begun, classes=classes, whole_school=actor.is_office)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        kept = actions.draft_notice(
            actor,
            title=told["title"],
            body=told["body"],
            audience=told["audience"],
            class_id=told["klass"],
            needs_confirmation=told["needs_confirmation"],
            notice_id=facts.id if facts else None,
            now=clock.now(),
        )
        return see(request, "notice-following", school=actor.place.slug, notice=kept.pk)
    context = {"form": form, "notice": facts, "has_classes": bool(classes) or actor.is_office}
    return render(request, "messaging/write.html", context, status=422 if form.errors else 200)


@writers_only
@require_POST
def publication(request: HttpRequest, school: str, notice: int) -> HttpResponse:
    published = actions.publish_notice(actor_of(request), notice_id=notice, now=clock.now())
    words = ngettext(
        "On its way to %(count)s person.", "On its way to %(count)s people.", published.recipients
    )
    messages.success(request, words % {"count": published.recipients})
    return see(request, "notice-following", school=school, notice=notice)


@members_only
@require_POST
def confirmation(request: HttpRequest, school: str, notice: int) -> HttpResponse:
    actions.confirm_notice(actor_of(request), notice_id=notice, now=clock.now())
    messages.success(request, _("Confirmed. Thank you."))
    return see(request, "notice", school=school, notice=notice)


@writers_only
@require_POST
def reminder(request: HttpRequest, school: str, notice: int) -> HttpResponse:
    count = actions.remind_missing(actor_of(request), notice_id=notice, now=clock.now())
    words = ngettext("%(count)s person is reminded.", "%(count)s people are reminded.", count)
    messages.success(request, words % {"count": count})
    return see(request, "notice-following", school=school, notice=notice)


@writers_only
@require_POST
def withdrawal(request: HttpRequest, school: str, notice: int) -> HttpResponse:
    actions.withdraw_notice(actor_of(request), notice_id=notice, now=clock.now())
    messages.success(request, _("The notice is withdrawn. Nobody can read it any more."))
    return see(request, "notice-following", school=school, notice=notice)


@writers_only
@require_POST
def discarding(request: HttpRequest, school: str, notice: int) -> HttpResponse:
    actions.discard_draft(actor_of(request), notice_id=notice)
    messages.success(request, _("The draft is gone."))
    return see(request, "notices", school=school)


ERRORS = (
    gettext_noop("You may write to your own classes only."),
    gettext_noop("Choose one of your classes: only the office writes to the whole school."),
    gettext_noop("This notice was already withdrawn."),
    gettext_noop("This notice is not published yet."),
    gettext_noop(
        "Nobody needs to be reminded today: all have answered, or were reminded within the last day."
    ),
    gettext_noop("This notice asks for no confirmation."),
    gettext_noop("This notice is published and cannot be changed any more. Withdraw it and write another."),
    gettext_noop("Nobody would receive this notice. Choose another audience or class."),
    gettext_noop("This browser's push service is not known. Choose e-mail instead."),
)
