"""What tests of this context arrange through actions: newcomers without an account, and their letters."""

from typing import Any

from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.actions.invitations import Letter
from pupitre.people.models import Person
from pupitre.people.rules import Role
from pupitre.tenancy.scoping import scope
from tests.cast import Cast


def newcomer(cast: Cast, given: str, family: str, role: Role = Role.GUARDIAN, **facts: Any) -> Person:
    """Somebody of the school without an account."""
    with scope(cast.school.id):
        return people.add_person(
            cast.office, given_name=given, family_name=family, role=role, now=clock.now(), **facts
        )


def letter_for(cast: Cast, person: Person) -> Letter:
    """A letter of the school's office for one person."""
    with scope(cast.school.id):
        (letter,) = people.issue_letters(cast.secretary.actor, [person.pk], now=clock.now())
        return letter
