"""Counting a school's fleet for the authority's overview."""

from typing import Final

from django.db import connection, transaction

from pupitre.devices.queries.figures import COUNTED, facts_of_day
from pupitre.kernel import clock
from pupitre.tenancy.rules import SchoolFacts

# A school that has no devices and never had any has no row.
_KEEP: Final = f"""
INSERT INTO devices_fleetfigure (school_id, authority_id, counted_at, devices, counts)
SELECT %(school)s, %(authority)s, %(now)s, n.count, n.counts FROM ({COUNTED.replace("(SELECT count(*) FROM used)", "(SELECT count(*) FROM used) AS count")}) n
 WHERE n.count > 0 OR n.counts->'standing' <> '{{}}'
ON CONFLICT (school_id) DO UPDATE SET counted_at = excluded.counted_at, devices = excluded.devices, counts = excluded.counts
"""  # noqa: S608 - put together from constants


@transaction.atomic
def count_fleet(school: SchoolFacts) -> None:
    """Count the devices of the school in scope; one statement."""
    now = clock.now()
    facts = {**facts_of_day(school.id, now.date()), "authority": school.authority_id, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, facts)
