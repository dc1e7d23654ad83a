"""Classes as the groups of a directory: courses know them, connections speak SCIM, and neither knows the other."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from pupitre.people.rules import Actor

if TYPE_CHECKING:
    from django.db.models import Q, QuerySet


class ClassGroups:
    """`connections.scim.groups.Source`."""

    def found(self, actor: Actor) -> "QuerySet[Any]":
        from pupitre.courses.queries import directory

        return directory.class_groups(actor)

    def members(self, ids: Collection[int], today: date) -> Mapping[int, Sequence[int]]:
        from pupitre.courses.queries import directory

        return directory.members_of(ids, today)

    def of_member(self, person_id: int, today: date) -> "Q":
        from pupitre.courses.queries import directory

        return directory.groups_of(person_id, today)

    def open(self, actor: Actor, *, title: str, sourced_id: str) -> int:
        from pupitre.courses.actions import directory

        return int(directory.open_group(actor, title=title, sourced_id=sourced_id).pk)

    def rename(self, actor: Actor, id_: int, *, title: str) -> None:
        from pupitre.courses.actions import directory

        directory.rename_group(actor, id_, title=title)

    def end(self, actor: Actor, id_: int, *, today: date) -> None:
        from pupitre.courses.actions import directory

        directory.end_group(actor, id_, today=today)

    def set_members(self, actor: Actor, id_: int, person_ids: Collection[int], *, today: date) -> None:
        from pupitre.courses.actions import directory

        directory.set_members(actor, id_, person_ids, today=today)
