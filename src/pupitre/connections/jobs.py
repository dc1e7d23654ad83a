"""Background work of connections: what receivers are sent, and the log's end."""

from datetime import timedelta

from pupitre.connections.actions import deliveries, webhooks
from pupitre.connections.queries.webhooks import webhooks_due
from pupitre.connections.rules.webhooks import LOG_KEPT
from pupitre.kernel import clock
from pupitre.people.rules import system_actor
from pupitre.tenancy.background import deferred, every_school, platform_job, tenant_job
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope

#: So much later than it should have been, a delivery's own job was lost.
_LOST = timedelta(minutes=3)


@platform_job(queue="webhooks", retries=3)
def send(school_id: int, webhook_id: int) -> None:
    """Send what is due for one webhook.

    Not a tenant job: that would be one transaction, which would stay open while receivers take their time.
    """
    deliveries.carry(school_id, webhook_id=webhook_id, now=clock.now())


@platform_job(cron="*/10 * * * *")
def sweep_webhooks(timestamp: int = 0) -> None:
    """Catch deliveries whose job was lost with its worker."""
    late = clock.now() - _LOST
    for school in every_school():
        with scope(school.id):
            for webhook_id in webhooks_due(late):
                deferred(send, school.id, webhook_id=webhook_id)


@platform_job(cron="25 3 * * *")
def sweep_logs(timestamp: int = 0) -> None:
    """Every night, the end of what was told long ago."""
    for school in every_school():
        with scope(school.id):
            deferred(prune_log, school.id)


@tenant_job()
def prune_log(school: SchoolFacts) -> None:
    webhooks.prune_log(system_actor(school), before=clock.now() - LOG_KEPT)
