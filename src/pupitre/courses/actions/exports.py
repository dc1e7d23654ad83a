"""Exporting the school's roster."""

import io
import zipfile
from datetime import datetime

from django.db import transaction

from pupitre.courses.queries.rosters import Present, school_facts
from pupitre.courses.rules.exporting import roster_of_school
from pupitre.courses.rules.roster import Kind, Org, Roster
from pupitre.courses.rules.writing import write_oneroster
from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.rules import OFFICE, Actor, LookAt, require
from pupitre.tenancy import queries as tenancy


@transaction.atomic
def export_roster(actor: Actor, *, now: datetime) -> bytes:
    """The school as a zip of OneRoster 1.2 CSV. Kept in the log of looks at everybody who is in it."""
    require(actor, OFFICE)
    present = school_facts(actor)
    roster = _roster(actor, present, now)
    ids = [present.person_ids[key] for key in present.rows[Kind.USERS]]
    people.note_looks(actor, ids, LookAt.EXPORT, now=now)
    return _zipped(write_oneroster(roster), now)


def roster_to_export(actor: Actor, *, now: datetime) -> Roster:
    """The roster that an export writes."""
    return _roster(actor, school_facts(actor), now)


def _roster(actor: Actor, present: Present, now: datetime) -> Roster:
    sourced_id, identifier, name = tenancy.codes_of(actor.place.id)
    school = Org(sourced_id or actor.place.slug, name, "school", identifier)
    today = clock.local(now, actor.place.time_zone).date()
    # A file cannot say what a court forbids: whoever reads it would take this adult for a guardian like any other.
    families = present.rows[Kind.GUARDIANSHIPS].items()
    told = {key: facts for key, facts in families if key not in present.barred}
    rows = {**present.rows, Kind.GUARDIANSHIPS: told}
    return roster_of_school(rows, present.ended, school, today)


def _zipped(files: dict[str, bytes], now: datetime) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, now.timetuple()[:6])
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
