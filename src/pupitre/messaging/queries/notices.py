"""Reading notices: what reached somebody, what she wrote, who has read and confirmed it, and whom one would reach."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import connection

from pupitre.kernel.errors import NotFound
from pupitre.messaging.models import Notice
from pupitre.messaging.rules.kinds import REACHES, Audience
from pupitre.messaging.rules.notices import (
    WRITERS,
    first_words,
    may_manage,
    reaches_families,
    reaches_pupils,
    reaches_staff,
)
from pupitre.people.rules import Actor, require

_NAME: Final = "coalesce(nullif({0}.preferred_name, ''), {0}.given_name) || ' ' || {0}.family_name"
_CURRENT: Final = (
    "({0}.{1} IS NULL OR {0}.{1} <= %(today)s) AND ({0}.ends_on IS NULL OR {0}.ends_on >= %(today)s)"
)

# A receipt that reached a guardian because of a pupil counts only as long as she may hear of that pupil.
_STILL_HERS: Final = """(r.pupil_id IS NULL OR EXISTS (
    SELECT 1 FROM people_guardianship g
     WHERE g.pupil_id = r.pupil_id AND g.guardian_id = r.person_id AND g.sees_record AND g.receives_notices
       AND (g.ends_on IS NULL OR g.ends_on >= %(today)s)))"""


def rows(statement: str, facts: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        return list(cursor.fetchall())


# Whom a notice reaches.

_PUPILS_OF_CLASS: Final = f"""
SELECT e.person_id AS id FROM courses_enrolment e JOIN people_person p ON p.id = e.person_id
 WHERE e.class_id = %(class_id)s AND e.role = 1 AND p.ended_on IS NULL AND {_CURRENT.format("e", "begins_on")}
"""  # noqa: S608 - put together from constants
_PUPILS_OF_SCHOOL: Final = f"""
SELECT m.person_id AS id FROM people_membership m JOIN people_person p ON p.id = m.person_id
 WHERE m.role = 7 AND p.ended_on IS NULL AND {_CURRENT.format("m", "starts_on")}
"""  # noqa: S608 - put together from constants
_FAMILIES: Final = """
SELECT g.guardian_id AS person_id, g.pupil_id FROM people_guardianship g JOIN people_person a ON a.id = g.guardian_id
 WHERE g.pupil_id IN (SELECT id FROM pupils) AND g.receives_notices AND g.sees_record AND a.ended_on IS NULL
   AND (g.ends_on IS NULL OR g.ends_on >= %(today)s)
"""
_PUPILS: Final = "SELECT id, NULL::bigint FROM pupils"
_STAFF_OF_SCHOOL: Final = f"""
SELECT m.person_id, NULL::bigint FROM people_membership m JOIN people_person p ON p.id = m.person_id
 WHERE m.role = ANY(%(staff)s) AND p.ended_on IS NULL AND {_CURRENT.format("m", "starts_on")}
"""  # noqa: S608 - put together from constants
_STAFF_OF_CLASS: Final = f"""
SELECT e.person_id, NULL::bigint FROM courses_enrolment e JOIN people_person p ON p.id = e.person_id
 WHERE e.class_id = %(class_id)s AND e.role IN (2, 3) AND p.ended_on IS NULL AND {_CURRENT.format("e", "begins_on")}
"""  # noqa: S608 - put together from constants


def recipients_statement(audience: Audience, class_id: int | None) -> str:
    """The SELECT of (person_id, pupil_id) whom a notice reaches; takes `class_id`, `today`, `staff` and `author`."""
    pupils = _PUPILS_OF_SCHOOL if class_id is None else _PUPILS_OF_CLASS
    staff = _STAFF_OF_SCHOOL if class_id is None else _STAFF_OF_CLASS
    parts = []
    if reaches_families(audience):
        parts.append(_FAMILIES)
    if reaches_pupils(audience):
        parts.append(_PUPILS)
    if reaches_staff(audience):
        parts.append(staff)
    reached = " UNION ".join(parts)
    return (
        f"WITH pupils AS ({pupils}), reached (person_id, pupil_id) AS ({reached}) "  # noqa: S608
        "SELECT DISTINCT person_id, pupil_id FROM reached WHERE person_id <> %(author)s"
    )


def recipients_facts(*, class_id: int | None, author_id: int | None, today: date) -> dict[str, Any]:
    """What `recipients_statement` takes."""
    staff = [int(role) for role in REACHES[Audience.STAFF]]
    return {"class_id": class_id, "today": today, "staff": staff, "author": author_id or 0}


def count_recipients(audience: Audience, class_id: int | None, *, author_id: int | None, today: date) -> int:
    """How many persons a notice to that audience would reach today."""
    statement = recipients_statement(audience, class_id)
    facts = recipients_facts(class_id=class_id, author_id=author_id, today=today)
    found = rows(f"SELECT count(DISTINCT person_id) FROM ({statement}) who", facts)  # noqa: S608
    return int(found[0][0])


# Classes one may write to.


@dataclass(frozen=True, slots=True)
class WrittenClass:
    id: int
    title: str


def classes_to_write_to(actor: Actor, today: date) -> list[WrittenClass]:
    """All classes for the office, forms first; for a teacher those she teaches by enrolment or by the timetable."""
    require(actor, WRITERS)
    own = """ AND (c.id IN (SELECT class_id FROM courses_enrolment e WHERE e.person_id = %(person)s AND e.role IN (2, 3)
                   AND (e.begins_on IS NULL OR e.begins_on <= %(today)s) AND (e.ends_on IS NULL OR e.ends_on >= %(today)s))
        OR c.id IN (SELECT l.class_id FROM timetable_lesson l JOIN timetable_lessonteacher t ON t.lesson_id = l.id
                     WHERE t.teacher_id = %(person)s))"""
    statement = (
        "SELECT c.id, c.title FROM courses_class c WHERE c.ended_on IS NULL "  # noqa: S608
        f"{'' if actor.is_office else own} ORDER BY c.kind <> 'homeroom', c.title, c.id"
    )
    facts = {} if actor.is_office else {"person": actor.person_id, "today": today}
    return [WrittenClass(*row) for row in rows(statement, facts)]


# What somebody received.


@dataclass(frozen=True, slots=True)
class Received:
    """A notice in its reader's hands. `pupils` are the children because of whom it reached her."""

    id: int
    title: str
    begins: str
    published_at: datetime
    author: str
    needs_confirmation: bool
    is_read: bool
    confirmed_at: datetime | None
    pupils: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether the reader still has to do something with it."""
        return not self.is_read or (self.needs_confirmation and self.confirmed_at is None)


_RECEIVED: Final = f"""
SELECT n.id, n.title, n.body, n.published_at, {_NAME.format("a")}, n.needs_confirmation,
       bool_and(r.read_at IS NOT NULL), max(r.confirmed_at),
       array_remove(array_agg(DISTINCT coalesce(nullif(p.preferred_name, ''), p.given_name)), NULL)
  FROM messaging_receipt r
  JOIN messaging_notice n ON n.school_id = r.school_id AND n.id = r.notice_id
  LEFT JOIN people_person a ON a.id = n.author_id
  LEFT JOIN people_person p ON p.id = r.pupil_id
 WHERE r.person_id = %(person)s AND n.withdrawn_at IS NULL AND {_STILL_HERS}
 GROUP BY n.id, a.id
"""  # noqa: S608 - put together from constants


_WAITS: Final = (
    "(NOT bool_and(r.read_at IS NOT NULL) OR (n.needs_confirmation AND max(r.confirmed_at) IS NULL))"
)


def received_by(actor: Actor, today: date, *, limit: int = 30, offset: int = 0) -> list[Received]:
    """The notices that reached the actor in this school, what waits for her first, then the newest. One statement."""
    statement = f"{_RECEIVED} ORDER BY {_WAITS} DESC, n.published_at DESC, n.id DESC LIMIT %(limit)s OFFSET %(offset)s"
    facts = {"person": actor.person_id, "today": today, "limit": limit, "offset": offset}
    return [_received(row) for row in rows(statement, facts)]


#: What waits to be read or confirmed by a person of the school in scope, the newest first, as a sub-select of another context's
#: statement: JSON that `waiting_told` understands. Asks for `person`, `today` and `limit`. Whom it is about is looked up only for
#: what waits: receipts of a year pile up.
WAITING_TOLD: Final = f"""
SELECT json_agg(json_build_array(w.id, w.title, w.body, w.published_at, w.needs_confirmation,
                                 ARRAY(SELECT DISTINCT coalesce(nullif(p.preferred_name, ''), p.given_name)
                                         FROM people_person p WHERE p.id = ANY(w.pupils)))
                ORDER BY w.published_at DESC, w.id DESC)
  FROM (SELECT n.id, n.title, left(n.body, 1000) AS body, n.published_at, n.needs_confirmation, hers.pupils
          FROM (SELECT r.school_id, r.notice_id, bool_and(r.read_at IS NOT NULL) AS is_read, max(r.confirmed_at) AS confirmed_at,
                       array_agg(r.pupil_id) AS pupils
                  FROM messaging_receipt r WHERE r.person_id = %(person)s AND {_STILL_HERS} GROUP BY r.school_id, r.notice_id) hers
          JOIN messaging_notice n ON n.school_id = hers.school_id AND n.id = hers.notice_id
         WHERE n.withdrawn_at IS NULL AND (NOT hers.is_read OR (n.needs_confirmation AND hers.confirmed_at IS NULL))
         ORDER BY n.published_at DESC, n.id DESC LIMIT %(limit)s) w
"""  # noqa: S608 - put together from constants
#: How many of them a page shows.
MOST_WAITING: Final = 5


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that its reader has still to read or to confirm."""

    id: int
    title: str
    begins: str
    published_at: datetime
    needs_confirmation: bool
    pupils: tuple[str, ...]


def waiting_for(person_id: int, today: date, *, limit: int = MOST_WAITING) -> list[Waiting]:
    """What waits to be read or confirmed by that person of the school in scope. One statement."""
    told = rows(f"SELECT ({WAITING_TOLD})", {"person": person_id, "today": today, "limit": limit})
    return waiting_told(told[0][0])


def waiting_told(told: Any) -> list[Waiting]:
    """What WAITING_TOLD found."""
    found = json.loads(told) if isinstance(told, str) else told
    return [
        Waiting(id_, title, first_words(body), datetime.fromisoformat(at), needs, tuple(pupils))
        for id_, title, body, at, needs, pupils in found or ()
    ]


def _received(row: tuple[Any, ...]) -> Received:
    id_, title, body, published_at, author, needs, is_read, confirmed_at, pupils = row
    return Received(
        id_,
        title,
        first_words(body),
        published_at,
        author or "",
        needs,
        is_read,
        confirmed_at,
        tuple(pupils or ()),
    )


def open_count(actor: Actor, today: date) -> int:
    """How many notices wait to be read or confirmed by the actor in this school."""
    if not actor.person_id:
        return 0
    statement = (
        "SELECT count(DISTINCT n.id) FROM messaging_receipt r "  # noqa: S608
        "JOIN messaging_notice n ON n.school_id = r.school_id AND n.id = r.notice_id "
        "WHERE r.person_id = %(person)s AND n.withdrawn_at IS NULL "
        f"AND (r.read_at IS NULL OR (n.needs_confirmation AND r.confirmed_at IS NULL)) AND {_STILL_HERS}"
    )
    return int(rows(statement, {"person": actor.person_id, "today": today})[0][0])


# One notice.


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """A notice with everything that pages and mails say about it."""

    id: int
    title: str
    body: str
    audience: Audience
    class_id: int | None
    class_title: str
    needs_confirmation: bool
    author_id: int | None
    author: str
    created_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None
    recipients: int

    @property
    def is_draft(self) -> bool:
        return self.published_at is None


def _facts_of(row: Notice) -> NoticeFacts:
    return NoticeFacts(
        id=row.pk,
        title=row.title,
        body=row.body,
        audience=Audience(row.audience),
        class_id=row.klass_id,
        class_title=row.klass.title if row.klass_id else "",
        needs_confirmation=row.needs_confirmation,
        author_id=row.author_id,
        author=row.author.full_name if row.author_id else "",
        created_at=row.created_at,
        published_at=row.published_at,
        withdrawn_at=row.withdrawn_at,
        recipients=row.recipients,
    )


def access_managed_notice(actor: Actor, notice_id: int) -> NoticeFacts:
    """A notice that the actor may edit and follow up: the office's all, a teacher's own. NotFound for others."""
    row = Notice.objects.select_related("author", "klass").filter(pk=notice_id).first()
    if row is None or not may_manage(actor, row.author_id):
        raise NotFound
    return _facts_of(row)


def access_received_notice(actor: Actor, notice_id: int, today: date) -> tuple[NoticeFacts, Received]:
    """A published notice that reached the actor, with her receipt. NotFound for everybody else, and once withdrawn."""
    statement = _RECEIVED.replace("GROUP BY", "AND n.id = %(notice)s GROUP BY")
    found = rows(statement, {"person": actor.person_id, "today": today, "notice": notice_id})
    if not found or not actor.person_id:
        raise NotFound
    row = Notice.objects.select_related("author", "klass").get(pk=notice_id)
    return _facts_of(row), _received(found[0])


# What was written.


@dataclass(frozen=True, slots=True)
class Written:
    """A notice as its writers' list shows it; counts are of persons."""

    id: int
    title: str
    audience: Audience
    class_title: str
    author: str
    created_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None
    needs_confirmation: bool
    recipients: int
    read: int
    confirmed: int


_WRITTEN: Final = f"""
SELECT n.id, n.title, n.audience, coalesce(c.title, ''), coalesce({_NAME.format("a")}, ''), n.created_at, n.published_at,
       n.withdrawn_at, n.needs_confirmation, n.recipients, t.read, t.confirmed
  FROM messaging_notice n
  LEFT JOIN people_person a ON a.id = n.author_id
  LEFT JOIN courses_class c ON c.id = n.class_id
  LEFT JOIN LATERAL (
       SELECT count(DISTINCT r.person_id) FILTER (WHERE r.read_at IS NOT NULL) AS read,
              count(DISTINCT r.person_id) FILTER (WHERE r.confirmed_at IS NOT NULL) AS confirmed
         FROM messaging_receipt r WHERE r.school_id = n.school_id AND r.notice_id = n.id) t ON true
 WHERE (%(every)s OR n.author_id = %(person)s)
 ORDER BY n.published_at IS NOT NULL, coalesce(n.published_at, n.created_at) DESC, n.id DESC
 LIMIT %(limit)s OFFSET %(offset)s
"""  # noqa: S608 - put together from constants


def written_by(actor: Actor, *, limit: int = 30, offset: int = 0) -> list[Written]:
    """Drafts first, then the newest: all of the school for the office, her own for a teacher. One statement."""
    require(actor, WRITERS)
    facts = {"every": actor.is_office, "person": actor.person_id, "limit": limit, "offset": offset}
    return [Written(row[0], row[1], Audience(row[2]), *row[3:]) for row in rows(_WRITTEN, facts)]


# Who has read and confirmed it.


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person whom a notice reached. `pupils` says because of whom."""

    person_id: int
    name: str
    pupils: str
    read_at: datetime | None
    confirmed_at: datetime | None
    reminded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a notice has come, in persons."""

    reached: int
    read: int
    confirmed: int

    def answered(self, *, needs_confirmation: bool) -> int:
        return self.confirmed if needs_confirmation else self.read


def progress_of(notice_id: int) -> Progress:
    """The caller has decided that the actor may follow the notice up."""
    found = rows(
        "SELECT count(DISTINCT person_id), count(DISTINCT person_id) FILTER (WHERE read_at IS NOT NULL), "
        "count(DISTINCT person_id) FILTER (WHERE confirmed_at IS NOT NULL) "
        "FROM messaging_receipt WHERE notice_id = %(notice)s",
        {"notice": notice_id},
    )
    return Progress(*found[0])


def recipients_of(
    notice: NoticeFacts, *, answered: bool, limit: int = 50, offset: int = 0
) -> list[Recipient]:
    """Those who have answered (confirmed where that is asked, else read), or those who have not; by name."""
    column = "confirmed_at" if notice.needs_confirmation else "read_at"
    statement = (
        f"SELECT q.id, {_NAME.format('q')}, coalesce(string_agg(DISTINCT {_NAME.format('p')}, ', '), ''), "  # noqa: S608
        "min(r.read_at), min(r.confirmed_at), max(r.reminded_at) FROM messaging_receipt r "
        "JOIN people_person q ON q.id = r.person_id LEFT JOIN people_person p ON p.id = r.pupil_id "
        "WHERE r.notice_id = %(notice)s GROUP BY q.id "
        f"HAVING (max(r.{column}) IS NOT NULL) = %(answered)s "
        "ORDER BY q.family_key, q.id LIMIT %(limit)s OFFSET %(offset)s"
    )
    facts = {"notice": notice.id, "answered": answered, "limit": limit, "offset": offset}
    return [Recipient(*row) for row in rows(statement, facts)]


def people_to_remind(notice: NoticeFacts, *, reminded_before: datetime, today: date) -> list[int]:
    """Who has not answered, was not reminded since, and may still hear of it."""
    column = "confirmed_at" if notice.needs_confirmation else "read_at"
    statement = (
        "SELECT r.person_id FROM messaging_receipt r "  # noqa: S608
        f"WHERE r.notice_id = %(notice)s AND {_STILL_HERS} GROUP BY r.person_id "
        f"HAVING max(r.{column}) IS NULL AND (max(r.reminded_at) IS NULL OR max(r.reminded_at) <= %(before)s) "
        "ORDER BY r.person_id"
    )
    facts = {"notice": notice.id, "before": reminded_before, "today": today}
    return [row[0] for row in rows(statement, facts)]


def in_batches(ids: Sequence[int], size: int) -> Iterable[list[int]]:
    return (list(ids[start : start + size]) for start in range(0, len(ids), size))
