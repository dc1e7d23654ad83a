"""Background work of the composition root: what needs several contexts at once."""

from procrastinate.exceptions import AlreadyEnqueued

from pupitre.kernel import clock
from pupitre.tenancy.background import platform_job


@platform_job(cron="*/5 * * * *")
def keep_demonstration(timestamp: int = 0) -> None:
    """Let a lesson be under way in the demonstration at any hour. Does nothing where there is no demonstration."""
    from pupitre.project.demo import present

    present.refresh(now=clock.now())


def catch_up() -> None:
    """Have done at once, when a worker starts, what it missed while it was down."""
    from pupitre.project.demo import present

    if present.own_schools():
        try:
            keep_demonstration.configure(queueing_lock="keep_demonstration").defer(timestamp=0)
        except AlreadyEnqueued:
            return
