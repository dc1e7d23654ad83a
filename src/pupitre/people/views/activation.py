"""From a letter's code to an account, step by step. Each step that proves something renews the session's key, so that a
session that was planted in a browser before is worth nothing after.
"""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from pupitre.kernel import clock
from pupitre.people import actions, sign_in
from pupitre.people.access import actor_of, open_to_all
from pupitre.people.forms import AccountForm, CodeForm, NewPasswordForm, ProofForm
from pupitre.people.queries import invitations as queries
from pupitre.people.rules import WrongCode
from pupitre.people.rules.invitations import LettersMissing, Proof, UsernameTaken, proves
from pupitre.web.middleware import told
from pupitre.web.pages import render, see

#: Texts of errors that these pages tell, for the catalogues.
TOLD = (
    gettext_noop("The code is not valid. Check it on your letter; a code works once and for a limited time."),
    gettext_noop(
        "Your account already is another person in this school. The office can put the two together."
    ),
    gettext_noop("There is another account for this person. Sign in with it, or ask the office for help."),
    gettext_noop(
        "Your account leads to an authority too, so letters of schools cannot change its password. "
        'Use "Forgot your password?" instead.'
    ),
    gettext_noop(
        "Your account leads to other schools too. The code of a letter of each of them is needed: their offices print one."
    ),
    gettext_noop(
        "A user name has 3 to 40 small letters, digits, dots, dashes or underscores, and begins with a letter."
    ),
    gettext_noop("The user name is taken. Choose another one."),
    gettext_noop("Nobody was chosen. Mark the people whose letters you want."),
)

_KEY, _LASTS = "activation", timedelta(minutes=30)
# Guessing a code of 54 bits is hopeless at this pace; guessing a birth date with a found letter is stopped by the second.
# A letter lasts for sixty days, in which five guesses an hour would go through all the birth dates of a class.
_CODE_RATES, _PROOF_RATES = "40/10m/ip", "100/h/ip,5/h/key,15/60d/key"
_MAIL_RATES = "30/h/ip,3/h/key"


@open_to_all
@never_cache
def activation(request: HttpRequest, school: str) -> HttpResponse:
    """Enter the code. A link of a QR code or e-mail fills it in and waits for the press: a preview uses nothing up."""
    code = request.POST.get("code", request.GET.get("code", ""))
    if request.method != "POST":
        return _ask_code(request, code)
    form, usage = CodeForm(request.POST), sign_in.count_attempt(request, "code", _CODE_RATES)
    try:
        claim = queries.find_claim(code if form.is_valid() else "", clock.now())
    except WrongCode as error:
        return _ask_code(request, code, told(error))
    usage.rollback()
    _remember(request, claim, is_proved=False)
    return see(request, "activation-proof", school=school)


def _ask_code(request: HttpRequest, code: str, problem: str = "") -> HttpResponse:
    facts = {"code": code, "problem": problem, "school": actor_of(request).place}
    return render(request, "people/activation.html", facts, status=422 if problem else 200)


def _remember(request: HttpRequest, claim: queries.Claim, *, is_proved: bool) -> None:
    request.session.cycle_key()
    request.session[_KEY] = {
        "school": actor_of(request).place.id,
        "invitation": claim.invitation_id,
        "is_proved": is_proved,
        "at": clock.now().timestamp(),
    }


def _claim(request: HttpRequest, *, proved: bool) -> queries.Claim:
    """The claim that this session opened in this school not long ago. Raises WrongCode."""
    held: dict[str, Any] = request.session.get(_KEY) or {}
    now = clock.now()
    is_fresh = now - datetime.fromtimestamp(held.get("at", 0), tz=now.tzinfo) < _LASTS
    if (
        not is_fresh
        or held.get("school") != actor_of(request).place.id
        or (proved and not held.get("is_proved"))
    ):
        raise WrongCode
    return queries.access_claim(held["invitation"], now)


@open_to_all
@never_cache
def proof(request: HttpRequest, school: str) -> HttpResponse:
    """Who holds the letter? The birth date, or the family name where the school does not know it."""
    claim = _claim(request, proved=False)
    if request.method != "POST":
        return _ask_proof(request, claim)
    usage = sign_in.count_attempt(request, "proof", _PROOF_RATES, key=str(claim.invitation_id))
    form = ProofForm(request.POST)
    if not form.is_valid() or not proves(claim.identity, **form.cleaned_data):
        return _ask_proof(
            request, claim, _("That is not what the school knows. Check it, or ask the office.")
        )
    usage.rollback()
    _remember(request, claim, is_proved=True)
    return see(request, "activation-account", school=school)


def _ask_proof(request: HttpRequest, claim: queries.Claim, problem: str = "") -> HttpResponse:
    facts = {
        "asks_birth_date": claim.identity.proof is Proof.BIRTH_DATE,
        "problem": problem,
        "school": actor_of(request).place,
    }
    return render(request, "people/activation_proof.html", facts, status=422 if problem else 200)


@open_to_all
@never_cache
def account(request: HttpRequest, school: str) -> HttpResponse:
    """Link the account one is signed in with, choose a new password, or open an account."""
    claim = _claim(request, proved=True)
    if request.user.is_authenticated and claim.account_id in (None, request.user.pk):
        return _link(request, school, claim)
    return _recover(request, claim) if claim.account_id is not None else _open(request, claim)


def _link(request: HttpRequest, school: str, claim: queries.Claim) -> HttpResponse:
    if request.method == "POST" and request.POST.get("link"):
        actions.link_by_code(actor_of(request).account_id, claim.invitation_id, now=clock.now())
        del request.session[_KEY]
        return see(request, "school-home", school=school)
    facts = {"claim": claim, "school": actor_of(request).place, "account": request.user}
    return render(request, "people/activation_link.html", facts)


def _recover(request: HttpRequest, claim: queries.Claim) -> HttpResponse:
    form = NewPasswordForm(request.POST or None, username=claim.username)
    if request.method == "POST" and form.is_valid() and (answer := _recovered(request, claim, form)):
        return answer
    place = actor_of(request).place
    recovery = queries.recovery_of(claim, place.id)
    facts = {
        "form": form,
        "claim": claim,
        "school": place,
        "may_recover": recovery is not queries.Recovery.IMPOSSIBLE,
        "needs_letters": recovery is queries.Recovery.OTHER_LETTERS,
    }
    return render(request, "people/activation_recover.html", facts, status=422 if form.errors else 200)


def _recovered(request: HttpRequest, claim: queries.Claim, form: NewPasswordForm) -> HttpResponse | None:
    """Signed in with the new password, or None where another school's letter lacks."""
    codes = form.cleaned_data["codes"].splitlines()
    usage = sign_in.count_attempt(request, "code", _CODE_RATES) if codes else None
    try:
        found = actions.recover_account(
            actor_of(request).place,
            claim.invitation_id,
            password=form.cleaned_data["password"],
            other_codes=codes,
            now=clock.now(),
        )
    except LettersMissing as error:
        form.add_error("codes", told(error))
        return None
    if usage:
        usage.rollback()
    del request.session[_KEY]
    return sign_in.let_in(request, found, method="code")


def _open(request: HttpRequest, claim: queries.Claim) -> HttpResponse:
    initial = {"username": next(iter(claim.proposals), ""), "email": claim.email if claim.is_adult else ""}
    form = AccountForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid() and (answer := _opened(request, claim, form)):
        return answer
    facts = {"form": form, "claim": claim, "school": actor_of(request).place}
    return render(request, "people/activation_account.html", facts, status=422 if form.errors else 200)


def _opened(request: HttpRequest, claim: queries.Claim, form: AccountForm) -> HttpResponse | None:
    """Signed in with the new account, or None where its user name was taken in the meantime."""
    chosen = form.cleaned_data
    try:
        opened = actions.activate_account(
            actor_of(request).place,
            claim.invitation_id,
            username=chosen["username"],
            password=None if chosen["with_passkey"] else chosen["password"],
            email=chosen["email"],
            locale=get_language() or "",
            now=clock.now(),
        )
    except UsernameTaken as error:
        form.add_error("username", told(error))
        return None
    del request.session[_KEY]
    then = reverse("mfa_add_webauthn") if chosen["with_passkey"] else reverse("home")
    answer = sign_in.let_in(request, opened, method="code", then=then)
    sign_in.ask_to_confirm(request, opened)
    return answer


@open_to_all
@never_cache
def by_mail(request: HttpRequest, school: str) -> HttpResponse:
    """A link to the address that the school knows of an adult. It tells nobody whether it knows it."""
    place, email = actor_of(request).place, request.POST.get("email", "")
    if request.method == "POST" and "@" in email and email.isprintable():
        sign_in.count_attempt(request, "link", _MAIL_RATES, key=email.strip().lower())
        actions.ask_for_link(place, email=email)
        return render(request, "people/activation_mail_sent.html", {"school": place, "email": email})
    return render(request, "people/activation_by_mail.html", {"school": place, "email": email})
