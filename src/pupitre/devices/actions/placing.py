"""To which classes a device belongs: those of its holder today, and its own. Kept, because the gateway asks by the thousand."""

from collections.abc import Collection
from typing import Any, Final

from django.db import connection, transaction

from pupitre.kernel import clock
from pupitre.tenancy import queries as tenancy

# Only rows whose classes differ are written: the night after nothing happened writes nothing.
_PLACE: Final = """
UPDATE devices_device d SET groups = w.groups
  FROM (SELECT o.id, coalesce(array_agg(DISTINCT g.class_id ORDER BY g.class_id) FILTER (WHERE g.class_id IS NOT NULL), '{{}}') AS groups
          FROM devices_device o
          LEFT JOIN LATERAL (
               SELECT e.class_id FROM courses_enrolment e JOIN courses_class c ON c.school_id = e.school_id AND c.id = e.class_id
                WHERE e.school_id = %(school)s AND e.person_id = o.holder_id AND e.role = 1 AND c.ended_on IS NULL
                  AND (e.begins_on IS NULL OR e.begins_on <= %(today)s) AND (e.ends_on IS NULL OR e.ends_on >= %(today)s)
               UNION ALL
               SELECT o.class_id WHERE o.class_id IS NOT NULL) g ON true
         WHERE o.school_id = %(school)s AND {some}
         GROUP BY o.id) w
 WHERE d.school_id = %(school)s AND d.id = w.id AND d.groups IS DISTINCT FROM w.groups
"""


@transaction.atomic
def place(
    school_id: int,
    device_ids: Collection[int] | None = None,
    *,
    holder_ids: Collection[int] | None = None,
) -> int:
    """Bring the classes of the school's devices, of some, or of somebody's, up to date; answers how many changed.

    One statement, in the school's scope: after an import of its roster, after holders changed, and every night for enrolments that
    begin or end by their dates.
    """
    facts: dict[str, Any] = {
        "school": school_id,
        "today": clock.today(tenancy.school_by_id(school_id).time_zone),
        "devices": sorted(device_ids or ()),
        "holders": sorted(holder_ids or ()),
    }
    some = "true" if holder_ids is None else "o.holder_id = ANY(%(holders)s)"
    some = some if device_ids is None else "o.id = ANY(%(devices)s)"
    with connection.cursor() as cursor:
        cursor.execute(_PLACE.format(some=some), facts)
        return int(cursor.rowcount)
