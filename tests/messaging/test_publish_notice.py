"""A notice: written, previewed, published, read, confirmed, reminded of and withdrawn."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.courses import actions as courses
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.messaging.actions import notices as actions
from pupitre.messaging.models import Notice, Notification, Receipt
from pupitre.messaging.queries import notices as queries
from pupitre.messaging.rules.kinds import AlreadyPublished, Audience, Kind, NobodyReached
from pupitre.messaging.rules.notices import (
    AlreadyWithdrawn,
    ClassNeeded,
    EverybodyAnswered,
    NothingToConfirm,
    NotYourClass,
)
from pupitre.people import actions as people
from pupitre.people.rules import Relation, Role
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, TODAY, Cast, Member
from tests.conftest import Visitor
from tests.jobs import run_jobs


def published(
    cast: Cast, *, audience: Audience = Audience.FAMILIES, author: Member | None = None, **facts: Any
) -> Notice:
    """A notice of the head (or that author) that has been handed out."""
    writer = (author or cast.head).actor
    told = {
        "title": "School trip",
        "body": "We go to the museum.\n\nBring water.",
        "audience": audience,
        **facts,
    }
    with scope(cast.school.id):
        notice = actions.draft_notice(writer, now=NOW, **told)
        actions.publish_notice(writer, notice_id=notice.pk, now=NOW)
    run_jobs()
    return notice


def reached(cast: Cast, notice: Notice) -> set[tuple[int, int | None]]:
    with scope(cast.school.id):
        return set(Receipt.objects.filter(notice=notice).values_list("person_id", "pupil_id"))


def test_a_notice_to_families_reaches_every_entitled_guardian_and_never_the_barred(cast: Cast) -> None:
    notice = published(cast)
    pau, sia = cast.pupil.person.pk, cast.sister.person.pk
    mother, father = cast.mother.person.pk, cast.father.person.pk
    assert reached(cast, notice) == {(mother, pau), (mother, sia), (father, pau), (father, sia)}
    with scope(cast.school.id):
        told = set(Notification.objects.filter(kind=Kind.NOTICE).values_list("person_id", flat=True))
        assert told == {mother, father}
        assert Notice.objects.get(pk=notice.pk).recipients == 2


def test_a_guardian_without_notices_receives_none(cast: Cast) -> None:
    with scope(cast.school.id):
        lodger = people.register_person(
            cast.office, sourced_id="lodger", given_name="Lo", family_name="Ger", now=NOW
        )
        people.grant_role(cast.office, lodger, Role.GUARDIAN)
        people.make_guardian(
            cast.office, cast.classmate.person, lodger, relation=Relation.OTHER, receives_notices=False
        )
    assert lodger.pk not in {person for person, _ in reached(cast, published(cast))}


@pytest.mark.parametrize(
    ("audience", "names"),
    [
        (Audience.PUPILS, {"pupil", "sister", "classmate"}),
        (Audience.STAFF, {"secretary", "teacher", "colleague", "technician"}),
        (
            Audience.EVERYBODY,
            {
                *("pupil", "sister", "classmate", "mother", "father"),
                *("secretary", "teacher", "colleague", "technician"),
            },
        ),
    ],
)
def test_each_audience_is_who_it_says(cast: Cast, audience: Audience, names: set[str]) -> None:
    found = {person for person, _ in reached(cast, published(cast, audience=audience))}
    assert found == {getattr(cast, name).person.pk for name in names}


def test_a_teacher_writes_to_her_own_class(cast: Cast) -> None:
    notice = published(cast, author=cast.teacher, audience=Audience.EVERYBODY, class_id=cast.klass.pk)
    found = {person for person, _ in reached(cast, notice)}
    wanted = (cast.pupil, cast.sister, cast.classmate, cast.mother, cast.father)
    assert found == {member.person.pk for member in wanted}


def test_a_teacher_writes_neither_to_the_school_nor_to_anothers_class(cast: Cast) -> None:
    with scope(cast.school.id):
        other = courses.open_class(cast.office, sourced_id="9Z", title="9Z")
        facts: dict[str, Any] = {"title": "x", "body": "y", "audience": Audience.FAMILIES, "now": NOW}
        with pytest.raises(NotYourClass):
            actions.draft_notice(cast.teacher.actor, class_id=other.pk, **facts)
        with pytest.raises(ClassNeeded):
            actions.draft_notice(cast.teacher.actor, class_id=None, **facts)
        with pytest.raises(NotYourClass):
            actions.draft_notice(cast.colleague.actor, class_id=cast.klass.pk, **facts)


def test_a_teacher_does_not_manage_anothers_notice_and_the_office_does(cast: Cast) -> None:
    notice = published(cast, author=cast.teacher, class_id=cast.klass.pk)
    with scope(cast.school.id):
        with pytest.raises(NotFound):
            actions.withdraw_notice(cast.colleague.actor, notice_id=notice.pk, now=NOW)
        assert queries.access_managed_notice(cast.secretary.actor, notice.pk).title == "School trip"


def test_a_notice_for_nobody_is_not_published(cast: Cast) -> None:
    with scope(cast.school.id):
        empty = courses.open_class(cast.office, sourced_id="9Z", title="9Z")
        notice = actions.draft_notice(
            cast.head.actor, title="x", body="y", audience=Audience.FAMILIES, class_id=empty.pk, now=NOW
        )
        with pytest.raises(NobodyReached):
            actions.publish_notice(cast.head.actor, notice_id=notice.pk, now=NOW)


def test_what_is_published_is_not_changed_any_more(cast: Cast) -> None:
    notice = published(cast)
    with scope(cast.school.id):
        with pytest.raises(AlreadyPublished):
            actions.publish_notice(cast.head.actor, notice_id=notice.pk, now=NOW)
        with pytest.raises(AlreadyPublished):
            actions.draft_notice(
                cast.head.actor, title="x", body="y", audience=Audience.STAFF, notice_id=notice.pk, now=NOW
            )
        with pytest.raises(AlreadyPublished):
            actions.discard_draft(cast.head.actor, notice_id=notice.pk)


def test_handing_out_twice_tells_nobody_twice(cast: Cast) -> None:
    notice = published(cast)
    with scope(cast.school.id):
        before = Notification.objects.count()
        assert actions.hand_out(cast.school, notice_id=notice.pk, now=NOW) == 0
    run_jobs()
    with scope(cast.school.id):
        assert Notification.objects.count() == before


def test_each_guardian_confirms_for_herself(cast: Cast) -> None:
    notice = published(cast, needs_confirmation=True)
    with scope(cast.school.id):
        actions.confirm_notice(cast.mother.actor, notice_id=notice.pk, now=NOW)
        confirmed = Receipt.objects.filter(notice=notice, confirmed_at__isnull=False)
        assert set(confirmed.values_list("person_id", flat=True)) == {cast.mother.person.pk}
        progress = queries.progress_of(notice.pk)
        assert (progress.reached, progress.read, progress.confirmed) == (2, 1, 1)
        facts = queries.access_managed_notice(cast.head.actor, notice.pk)
        missing = queries.recipients_of(facts, answered=False)
        assert [(one.name, one.pupils) for one in missing] == [("Pere Pupil", "Pau Pupil, Sia Pupil")]


def test_only_what_asks_for_it_is_confirmed(cast: Cast) -> None:
    notice = published(cast)
    with scope(cast.school.id), pytest.raises(NothingToConfirm):
        actions.confirm_notice(cast.mother.actor, notice_id=notice.pk, now=NOW)


def test_reading_takes_the_line_behind_the_bell_off(cast: Cast, visit: Visitor) -> None:
    notice = published(cast)
    answer = visit.as_(cast.mother).get(f"/s/oak/notices/{notice.pk}")
    assert answer.status_code == 200
    assert "We go to the museum." in answer.content.decode()
    with scope(cast.school.id):
        mine = Notification.objects.get(person_id=cast.mother.person.pk, kind=Kind.NOTICE)
        assert mine.read_at == NOW
        theirs = Notification.objects.get(person_id=cast.father.person.pk, kind=Kind.NOTICE)
        assert theirs.read_at is None


def test_those_missing_are_reminded_once_a_day(cast: Cast) -> None:
    notice = published(cast, needs_confirmation=True)
    with scope(cast.school.id):
        actions.confirm_notice(cast.mother.actor, notice_id=notice.pk, now=NOW)
        assert actions.remind_missing(cast.head.actor, notice_id=notice.pk, now=NOW) == 1
        with pytest.raises(EverybodyAnswered):
            actions.remind_missing(cast.head.actor, notice_id=notice.pk, now=NOW + timedelta(hours=2))
        assert actions.remind_missing(cast.head.actor, notice_id=notice.pk, now=NOW + timedelta(days=1)) == 1
    run_jobs()
    with scope(cast.school.id):
        told = Notification.objects.filter(kind=Kind.NOTICE_REMINDER).values_list("person_id", flat=True)
        assert list(told) == [cast.father.person.pk] * 2


def test_a_withdrawn_notice_is_gone_for_its_readers(cast: Cast, visit: Visitor) -> None:
    notice = published(cast)
    with scope(cast.school.id):
        actions.withdraw_notice(cast.head.actor, notice_id=notice.pk, now=NOW)
        assert not Notification.objects.filter(kind=Kind.NOTICE).exists()
        with pytest.raises(AlreadyWithdrawn):
            actions.withdraw_notice(cast.head.actor, notice_id=notice.pk, now=NOW)
        with pytest.raises(AlreadyWithdrawn):
            actions.remind_missing(cast.head.actor, notice_id=notice.pk, now=NOW)
    assert visit.as_(cast.mother).get(f"/s/oak/notices/{notice.pk}").status_code == 404


def test_who_is_barred_later_reads_no_further(cast: Cast, visit: Visitor) -> None:
    from pupitre.people.models import Guardianship

    notice = published(cast)
    with scope(cast.school.id):
        Guardianship.objects.filter(guardian=cast.father.person).update(receives_notices=False)
        assert queries.open_count(cast.father.actor, TODAY) == 0
    browser = visit.as_(cast.father)
    assert browser.get(f"/s/oak/notices/{notice.pk}").status_code == 404
    assert "School trip" not in browser.get("/s/oak/notices").content.decode()


def test_from_the_empty_sheet_to_the_confirmation_through_the_pages(cast: Cast, visit: Visitor) -> None:
    writer = visit.as_(cast.secretary)
    sheet = {"title": "Trip", "body": "See https://museum.example/a_(b). <b>Bring</b> water.", "audience": "1",
             "klass": "", "needs_confirmation": "on"}  # fmt: skip
    draft = writer.post("/s/oak/notices/new", sheet)
    assert draft.status_code == 303
    preview = writer.get(draft.headers["Location"]).content.decode()
    assert "It will reach 2 people" in preview
    assert '<a href="https://museum.example/a_(b)"' in preview
    assert "&lt;b&gt;Bring&lt;/b&gt;" in preview
    address = draft.headers["Location"].removesuffix("/following")
    assert writer.post(f"{address}/publication").status_code == 303
    run_jobs()
    reader = visit.as_(cast.father)
    assert "Trip" in reader.get("/s/oak/notices").content.decode()
    assert "I have read it and confirm" in reader.get(address).content.decode()
    assert reader.post(f"{address}/confirmation").status_code == 303
    assert "You have confirmed this notice" in reader.get(address).content.decode()
    followed = writer.get(f"{address}/following?show=missing").content.decode()
    assert "Mara Pupil" in followed
    assert "Pere Pupil" not in followed
    assert writer.post(f"{address}/reminder").status_code == 303
    assert "Remind those missing" not in writer.get(f"{address}/following").content.decode()
    assert writer.post(f"{address}/withdrawal").status_code == 303
    assert reader.get(address).status_code == 404


def test_a_sheet_with_mistakes_is_shown_again(cast: Cast, visit: Visitor) -> None:
    answer = visit.as_(cast.teacher).post("/s/oak/notices/new", {"title": "", "body": "x", "audience": "1"})
    assert answer.status_code == 422
    assert "This field is required." in answer.content.decode()


def test_a_draft_can_be_changed_and_thrown_away(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        notice = actions.draft_notice(
            cast.teacher.actor, title="x", body="y", audience=Audience.PUPILS, class_id=cast.klass.pk, now=NOW
        )
    browser = visit.as_(cast.teacher)
    sheet = {"title": "New title", "body": "z", "audience": "1", "klass": str(cast.klass.pk)}
    assert browser.post(f"/s/oak/notices/{notice.pk}/text", sheet).status_code == 303
    assert "New title" in browser.get("/s/oak/notices?show=written").content.decode()
    assert browser.post(f"/s/oak/notices/{notice.pk}/discarding").status_code == 303
    with scope(cast.school.id):
        assert not Notice.objects.filter(pk=notice.pk).exists()


def test_families_and_pupils_do_not_write(cast: Cast, visit: Visitor) -> None:
    for member in (cast.mother, cast.pupil, cast.barred):
        assert visit.as_(member).get("/s/oak/notices/new").status_code == 403
        assert visit.as_(member).post("/s/oak/notices/new", {}).status_code == 403


def test_a_draft_is_nobodys_but_its_writers(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        notice = actions.draft_notice(
            cast.head.actor, title="Secret", body="y", audience=Audience.EVERYBODY, now=NOW
        )
    for member in (cast.mother, cast.pupil, cast.teacher, cast.stranger):
        answer = visit.as_(member).get(f"/s/oak/notices/{notice.pk}")
        assert answer.status_code == 404
        assert "Secret" not in answer.content.decode()


def test_lists_cost_the_same_with_one_notice_and_with_thirty(cast: Cast, visit: Visitor) -> None:
    def cost(member: Member, path: str) -> int:
        browser = visit.as_(member)
        browser.get(path)
        with CaptureQueriesContext(connection) as queries_made:
            assert browser.get(path).status_code == 200
        return len(queries_made)

    first = published(cast)
    pages = [(cast.mother, "/s/oak/notices"), (cast.head, "/s/oak/notices?show=written"),
             (cast.mother, "/notifications"), (cast.head, f"/s/oak/notices/{first.pk}/following")]  # fmt: skip
    before = [cost(*page) for page in pages]
    for _ in range(29):
        published(cast)
    assert [cost(*page) for page in pages] == before


def test_two_thousand_recipients_are_told_in_batches(cast: Cast) -> None:
    from pupitre.people.models import Membership, Person

    with scope(cast.school.id):
        crowd = Person.objects.bulk_create(
            Person(school_id=cast.school.id, sourced_id=f"crowd-{n}", given_name="C", family_name=str(n),
                   family_key=str(n), given_key="c", created_at=NOW)
            for n in range(2000)
        )  # fmt: skip
        Membership.objects.bulk_create(
            Membership(school_id=cast.school.id, person=one, role=Role.PUPIL) for one in crowd
        )
        notice = actions.draft_notice(cast.head.actor, title="x", body="y", audience=Audience.PUPILS, now=NOW)
        with CaptureQueriesContext(connection) as made:
            actions.publish_notice(cast.head.actor, notice_id=notice.pk, now=NOW)
        assert len(made) < 15
    names = run_jobs()
    assert names.count("pupitre.messaging.jobs.tell_batch") == 11
    with scope(cast.school.id):
        assert Notification.objects.filter(kind=Kind.NOTICE).count() == 2003


def test_a_moment_of_publishing_is_the_schools(cast: Cast) -> None:
    notice = published(cast)
    with scope(cast.school.id):
        facts, received = queries.access_received_notice(cast.mother.actor, notice.pk, TODAY)
    assert clock.local(received.published_at, cast.school.time_zone).hour == 9
    assert facts.author == "Hedy Head"
    assert received.pupils == ("Pau", "Sia")
