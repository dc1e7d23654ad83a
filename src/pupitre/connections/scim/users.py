"""Users: the persons of the school that the token belongs to."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Q
from scim2_models import InvalidValueException, Meta, NotFoundException, UniquenessException

from pupitre.connections.actions import directory as keeping
from pupitre.connections.models import DirectoryRecord
from pupitre.connections.queries import directory as records
from pupitre.people.actions import directory as people
from pupitre.people.queries import directory as queries
from pupitre.people.queries.directory import DirectoryPerson
from pupitre.people.rules import Actor, Role

from . import filters
from .resources import ROLE_OF, ROLES, Email, Name, User, UserRole
from .versions import version_of

USER: Final = records.USER
#: Texts that SCIM tells, by the person's column.
_TEXTS: Final = ("username", "given_name", "middle_name", "family_name", "preferred_name", "email")
_LONGEST: Final = 254


class Users:
    """The persons as SCIM's users, for one request."""

    def __init__(self, actor: Actor, now: datetime, today: date) -> None:
        self.actor, self.now, self.today = actor, now, today

    # -- reading ------------------------------------------------------------------------------------------------------

    def get(self, resource_id: str) -> User:
        return self._shown([self._person(resource_id)])[0]

    def _person(self, resource_id: str) -> DirectoryPerson:
        found = queries.directory(self.actor).filter(filters.by_id(resource_id), records.shown(USER))
        persons = queries.directory_persons(found, self.today)
        if not persons:
            raise NotFoundException(detail=f"There is no user {resource_id}")
        return persons[0]

    def search(
        self, condition: Q, order: Sequence[Any], start: int, count: int | None
    ) -> tuple[int, list[User]]:
        found = queries.directory(self.actor).filter(condition, records.shown(USER))
        total = found.count()
        page = found.order_by(*order)[start : None if count is None else start + count]
        return total, self._shown(queries.directory_persons(page, self.today) if count != 0 else [])

    def attributes(self) -> Mapping[str, filters.Attribute]:
        today = self.today
        email = filters.text("email")
        roles = filters.only_equal(lambda word: _with_role(word, today), Q())
        return {
            "id": filters.only_equal(filters.by_id, Q(), "pk"),
            "externalid": filters.only_equal(
                lambda value: records.called(USER, value), records.has_external_id(USER), "sourced_id"
            ),
            "username": filters.text("user_name", everybody=True),
            "displayname": filters.text("display_name", everybody=True),
            "name.familyname": filters.text("family_name"),
            "name.givenname": filters.text("given_name"),
            "name.middlename": filters.text("middle_name"),
            "nickname": filters.text("preferred_name"),
            "active": filters.flag(Q(ended_on__isnull=True)),
            "emails": email,
            "emails.value": email,
            "emails.type": filters.constant("work", email.present),
            "roles": roles,
            "roles.value": roles,
            "meta.created": filters.moment(lambda op, at: Q(**{f"created_at__{op}": at}), "created_at"),
            "meta.lastmodified": filters.moment(lambda op, at: records.changed(USER, op, at)),
        }

    def _shown(self, persons: Sequence[DirectoryPerson]) -> list[User]:
        known = records.records_of(USER, [person.id for person in persons])
        return [_user(person, known.get(person.id)) for person in persons]

    # -- writing ------------------------------------------------------------------------------------------------------

    def create(self, asked: User) -> User:
        said = _said(asked)
        said["active"] = said["active"] is not False
        if queries.user_name_taken(said["username"], but=self._deleted(asked)):
            raise UniquenessException(detail="Somebody of the school has this userName already")
        person_id = self._deleted(asked) or self._added(asked, said)
        people.change_from_directory(
            self.actor,
            person_id,
            facts=said,
            roles=_roles(said),
            is_active=said["active"],
            now=self.now,
        )
        return self._kept(person_id, asked, said)

    def _deleted(self, asked: User) -> int:
        """Whom the directory deleted before, and brings again."""
        if not asked.external_id:
            return 0
        record = records.find_called(USER, asked.external_id)
        return record.row_id if record is not None and record.deleted_at is not None else 0

    def _added(self, asked: User, said: Mapping[str, Any]) -> int:
        external_id = asked.external_id or ""
        if external_id:
            there = queries.directory(self.actor).filter(records.called(USER, external_id))
            if there.filter(records.shown(USER)).exists():
                raise UniquenessException(detail="Somebody of the school has this externalId already")
        free = external_id and queries.find_sourced(external_id) is None
        person = people.add_from_directory(
            self.actor,
            sourced_id=external_id if free else "",
            facts=said,
            roles=(),
            now=self.now,
        )
        return int(person.pk)

    def update(self, asked: User) -> User:
        person = self._person(str(asked.id))
        record = records.records_of(USER, [person.id]).get(person.id)
        said = _said(asked)
        if queries.user_name_taken(said["username"], but=person.id):
            raise UniquenessException(detail="Somebody of the school has this userName already")
        self._refuse_taken(asked, person)
        changed = _changed(_present(person), record.said if record else {}, said)
        people.change_from_directory(
            self.actor,
            person.id,
            facts=changed,
            roles=_roles(changed) if "roles" in changed else None,
            is_active=changed.get("active"),
            now=self.now,
        )
        return self._kept(person.id, asked, said)

    def _refuse_taken(self, asked: User, person: DirectoryPerson) -> None:
        if not asked.external_id:
            return
        others = queries.directory(self.actor).exclude(pk=person.id).filter(records.shown(USER))
        if others.filter(records.called(USER, asked.external_id)).exists():
            raise UniquenessException(detail="Somebody of the school has this externalId already")

    def _kept(self, person_id: int, asked: User, said: Mapping[str, Any]) -> User:
        keeping.keep_said(self.actor, USER, person_id, external_id=asked.external_id, said=said, now=self.now)
        return self.get(str(person_id))

    def delete(self, resource_id: str) -> None:
        """She leaves the school; the row and its history stay."""
        person = self._person(resource_id)
        if person.is_active:
            people.change_from_directory(self.actor, person.id, facts={}, is_active=False, now=self.now)
        external_id = person.sourced_id
        keeping.keep_deleted(self.actor, USER, person.id, external_id=external_id, now=self.now)


def _with_role(word: str, today: date) -> Q:
    role = ROLE_OF.get(word.casefold())
    return filters.NOTHING if role is None else queries.with_role(role, today)


def _user(person: DirectoryPerson, record: DirectoryRecord | None) -> User:
    shown_name = f"{person.preferred_name or person.given_name} {person.family_name}".strip()
    user = User(
        id=str(person.id),
        external_id=record.external_id if record is not None else person.sourced_id,
        user_name=person.user_name,
        name=Name(
            family_name=person.family_name,
            given_name=person.given_name,
            middle_name=person.middle_name or None,
        ),
        display_name=shown_name,
        nick_name=person.preferred_name or None,
        active=None if _leaves_open(record) else person.is_active,
        # What a roster wrote is shown as it is, valid or not.
        emails=[Email.model_construct(value=person.email, type="work")] if person.email else None,
        roles=[UserRole(value=ROLES[role]) for role in sorted(person.roles)] or None,
    )
    user.meta = Meta(
        resource_type="User",
        created=person.created_at,
        last_modified=max(record.changed_at, person.created_at) if record else person.created_at,
        version=version_of(user),
    )
    return user


def _leaves_open(record: DirectoryRecord | None) -> bool:
    """Whether the directory took back what it had said of `active`: then it is not told it either."""
    return record is not None and record.said.get("active", True) is None


def _said(asked: User) -> dict[str, Any]:
    """What the directory says of a person, as it is compared and kept."""
    name = asked.name or Name()
    emails = [str(one.value) for one in asked.emails or () if one.value]
    told = {
        "username": asked.user_name,
        "given_name": name.given_name,
        "middle_name": name.middle_name,
        "family_name": name.family_name,
        "preferred_name": asked.nick_name,
        "email": emails[0] if emails else "",
    }
    said: dict[str, Any] = {column: _clean(value or "") for column, value in told.items()}
    if not said["username"]:
        raise InvalidValueException(detail="userName is needed")
    said["active"] = asked.active
    said["roles"] = sorted({_role(one.value or "").value for one in asked.roles or ()})
    return said


def _clean(value: str) -> str:
    if "\0" in value or len(value) > _LONGEST:
        raise InvalidValueException(detail=f"Texts have at most {_LONGEST} characters, none of them NUL")
    return value


def _role(word: str) -> Role:
    role = ROLE_OF.get(word.casefold())
    if role is None:
        raise InvalidValueException(detail=f"No role is called {word}: there are {', '.join(ROLES.values())}")
    return role


def _roles(said: Mapping[str, Any]) -> list[Role]:
    return [Role(value) for value in said["roles"]]


def _present(person: DirectoryPerson) -> dict[str, Any]:
    texts = {column: getattr(person, column) for column in _TEXTS if column != "username"}
    roles = sorted(role.value for role in person.roles)
    return {**texts, "username": person.user_name, "active": person.is_active, "roles": roles}


def _changed(
    present: Mapping[str, Any], before: Mapping[str, Any], said: Mapping[str, Any]
) -> dict[str, Any]:
    """What is to be written: the rule of rosters. What the directory only repeats stays as the school has made it since."""
    return {
        field: value
        for field, value in said.items()
        if value != present[field] and (field not in before or before[field] != value)
    }
