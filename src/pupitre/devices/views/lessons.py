"""Lesson rules, which who cares for devices makes; and a teacher's word for the lesson that she holds now."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import formats
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pupitre.courses import queries as courses
from pupitre.devices.actions import leases
from pupitre.devices.actions import lesson_rules as actions
from pupitre.devices.queries import lesson_rules as queries
from pupitre.devices.queries.policies import known_applications
from pupitre.devices.rules import CARES, SEES
from pupitre.devices.rules.lesson_rules import rule_facts
from pupitre.devices.rules.policies import DatesReversed
from pupitre.devices.rules.validation import FOR_AN_HOUR, SettingsWrong
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError, NotFound
from pupitre.people.access import actor_of, only
from pupitre.people.rules import TEACHES, Actor, Role
from pupitre.timetable.queries.feed_content import feed_span
from pupitre.web.pages import render, see

from . import setting_forms as forms
from . import setting_words as words
from .policies import SHOWN_AND_SENT, date_in, told, within
from .tabs import tabs_of

_HOUR_ROWS: Final = 2
_WEEKS_SHOWN: Final = 8


@only(*CARES)
@require_http_methods(SHOWN_AND_SENT)
def rule_new(request: HttpRequest, school: str) -> HttpResponse:
    """Say what holds in lessons of a class, or at hours; first see when and on how many devices."""
    actor = actor_of(request)
    if request.method != "POST":
        today = clock.today(actor.place.time_zone)
        blank = {
            "starts_on": today.isoformat(),
            "ends_on": feed_span(today)[1].isoformat(),
            "in_lessons": True,
            "klass": request.GET.get("class", ""),
        }
        return _form(request, school, blank)
    return _sent(request, school, None)


@only(*CARES)
@require_http_methods(SHOWN_AND_SENT)
def rule(request: HttpRequest, school: str, rule: int) -> HttpResponse:
    """A lesson rule, to be read and changed."""
    found = queries.access_rule(actor_of(request), within(rule))
    if request.method == "POST":
        return _sent(request, school, found)
    held = {
        "klass": str(found.klass_id),
        "name": found.name,
        "subject": found.subject,
        "in_lessons": found.in_lessons,
        "starts_on": found.starts_on.isoformat(),
        "ends_on": found.ends_on.isoformat(),
        "hours": found.hours,
        "settings": found.settings,
    }
    facts = {name: getattr(found, name) for name in _FACTS}
    touched = queries.preview_rule(actor_of(request), found.klass_id, facts, now=clock.now())
    return _form(request, school, held, found=found, touched=touched)


_FACTS: Final = ("name", "settings", "starts_on", "ends_on", "in_lessons", "subject", "hours")


def _sent(request: HttpRequest, school: str, found: Any) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    typed = _typed(request.POST)
    class_id = found.klass_id if found else _class_id(typed["klass"])
    try:
        facts = _checked(typed)
        if request.POST.get("intent") != "save":
            touched = queries.preview_rule(actor, class_id, facts, now=now)
            return _form(request, school, typed, found=found, touched=touched)
        if found:
            actions.change_rule(actor, found.pk, now=now, **facts)
        else:
            actions.make_rule(actor, class_id, now=now, **facts)
    except NotFound:
        raise
    except DomainError as error:
        return _form(request, school, typed, found=found, error=error)
    messages.success(request, _("The rule is kept. It holds by itself from now on."))
    return see(request, "policies", school=school)


def _class_id(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise NotFound
    return int(text)


def _checked(typed: Mapping[str, Any]) -> dict[str, Any]:
    starts_on, ends_on = date_in(typed["starts_on"]), date_in(typed["ends_on"])
    if starts_on is None or ends_on is None:
        raise DatesReversed
    return rule_facts(
        typed["name"],
        typed["settings"],
        starts_on,
        ends_on,
        in_lessons=typed["in_lessons"],
        subject=typed["subject"],
        hours=typed["hours"],
    )


def _typed(post: QueryDict) -> dict[str, Any]:
    return {
        "klass": post.get("klass", ""),
        "name": post.get("name", ""),
        "subject": post.get("subject", ""),
        "in_lessons": bool(post.get("in_lessons")),
        "starts_on": post.get("starts_on", ""),
        "ends_on": post.get("ends_on", ""),
        "hours": list(_hours(post)),
        "settings": forms.read(post, keys=FOR_AN_HOUR)["settings"],
    }


def _hours(post: QueryDict) -> list[dict[str, Any]]:
    found = []
    for number in range(20):
        days = [int(day) for day in post.getlist(f"hours-{number}.days") if day in _DAYS]
        starts, ends = post.get(f"hours-{number}.from", ""), post.get(f"hours-{number}.to", "")
        if days or starts or ends:
            # A browser's field has no 24:00.
            found.append(
                {"days": days, "from": starts[:5], "to": "24:00" if ends[:5] == "00:00" else ends[:5]}
            )
    return found


_DAYS: Final = frozenset("1234567")


def _form(
    request: HttpRequest,
    school: str,
    held: Mapping[str, Any],
    *,
    found: Any = None,
    touched: queries.RulePreview | None = None,
    error: DomainError | None = None,
) -> HttpResponse:
    actor = actor_of(request)
    today = clock.today(actor.place.time_zone)
    findings = error.findings if isinstance(error, SettingsWrong) else ()
    hours = list(held.get("hours", ()))
    context = {
        "school": school,
        "tabs": tabs_of(school, "policies"),
        "rule": found,
        "held": held,
        "hours": hours + [{}] * _HOUR_ROWS,
        "days": [(str(number + 1), str(name)) for number, name in WEEKDAYS.items()],
        "classes": _classes(actor, today, held.get("klass", "")),
        "sections": forms.sections(
            {"settings": held.get("settings", {}), "locked": []},
            keys=FOR_AN_HOUR,
            findings=findings,
            applications=known_applications(actor),
        ),
        "findings": [(words.name_of(one.key), one.key, forms.message(one)) for one in findings],
        "error": "" if error is None or findings else told(error),
        "touched": touched,
        "times": times_of(touched.entries) if touched else [],
        "said": said_of(held.get("settings", {})) if touched else [],
        "platforms": [(words.PLATFORMS[one], number) for one, number in touched.devices.items()]
        if touched
        else [],
        "zone": actor.place.time_zone,
    }
    return render(request, "devices/lesson_rule.html", context, status=error.status if error else 200)


def _classes(actor: Actor, today: date, chosen: str) -> list[tuple[str, str]]:
    lines = courses.classes_for(actor, today=today)
    found = [
        (str(one.id), f"{one.title} · {one.subject}" if one.subject not in one.title else one.title)
        for one in lines
    ]
    return [("", _("Choose a class")), *found] if not chosen else found


def said_of(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Settings and their values in words."""
    return [(words.name_of(key), words.say(key, value)) for key, value in sorted(settings.items())]


def times_of(entries: Any) -> list[str]:
    """When a rule holds, a line for each stretch of the day: its weekdays, or how many single dates."""
    found = []
    for entry in entries:
        names = ", ".join(str(WEEKDAYS[day - 1]) for day in entry["days"])
        also = entry.get("also", ())
        dates = ", ".join(_day(one) for one in also[:_WEEKS_SHOWN]) + (
            " …" if len(also) > _WEEKS_SHOWN else ""
        )
        days = "; ".join(part for part in (names, dates) if part)
        line = _("%(from)s–%(to)s: %(days)s") % {"from": entry["from"], "to": entry["to"], "days": days}
        without = entry.get("except", ())
        if without:
            shown = ", ".join(_day(one) for one in without[:_WEEKS_SHOWN])
            line += " " + _("(not on %(dates)s)") % {
                "dates": shown + (" …" if len(without) > _WEEKS_SHOWN else "")
            }
        found.append(line)
    return found


def _day(text: str) -> str:
    return formats.date_format(date.fromisoformat(text), "j M")


@only(*CARES)
@require_POST
def rule_end(request: HttpRequest, school: str, rule: int) -> HttpResponse:
    """End a rule at once."""
    actions.end_rule(actor_of(request), within(rule), now=clock.now())
    messages.success(request, _("The rule has ended."))
    return see(request, "policies", school=school)


# A teacher's word for her lesson.

#: What a teacher can say at once: whether rules are lifted, and the settings.
_QUICK: Final[Mapping[str, tuple[bool, Mapping[str, Any]]]] = {
    "lift": (True, {}),
    "camera": (False, {"camera": False}),
    "silent": (False, {"volume": 0}),
}


@only(*(SEES & (TEACHES | {Role.TECHNICIAN, Role.SECRETARY})))
@require_safe
def lesson(request: HttpRequest, school: str) -> HttpResponse:
    """What holds on the devices of the class before which the reader stands, and what she can decide until the bell."""
    return _lesson(request, school)


def _lesson(request: HttpRequest, school: str, *, error: str = "", status: int = 200) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    taught = queries.taught_now(actor, now)
    ids = [one.class_id for one in taught]
    today = clock.today(actor.place.time_zone)
    running = {lease.klass_id: lease for lease in queries.running_leases(ids, now)}
    numbers = queries.devices_in(ids, actor.place.id) if ids else {}
    context = {
        "school": school,
        "taught": [
            {
                "lesson": one,
                "lease": running.get(one.class_id),
                "said": said_of(running[one.class_id].settings) if one.class_id in running else [],
                "devices": numbers.get(one.class_id, 0),
            }
            for one in taught
        ],
        "rules": [(one, said_of(one.settings)) for one in queries.rules_holding(ids, today=today)],
        "applications": known_applications(actor),
        "zone": actor.place.time_zone,
        "error": error,
        "cares": actor.is_any(CARES),
    }
    return render(request, "devices/lesson.html", context, status=status)


@only(*SEES)
@require_POST
def lesson_word(request: HttpRequest, school: str, klass: int) -> HttpResponse:
    """Decide for the devices of a class until the lesson ends, or some minutes."""
    actor, now, post = actor_of(request), clock.now(), request.POST
    lifts, settings = _QUICK.get(post.get("say", ""), (False, None))
    if settings is None:
        settings = forms.read(post, keys={"allowed_applications"})["settings"]
        sites = [line.strip() for line in post.get("sites", "").splitlines() if line.strip()]
        settings |= {"web": {"mode": "allow", "hosts": sites}} if sites else {}
    try:
        lease = leases.give_lease(
            actor,
            within(klass),
            settings=settings,
            lifts_rules=lifts,
            ends_at=_end(post.get("minutes", ""), now),
            reason=post.get("reason", ""),
            now=now,
        )
    except NotFound:
        raise
    except DomainError as error:
        return _lesson(request, school, error=told(error), status=error.status)
    until = f"{clock.local(lease.ends_at, actor.place.time_zone):%H:%M}"
    messages.success(request, _("It holds until %(time)s and ends by itself.") % {"time": until})
    return see(request, "device-lesson", school=school)


def _end(minutes: str, now: datetime) -> datetime | None:
    return now + timedelta(minutes=int(minutes)) if minutes.isdecimal() and len(minutes) < 4 else None


@only(*SEES)
@require_POST
def lease_end(request: HttpRequest, school: str, lease: int) -> HttpResponse:
    """Take a word back before its time."""
    leases.end_lease(actor_of(request), within(lease), now=clock.now())
    messages.success(request, _("The rules of the school hold again."))
    return see(request, "device-lesson", school=school)
