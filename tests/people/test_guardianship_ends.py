"""A guardianship that is to end counts until its last day has passed: on the day after it nothing is left of it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from pupitre.attendance.queries import board
from pupitre.attendance.queries.rosters import guardians_told
from pupitre.kernel import clock
from pupitre.people import actions, queries
from pupitre.people.models import Guardianship
from pupitre.people.queries import accounts, files, invitations
from pupitre.people.rules.invitations import Group
from pupitre.people.rules.rosters import GuardianshipFacts
from pupitre.tenancy.scoping import scope
from pupitre.timetable.actions.feeds import create_feed
from pupitre.timetable.queries.feeds import find_feed
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor
from tests.people.arrange import newcomer

DAYS = [(TODAY + timedelta(days=1), True), (TODAY, True), (TODAY - timedelta(days=1), False)]
lasts = pytest.mark.parametrize(("last_day", "counts"), DAYS)


def father_until(cast: Cast, last_day: date) -> None:
    actions.change_guardianship(cast.office, cast.pupil.person.pk, cast.father.person.pk, ends_on=last_day)


@lasts
def test_a_guardian_sees_her_pupil_until_the_last_day(cast: Cast, last_day: date, counts: bool) -> None:
    actor, pupil = cast.father.actor, cast.pupil.person
    with scope(cast.school.id, account=cast.father.account.pk):
        father_until(cast, last_day)
        assert (queries.guardianship_of(actor, pupil.pk, TODAY) is not None) is counts
        assert queries.is_guardian_of(actor, pupil.pk) is counts
        assert (pupil in queries.pupils_of_guardian(actor, TODAY)) is counts
        assert (cast.father.person.pk in guardians_told([pupil.pk], TODAY)[pupil.pk]) is counts
        told = board.contacts_for(cast.secretary.actor, pupil.pk, TODAY).contacts
        assert ("Pere Pupil" in {contact.name for contact in told}) is counts
        known = {one.id for place in accounts.account_places(actor, TODAY) for one in place.people}
        assert (pupil.pk in known) is counts
        opened = files.file_of(cast.secretary.actor, pupil, today=TODAY, now=NOW)
        assert ("Pere Pupil" in {tie.name for tie in opened.guardians}) is counts


@lasts
def test_her_pages_follow(cast: Cast, visit: Visitor, last_day: date, counts: bool) -> None:
    with scope(cast.school.id):
        father_until(cast, last_day)
    answer = visit.as_(cast.father).get(f"/s/oak/people/{cast.pupil.person.pk}/history")
    assert answer.status_code == (200 if counts else 404)


@lasts
def test_her_calendar_feed_follows(cast: Cast, last_day: date, counts: bool) -> None:
    from pupitre.kernel import tokens

    with scope(cast.school.id):
        secret = create_feed(cast.father.actor, person_id=cast.pupil.person.pk, now=NOW)
        father_until(cast, last_day)
        assert (find_feed(tokens.digest(str(secret)), TODAY) is not None) is counts


@lasts
def test_an_invitation_names_her_pupil_as_long(cast: Cast, last_day: date, counts: bool) -> None:
    aunt = newcomer(cast, "Ana", "Aunt")
    with scope(cast.school.id):
        actions.make_guardian(cast.office, cast.pupil.person, aunt, ends_on=last_day)
        (letter,) = invitations.recipients(cast.secretary.actor, [aunt.pk])
        assert bool(letter.pupils) is counts
        listed = invitations.not_yet_active(
            cast.secretary.actor, Group.FAMILIES, grade="07", today=TODAY, now=NOW
        )
        assert (aunt.pk in {line.id for line in listed.lines}) is counts


def test_a_roster_ends_it_at_once_and_leaves_a_coming_end(cast: Cast) -> None:
    def apply(**facts: object) -> None:
        actions.apply_people(cast.office, now=NOW, today=TODAY, **facts)  # type: ignore[arg-type]

    pair = {"pupil": cast.pupil.person, "guardian": cast.father.person}
    with scope(cast.school.id):
        father_until(cast, date(2026, 12, 31))
        apply(guardianships=[GuardianshipFacts("pupil", "father")])
        assert Guardianship.objects.get(**pair).ends_on == date(2026, 12, 31)
        apply(ended_guardianships={("pupil", "father")})
        assert not queries.is_guardian_of(cast.father.actor, cast.pupil.person.pk)
        apply(guardianships=[GuardianshipFacts("pupil", "father")])
        assert Guardianship.objects.get(**pair).ends_on is None


def test_the_last_day_is_the_schools(cast: Cast) -> None:
    with scope(cast.school.id):
        father_until(cast, TODAY)
        with clock.frozen(datetime(2026, 10, 13, 21, 59, tzinfo=UTC)):
            assert queries.is_guardian_of(cast.father.actor, cast.pupil.person.pk)
        with clock.frozen(datetime(2026, 10, 13, 22, 1, tzinfo=UTC)):
            assert not queries.is_guardian_of(cast.father.actor, cast.pupil.person.pk)
