"""What messaging does in the background."""

from datetime import timedelta

from pupitre.kernel import clock
from pupitre.messaging.actions import deliveries, notices
from pupitre.messaging.rules.kinds import Kind
from pupitre.tenancy.background import deferred, platform_job, tenant_job
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope


@platform_job(queue="outside")
def carry_outside(school_id: int, notification_ids: list[int], attempt: int = 1) -> None:
    """Send the mails and pushes of those notifications; what failed for now is tried again, later each time.

    Not a tenant job: that would be one transaction, and a mail cannot be rolled back.
    """
    now = clock.now()
    carried = deliveries.carry(school_id, notification_ids=notification_ids, now=now)
    if carried.again:
        wait = timedelta(minutes=2**attempt)
        with scope(school_id):
            deferred(
                carry_outside,
                school_id,
                at=now + wait,
                notification_ids=notification_ids,
                attempt=attempt + 1,
            )


@tenant_job()
def hand_out(school: SchoolFacts, notice_id: int) -> None:
    """Give everybody whom a notice reaches her receipt."""
    notices.hand_out(school, notice_id=notice_id, now=clock.now())


@tenant_job()
def tell_batch(school: SchoolFacts, notice_id: int, person_ids: list[int], kind: int) -> None:
    """Put a notice behind the bell of some of those whom it reached."""
    notices.tell_batch(school, notice_id=notice_id, person_ids=person_ids, kind=Kind(kind), now=clock.now())
