"""The school's classes as groups of another system's directory."""

from collections.abc import Collection
from datetime import date

from django.db.models import Q, QuerySet

from pupitre.courses.models import Class, Enrolment
from pupitre.people.rules import OFFICE, Actor, require


def _current(today: date) -> Q:
    begun = Q(begins_on__isnull=True) | Q(begins_on__lte=today)
    return begun & (Q(ends_on__isnull=True) | Q(ends_on__gte=today))


def class_groups(actor: Actor) -> "QuerySet[Class]":
    """The classes that are taught, by whatever their `title` and `sourced_id` are filtered."""
    require(actor, OFFICE)
    return Class.objects.filter(ended_on__isnull=True)


def members_of(class_ids: Collection[int], today: date) -> dict[int, list[int]]:
    """Who is enrolled today, pupils and teachers, by class. One statement."""
    found = Enrolment.objects.filter(_current(today), klass_id__in=list(class_ids)).order_by("person_id")
    members: dict[int, dict[int, None]] = {}
    for class_id, person_id in found.values_list("klass_id", "person_id"):
        members.setdefault(class_id, {})[person_id] = None
    return {class_id: list(persons) for class_id, persons in members.items()}


def groups_of(person_id: int, today: date) -> Q:
    """The classes in which a person is enrolled today, for a filter of `class_groups`."""
    found = Enrolment.objects.filter(_current(today), person_id=person_id)
    return Q(pk__in=found.values("klass_id"))
