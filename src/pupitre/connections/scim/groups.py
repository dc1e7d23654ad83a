"""Groups: the classes of the school, which stand above this context (rules.directory)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Q, QuerySet
from scim2_models import InvalidValueException, Meta, NotFoundException, Reference, UniquenessException

from pupitre.connections.actions import directory as keeping
from pupitre.connections.models import DirectoryRecord
from pupitre.connections.queries import directory as records
from pupitre.connections.rules.directory import source
from pupitre.people.queries import directory as people
from pupitre.people.rules import Actor

from . import filters
from .resources import Group, Member
from .versions import version_of

GROUP: Final = records.GROUP


class Groups:
    """The classes as SCIM's groups, for one request."""

    def __init__(self, actor: Actor, now: datetime, today: date) -> None:
        self.actor, self.now, self.today = actor, now, today
        self.source = source()

    def _found(self) -> "QuerySet[Any]":
        found: QuerySet[Any] = self.source.found(self.actor).filter(records.shown(GROUP))
        return found

    def get(self, resource_id: str) -> Group:
        rows = self._rows(self._found().filter(filters.by_id(resource_id)))
        if not rows:
            raise NotFoundException(detail=f"There is no group {resource_id}")
        return self._shown(rows)[0]

    def search(
        self, condition: Q, order: Sequence[Any], start: int, count: int | None
    ) -> tuple[int, list[Group]]:
        found = self._found().filter(condition)
        page = found.order_by(*order)[start : None if count is None else start + count]
        return found.count(), self._shown(self._rows(page) if count != 0 else [])

    @staticmethod
    def _rows(found: "QuerySet[Any]") -> list[tuple[int, str, str]]:
        return list(found.values_list("id", "title", "sourced_id"))

    def attributes(self) -> Mapping[str, filters.Attribute]:
        members = filters.only_equal(self._of_member, Q())
        return {
            "id": filters.only_equal(filters.by_id, Q(), "pk"),
            "externalid": filters.only_equal(
                lambda value: records.called(GROUP, value), records.has_external_id(GROUP), "sourced_id"
            ),
            "displayname": filters.text("title", everybody=True),
            "members": members,
            "members.value": members,
            "meta.lastmodified": filters.moment(lambda op, at: records.changed(GROUP, op, at)),
        }

    def _of_member(self, value: str) -> Q:
        return self.source.of_member(int(value), self.today) if _is_id(value) else filters.NOTHING

    def _shown(self, rows: Sequence[tuple[int, str, str]]) -> list[Group]:
        ids = [row[0] for row in rows]
        known = records.records_of(GROUP, ids)
        members = self.source.members(ids, self.today)
        everybody = {person for persons in members.values() for person in persons}
        shown = people.directory(self.actor).filter(pk__in=everybody, ended_on__isnull=True)
        present = set(shown.filter(records.shown(records.USER)).values_list("pk", flat=True))
        return [
            _group(row, known.get(row[0]), [pk for pk in members.get(row[0], ()) if pk in present])
            for row in rows
        ]

    def create(self, asked: Group) -> Group:
        title = _title(asked)
        self._refuse_taken(asked, 0)
        id_ = self.source.open(self.actor, title=title, sourced_id=self._free(asked.external_id))
        return self._kept(id_, asked)

    def _free(self, external_id: str | None) -> str:
        """The externalId as sourcedId of a new class, unless a class that has ended goes by it."""
        record = records.find_called(GROUP, external_id) if external_id else None
        return external_id or "" if record is None else ""

    def _refuse_taken(self, asked: Group, id_: int) -> None:
        if asked.external_id:
            others = self._found().exclude(pk=id_).filter(records.called(GROUP, asked.external_id))
            if others.exists():
                raise UniquenessException(detail="A group has this externalId already")

    def update(self, asked: Group) -> Group:
        before = self.get(str(asked.id))
        id_ = int(str(asked.id))
        self._refuse_taken(asked, id_)
        title = _title(asked)
        if title != before.display_name:
            self.source.rename(self.actor, id_, title=title)
        return self._kept(id_, asked)

    def _kept(self, id_: int, asked: Group) -> Group:
        wanted = {self._person_id(member) for member in asked.members or ()}
        self.source.set_members(self.actor, id_, wanted, today=self.today)
        keeping.keep_said(self.actor, GROUP, id_, external_id=asked.external_id, said={}, now=self.now)
        return self.get(str(id_))

    @staticmethod
    def _person_id(member: Member) -> int:
        value = member.value or str(member.ref or "").rpartition("/")[2]
        if not _is_id(value):
            raise InvalidValueException(detail=f"There is no user {value}")
        return int(value)

    def delete(self, resource_id: str) -> None:
        """The class ends; its registers stay."""
        group = self.get(resource_id)
        id_ = int(resource_id)
        self.source.end(self.actor, id_, today=self.today)
        keeping.keep_deleted(self.actor, GROUP, id_, external_id=group.external_id, now=self.now)


def _is_id(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) < 19


def _title(asked: Group) -> str:
    title = " ".join((asked.display_name or "").split())
    if not title or len(title) > 200 or "\0" in title:
        raise InvalidValueException(detail="displayName has 1 to 200 characters")
    return title


def _group(row: tuple[int, str, str], record: DirectoryRecord | None, members: Sequence[int]) -> Group:
    id_, title, sourced_id = row
    group = Group(
        id=str(id_),
        external_id=record.external_id if record is not None else sourced_id,
        display_name=title,
        members=[Member(value=str(pk), ref=Reference(f"Users/{pk}"), type="User") for pk in members] or None,
    )
    group.meta = Meta(
        resource_type="Group",
        created=record.created_at if record else None,
        last_modified=record.changed_at if record else None,
        version=version_of(group),
    )
    return group
