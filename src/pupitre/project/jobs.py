"""Background work of the composition root: what needs several contexts at once."""

from pupitre.kernel import clock
from pupitre.tenancy.background import platform_job


@platform_job(cron="*/5 * * * *")
def keep_demonstration(timestamp: int = 0) -> None:
    """Let a lesson be under way in the demonstration at any hour. Does nothing where there is no demonstration."""
    from pupitre.project.demo import present

    if present.own_schools():
        present.refresh(now=clock.now())
