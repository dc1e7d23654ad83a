"""Taking over another system's roster: entering where it is, pulling it, and applying it or asking somebody to look."""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction

from pupitre.courses.actions import rosters
from pupitre.courses.actions.comparing import UnderWay
from pupitre.courses.actions.fetching import Fetching
from pupitre.courses.models import RosterImport, RosterSource
from pupitre.courses.queries import pulling as queries
from pupitre.courses.rules.events import PullNeedsOffice
from pupitre.courses.rules.pulling import (
    ClientMissing,
    NotAnAddress,
    Outcome,
    PullFailed,
    UnfitShare,
    files_of,
    is_small_enough,
    service_of,
)
from pupitre.kernel import clock, events, outward, sealing
from pupitre.people.rules import OFFICE, Actor, require, system_actor
from pupitre.tenancy.background import deferred
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope

#: The hour of a school's night at which its pull is due, and over how many hours the schools are spread.
_FIRST_HOUR, _HOURS = 1, 4
_LONGEST: Final = 500
_log = logging.getLogger(__name__)


@transaction.atomic
def enter_source(
    actor: Actor,
    *,
    base_url: str,
    token_url: str,
    client_id: str,
    secret: str,
    is_nightly: bool,
    share: int,
) -> RosterSource:
    """Say where the roster is pulled from. An empty secret keeps the one that was entered before."""
    require(actor, OFFICE)
    base_url, token_url, client_id, secret = (one.strip() for one in (base_url, token_url, client_id, secret))
    for url in (base_url, token_url):
        _check_address(url)
    row = RosterSource.objects.first() or RosterSource(school_id=actor.place.id)
    if not client_id or not (secret or row.pk) or len(client_id + secret) > _LONGEST:
        raise ClientMissing
    # A secret goes only where it was meant for: who changes the address enters it anew.
    if row.pk and not secret and (row.token_url, row.client_id) != (token_url, client_id):
        raise ClientMissing
    if not 0 <= share <= 100:
        raise UnfitShare
    row.base_url, row.token_url, row.client_id = service_of(base_url), token_url, client_id
    row.is_nightly, row.share = is_nightly, share
    if secret:
        row.secret = sealing.seal(secret)
    row.save()
    return row


def _check_address(url: str) -> None:
    try:
        outward.check_address(url, allow_private=settings.CONFIG.private_addresses)
    except outward.Refused:
        raise NotAnAddress from None
    if len(url) > _LONGEST:
        raise NotAnAddress


@transaction.atomic
def forget_source(actor: Actor) -> None:
    """Pull no more, and forget the secret. What was imported stays."""
    queries.access_source(actor).delete()


@transaction.atomic
def start_pull(actor: Actor, *, now: datetime) -> None:
    """Hand the pull to a job."""
    row = queries.access_source(actor)
    row.pulled_at = now
    row.save(update_fields=["pulled_at"])
    deferred("pupitre.courses.jobs.pull_roster", actor.place.id, lock=f"pull-{actor.place.id}")


def is_pull_due(school: SchoolFacts, *, now: datetime) -> bool:
    """Whether tonight's pull is to begin: from its hour on, once a day. In the school's scope."""
    row = RosterSource.objects.only("is_nightly", "pulled_at").first()
    if row is None or not row.is_nightly:
        return False
    here = clock.local(now, school.time_zone)
    pulled = clock.local(row.pulled_at, school.time_zone).date() if row.pulled_at else None
    return here.hour >= _FIRST_HOUR + school.id % _HOURS and (pulled is None or pulled < here.date())


def minute_of(school: SchoolFacts) -> int:
    """The minute of the hour at which a school's nightly work begins, so that not all begin at once."""
    return school.id * 7 % 55


def pull(school: SchoolFacts, *, now: datetime, pause: Callable[[float], None] = time.sleep) -> None:
    """Fetch the other system's roster outside of any transaction, and import it. Never raises for what it answers."""
    actor = system_actor(school)
    with scope(school.id):
        if queries.find_source(actor) is None:
            return
        target = queries.access_target(actor)
    try:
        fetching = Fetching(target, allow_private=settings.CONFIG.private_addresses, pause=pause)
        files = files_of(fetching.collections())
    except PullFailed as failed:
        with scope(school.id):
            _note(actor, failed.outcome, failed.detail, None, now=now)
        return
    with scope(school.id):
        take_over(actor, files, target.base_url, now=now)


@transaction.atomic
def take_over(actor: Actor, files: Mapping[str, bytes], base_url: str, *, now: datetime) -> None:
    """Import pulled files by the rules of an upload: at once where little changes, else somebody looks first."""
    record = rosters.upload_roster(actor, files=files, file_name=base_url, now=now)
    record.choices["pulled"] = base_url
    record.save(update_fields=["choices"])
    record = rosters.read_import(actor, record.pk, now=now)
    looked_at = queries.was_looked_at(base_url)
    if record.state == RosterImport.REFUSED:
        _note(actor, Outcome.ERRORS, "", record.pk, now=now)
    elif looked_at and record.plan["nothing"] and record.file_key == queries.last_pulled_file(base_url):
        record.delete()  # its files are those of the last import, which still names them
        _note(actor, Outcome.NOTHING, "", None, now=now)
    elif looked_at and is_small_enough(record.plan["kinds"], _share()) and _started(actor, record, now=now):
        _note(actor, Outcome.APPLIED, "", record.pk, now=now)
    else:
        _note(actor, Outcome.WAITS, "", record.pk, now=now)


def _share() -> int:
    return RosterSource.objects.values_list("share", flat=True)[0]


def _started(actor: Actor, record: RosterImport, *, now: datetime) -> bool:
    """Whether it could be handed to its job: another import of the school may be under way."""
    try:
        rosters.start_import(actor, record.pk, now=now)
    except UnderWay:
        return False
    return True


def _note(actor: Actor, outcome: Outcome, detail: str, import_id: int | None, *, now: datetime) -> None:
    """Keep what came of it; the office is told where it must look, of a failure only on its first night."""
    row = RosterSource.objects.first()
    if row is None:
        return
    before = row.outcome.get("outcome")
    row.outcome = {"outcome": outcome.value, "detail": detail, "import_id": import_id}
    row.pulled_at = now
    row.save(update_fields=["outcome", "pulled_at"])
    if outcome.is_failure:
        _log.warning("roster of school %s not pulled: %s %s", actor.place.slug, outcome.value, detail)
    failed_before = before is not None and Outcome(before).is_failure
    if outcome is Outcome.WAITS or (outcome.is_failure and not failed_before):
        events.publish(PullNeedsOffice(actor.place.id, import_id, now))


def note_failed_application(actor: Actor, import_id: int, error: Exception, *, now: datetime) -> None:
    """Keep that an import which nobody looked at could not be carried out."""
    row = RosterSource.objects.first()
    if row is not None and row.outcome.get("import_id") == import_id:
        _note(actor, Outcome.ERRORS, str(error), import_id, now=now)
