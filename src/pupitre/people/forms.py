"""What the office and people enter."""

from typing import Any

from allauth.account.forms import RequestLoginCodeForm, ResetPasswordForm
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .models import Account
from .queries import confirmed_addresses
from .rules import Relation, Role, Sex
from .rules.grades import code_options, grade_and_code, read_grade, usual_codes
from .rules.invitations import is_username
from .wording import GIVEN_ROLES, RELATIONS, ROLES, SEXES


def _dates() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ConfirmedResetForm(ResetPasswordForm):  # type: ignore[misc]
    """A link for a new password goes to a confirmed address only (queries.confirmed_addresses). The answer tells nobody."""

    users: list[Account]

    def clean_email(self) -> str:
        email: str = super().clean_email()
        self.users = [user for user in self.users if _is_confirmed(user, email)]
        return email


class ConfirmedCodeForm(RequestLoginCodeForm):  # type: ignore[misc]
    """A code to sign in goes to a confirmed address only, too."""

    _user: Account | None

    def clean_email(self) -> str:
        email: str = super().clean_email()
        user = self._user if email else None
        self._user = user if user and _is_confirmed(user, email) else None
        return email


def _is_confirmed(account: Account, email: str) -> bool:
    return confirmed_addresses().filter(user_id=account.pk, email=email.lower()).exists()


class PersonForm(forms.Form):
    """What the office keeps of a person by hand."""

    given_name = forms.CharField(label=_("Given name"), max_length=100)
    middle_name = forms.CharField(label=_("Middle name"), max_length=100, required=False)
    family_name = forms.CharField(label=_("Family name"), max_length=150)
    preferred_name = forms.CharField(label=_("Called"), max_length=100, required=False)
    grade = forms.CharField(
        label=_("Grade"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"list": "grades", "autocomplete": "off"}),
    )
    identifier = forms.CharField(label=_("Identifier"), max_length=60, required=False)
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=40, required=False)
    sms = forms.CharField(label=_("Mobile"), max_length=40, required=False)
    born_on = forms.DateField(label=_("Born on"), required=False, widget=_dates())
    birth_place = forms.CharField(label=_("Place of birth"), max_length=120, required=False)
    birth_country = forms.CharField(label=_("Country of birth"), max_length=60, required=False)
    sex = forms.TypedChoiceField(
        label=_("Sex"),
        coerce=int,
        empty_value=None,
        required=False,
        choices=[("", "–"), *((s.value, SEXES[s]) for s in Sex)],
    )
    locale = forms.ChoiceField(
        label=_("Language of letters"),
        required=False,
        choices=[("", _("as the school writes")), *settings.LANGUAGES],
    )

    def __init__(self, *args: Any, country: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country = country
        self.grades = [shown for _code, shown in code_options(country, gettext, usual_codes(country))]
        self.initial["grade"] = grade_and_code(self.initial.get("grade", ""), country, gettext)

    def clean_grade(self) -> str:
        """A code where one is meant; a label of the school's own may be as long as 40 characters."""
        grade = read_grade(self.cleaned_data["grade"], self.country, gettext)
        MaxLengthValidator(40)(grade)
        return grade


class NewPersonForm(PersonForm):
    """A person whom no roster brings."""

    role = forms.TypedChoiceField(
        label=_("Role"),
        coerce=lambda value: Role(int(value)),
        choices=[(r.value, ROLES[r]) for r in GIVEN_ROLES],
        initial=Role.PUPIL.value,
    )


class RoleForm(forms.Form):
    """A role for a person."""

    role = forms.TypedChoiceField(
        label=_("Role"),
        coerce=lambda value: Role(int(value)),
        choices=[(r.value, ROLES[r]) for r in GIVEN_ROLES],
    )
    starts_on = forms.DateField(label=_("From"), required=False, widget=_dates())
    ends_on = forms.DateField(label=_("Until"), required=False, widget=_dates())


class GuardianshipForm(forms.Form):
    """What an adult is to a pupil, and what she is entitled to."""

    relation = forms.TypedChoiceField(
        label=_("Relation"),
        coerce=lambda v: Relation(int(v)),
        choices=[(r.value, RELATIONS[r]) for r in Relation],
    )
    priority = forms.IntegerField(label=_("Order of contact"), min_value=1, max_value=9, initial=1)
    lives_with = forms.BooleanField(label=_("Lives with the pupil"), required=False, initial=True)
    sees_record = forms.BooleanField(label=_("Sees the record"), required=False, initial=True)
    receives_notices = forms.BooleanField(label=_("Is told"), required=False, initial=True)
    may_announce = forms.BooleanField(label=_("May announce absences"), required=False, initial=True)
    may_collect = forms.BooleanField(label=_("May collect the pupil"), required=False, initial=True)
    court_note = forms.CharField(
        label=_("Protected note"),
        help_text=_("A court's limits, for example. Only the office and counsellors read it."),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    ends_on = forms.DateField(label=_("Until"), required=False, widget=_dates())


class CodeForm(forms.Form):
    """A letter's code."""

    code = forms.CharField(max_length=40)


class ProofForm(forms.Form):
    """What a code's holder must know besides the code."""

    born_on = forms.DateField(required=False, widget=_dates())
    family_name = forms.CharField(required=False, max_length=150)


class AccountForm(forms.Form):
    """How somebody will sign in. Without a password she adds a passkey next."""

    username = forms.CharField(max_length=40)
    email = forms.EmailField(required=False)
    password = forms.CharField(required=False, max_length=200, strip=False, widget=forms.PasswordInput)
    with_passkey = forms.BooleanField(required=False)

    def clean_username(self) -> str:
        name = str(self.cleaned_data["username"]).lower()
        if not is_username(name):
            raise forms.ValidationError(
                _("A user name has 3 to 40 small letters, digits, dots or dashes, and begins with a letter.")
            )
        return name

    def clean(self) -> dict[str, Any]:
        facts: dict[str, Any] = super().clean() or {}
        if not facts.get("with_passkey"):
            _check_password(self, facts)
        return facts


class NewPasswordForm(forms.Form):
    """A new password for an account that a letter recovers."""

    password = forms.CharField(max_length=200, strip=False, widget=forms.PasswordInput)
    codes = forms.CharField(max_length=1000, required=False)  # of other schools' letters, one a line

    def __init__(self, *args: Any, username: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.username = username

    def clean(self) -> dict[str, Any]:
        facts: dict[str, Any] = super().clean() or {}
        _check_password(self, {**facts, "username": self.username})
        return facts


def _check_password(form: forms.Form, facts: dict[str, Any]) -> None:
    """Put what Django's validators say to the password's field."""
    likeness = Account(username=facts.get("username", ""), email=facts.get("email", ""))
    try:
        validate_password(facts.get("password", ""), likeness)
    except forms.ValidationError as error:
        form.add_error("password", error)
