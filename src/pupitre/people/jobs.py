"""E-mails with links to activate an account."""

from pupitre.kernel import clock
from pupitre.tenancy.background import tenant_job
from pupitre.tenancy.rules import SchoolFacts

from . import mails
from .actions import invitations
from .queries.invitations import adults_at


@tenant_job(queue="mail")
def send_links(school: SchoolFacts, *, email: str) -> None:
    """To the adults whose roster address that is, if there are any."""
    for person_id in adults_at(email):
        _send(school, person_id)


@tenant_job(queue="mail")
def send_invitations(school: SchoolFacts, *, person_ids: list[int]) -> None:
    for person_id in person_ids:
        _send(school, person_id)


def _send(school: SchoolFacts, person_id: int) -> None:
    if letter := invitations.issue_link(school, person_id, now=clock.now()):
        mails.send_link(school, letter)
