"""Figures of attendance: of the school, its forms and classes, and of pupils with exceptions."""

from datetime import date
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from pupitre.attendance.queries import statistics
from pupitre.attendance.queries.statistics import Figures, Stretch
from pupitre.connections.access import machine
from pupitre.connections.rules import Scope
from pupitre.connections.wire import Day, Id, Limit, Row, told
from pupitre.kernel import clock
from pupitre.people.access import actor_of
from pupitre.people.rules import Actor
from pupitre.timetable.rules.errors import DatesReversed

router = Router(tags=["Figures"])
reads = machine(Scope.REGISTERS_READ)


class FiguresRow(Row):
    """Marks by status."""

    marks: int = told("All marks.", 5400)
    present: int = told("Present.", 5100)
    absent: int = told("Absent and not excused.", 120)
    late: int = told("Late.", 80)
    excused: int = told("Excused.", 90)
    out_of_class: int = told("Out of class with the school's knowledge.", 10)
    percent_missed: float = told("Absent and excused of all, in per cent.", 3.9)


class ClassFiguresRow(Row):
    """The figures of a form or class."""

    class_id: int = told("The class.", 31)
    title: str = told("Its title.", "1A")
    figures: FiguresRow = told("Its figures.", FiguresRow)


class MonthRow(Row):
    """The figures of a month."""

    month: date = told("Its first day.", date(2026, 10, 1))
    figures: FiguresRow = told("Its figures.", FiguresRow)


class SchoolFigures(Row):
    """The school's attendance over some days."""

    first: date = told("First day that is counted.", date(2026, 9, 1))
    last: date = told("Last day that is counted.", date(2026, 10, 13))
    total: FiguresRow = told("All together.", FiguresRow)
    forms: list[ClassFiguresRow] = told("Forms, by what they have for themselves.", [ClassFiguresRow])
    classes: list[ClassFiguresRow] = told("Classes.", [ClassFiguresRow])
    months: list[MonthRow] = told("Months.", [MonthRow])


class PupilFiguresRow(Row):
    """A pupil's figures."""

    pupil_id: int = told("The pupil.", 4711)
    name: str = told("The pupil's name.", "Pau Puig Serra")
    form: str = told("The pupil's form.", "1A")
    days: int = told("Days on which at least one lesson was missed.", 2)
    minutes_late: int = told("Minutes late in all.", 15)
    figures: FiguresRow = told("The marks.", FiguresRow)


class DaysAsked(Schema):
    """Which days are counted."""

    first: Day | None = told("First day; left out, the school year's.", date(2026, 9, 1), default=None)
    last: Day | None = told("Last day; left out, today.", date(2026, 10, 13), default=None)


class PupilsAsked(DaysAsked):
    """Which pupils are listed."""

    form_id: Id | None = told("Only pupils of that form.", 30, default=None)
    limit: Limit = told("How many at most.", 50, default=50)


def _stretch(actor: Actor, asked: DaysAsked) -> Stretch:
    last = asked.last or clock.today(actor.place.time_zone)
    first = asked.first or statistics.year_of(last).first
    if last < first:
        raise DatesReversed
    return Stretch(first, last)


def _figures(found: Figures) -> dict[str, Any]:
    return {name: getattr(found, name) for name in FiguresRow.model_fields}


@router.get("/figures", response=SchoolFigures, auth=reads)
def read_figures(request: HttpRequest, asked: Query[DaysAsked]) -> Any:
    """How many lessons were attended and missed: in all, by form, class and month."""
    actor = actor_of(request)
    stretch = _stretch(actor, asked)
    found = statistics.overview_for(actor, stretch, clock.today(actor.place.time_zone))
    lists = {"forms": found.forms, "classes": found.classes}
    by_class = {
        name: [{"class_id": one.id, "title": one.title, "figures": _figures(one.figures)} for one in rows]
        for name, rows in lists.items()
    }
    months = [{"month": month, "figures": _figures(figures)} for month, figures in found.months]
    days = {"first": stretch.first, "last": stretch.last}
    return {**days, "total": _figures(found.total), **by_class, "months": months}


@router.get("/figures/pupils", response=list[PupilFiguresRow], auth=reads)
def list_pupil_figures(request: HttpRequest, asked: Query[PupilsAsked]) -> Any:
    """The pupils who missed most, first. Who missed nothing is not listed."""
    actor = actor_of(request)
    found = statistics.pupils_for(
        actor,
        _stretch(actor, asked),
        clock.today(actor.place.time_zone),
        form_id=asked.form_id or 0,
        limit=asked.limit,
    )
    return [
        {
            "pupil_id": one.pupil_id,
            "name": one.name,
            "form": one.form,
            "days": one.days,
            "minutes_late": one.minutes_late,
            "figures": _figures(one.figures),
        }
        for one in found
    ]
