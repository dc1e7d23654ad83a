"""What reading a roster by another system leaves behind: the persons concerned can see that it did."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pupitre.courses.rules.rostering.resources import DEMOGRAPHICS, USERS, Resource
from pupitre.people import actions as people
from pupitre.people.rules import Actor, LookAt


def note_reading(
    actor: Actor, resource: Resource, rows: Iterable[Mapping[str, Any]], *, now: datetime
) -> None:
    """Keep that another system read these persons' data, once a month for each person. Other things are nobody's."""
    if resource in (USERS, DEMOGRAPHICS):
        people.note_reading(actor, [row["pk"] for row in rows], LookAt.EXPORT, now=now)
