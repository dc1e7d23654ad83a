"""The form in which a family announces or justifies an absence."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pupitre.attendance.queries.words import reason_words
from pupitre.attendance.rules.absences import Reason, Span, span_of_days
from pupitre.attendance.rules.documents import LARGEST_BYTES, Document

ACCEPTED_FILES = ".pdf,.jpg,.jpeg,.png,.heic,application/pdf,image/*"


def read_document(file: "UploadedFile[Any]") -> Document:
    """The uploaded file; of one that is too large no more is read than needed to refuse it."""
    return Document(file.name or "", file.read(LARGEST_BYTES + 1))


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class HourInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class AbsenceForm(forms.Form):
    """Days by the clock on the school's wall; the times are only for a part of a day."""

    pupils = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Who is absent?"), coerce=int, widget=forms.CheckboxSelectMultiple
    )
    first_day = forms.DateField(label=gettext_lazy("First day"), widget=DayInput)
    last_day = forms.DateField(label=gettext_lazy("Last day"), widget=DayInput, required=False)
    from_time = forms.TimeField(label=gettext_lazy("From"), widget=HourInput, required=False)
    until_time = forms.TimeField(label=gettext_lazy("Until"), widget=HourInput, required=False)
    kind = forms.TypedChoiceField(
        label=gettext_lazy("Why?"), coerce=lambda value: Reason(int(value)), widget=forms.RadioSelect
    )
    reason = forms.CharField(
        label=gettext_lazy("A word to the school"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    document = forms.FileField(
        label=gettext_lazy("Document"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ACCEPTED_FILES}),
        help_text=gettext_lazy(
            "A doctor's note, for instance: a PDF or a photo. You can also hand it in later."
        ),
    )

    def __init__(self, *args: Any, children: Mapping[int, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pupils"].choices = list(children.items())  # type: ignore[attr-defined]
        self.fields["kind"].choices = [(kind.value, words) for kind, words in reason_words().items()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        first: date | None = told.get("first_day")
        last = told.get("last_day") or first
        if first and last and last < first:
            self.add_error("last_day", _("The last day lies before the first."))
        told["last_day"] = last
        return told

    def span(self, zone: str) -> Span:
        told = self.cleaned_data
        return span_of_days(told["first_day"], told["last_day"], zone, told["from_time"], told["until_time"])

    def uploaded(self) -> Document | None:
        file = self.cleaned_data["document"]
        return read_document(file) if file else None
