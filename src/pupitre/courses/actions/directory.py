"""What another system's directory says of classes, written down."""

import uuid
from collections.abc import Collection
from datetime import date

from django.db import transaction

from pupitre.courses.models import Class, Enrolment
from pupitre.courses.queries.directory import class_groups, members_of
from pupitre.kernel.errors import Conflict, NotFound
from pupitre.people.queries.directory import directory, whole_school_roles
from pupitre.people.rules import STAFF, Actor

from .classes import end_enrolment, enrol, open_class


@transaction.atomic
def open_group(actor: Actor, *, title: str, sourced_id: str = "") -> Class:
    """A class that a directory brings. Raises Conflict where the sourcedId is taken."""
    sourced_id = sourced_id or f"pupitre-{uuid.uuid4()}"
    if Class.objects.filter(sourced_id=sourced_id).exists():
        raise Conflict
    return open_class(actor, sourced_id=sourced_id, title=title)


@transaction.atomic
def rename_group(actor: Actor, class_id: int, *, title: str) -> None:
    """Another name for a class."""
    if not class_groups(actor).filter(pk=class_id).update(title=title):
        raise NotFound


@transaction.atomic
def end_group(actor: Actor, class_id: int, *, today: date) -> None:
    """A class ends; its registers stay."""
    if not class_groups(actor).filter(pk=class_id).update(ended_on=today):
        raise NotFound


@transaction.atomic
def set_members(actor: Actor, class_id: int, person_ids: Collection[int], *, today: date) -> None:
    """Enrol those who are missing: staff as teachers, others as pupils. Who is not named leaves, if enrolled by hand: what
    a roster or a form says of a class is not for a directory to undo. Raises NotFound for persons who are not the school's.
    """
    klass = class_groups(actor).filter(pk=class_id).first()
    if klass is None:
        raise NotFound
    wanted = set(person_ids)
    held = set(members_of([class_id], today).get(class_id, ()))
    new = wanted - held
    persons = {person.pk: person for person in directory(actor).filter(pk__in=new)}
    if persons.keys() != new:
        raise NotFound
    roles = whole_school_roles(list(new), today)
    for person_id, person in sorted(persons.items()):
        teaches = roles.get(person_id, frozenset()) & STAFF
        enrol(actor, klass, person, role=Enrolment.TEACHER if teaches else Enrolment.STUDENT)
    gone = Enrolment.objects.filter(klass_id=class_id, person_id__in=held - wanted, origin=Enrolment.BY_HAND)
    for enrolment in gone:
        end_enrolment(actor, enrolment, today=today)
