"""The form in which a notice is written."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pupitre.messaging.queries.notices import WrittenClass
from pupitre.messaging.rules.kinds import Audience
from pupitre.messaging.rules.notices import LONGEST_BODY, LONGEST_TITLE

AUDIENCES: dict[Audience, str | Promise] = {
    Audience.FAMILIES: _("Families"),
    Audience.PUPILS: _("Pupils"),
    Audience.STAFF: _("Staff"),
    Audience.EVERYBODY: _("Everybody"),
}


class NoticeForm(forms.Form):
    """Plain words: addresses of the web become links, nothing else is markup."""

    title = forms.CharField(label=_("Title"), max_length=LONGEST_TITLE)
    body = forms.CharField(
        label=_("Text"),
        max_length=LONGEST_BODY,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_("Leave a line empty to begin a new paragraph. Addresses of web pages become links."),
    )
    audience = forms.TypedChoiceField(
        label=_("For"), coerce=lambda value: Audience(int(value)), widget=forms.RadioSelect
    )
    klass = forms.TypedChoiceField(label=_("Class"), required=False, coerce=int, empty_value=None)
    needs_confirmation = forms.BooleanField(
        label=_("Ask for a confirmation"),
        required=False,
        help_text=_(
            "Each recipient confirms for herself or himself. You see who has not, and can remind them."
        ),
    )

    def __init__(
        self, *args: Any, classes: Iterable[WrittenClass], whole_school: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        audience, klass = self.fields["audience"], self.fields["klass"]
        audience.choices = [(kind.value, words) for kind, words in AUDIENCES.items()]  # type: ignore[attr-defined]
        whole = [("", _("The whole school"))] if whole_school else []
        klass.choices = [*whole, *((one.id, one.title) for one in classes)]  # type: ignore[attr-defined]
        klass.required = not whole_school
