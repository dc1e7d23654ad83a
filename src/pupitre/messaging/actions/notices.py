"""Writing notices, handing them out, reading and confirming them."""

from datetime import date, datetime
from typing import Final

from django.db import connection, transaction

from pupitre.kernel import clock, events
from pupitre.messaging.actions import notifications
from pupitre.messaging.models import Notice, Notification, Receipt
from pupitre.messaging.queries import notices as queries
from pupitre.messaging.rules.events import NoticePublished
from pupitre.messaging.rules.kinds import AlreadyPublished, Audience, Kind, NobodyReached
from pupitre.messaging.rules.notices import (
    REMINDED_FOR,
    WRITERS,
    AlreadyWithdrawn,
    EverybodyAnswered,
    NothingToConfirm,
    NotPublished,
    check_audience,
)
from pupitre.people.rules import Actor, require
from pupitre.tenancy.background import deferred
from pupitre.tenancy.rules import SchoolFacts

HAND_OUT: Final = "pupitre.messaging.jobs.hand_out"
TELL: Final = "pupitre.messaging.jobs.tell_batch"
#: So many persons are told in one job and transaction.
BATCH: Final = 200


def _today(actor: Actor, now: datetime) -> date:
    return clock.local(now, actor.place.time_zone).date()


@transaction.atomic
def draft_notice(
    actor: Actor,
    *,
    title: str,
    body: str,
    audience: Audience,
    class_id: int | None = None,
    needs_confirmation: bool = False,
    notice_id: int | None = None,
    now: datetime,
) -> Notice:
    """Write a draft, or change one. Raises NotFound, ClassNeeded, NotYourClass, AlreadyPublished."""
    require(actor, WRITERS)
    own = frozenset(one.id for one in queries.classes_to_write_to(actor, _today(actor, now)))
    if actor.is_office and class_id is not None:
        class_id = class_id if class_id in own else None
    check_audience(actor, class_id, own)
    notice = _draft(actor, notice_id, now)
    notice.title, notice.body = " ".join(title.split()), body.strip()
    notice.audience, notice.klass_id = audience, class_id
    notice.needs_confirmation = needs_confirmation
    notice.save()
    return notice


def _draft(actor: Actor, notice_id: int | None, now: datetime) -> Notice:
    if notice_id is None:
        return Notice(school_id=actor.place.id, author_id=actor.person_id or None, created_at=now)
    if not queries.access_managed_notice(actor, notice_id).is_draft:
        raise AlreadyPublished
    return Notice.objects.select_for_update().get(pk=notice_id)


@transaction.atomic
def discard_draft(actor: Actor, *, notice_id: int) -> None:
    """Throw a draft away. What was published stays, if only as withdrawn."""
    if not queries.access_managed_notice(actor, notice_id).is_draft:
        raise AlreadyPublished
    Notice.objects.filter(pk=notice_id).delete()


@transaction.atomic
def publish_notice(actor: Actor, *, notice_id: int, now: datetime) -> Notice:
    """Send a draft on its way. A job hands it out, so that two thousand families do not make the writer wait.

    Raises NotFound, AlreadyPublished, NobodyReached; ClassNeeded and NotYourClass where the class has been lost since.
    """
    facts = queries.access_managed_notice(actor, notice_id)
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    if notice.published_at is not None:
        raise AlreadyPublished
    today = _today(actor, now)
    if not actor.is_office:
        own = frozenset(one.id for one in queries.classes_to_write_to(actor, today))
        check_audience(actor, facts.class_id, own)
    notice.recipients = queries.count_recipients(
        facts.audience, facts.class_id, author_id=facts.author_id, today=today
    )
    if not notice.recipients:
        raise NobodyReached
    notice.published_at = now
    notice.save(update_fields=["published_at", "recipients"])
    deferred(HAND_OUT, actor.place.id, notice_id=notice.pk)
    events.publish(
        NoticePublished(
            actor.place.id,
            notice.pk,
            Audience(notice.audience),
            notice.klass_id,
            needs_confirmation=notice.needs_confirmation,
        )
    )
    return notice


@transaction.atomic
def hand_out(school: SchoolFacts, *, notice_id: int, now: datetime) -> int:
    """Give everybody whom a published notice reaches her receipt, in one statement, and have them told in batches.

    Safe to repeat: who has a receipt is not told again. Answers how many persons are new.
    """
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    if notice.withdrawn_at is not None:
        return 0
    today = clock.local(now, school.time_zone).date()
    who = queries.recipients_statement(Audience(notice.audience), notice.klass_id)
    facts = queries.recipients_facts(class_id=notice.klass_id, author_id=notice.author_id, today=today)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_receipt (school_id, notice_id, person_id, pupil_id) "  # noqa: S608
            f"SELECT %(school)s, %(notice)s, who.person_id, who.pupil_id FROM ({who}) who "
            "ON CONFLICT (school_id, notice_id, person_id, pupil_id) DO NOTHING RETURNING person_id",
            {**facts, "school": school.id, "notice": notice_id},
        )
        new = sorted({row[0] for row in cursor.fetchall()})
    notice.recipients = Receipt.objects.filter(notice=notice).values("person_id").distinct().count()
    notice.save(update_fields=["recipients"])
    _have_told(school.id, notice_id, new, Kind.NOTICE)
    return len(new)


def _have_told(school_id: int, notice_id: int, person_ids: list[int], kind: Kind) -> None:
    for batch in queries.in_batches(person_ids, BATCH):
        deferred(TELL, school_id, notice_id=notice_id, person_ids=batch, kind=kind.value)


@transaction.atomic
def tell_batch(
    school: SchoolFacts, *, notice_id: int, person_ids: list[int], kind: Kind, now: datetime
) -> None:
    """Put the notice behind the bell of those persons."""
    notice = Notice.objects.get(pk=notice_id)
    if notice.withdrawn_at is None:
        facts = {"school": school.name, "title": notice.title}
        notifications.tell(school.id, person_ids, kind, facts, address_of(school, notice_id), now=now)


def address_of(school: SchoolFacts, notice_id: int) -> str:
    """Where a notice is read. The reading takes the lines behind the bell with this address off."""
    from django.urls import reverse

    return reverse("notice", kwargs={"school": school.slug, "notice": notice_id})


@transaction.atomic
def read_notice(actor: Actor, *, notice_id: int, now: datetime) -> None:
    """Note that it was opened by the one whom it reached. Raises NotFound."""
    queries.access_received_notice(actor, notice_id, _today(actor, now))
    mine = Receipt.objects.filter(notice_id=notice_id, person_id=actor.person_id)
    mine.filter(read_at__isnull=True).update(read_at=now)
    address = address_of(actor.place, notice_id)
    Notification.objects.filter(person_id=actor.person_id, url=address, read_at__isnull=True).update(
        read_at=now
    )


@transaction.atomic
def confirm_notice(actor: Actor, *, notice_id: int, now: datetime) -> None:
    """Confirm it; each guardian confirms for herself. Confirming twice keeps the first moment.

    Raises NotFound, NothingToConfirm.
    """
    notice, _ = queries.access_received_notice(actor, notice_id, _today(actor, now))
    if not notice.needs_confirmation:
        raise NothingToConfirm
    read_notice(actor, notice_id=notice_id, now=now)
    mine = Receipt.objects.filter(notice_id=notice_id, person_id=actor.person_id)
    mine.filter(confirmed_at__isnull=True).update(confirmed_at=now)


@transaction.atomic
def remind_missing(actor: Actor, *, notice_id: int, now: datetime) -> int:
    """Remind those who have not answered, each at most once a day. Answers how many; raises EverybodyAnswered."""
    notice = queries.access_managed_notice(actor, notice_id)
    if notice.is_draft:
        raise NotPublished
    if notice.withdrawn_at is not None:
        raise AlreadyWithdrawn
    Notice.objects.select_for_update().get(pk=notice_id)
    missing = queries.people_to_remind(notice, reminded_before=now - REMINDED_FOR, today=_today(actor, now))
    if not missing:
        raise EverybodyAnswered
    Receipt.objects.filter(notice_id=notice_id, person_id__in=missing).update(reminded_at=now)
    kind = Kind.NOTICE_REMINDER if notice.needs_confirmation else Kind.NOTICE_UNREAD
    _have_told(actor.place.id, notice_id, missing, kind)
    return len(missing)


@transaction.atomic
def withdraw_notice(actor: Actor, *, notice_id: int, now: datetime) -> Notice:
    """Take a published notice back: nobody reads it any more, and what waits behind the bell goes.

    Mails that were sent stay sent. Raises NotFound, NotPublished, AlreadyWithdrawn.
    """
    if queries.access_managed_notice(actor, notice_id).is_draft:
        raise NotPublished
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    if notice.withdrawn_at is not None:
        raise AlreadyWithdrawn
    notice.withdrawn_at = now
    notice.save(update_fields=["withdrawn_at"])
    address = address_of(actor.place, notice_id)
    told = list(Receipt.objects.filter(notice=notice).values_list("person_id", flat=True).distinct())
    Notification.objects.filter(person_id__in=told, url=address).delete()
    return notice
