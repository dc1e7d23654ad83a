"""Class cards: printing them, and signing in with one."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from pupitre.kernel import clock
from pupitre.people import actions, printing, sign_in
from pupitre.people.access import actor_of, only, open_to_all
from pupitre.people.queries import cards as queries
from pupitre.people.rules import PRINTS_CARDS
from pupitre.people.rules.cards import PICTURES, PICTURES_TO_CHOOSE
from pupitre.people.rules.grades import grade_options
from pupitre.web.pages import render, see

from .invitations import NobodyChosen, as_download

TOLD = (
    gettext_noop("Class cards are for pupils who have no password of their own."),
    gettext_noop("The card rests for a few minutes after too many wrong pictures. Ask your teacher."),
)


@only(*PRINTS_CARDS)
def cards(request: HttpRequest, school: str) -> HttpResponse:
    """The pupils of a grade, and whether they have a card."""
    actor = actor_of(request)
    today = clock.today(actor.place.time_zone)
    grades, grade = queries.card_grades(actor, today=today), request.GET.get("grade", "")
    facts = {
        "grades": [("", _("Choose a grade")), *grade_options(grades, actor.place.country)],
        "grade": grade,
        "lines": queries.card_lines(actor, grade=grade, today=today),
        "now": clock.now(),
        "zone": actor.place.time_zone,
        "school_slug": school,
    }
    return render(request, "people/cards.html", facts)


@only(*PRINTS_CARDS)
@require_POST
def sheet(request: HttpRequest, school: str) -> HttpResponse:
    """New cards for the chosen pupils, as a PDF with the teacher's sheet at its end."""
    actor, now = actor_of(request), clock.now()
    chosen = [int(one) for one in request.POST.getlist("person") if one.isdecimal()]
    issued = actions.issue_cards(actor, chosen, now=now)
    if not issued:
        raise NobodyChosen
    pdf = printing.print_cards(actor.place, issued, with_pictures=bool(request.POST.get("with_pictures")))
    return as_download(pdf, f"{school}-{now:%Y-%m-%d}-cards.pdf")


@only(*PRINTS_CARDS)
@require_POST
def revocation(request: HttpRequest, school: str, person: int) -> HttpResponse:
    """A lost card stops working."""
    actions.revoke_card(actor_of(request), person, now=clock.now())
    return see(request, "cards", school=school)


@open_to_all
@never_cache
def card(request: HttpRequest, school: str, token: str) -> HttpResponse:
    """Twelve large pictures; the right three in order sign in. Each press is a form of its own: no script is needed."""
    found = queries.access_card(token)
    picked = [name for name in request.POST.get("picked", "").split() if name in PICTURES][
        :PICTURES_TO_CHOOSE
    ]
    if request.method != "POST" or len(picked) < PICTURES_TO_CHOOSE:
        return _pictures(request, found.person.called, picked)
    sign_in.count_attempt(request, "card", "600/10m/ip")
    account = actions.try_pictures(token, picked, now=clock.now())
    if account is None:
        return _pictures(request, found.person.called, [], is_wrong=True)
    return sign_in.let_in(request, account, method="card")


def _pictures(request: HttpRequest, name: str, picked: list[str], *, is_wrong: bool = False) -> HttpResponse:
    facts = {
        "name": name,
        "picked": picked,
        "pictures": list(printing.picture_words().items()),
        "is_wrong": is_wrong,
        "left": PICTURES_TO_CHOOSE - len(picked),
        "school": actor_of(request).place,
    }
    return render(request, "people/card.html", facts, status=422 if is_wrong else 200)
