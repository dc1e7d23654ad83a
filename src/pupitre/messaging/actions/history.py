"""Bringing notices that were published elsewhere or before: from another system, or the demonstration's."""

from collections.abc import Sequence

from django.db import transaction

from pupitre.messaging.rules.loading import PastNotice
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy import bulk

_NOTICE = (
    "id", "school_id", "title", "body", "audience", "class_id", "needs_confirmation", "author_id", "created_at", "published_at",
    "withdrawn_at", "recipients",
)  # fmt: skip
_RECEIPT = ("school_id", "notice_id", "person_id", "pupil_id", "read_at", "confirmed_at", "reminded_at")


@transaction.atomic
def load_notices(actor: Actor, notices: Sequence[PastNotice]) -> int:
    """Write notices with their receipts; nobody is told again. Answers how many receipts."""
    require(actor, OFFICE)
    school = actor.place.id
    numbered = list(zip(bulk.next_ids("messaging_notice", len(notices)), notices, strict=True))
    bulk.insert_rows(
        "messaging_notice",
        _NOTICE,
        (
            (number, school, one.title, one.body, one.audience, one.klass, one.needs_confirmation, one.author, one.published_at,
             one.published_at, None, len({receipt.person for receipt in one.receipts}))
            for number, one in numbered
        ),
    )  # fmt: skip
    return bulk.insert_rows(
        "messaging_receipt",
        _RECEIPT,
        (
            (school, number, receipt.person, receipt.pupil, receipt.read_at, receipt.confirmed_at, None)
            for number, one in numbered
            for receipt in one.receipts
        ),
    )
