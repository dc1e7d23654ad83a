"""What the timetable's pages send, read and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, time
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pupitre.timetable.rules.bell import Period, parse_time
from pupitre.timetable.rules.importing import Choices, Question, Questions
from pupitre.timetable.rules.plan import SourceFile

#: No school's timetable is larger; the readers have limits of their own.
MOST_BYTES = 64 * 1024 * 1024
WEEKDAYS = range(1, 8)


class Files(forms.ClearableFileInput):
    """Several files in one field."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One or two files; `clean` answers a list."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        listed = data if isinstance(data, list | tuple) else [data] if data else []
        if not listed:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return [super(FilesField, self).clean(one, initial) for one in listed]


class UploadForm(forms.Form):
    """The files of a timetable."""

    uploaded = FilesField(label=_("Timetable files"), widget=Files())

    def clean_uploaded(self) -> list[SourceFile]:
        files = self.cleaned_data["uploaded"]
        if len(files) > 2:
            raise forms.ValidationError(_("Choose one or two files."))
        if any(file.size > MOST_BYTES for file in files):
            raise forms.ValidationError(_("The file is larger than any school's timetable."))
        return [SourceFile(file.name, file.read()) for file in files]


class HolidayForm(forms.Form):
    """Days without school."""

    label = forms.CharField(label=_("Name"), max_length=100)
    starts_on = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}))
    ends_on = forms.DateField(
        label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"}), required=False
    )

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or self.cleaned_data
        facts["ends_on"] = facts.get("ends_on") or facts.get("starts_on")
        if facts.get("starts_on") and facts["ends_on"] < facts["starts_on"]:
            self.add_error("ends_on", _("The last day lies before the first."))
        return facts


class OtherDayForm(forms.Form):
    """A date that runs as another weekday or by another bell schedule: `how` is "weekday-3" or "bell-7"."""

    label = forms.CharField(label=_("Name"), max_length=100)
    on = forms.DateField(label=_("Date"), widget=forms.DateInput(attrs={"type": "date"}))
    how = forms.ChoiceField(label=_("How it runs"))

    def __init__(self, *args: Any, ways: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["how"].choices = list(ways)  # type: ignore[attr-defined]

    @property
    def facts(self) -> dict[str, Any]:
        """What `actions.run_day_otherwise` takes."""
        kind, _dash, number = self.cleaned_data["how"].partition("-")
        key = "as_weekday" if kind == "weekday" else "schedule_id"
        return {"on": self.cleaned_data["on"], "label": self.cleaned_data["label"], key: int(number)}


class WeeksForm(forms.Form):
    """The school's weekdays and the cycle of weeks A and B."""

    weekdays = forms.TypedMultipleChoiceField(
        label=_("School days"), coerce=int, widget=forms.CheckboxSelectMultiple
    )
    cycle_starts_on = forms.DateField(
        label=_("A day of the first week A"),
        help_text=_("Leave it empty if all weeks are alike."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    holidays_pause_cycle = forms.BooleanField(
        label=_("Weeks without school do not count: after them the turn goes on"), required=False
    )

    def __init__(self, *args: Any, names: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["weekdays"].choices = list(names)  # type: ignore[attr-defined]


class RoomForm(forms.Form):
    """A room."""

    name = forms.CharField(label=_("Name"), max_length=80)
    capacity = forms.IntegerField(label=_("Seats"), min_value=1, max_value=5000, required=False)


class LessonForm(forms.Form):
    """A weekly lesson. Ids are checked against what the page offers."""

    klass = forms.TypedChoiceField(label=_("Class"), coerce=int)
    subject = forms.CharField(label=_("Subject"), max_length=120)
    weekday = forms.TypedChoiceField(label=_("Weekday"), coerce=int)
    position = forms.TypedChoiceField(label=pgettext_lazy("timetable", "Period"), coerce=int)
    length = forms.IntegerField(label=_("Periods"), min_value=1, max_value=8, initial=1)
    week = forms.ChoiceField(
        label=_("Weeks"),
        required=False,
        choices=[("", _("Every week")), ("A", _("Weeks A")), ("B", _("Weeks B"))],
    )
    teachers = forms.TypedMultipleChoiceField(
        label=_("Teachers"), coerce=int, required=False, widget=forms.SelectMultiple(attrs={"size": 6})
    )
    room = forms.TypedChoiceField(label=_("Room"), coerce=int, required=False, empty_value=None)
    from_on = forms.DateField(
        label=pgettext_lazy("lesson", "From"), widget=forms.DateInput(attrs={"type": "date"})
    )
    ends_on = forms.DateField(
        label=pgettext_lazy("lesson", "Until"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, offered: Mapping[str, Sequence[tuple[Any, str]]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, options in offered.items():
            self.fields[name].choices = list(options)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or self.cleaned_data
        if facts.get("ends_on") and facts.get("from_on") and facts["ends_on"] < facts["from_on"]:
            self.add_error("ends_on", _("The last day lies before the first."))
        return facts


def periods_in(posted: QueryDict) -> tuple[tuple[Period, ...], list[str]]:
    """The bell schedule in a posted table, and what is wrong with its cells. Rows without a name are left out."""
    rows = zip(
        posted.getlist("period-name"),
        posted.getlist("period-start"),
        posted.getlist("period-end"),
        posted.getlist("period-kind"),
        strict=False,
    )
    periods, wrong = [], []
    for name, start, end, kind in rows:
        if not name.strip() and not start and not end:
            continue
        starts_at, ends_at = parse_time(start), parse_time(end)
        if starts_at is None or ends_at is None or not name.strip():
            wrong.append(name.strip() or "—")
        periods.append(Period(name.strip(), starts_at or time(0), ends_at or time(0), kind == "break"))
    return tuple(periods), wrong


def choices_in(
    posted: QueryDict, asked: Questions, before: Choices, labels: Mapping[str, Mapping[str, str]]
) -> tuple[Choices, list[str]]:
    """The choices in a posted preview, and the names of what was typed and is not known.

    `labels` gives for teachers, groups and rooms the ids by what the page calls them.
    """
    unknown: list[str] = []

    def chosen(prefix: str, questions: Sequence[Question]) -> dict[str, str]:
        found = {}
        for number, question in enumerate(questions):
            typed = " ".join(posted.get(f"{prefix}-{number}-other", "").split())
            choice = posted.get(f"{prefix}-{number}", "")
            if typed:
                choice = labels[prefix].get(typed, "")
                if not choice:
                    unknown.append(typed)
            found[question.name] = choice
        return found

    periods, wrong = periods_in(posted)
    choices = replace(
        before,
        starts_on=_date_in(posted.get("starts_on", "")) or before.starts_on,
        cycle_starts_on=_date_in(posted.get("cycle_starts_on", "")),
        periods=periods,
        days={
            name: int(value)
            if (value := posted.get(f"day-{number}", "")).isdecimal() and len(value) == 1
            else 0
            for number, name in enumerate(before.days)
        },
        teachers=chosen("teacher", asked.teachers),
        groups=chosen("group", asked.groups),
        rooms=chosen("room", asked.rooms),
        subjects={
            question.name: posted.get(f"subject-{number}", "").strip() or question.name
            for number, question in enumerate(asked.subjects)
        },
        ends_hand_made=bool(posted.get("ends_hand_made")),
    )
    return choices, [*unknown, *wrong]


def _date_in(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
