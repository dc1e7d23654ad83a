"""How a school's fleet stands, counted in one statement."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db import connection

from pupitre.devices.rules import CARES, Standing
from pupitre.devices.rules.fleet import GOOD_FROM, MONTH, WEEK, WORN_FROM
from pupitre.people.rules import Actor, require

# One pass over the school's devices; the rest adds up what it groups. Devices out of use count only as such. Versions that
# few devices have are many: the overview shows the most frequent.
COUNTED: Final = f"""
WITH one AS MATERIALIZED (
    SELECT d.standing, d.platform, d.condition, d.model, s.os_version, s.is_compliant,
           CASE WHEN s.seen_on IS NULL THEN 'never' WHEN s.seen_on >= %(today)s THEN 'today' WHEN s.seen_on >= %(week)s THEN 'week'
                WHEN s.seen_on >= %(month)s THEN 'month' ELSE 'longer' END AS seen,
           CASE WHEN s.battery_health IS NULL THEN 'unknown' WHEN s.battery_health >= {GOOD_FROM} THEN 'good'
                WHEN s.battery_health >= {WORN_FROM} THEN 'worn' ELSE 'spent' END AS wear
      FROM devices_device d LEFT JOIN devices_devicestatus s ON s.school_id = d.school_id AND s.device_id = d.id
     WHERE d.school_id = %(school)s
), used AS MATERIALIZED (
    SELECT * FROM one WHERE standing <> {Standing.RETIRED.value}
), came AS MATERIALIZED (
    SELECT * FROM one WHERE standing = {Standing.ENROLLED.value}
)
SELECT (SELECT count(*) FROM used), jsonb_build_object(
    'standing', (SELECT coalesce(jsonb_object_agg(k, n), '{{}}') FROM (SELECT standing AS k, count(*) AS n FROM one GROUP BY 1) x),
    'platform', (SELECT coalesce(jsonb_object_agg(k, n), '{{}}') FROM (SELECT platform AS k, count(*) AS n FROM used GROUP BY 1) x),
    'condition', (SELECT coalesce(jsonb_object_agg(k, n), '{{}}') FROM (SELECT condition AS k, count(*) AS n FROM used GROUP BY 1) x),
    'os', (SELECT coalesce(jsonb_object_agg(k, n), '{{}}') FROM (SELECT platform || ':' || os_version AS k, count(*) AS n FROM came
            WHERE os_version <> '' GROUP BY 1 ORDER BY 2 DESC LIMIT 40) x),
    'model', (SELECT coalesce(jsonb_object_agg(k, n), '{{}}') FROM (SELECT model AS k, count(*) AS n FROM used
            WHERE model <> '' GROUP BY 1 ORDER BY 2 DESC LIMIT 40) x),
    'seen', (SELECT coalesce(jsonb_object_agg(k, n), '{{}}') FROM (SELECT seen AS k, count(*) AS n FROM came GROUP BY 1) x),
    'compliance', (SELECT coalesce(jsonb_object_agg(k, n), '{{}}') FROM (SELECT CASE WHEN is_compliant THEN 'yes' WHEN is_compliant = false THEN 'no'
            ELSE 'unknown' END AS k, count(*) AS n FROM came GROUP BY 1) x),
    'wear', (SELECT coalesce(jsonb_object_agg(k, n), '{{}}') FROM (SELECT wear AS k, count(*) AS n FROM came GROUP BY 1) x),
    'incidents', (SELECT count(*) FROM devices_incident i WHERE i.school_id = %(school)s AND i.closed_at IS NULL),
    'proposals', (SELECT count(DISTINCT c.batch) FROM devices_command c WHERE c.school_id = %(school)s AND c.state = 1)
) AS counts
"""  # noqa: S608 - put together from constants


@dataclass(frozen=True, slots=True)
class Figures:
    """How many devices are in use, and how they stand: {"seen": {"today": 12}, ...} as `FleetFigure.counts` keeps it."""

    devices: int
    counts: Mapping[str, Any]

    def of(self, kind: str, key: object) -> int:
        return int(self.counts.get(kind, {}).get(str(key), 0))


def facts_of_day(school_id: int, today: date) -> dict[str, Any]:
    """What `COUNTED` asks for."""
    return {
        "school": school_id,
        "today": today,
        "week": today - timedelta(days=WEEK),
        "month": today - timedelta(days=MONTH),
    }


def figures_for(actor: Actor, *, today: date) -> Figures:
    """The school's fleet as it stands at this moment; one statement."""
    require(actor, CARES)
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, facts_of_day(actor.place.id, today))
        devices, counts = cursor.fetchall()[0]
    return Figures(devices, json.loads(counts) if isinstance(counts, str) else counts)
