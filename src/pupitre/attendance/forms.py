"""Forms of the office's pages."""

from collections.abc import Iterable
from datetime import date, time
from typing import Any, ClassVar

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from pupitre.attendance.queries.words import counted_words, reason_words, window_words
from pupitre.attendance.rules.absences import Counted, NoticeState, Reason, Span, Window, span_of_days
from pupitre.attendance.rules.documents import Document
from pupitre.attendance.rules.settings import DAYS_MOST, DELAY_MOST
from pupitre.attendance.rules.status import Status
from pupitre.attendance.rules.thresholds import LIMIT_MOST

ACCEPTED_FILES = ".pdf,.jpg,.jpeg,.png,.heic,application/pdf,image/jpeg,image/png,image/heic"


class Day(forms.DateInput):
    input_type = "date"

    def __init__(self, **attributes: Any) -> None:
        super().__init__(format="%Y-%m-%d", attrs=attributes)


class Clock(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class AbsenceForm(forms.Form):
    """An absence from a day, or a time on it, to the end of a day, or a time on it."""

    first_day = forms.DateField(label=_("First day"), widget=Day())
    from_time = forms.TimeField(
        label=_("From (time)"), widget=Clock(), required=False, help_text=_("Leave empty for the whole day.")
    )
    last_day = forms.DateField(label=_("Last day"), widget=Day())
    until_time = forms.TimeField(label=_("Until (time)"), widget=Clock(), required=False)
    kind = forms.TypedChoiceField(label=_("Reason"), coerce=lambda value: Reason(int(value)))
    reason = forms.CharField(
        label=_("What the family says"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    document = forms.FileField(
        label=_("Document"),
        required=False,
        help_text=_("PDF or photo, up to 10 MB."),
        widget=forms.FileInput(attrs={"accept": ACCEPTED_FILES}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(reason.value, word) for reason, word in reason_words().items()]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]

    def span(self, zone: str) -> Span:
        """The absence as instants on the school's wall."""
        told = self.cleaned_data
        first: date = told["first_day"]
        last: date = told["last_day"]
        from_time: time | None = told["from_time"]
        until_time: time | None = told["until_time"]
        return span_of_days(first, last, zone, from_time, until_time)

    def uploaded(self) -> Document | None:
        return document_of(self.cleaned_data.get("document"))


def document_of(file: "UploadedFile[Any] | None") -> Document | None:
    """The uploaded file; what is larger than allowed is read no further than needed to refuse it."""
    if not file:
        return None
    return Document(file.name or "", file.read(10 * 1024 * 1024 + 1))


class CallForm(forms.Form):
    """What a family said on the telephone: away until the end of that day."""

    pupil = forms.IntegerField(widget=forms.HiddenInput())
    last_day = forms.DateField(label=_("Away until"), widget=Day())
    kind = forms.TypedChoiceField(label=_("Reason"), coerce=lambda value: Reason(int(value)))
    reason = forms.CharField(label=_("What the family says"), required=False, max_length=2000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(reason.value, word) for reason, word in reason_words().items()]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]


class ArrivalForm(forms.Form):
    """A missing pupil came in. `came` is "<register>-<pupil>": the rows' buttons share one form."""

    came = forms.RegexField(r"^[0-9]{1,18}-[0-9]{1,18}$")

    def clean_came(self) -> tuple[int, int]:
        register, _, pupil = str(self.cleaned_data["came"]).partition("-")
        return int(register), int(pupil)


class DecisionForm(forms.Form):
    """Accept or refuse one or several justifications."""

    notice = forms.TypedMultipleChoiceField(coerce=int)
    verdict = forms.ChoiceField(choices=[("accept", ""), ("refuse", "")])
    note = forms.CharField(required=False, max_length=1000)

    def __init__(self, data: Any, ids: Iterable[str]) -> None:
        super().__init__(data)
        choices = [(one, one) for one in ids if one.isdecimal() and len(one) < 19]
        self.fields["notice"].choices = choices  # type: ignore[attr-defined]


class StretchForm(forms.Form):
    """From which day to which day is counted."""

    first = forms.DateField(label=_("First day"), widget=Day(), required=False)
    last = forms.DateField(label=_("Last day"), widget=Day(), required=False)


class ThresholdForm(forms.Form):
    """When the school writes a letter, and what it says."""

    name = forms.CharField(
        label=_("Name"), max_length=80, required=False, help_text=_("Empty: named by what it counts.")
    )
    counts = forms.TypedChoiceField(label=_("What is counted"), coerce=lambda value: Counted(int(value)))
    limit = forms.IntegerField(
        label=_("Limit"),
        min_value=1,
        max_value=LIMIT_MOST,
        help_text=_("A letter is due when it is reached, and again at twice as many."),
    )
    window = forms.TypedChoiceField(label=_("Counted over a"), coerce=lambda value: Window(int(value)))
    letter_title = forms.CharField(label=_("Title of the letter"), max_length=200, required=False)
    letter_body = forms.CharField(
        label=_("Text of the letter"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    is_active = forms.BooleanField(label=_("In use"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        counts = [(one.value, word) for one, word in counted_words().items()]
        windows = [(one.value, word) for one, word in window_words().items()]
        self.fields["counts"].choices = counts  # type: ignore[attr-defined]
        self.fields["window"].choices = windows  # type: ignore[attr-defined]


class SettingsForm(forms.Form):
    """The school's delays and switches."""

    alerts_families = forms.BooleanField(
        label=_("Tell families when a child is missing and nobody announced it"), required=False
    )
    alert_delay_minutes = forms.IntegerField(
        label=_("Tell them so many minutes after the lesson began"), min_value=0, max_value=DELAY_MOST
    )
    register_due_minutes = forms.IntegerField(
        label=_("A register is late after so many minutes"), min_value=0, max_value=DELAY_MOST
    )
    correction_days = forms.IntegerField(
        label=_("Teachers may correct a register for so many days"), min_value=0, max_value=DAYS_MOST
    )


class CodeForm(forms.Form):
    """One of the school's codes; an empty line is not one."""

    id = forms.IntegerField(required=False, widget=forms.HiddenInput())
    code = forms.CharField(max_length=4, required=False)
    label = forms.CharField(max_length=40, required=False)
    status = forms.TypedChoiceField(
        choices=[(status.value, "") for status in Status], coerce=lambda value: Status(int(value))
    )
    is_active = forms.BooleanField(required=False)

    def is_empty(self) -> bool:
        told = self.cleaned_data
        return not (told["id"] or told["code"].strip() or told["label"].strip())


class AbsenceFilter(forms.Form):
    """Which justifications are listed."""

    STATES: ClassVar[dict[str, NoticeState]] = {
        "pending": NoticeState.PENDING,
        "accepted": NoticeState.ACCEPTED,
        "refused": NoticeState.REFUSED,
    }
    state = forms.ChoiceField(choices=[(key, key) for key in STATES], required=False)
    form = forms.IntegerField(required=False)
    q = forms.CharField(required=False, max_length=100)

    def chosen(self) -> tuple[str, int, str]:
        """The state's key, the form's id or 0, and the words; what cannot be read is left out."""
        self.is_valid()
        told = self.cleaned_data
        return told.get("state") or "pending", told.get("form") or 0, told.get("q") or ""
