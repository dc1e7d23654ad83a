"""Reading classes and who is in them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Q

from pupitre.courses.models import Class, ClassGroup, Enrolment
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import STAFF, Actor

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from pupitre.people.models import Person


@dataclass(frozen=True, slots=True)
class ClassLine:
    """A class as a list shows it: with its number of pupils and its teachers' names today."""

    id: int
    title: str
    kind: str
    subject: str
    pupils: int
    teachers: str


def _current(today: date) -> Q:
    begun = Q(begins_on__isnull=True) | Q(begins_on__lte=today)
    return begun & (Q(ends_on__isnull=True) | Q(ends_on__gte=today))


# Only of the classes that are shown pupils are counted and teachers named, class by class.
_LIST = """
WITH wanted AS MATERIALIZED (
    SELECT id, title, kind, subject FROM courses_class
     WHERE ended_on IS NULL AND (%(words)s = '' OR strpos(lower(title), %(words)s) > 0 OR strpos(lower(subject), %(words)s) > 0)
), shown AS MATERIALIZED (
    SELECT id, title, kind, subject FROM wanted ORDER BY kind, title, id LIMIT %(most)s OFFSET %(behind)s
)
SELECT (SELECT count(*) FROM wanted), c.id, c.title, c.kind, c.subject, part.pupils, coalesce(taught.names, '')
  FROM (SELECT) one LEFT JOIN shown c ON true
  LEFT JOIN LATERAL (
       SELECT count(*) FILTER (WHERE e.role = 1) AS pupils, array_agg(e.person_id) FILTER (WHERE e.role = 2) AS teachers
         FROM courses_enrolment e
        WHERE e.class_id = c.id
          AND (e.begins_on IS NULL OR e.begins_on <= %(today)s) AND (e.ends_on IS NULL OR e.ends_on >= %(today)s)) part ON true
  LEFT JOIN LATERAL (
       SELECT string_agg(coalesce(nullif(p.preferred_name, ''), p.given_name) || ' ' || p.family_name, ', '
                         ORDER BY p.family_key) AS names
         FROM people_person p WHERE p.id = ANY(part.teachers)) taught ON true
 ORDER BY c.kind, c.title, c.id
"""
#: Classes on a page of the list.
PER_PAGE = 50


def classes_for(actor: Actor, *, today: date, words: str = "") -> list[ClassLine]:
    """All living classes of the school, forms first. For staff; others find nothing. A large school has hundreds."""
    return _classes(actor, {"today": today, "words": words.strip().lower(), "most": None, "behind": 0})[0]


def page_of_classes(actor: Actor, *, today: date, words: str, page: int) -> tuple[list[ClassLine], int]:
    """A page of them, and how many there are in all."""
    behind = PER_PAGE * (page - 1)
    return _classes(
        actor, {"today": today, "words": words.strip().lower(), "most": PER_PAGE, "behind": behind}
    )


def _classes(actor: Actor, facts: dict[str, Any]) -> tuple[list[ClassLine], int]:
    if not actor.is_any(STAFF):
        raise NotFound
    with connection.cursor() as cursor:
        cursor.execute(_LIST, facts)
        rows = cursor.fetchall()
    return [ClassLine(*row[1:]) for row in rows if row[1] is not None], rows[0][0]


def access_class(actor: Actor, class_id: int) -> Class:
    """A class of the actor's school, ended or not. For staff."""
    found = Class.objects.select_related("course").filter(pk=class_id).first()
    if found is None or not actor.is_any(STAFF):
        raise NotFound
    return found


def access_enrolment(actor: Actor, class_id: int, enrolment_id: int) -> Enrolment:
    """An enrolment of that class. For staff."""
    found = Enrolment.objects.filter(pk=enrolment_id, klass_id=class_id).first()
    if found is None or not actor.is_any(STAFF):
        raise NotFound
    return found


def members_of(class_ids: Iterable[int], *, today: date) -> "QuerySet[Enrolment]":
    """Everybody's current part in those classes, with the person, by name."""
    return (
        Enrolment.objects.select_related("person")
        .filter(_current(today), klass_id__in=list(class_ids), person__ended_on__isnull=True)
        .order_by("role", "person__family_key", "id")
    )


@dataclass(frozen=True, slots=True)
class MemberLine:
    """Somebody's part in a class, as its page shows it. `role` is OneRoster's, as a number."""

    id: int
    person_id: int
    called: str
    family_name: str
    role: int
    comes_with_form: bool


def lines_of(class_id: int, *, today: date) -> list[MemberLine]:
    """Everybody's current part in the class, by name; one statement."""
    rows = members_of([class_id], today=today).values_list(
        "id", "person_id", "person__given_name", "person__preferred_name", "person__family_name", "role", "origin"
    )  # fmt: skip
    return [
        MemberLine(id_, person_id, preferred or given, family, role, origin == Enrolment.FROM_GROUP)
        for id_, person_id, given, preferred, family, role, origin in rows
    ]


def pupils_of(class_ids: Iterable[int], *, today: date) -> "list[Person]":
    """The pupils who are in any of those classes today, by name, each once."""
    rows = members_of(class_ids, today=today).filter(role=Enrolment.STUDENT)
    return list({row.person_id: row.person for row in rows}.values())


def homeroom_of(pupil_ids: Collection[int], *, today: date) -> dict[int, str]:
    """The title of each pupil's form; who is in none is not in the answer."""
    rows = Enrolment.objects.filter(
        _current(today),
        person_id__in=list(pupil_ids),
        role=Enrolment.STUDENT,
        klass__kind=Class.HOMEROOM,
        klass__ended_on__isnull=True,
    ).order_by("person_id", "klass__title")
    found: dict[int, str] = {}
    for person_id, title in rows.values_list("person_id", "klass__title"):
        found.setdefault(person_id, title)
    return found


def classes_of_teacher(actor: Actor, *, today: date) -> list[Class]:
    """The living classes that the actor teaches today."""
    taught = Enrolment.objects.filter(
        _current(today), person_id=actor.person_id, role__in=[Enrolment.TEACHER, Enrolment.AIDE]
    ).values_list("klass_id", flat=True)
    return list(Class.objects.filter(pk__in=list(taught), ended_on__isnull=True).order_by("title", "id"))


def classes_of_person(person_id: int, today: date) -> list[dict[str, str]]:
    """The living classes that somebody is in or teaches today, in OneRoster's words, for tools that may know them."""
    words = {Enrolment.STUDENT: "student", Enrolment.TEACHER: "teacher", Enrolment.AIDE: "aide"}
    rows = Enrolment.objects.filter(_current(today), person_id=person_id, klass__ended_on__isnull=True)
    values = rows.order_by("klass__title", "id").values_list("klass__sourced_id", "klass__title", "role")
    return [
        {"sourcedId": sourced_id, "title": title, "role": words[role]}
        for sourced_id, title, role in values
        if role in words
    ]


def homerooms(*, attached_to: int | None = None, not_attached_to: int | None = None) -> list[dict[str, Any]]:
    """Living forms (id, title), all or those that a class takes (does not take) as a whole."""
    found = Class.objects.filter(kind=Class.HOMEROOM, ended_on__isnull=True)
    for class_id, narrow in ((attached_to, found.filter), (not_attached_to, found.exclude)):
        if class_id is not None:
            ids = list(ClassGroup.objects.filter(klass_id=class_id).values_list("homeroom_id", flat=True))
            found = narrow(pk__in=ids)
    return [
        {"id": pk, "title": title} for pk, title in found.order_by("title", "id").values_list("id", "title")
    ]


def forms_taken_by(class_ids: Collection[int]) -> set[int]:
    """The ids of the living forms that any of those classes takes as a whole. One statement."""
    found = ClassGroup.objects.filter(
        klass_id__in=list(class_ids), homeroom__kind=Class.HOMEROOM, homeroom__ended_on__isnull=True
    )
    return set(found.values_list("homeroom_id", flat=True))


def titles_of(class_ids: Collection[int]) -> dict[int, str]:
    """What those of the classes are called that are of the school in scope."""
    return dict(Class.objects.filter(pk__in=list(class_ids)).values_list("id", "title"))
