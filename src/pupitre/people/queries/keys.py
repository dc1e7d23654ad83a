"""Which row a sourcedId means."""

from pupitre.people.models import Person
from pupitre.people.rules import OFFICE, Actor, require


def person_ids(actor: Actor) -> dict[str, int]:
    """The ids of everybody in the school, those who left too, by sourcedId. For bringing records from elsewhere."""
    require(actor, OFFICE)
    return dict(Person.objects.values_list("sourced_id", "id"))
