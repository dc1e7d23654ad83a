"""What messaging does in the background."""

from datetime import timedelta

from pupitre.kernel import clock
from pupitre.messaging.actions import deliveries
from pupitre.tenancy.background import deferred, tenant_job
from pupitre.tenancy.rules import SchoolFacts


@tenant_job(queue="outside")
def carry_outside(school: SchoolFacts, *, notification_ids: list[int], attempt: int = 1) -> None:
    """Send the mails and pushes of those notifications; what failed for now is tried again, later each time."""
    now = clock.now()
    carried = deliveries.carry(school, notification_ids=notification_ids, now=now)
    if carried.again:
        wait = timedelta(minutes=2**attempt)
        deferred(carry_outside, school.id, at=now + wait, notification_ids=notification_ids, attempt=attempt + 1)
