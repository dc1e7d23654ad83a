"""Two codes used at the same moment: one is through, the other is told why not, and nobody waits for ever."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress

from pupitre.kernel.errors import DomainError
from pupitre.people import actions as people
from pupitre.people.actions import invitations
from pupitre.people.models import Account, Invitation, Membership, Person
from pupitre.people.queries.invitations import find_claim
from pupitre.people.rules import Role, WrongCode
from pupitre.people.rules.invitations import AlreadySomebody
from tests.cast import NOW, Cast
from tests.people.racing import Racing


@pytest.fixture
def racing(cast: Cast) -> Iterator[Racing]:
    """What these tests commit is taken away again: the cast's database serves all tests."""
    race = Racing(cast)
    persons = race.committed(lambda: list(Person.objects.values_list("pk", flat=True)))
    accounts = race.committed(lambda: list(Account.objects.values_list("pk", flat=True)))
    yield race

    def tidy_up() -> None:
        new = Person.objects.exclude(pk__in=persons)
        Invitation.objects.filter(person__in=new).delete()
        Membership.objects.filter(person__in=new).delete()
        new.delete()
        Account.objects.exclude(pk__in=accounts).delete()

    race.committed(tidy_up)


def adult(cast: Cast, racing: Racing, name: str, email: str = "") -> Any:
    return racing.committed(
        lambda: people.add_person(
            cast.office, given_name=name, family_name="Racer", role=Role.GUARDIAN, now=NOW, email=email
        )
    )


def letter(cast: Cast, racing: Racing, person: Person) -> int:
    def issue() -> int:
        (issued,) = people.issue_letters(cast.office, [person.pk], now=NOW)
        return find_claim(issued.code, NOW).invitation_id

    return int(str(racing.committed(issue)))


def link(cast: Cast, racing: Racing, person: Person) -> int:
    def issue() -> int:
        issued = invitations.issue_link(cast.school, person.pk, now=NOW)
        assert issued is not None
        return find_claim(issued.code, NOW).invitation_id

    return int(str(racing.committed(issue)))


def activation(cast: Cast, invitation: int, username: str, email: str = "") -> Any:
    return lambda: people.activate_account(
        cast.school, invitation, username=username, password="long enough now", email=email, now=NOW
    )


def one_and_a_refusal(outcomes: list[object]) -> bool:
    return sorted(type(one).__name__ for one in outcomes) == ["Account", "WrongCode"]


@pytest.mark.parametrize("round_", range(5))
def test_a_letter_and_a_mail_of_one_person_at_once(cast: Cast, racing: Racing, round_: int) -> None:
    person = adult(cast, racing, f"Rosa{round_}", "rosa@familia.example")
    first, second = letter(cast, racing, person), link(cast, racing, person)
    outcomes = racing.at_once(activation(cast, first, "rosa.one"), activation(cast, second, "rosa.two"))
    assert one_and_a_refusal(outcomes), outcomes


def test_one_code_entered_twice(cast: Cast, racing: Racing) -> None:
    code = letter(cast, racing, adult(cast, racing, "Rosa"))
    outcomes = racing.overlapping(activation(cast, code, "rosa.one"), activation(cast, code, "rosa.two"))
    assert isinstance(outcomes[0], Account)
    assert isinstance(outcomes[1], WrongCode)


def test_new_letters_are_printed_while_an_old_one_is_used(cast: Cast, racing: Racing) -> None:
    person = adult(cast, racing, "Rosa")
    code = letter(cast, racing, person)
    outcomes = racing.overlapping(
        lambda: people.issue_letters(cast.office, [person.pk], now=NOW), activation(cast, code, "rosa.one")
    )
    assert isinstance(outcomes[0], list)
    assert isinstance(outcomes[1], WrongCode)


def test_two_links_to_one_address_at_once(cast: Cast, racing: Racing) -> None:
    """Two children's entries of the same mother: the address is confirmed for one account, the other has none."""
    persons = [adult(cast, racing, name, "rosa@familia.example") for name in ("Rosa", "Rose")]
    codes = [link(cast, racing, person) for person in persons]
    outcomes = racing.overlapping(
        *(
            activation(cast, code, name, "rosa@familia.example")
            for code, name in zip(codes, ("rosa", "rose"), strict=True)
        )
    )
    first, second = outcomes
    assert isinstance(first, Account), outcomes
    assert isinstance(second, Account), outcomes
    assert (first.email, second.email) == ("rosa@familia.example", "")
    held = EmailAddress.objects.filter(email="rosa@familia.example")
    assert list(held.values_list("user_id", "verified")) == [(first.pk, True)]


def test_one_account_takes_two_persons_at_once(cast: Cast, racing: Racing) -> None:
    account = racing.committed(
        lambda: people.open_account(username="racer", password="long enough now", display_name="R", now=NOW)
    )
    assert isinstance(account, Account)
    codes = [letter(cast, racing, adult(cast, racing, name)) for name in ("Rosa", "Rose")]
    outcomes = racing.overlapping(
        lambda: people.link_by_code(account.pk, codes[0], now=NOW),
        lambda: people.link_by_code(account.pk, codes[1], now=NOW),
    )
    assert isinstance(outcomes[0], Person), outcomes
    assert isinstance(outcomes[1], AlreadySomebody), outcomes
    assert issubclass(AlreadySomebody, DomainError)


def test_one_user_name_is_chosen_by_two_at_once(cast: Cast, racing: Racing) -> None:
    codes = [letter(cast, racing, adult(cast, racing, name)) for name in ("Rosa", "Rose")]
    outcomes = racing.overlapping(*(activation(cast, code, "the.racer") for code in codes))
    assert [type(one).__name__ for one in outcomes] == ["Account", "UsernameTaken"]
