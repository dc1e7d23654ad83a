"""Classes that take a form as a whole follow the form."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

# One row a pupil and class, also where a class takes two forms and a pupil has changed between them. What was enrolled
# by hand or by a roster stays as it is.
_FOLLOW = """
INSERT INTO courses_enrolment
       (school_id, sourced_id, class_id, person_id, role, roster_role, origin, is_primary, begins_on, ends_on)
SELECT DISTINCT ON (g.class_id, h.person_id)
       g.school_id, '', g.class_id, h.person_id, 1, '', 3, false, h.begins_on, h.ends_on
  FROM courses_classgroup g
  JOIN courses_enrolment h ON h.school_id = g.school_id AND h.class_id = g.homeroom_id AND h.role = 1
 WHERE %(everywhere)s OR g.homeroom_id = ANY(%(homerooms)s) OR g.class_id = ANY(%(classes)s)
 ORDER BY g.class_id, h.person_id, h.ends_on DESC NULLS FIRST, h.begins_on
ON CONFLICT (school_id, class_id, person_id, role) DO UPDATE
   SET begins_on = excluded.begins_on, ends_on = excluded.ends_on
 WHERE courses_enrolment.origin = 3
   AND (courses_enrolment.begins_on, courses_enrolment.ends_on)
       IS DISTINCT FROM (excluded.begins_on, excluded.ends_on)
"""


def follow_homerooms(
    *, homeroom_ids: Sequence[int] = (), class_ids: Sequence[int] = (), everywhere: bool = False
) -> int:
    """Bring the enrolments that come from a form up to date; answers how many changed. Part of an action."""
    facts: dict[str, Any] = {
        "homerooms": list(homeroom_ids),
        "classes": list(class_ids),
        "everywhere": everywhere,
    }
    with connection.cursor() as cursor:
        # A class that takes two of a pupil's forms must see both, so the classes are looked up first.
        if homeroom_ids:
            cursor.execute(
                "SELECT class_id FROM courses_classgroup WHERE homeroom_id = ANY(%s)", [list(homeroom_ids)]
            )
            facts["classes"] = [*class_ids, *(row[0] for row in cursor.fetchall())]
            facts["homerooms"] = []
        cursor.execute(_FOLLOW, facts)
        return int(cursor.rowcount)
