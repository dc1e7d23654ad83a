"""Thresholds, and the letters that they call for."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import formats, translation
from django.utils.translation import gettext as _

from pupitre.attendance.models import AbsenceLetter, Threshold
from pupitre.attendance.queries.letters import (
    Crossing,
    LetterLesson,
    access_threshold,
    crossings_for,
    lessons_of_letter,
    school_address,
)
from pupitre.attendance.queries.registers import status_labels
from pupitre.attendance.rules.absences import Counted, Window
from pupitre.attendance.rules.events import AbsenceLetterIssued
from pupitre.attendance.rules.thresholds import (
    DEFAULTS,
    AlreadySent,
    AlreadyWritten,
    NameTaken,
    NobodyToWriteTo,
    NotCrossed,
    check_limit,
    check_text,
    filled,
)
from pupitre.kernel import clock, events
from pupitre.people import queries as people
from pupitre.people.rules import OFFICE, Actor, require

LANGUAGES = frozenset({"es", "ca", "fr", "de", "en", "pt"})
#: A letter lists so many lessons; the rest is summed up.
LONGEST_TABLE = 20


@transaction.atomic
def adopt_default_thresholds(actor: Actor) -> list[Threshold]:
    """Begin with the usual thresholds, named in the school's language. Does nothing where the school has some."""
    require(actor, OFFICE)
    if Threshold.objects.exists():
        return []
    with translation.override(actor.place.locale):
        return Threshold.objects.bulk_create(
            Threshold(
                school_id=actor.place.id,
                name=default_name(default.counts, default.limit),
                counts=default.counts,
                limit=default.limit,
                window=default.window,
                letter_title="",
                letter_body="",
            )
            for default in DEFAULTS
        )


def default_name(counts: Counted, limit: int) -> str:
    """What a threshold is called that nobody has named, in the active language."""
    name = {
        Counted.ABSENT_LESSONS: _("Lessons without a reason: %(limit)s"),
        Counted.ABSENT_DAYS: _("Days without a reason: %(limit)s"),
        Counted.LATENESSES: _("Latenesses: %(limit)s"),
        Counted.PERCENT_MISSED: _("Lessons missed: %(limit)s %%"),
    }[counts]
    return name % {"limit": limit}


@transaction.atomic
def save_threshold(
    actor: Actor,
    *,
    threshold_id: int | None,
    name: str,
    counts: Counted,
    limit: int,
    window: Window,
    letter_title: str = "",
    letter_body: str = "",
    is_active: bool = True,
) -> Threshold:
    """Write a threshold. An empty title or body means the product's own words, in each reader's language.

    Raises NotFound, WrongLimit, UnknownPlaceholder, NameTaken.
    """
    require(actor, OFFICE)
    check_limit(limit, counts)
    check_text(letter_title)
    check_text(letter_body)
    found = access_threshold(actor, threshold_id) if threshold_id else Threshold(school_id=actor.place.id)
    found.name = name.strip() or default_name(counts, limit)
    found.counts, found.limit, found.window, found.is_active = counts, limit, window, is_active
    found.letter_title, found.letter_body = letter_title.strip(), letter_body.strip()
    try:
        with transaction.atomic():
            found.save()
    except IntegrityError:
        raise NameTaken from None
    return found


@transaction.atomic
def issue_letters(
    actor: Actor, *, threshold_id: int, pupil_ids: Iterable[int], now: datetime
) -> list[AbsenceLetter]:
    """Write the letters that are due to these pupils' guardians, each to everyone entitled, in her own language.

    A letter is written once per pupil, threshold, window and number, whoever asks first. Raises NotFound, NotCrossed
    (counted again), AlreadyWritten, NobodyToWriteTo.
    """
    threshold = access_threshold(actor, threshold_id)
    _one_at_a_time(actor)
    today = clock.local(now, actor.place.time_zone).date()
    asked = set(pupil_ids)
    crossed = [
        c for c in crossings_for(actor, today) if c.threshold_id == threshold.pk and c.pupil_id in asked
    ]
    if not crossed:
        raise NotCrossed
    due = [crossing for crossing in crossed if crossing.is_due]
    if not due:
        raise AlreadyWritten
    return [_issue(actor, threshold, crossing, now) for crossing in due]


def _one_at_a_time(actor: Actor) -> None:
    """Two tutors at once: the second waits, and then finds the letter written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"letters:{actor.place.id}"])


def _issue(actor: Actor, threshold: Threshold, crossing: Crossing, now: datetime) -> AbsenceLetter:
    today = clock.local(now, actor.place.time_zone).date()
    told = [
        relation
        for relation in people.guardians_of([crossing.pupil_id], today)
        if relation.receives_notices and relation.sees_record and relation.guardian.ended_on is None
    ]
    if not told:
        raise NobodyToWriteTo(pupil=crossing.pupil_name)
    letter = AbsenceLetter.objects.create(
        school_id=actor.place.id,
        threshold=threshold,
        pupil_id=crossing.pupil_id,
        window_starts_on=crossing.window_starts_on,
        count=crossing.count,
        number=crossing.number,
        created_at=now,
        created_by_id=actor.person_id or None,
    )
    today = clock.local(now, actor.place.time_zone).date()
    lessons = lessons_of_letter(crossing.pupil_id, crossing.counts, crossing.window_starts_on, today)
    letter.facts = [
        _copy(actor, threshold, crossing, letter, relation.guardian, lessons, today) for relation in told
    ]
    letter.save(update_fields=["facts"])
    events.publish(
        AbsenceLetterIssued(
            school_id=actor.place.id,
            letter_id=letter.pk,
            pupil_id=crossing.pupil_id,
            pupil_name=crossing.pupil_name,
            guardian_person_ids=tuple(relation.guardian_id for relation in told),
            count=crossing.count,
            at=now,
        )
    )
    return letter


def _copy(
    actor: Actor,
    threshold: Threshold,
    crossing: Crossing,
    letter: AbsenceLetter,
    guardian: Any,
    lessons: list[LetterLesson],
    today: date,
) -> dict[str, Any]:
    """One recipient's copy, word by word, in her language or the school's."""
    language = next(
        (code for code in (guardian.locale[:2], actor.place.locale[:2]) if code in LANGUAGES), "en"
    )
    with translation.override(language):
        facts = {
            "guardian": guardian.full_name,
            "pupil": crossing.pupil_name,
            "class": crossing.form,
            "count": str(crossing.count),
            "limit": str(crossing.limit),
            "from": formats.date_format(crossing.window_starts_on),
            "until": formats.date_format(today),
            "school": actor.place.name,
        }
        body = _worded(threshold.letter_body, default_body(crossing.counts), facts)
        return {
            "lang": language,
            "subject": _worded(threshold.letter_title, default_title(crossing.counts), facts),
            "school": _sender(actor),
            "recipient": [guardian.full_name],
            "date": formats.date_format(today),
            "reference": _("Letter %(number)s") % {"number": f"{crossing.window_starts_on.year}-{letter.pk}"},
            # A text that names the guardian greets her itself.
            "salutation": "" if "{guardian}" in threshold.letter_body else _("Dear %(guardian)s,") % facts,
            "paragraphs": [part.strip() for part in body.split("\n\n") if part.strip()],
            "table": _table(actor, lessons),
            "closing": _("Yours sincerely,"),
            "signature": _("For the school: %(school)s") % facts,
            "slip": {
                "text": _("I have read the letter about the absences of %(pupil)s.") % facts,
                "date": _("Place and date"),
                "signature": _("Signature: %(guardian)s") % facts,
            },
        }


def _worded(own: str, default: str, facts: Mapping[str, str]) -> str:
    return filled(own, facts) if own else default % facts


def _sender(actor: Actor) -> dict[str, str]:
    address, phone, email = school_address(actor)
    contact = " · ".join(part for part in (phone, email) if part)
    return {"name": actor.place.name, "address": " · ".join(address.split("\n")), "contact": contact}


def _table(actor: Actor, lessons: list[LetterLesson]) -> dict[str, Any]:
    labels, zone = status_labels(), actor.place.time_zone
    shown = [
        [
            formats.date_format(lesson.held_on, "SHORT_DATE_FORMAT"),
            clock.local(lesson.starts_at, zone).strftime("%H:%M"),
            lesson.subject,
            _("%(minutes)s min late") % {"minutes": lesson.minutes}
            if lesson.minutes
            else labels[lesson.status - 1],
        ]
        for lesson in lessons[-LONGEST_TABLE:]
    ]
    more = len(lessons) - len(shown)
    note = _("Earlier lessons that are not listed: %(count)s") % {"count": more} if more else ""
    return {"head": [_("Day"), _("Time"), _("Subject"), _("Attendance")], "rows": shown, "more": note}


def default_title(counts: Counted) -> str:
    """The product's own title of a letter, with named placeholders, in the active language."""
    return _("Latenesses of %(pupil)s") if counts is Counted.LATENESSES else _("Absences of %(pupil)s")


def default_body(counts: Counted) -> str:
    """The product's own text of a letter, with named placeholders, in the active language."""
    ask = _(
        "Please give us the reason on your family's page, with a document if there is one, or talk to the school. "
        "We would like to find out together how we can help."
    )
    told = {
        Counted.ABSENT_LESSONS: _(
            "Since %(from)s, %(pupil)s (%(class)s) has missed lessons for which we know of no reason. "
            "Lessons so far: %(count)s."
        ),
        Counted.ABSENT_DAYS: _(
            "Since %(from)s, %(pupil)s (%(class)s) has missed lessons for which we know of no reason. "
            "Days so far: %(count)s."
        ),
        Counted.LATENESSES: _(
            "Since %(from)s, %(pupil)s (%(class)s) has come late. Times so far: %(count)s."
        ),
        Counted.PERCENT_MISSED: _(
            "Since %(from)s, %(pupil)s (%(class)s) has missed %(count)s %% of all lessons, whatever the reason."
        ),
    }[counts]
    return f"{told}\n\n{ask}"


@transaction.atomic
def mark_sent(actor: Actor, *, letter_ids: Iterable[int], now: datetime) -> int:
    """Note that these letters have left the school. Raises AlreadySent where none of them was still to be sent."""
    require(actor, OFFICE)
    sent = AbsenceLetter.objects.filter(pk__in=list(letter_ids), sent_at__isnull=True).update(sent_at=now)
    if not sent:
        raise AlreadySent
    return sent
