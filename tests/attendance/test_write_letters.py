"""A pupil crosses a threshold: each entitled guardian gets her own letter, in her language, once."""

from datetime import date, timedelta
from typing import Any

import pypdfium2
import pytest

from pupitre.attendance.actions import absences, letters
from pupitre.attendance.models import AbsenceLetter, Threshold
from pupitre.attendance.printing import print_letters
from pupitre.attendance.queries import letters as queries
from pupitre.attendance.rules.absences import Counted, Reason, Window
from pupitre.attendance.rules.events import AbsenceLetterIssued
from pupitre.attendance.rules.status import Status
from pupitre.attendance.rules.thresholds import (
    AlreadySent,
    AlreadyWritten,
    NameTaken,
    NobodyToWriteTo,
    NotCrossed,
    UnknownPlaceholder,
    WrongLimit,
    filled,
    window_on,
)
from pupitre.kernel import events
from pupitre.kernel.errors import Denied
from pupitre.people.models import Guardianship, Person
from pupitre.tenancy.scoping import scope
from tests.attendance.office import everybody, taken_register
from tests.cast import NOW, TODAY, Cast


def absent_twice(cast: Cast, who: Any = None) -> None:
    """Two lessons of the first two Tuesdays of October missed without a reason."""
    pupil_id = (who or cast.pupil).person.pk
    for on in (TODAY - timedelta(weeks=1), TODAY):
        taken_register(cast, {**everybody(cast), pupil_id: Status.ABSENT}, on=on)


def threshold(
    cast: Cast, limit: int = 2, counts: Counted = Counted.ABSENT_LESSONS, **facts: Any
) -> Threshold:
    wanted: dict[str, Any] = {"name": "Two lessons", "window": Window.MONTH, **facts}
    return letters.save_threshold(
        cast.secretary.actor, threshold_id=None, counts=counts, limit=limit, **wanted
    )


def issue(cast: Cast, rule: Threshold, *pupils: Any) -> list[AbsenceLetter]:
    ids = [member.person.pk for member in pupils or (cast.pupil,)]
    return letters.issue_letters(cast.secretary.actor, threshold_id=rule.pk, pupil_ids=ids, now=NOW)


def text_of(pdf: bytes) -> list[str]:
    """The words of each page."""
    document = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_bounded() for page in document]


def test_who_crossed_a_threshold_is_listed_with_the_count(cast: Cast) -> None:
    with scope(cast.school.id):
        absent_twice(cast)
        threshold(cast)
        found = queries.crossings_for(cast.secretary.actor, TODAY)
    assert [(c.pupil_name, c.form, c.count, c.number, c.recipients, c.is_due) for c in found] == [
        ("Pau Pupil", "1A", 2, 1, 2, True)
    ]


def test_both_separated_parents_get_a_letter_of_their_own_and_the_barred_none(cast: Cast) -> None:
    with scope(cast.school.id):
        absent_twice(cast)
        letter = issue(cast, threshold(cast))[0]
        copies, subjects = queries.copies_of(cast.secretary.actor, [letter.pk])
    assert [copy["recipient"] for copy in copies] == [["Mara Pupil"], ["Pere Pupil"]]
    assert subjects == [cast.pupil.person.pk]
    pages = text_of(print_letters(copies))
    assert len(pages) == 2
    assert "Dear Mara Pupil," in pages[0]
    assert "Dear Pere Pupil," in pages[1]
    assert all("Oak School" in page and "Maths" in page and "Bard" not in page for page in pages)


def test_the_letter_is_tagged_and_titled_for_screen_readers(cast: Cast) -> None:
    with scope(cast.school.id):
        absent_twice(cast)
        letter = issue(cast, threshold(cast))[0]
        copies, _ = queries.copies_of(cast.secretary.actor, [letter.pk])
    pdf = print_letters(copies)
    document = pypdfium2.PdfDocument(pdf)
    assert document.is_tagged()
    assert document.get_metadata_dict()["Title"] == "Absences of Pau Pupil"
    assert b"pdfuaid" in pdf


def test_each_guardian_reads_her_own_language(cast: Cast) -> None:
    with scope(cast.school.id):
        Person.objects.filter(pk=cast.father.person.pk).update(locale="de")
        absent_twice(cast)
        letter = issue(cast, threshold(cast))[0]
        copies, _ = queries.copies_of(cast.secretary.actor, [letter.pk])
    assert [copy["lang"] for copy in copies] == ["en", "de"]


def test_the_schools_own_words_name_the_facts(cast: Cast) -> None:
    with scope(cast.school.id):
        absent_twice(cast)
        rule = threshold(
            cast, letter_title="About {pupil}", letter_body="{count} of {limit}\n\nYours, {school}"
        )
        letter = issue(cast, rule)[0]
    assert letter.facts[0]["subject"] == "About Pau Pupil"
    assert letter.facts[0]["paragraphs"] == ["2 of 2", "Yours, Oak School"]


def test_what_a_fact_says_is_never_a_placeholder() -> None:
    assert filled("{pupil}", {"pupil": "{school}", "school": "no"}) == "{school}"


def test_a_letter_is_never_written_twice(cast: Cast) -> None:
    with scope(cast.school.id):
        absent_twice(cast)
        rule = threshold(cast)
        issue(cast, rule)
        with pytest.raises(AlreadyWritten):
            issue(cast, rule)
        assert AbsenceLetter.objects.count() == 1


def test_a_second_letter_follows_at_twice_the_limit(cast: Cast) -> None:
    with scope(cast.school.id):
        absent_twice(cast)
        rule = threshold(cast, limit=1)
        assert issue(cast, rule)[0].number == 2
        marks = {**everybody(cast), cast.pupil.person.pk: Status.ABSENT}
        taken_register(cast, marks, lesson=cast.next_lesson)
        assert issue(cast, rule)[0].number == 3


def test_who_is_below_the_threshold_gets_no_letter(cast: Cast) -> None:
    with scope(cast.school.id):
        absent_twice(cast)
        with pytest.raises(NotCrossed):
            issue(cast, threshold(cast), cast.sister)


def test_an_absence_that_waits_for_its_justification_does_not_count(cast: Cast) -> None:
    with scope(cast.school.id):
        absent_twice(cast)
        rule = threshold(cast)
        absences.announce_absence(
            cast.mother.actor,
            pupil_id=cast.pupil.person.pk,
            starts_at=NOW - timedelta(hours=2),
            ends_at=NOW + timedelta(hours=2),
            kind=Reason.ILLNESS,
            now=NOW,
        )
        with pytest.raises(NotCrossed):
            issue(cast, rule)


def test_without_an_entitled_guardian_there_is_nobody_to_write_to(cast: Cast) -> None:
    with scope(cast.school.id):
        Guardianship.objects.filter(pupil=cast.pupil.person).update(receives_notices=False)
        absent_twice(cast)
        rule = threshold(cast)
        assert queries.crossings_for(cast.secretary.actor, TODAY)[0].recipients == 0
        with pytest.raises(NobodyToWriteTo, match="Pau Pupil"):
            issue(cast, rule)


def test_the_recipients_are_told_in_the_product(cast: Cast) -> None:
    heard: list[AbsenceLetterIssued] = []
    events.subscribe(AbsenceLetterIssued, heard.append)
    with scope(cast.school.id):
        absent_twice(cast)
        issue(cast, threshold(cast))
    events.unsubscribe(AbsenceLetterIssued, heard.append)
    assert [set(event.guardian_person_ids) for event in heard] == [
        {cast.mother.person.pk, cast.father.person.pk}
    ]


def test_days_latenesses_and_percent_are_counted_too(cast: Cast) -> None:
    with scope(cast.school.id):
        pupil = cast.pupil.person.pk
        for lesson in (cast.lesson, cast.next_lesson):
            taken_register(cast, {**everybody(cast), pupil: Status.ABSENT}, lesson=lesson)
        late = {**everybody(cast), pupil: Status.LATE}
        taken_register(cast, late, on=TODAY - timedelta(weeks=1), minutes=12)
        threshold(cast, 1, Counted.ABSENT_DAYS, name="Days")
        threshold(cast, 1, Counted.LATENESSES, name="Late")
        threshold(cast, 50, Counted.PERCENT_MISSED, name="Percent", window=Window.YEAR)
        found = queries.crossings_for(cast.secretary.actor, TODAY)
    assert [(c.threshold_name, c.count) for c in found] == [("Days", 1), ("Late", 1), ("Percent", 66)]


def test_sent_letters_are_marked_once(cast: Cast) -> None:
    with scope(cast.school.id):
        absent_twice(cast)
        letter = issue(cast, threshold(cast))[0]
        assert letters.mark_sent(cast.secretary.actor, letter_ids=[letter.pk], now=NOW) == 1
        with pytest.raises(AlreadySent):
            letters.mark_sent(cast.head.actor, letter_ids=[letter.pk], now=NOW)
        archive, count = queries.letters_for(cast.head.actor)
    assert (count, archive[0].sent_at, archive[0].recipients) == (1, NOW, ["Mara Pupil", "Pere Pupil"])


def test_the_usual_thresholds_are_taken_on_once(cast: Cast) -> None:
    with scope(cast.school.id):
        assert len(letters.adopt_default_thresholds(cast.secretary.actor)) == 3
        assert letters.adopt_default_thresholds(cast.secretary.actor) == []


def test_a_threshold_that_cannot_be_meant_is_refused(cast: Cast) -> None:
    with scope(cast.school.id):
        with pytest.raises(WrongLimit):
            threshold(cast, limit=0)
        with pytest.raises(WrongLimit):
            threshold(cast, limit=101, counts=Counted.PERCENT_MISSED)
        with pytest.raises(UnknownPlaceholder, match="mother"):
            threshold(cast, letter_body="Dear {mother}")
        threshold(cast)
        with pytest.raises(NameTaken):
            threshold(cast)


def test_a_teacher_writes_no_letters(cast: Cast) -> None:
    with scope(cast.school.id):
        rule = threshold(cast)
        with pytest.raises(Denied):
            letters.issue_letters(cast.teacher.actor, threshold_id=rule.pk, pupil_ids=[1], now=NOW)


def test_windows_follow_the_calendar_and_the_sessions() -> None:
    assert window_on(Window.MONTH, date(2026, 12, 31), []) == (date(2026, 12, 1), date(2026, 12, 31))
    assert window_on(Window.YEAR, date(2027, 1, 10), []) == (date(2026, 9, 1), date(2027, 8, 31))
