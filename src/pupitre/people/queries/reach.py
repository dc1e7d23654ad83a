"""Whose file the actor may open: the office and who cares for all pupils everybody's, a teacher her pupils'."""

from collections.abc import Collection
from datetime import date

from pupitre.people.models import Guardianship, Membership
from pupitre.people.rules import READS_ALL_FILES, READS_FILES, STAFF, Actor
from pupitre.people.rules.reach import taught_by

from . import _current, lasting_on


def pupils_in_reach(actor: Actor, today: date) -> frozenset[int] | None:
    """The pupils whose data the actor works with; None for all of them."""
    return None if actor.is_any(READS_ALL_FILES) else taught_by(actor, today)


def near(actor: Actor, person_ids: Collection[int], today: date) -> frozenset[int]:
    """Those of the persons who are within reach: pupils, adults who look after one, and oneself."""
    reach = pupils_in_reach(actor, today)
    if reach is None:
        return frozenset(person_ids)
    adults = Guardianship.objects.filter(
        lasting_on(today), guardian_id__in=list(person_ids), pupil_id__in=list(reach)
    )
    found = reach | set(adults.values_list("guardian_id", flat=True)) | {actor.person_id}
    return found & frozenset(person_ids)


def openable(actor: Actor, person_ids: Collection[int], today: date) -> frozenset[int]:
    """Those of the persons whose file the actor may open: who is near, and colleagues, whose part in the directory it is.

    Three statements for a teacher, however many persons, and none for others.
    """
    if not actor.is_any(READS_FILES) or not person_ids:
        return frozenset()
    if actor.is_any(READS_ALL_FILES):
        return frozenset(person_ids)
    staff = Membership.objects.filter(_current(today), person_id__in=list(person_ids), role__in=list(STAFF))
    return near(actor, person_ids, today) | frozenset(staff.values_list("person_id", flat=True))
