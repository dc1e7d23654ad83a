"""Deleting what is older than its rule allows, in small batches that can stop and go on anywhere.

Every context states its rules (`<context>/actions/retention.py`); `project/retention.py` carries them out. A batch has its
own transaction and takes the oldest rows by an index, so that nothing waits for it and what was broken off simply goes on:
what is left is what there is.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from pupitre.kernel.storage import Storage

from .scoping import scope

#: Rows that stand before any time.
_EVER: Final = "-infinity"
#: A batch rather gives up, until the next night, than let others wait behind it.
_LOCK_WAIT: Final = "SET LOCAL lock_timeout = '3s'"
# tenancy/history.sql: what goes must not live on in the history.
_FORGETTING: Final = "SET LOCAL pupitre.forgetting = 'on'"
_NO_LIMIT: Final = 2**62
#: The school of the scope, for rules about tables that others may read too: a policy with two ways in is no index condition.
SCHOOL: Final = "(SELECT current_setting('pupitre.school')::bigint)"


@dataclass(frozen=True, slots=True)
class Ages:
    """What rules measure by. `school_years` is the first day of the oldest school year that is kept."""

    now: datetime
    school_years: date

    def days_ago(self, days: int) -> datetime:
        return self.now - timedelta(days=days)

    def months_ago(self, months: int) -> datetime:
        """The same moment so many months before; the month's last day where it has no such day."""
        total = self.now.year * 12 + self.now.month - 1 - months
        year, month = divmod(total, 12)
        following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
        return self.now.replace(
            year=year, month=month + 1, day=min(self.now.day, (following - timedelta(days=1)).day)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """Which rows go. Without a scope's own columns: row-level security keeps a batch to its school.

    `keys` selects key and time of what is too old, the oldest first, from the time %(after)s on, before %(before)s, at most
    %(most)s; what is younger than `before` says stays. `deletes` names `table.column` pairs that hold those keys, in the order
    in which they go, the last being the rows themselves. `objects` names columns of these whose objects in storage go with them,
    unless another row of the table still holds their key.
    """

    name: str
    keys: str
    before: Callable[[Ages], date | datetime]
    deletes: tuple[str, ...]
    objects: tuple[str, ...] = ()
    most: int = 1000

    @property
    def table(self) -> str:
        return self.deletes[-1].partition(".")[0]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch deleted: rows by table. `last` is the time up to which it went, None where nothing was left."""

    rows: dict[str, int]
    last: Any


def _asked(rule: Rule, ages: Ages, after: Any, most: int) -> dict[str, Any]:
    return {"before": rule.before(ages), "after": after, "most": most}


def delete_batch(rule: Rule, ages: Ages, *, after: Any = _EVER) -> Batch:
    """Delete the oldest rows within the scope and transaction that are set."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_WAIT)
        cursor.execute(_FORGETTING)
        cursor.execute(rule.keys, _asked(rule, ages, after, rule.most))
        found = cursor.fetchall()
        if not found:
            return Batch({}, None)
        keys = [row[0] for row in found]
        objects = _objects_of(cursor, rule, keys)
        rows = {}
        for place in rule.deletes:
            table, _, column = place.partition(".")
            cursor.execute(f'DELETE FROM "{table}" WHERE "{column}" = ANY(%s)', [keys])  # noqa: S608 - from rules
            rows[table] = int(cursor.rowcount)
        # Before the transaction ends: a store that does not answer leaves the rows, and so the way to their objects.
        _delete_objects(objects - _still_used(cursor, rule, objects))
    return Batch(rows, found[-1][1])


def _objects_of(cursor: Any, rule: Rule, keys: list[Any]) -> set[str]:
    found: set[str] = set()
    for column in rule.objects:
        key = rule.deletes[-1].partition(".")[2]
        cursor.execute(
            f'SELECT "{column}" FROM "{rule.table}" WHERE "{key}" = ANY(%s) AND "{column}" <> \'\'',  # noqa: S608
            [keys],
        )
        found.update(row[0] for row in cursor.fetchall())
    return found


def _still_used(cursor: Any, rule: Rule, objects: set[str]) -> set[str]:
    """The same bytes are kept once a school: another row may hold the key."""
    found: set[str] = set()
    for column in rule.objects if objects else ():
        cursor.execute(
            f'SELECT DISTINCT "{column}" FROM "{rule.table}" WHERE "{column}" = ANY(%s) AND "{column}" <> \'\'',  # noqa: S608
            [sorted(objects)],
        )
        found.update(row[0] for row in cursor.fetchall())
    return found


def _delete_objects(keys: set[str]) -> None:
    store = Storage(settings.CONFIG.storage_url)
    for key in sorted(keys):
        # One that is gone already was deleted by a batch that was broken off.
        with contextlib.suppress(FileNotFoundError):
            store.delete(key)


def batches(rule: Rule, ages: Ages, school_id: int = 0) -> Iterator[Batch]:
    """Delete batch after batch, each in its own transaction, until nothing is left that is too old."""
    after: Any = _EVER
    while True:
        with _own_transaction(school_id):
            batch = delete_batch(rule, ages, after=after)
        # Keys that could be read and not deleted would come again for ever.
        if batch.last is None or not batch.rows[rule.table]:
            return
        after = batch.last
        yield batch


@contextlib.contextmanager
def _own_transaction(school_id: int) -> Iterator[None]:
    if school_id:
        with scope(school_id):
            yield
    else:
        with transaction.atomic():
            yield


def count_due(rule: Rule, ages: Ages) -> dict[str, int]:
    """How many rows of each table would go, within the scope that is set."""
    asked = _asked(rule, ages, _EVER, _NO_LIMIT)
    counted = {}
    with connection.cursor() as cursor:
        for place in rule.deletes:
            table, _, column = place.partition(".")
            cursor.execute(
                f'SELECT count(*) FROM "{table}" WHERE "{column}" IN (SELECT k.id FROM ({rule.keys}) k)',  # noqa: S608
                asked,
            )
            counted[table] = int(cursor.fetchone()[0])
    return counted


# Tables by month (protection.ByMonth).


@dataclass(frozen=True, slots=True)
class Months:
    """A table that is kept by months, and for how many months back."""

    table: str
    months: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of such a table. `ends_at` is None for what waits for its month; rows are the server's estimate."""

    name: str
    ends_at: datetime | None
    rows: int
    bytes: int


#: So many months lie ready ahead.
AHEAD: Final = 3


def make_months(table: str, now: datetime) -> int:
    """Make this month and those to come; answers how many were missing."""
    with scope(), connection.cursor() as cursor:
        cursor.execute("SELECT tenancy_make_months(%s, %s, %s)", [table, now.date(), AHEAD + 1])
        return int(cursor.fetchone()[0])


def forget_months(kept: Months, ages: Ages) -> list[str]:
    """Drop the months that are too old as a whole, one transaction each; answers their names."""
    gone: list[str] = []
    while True:
        with scope(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT tenancy_forget_month(%s, %s)", [kept.table, ages.months_ago(kept.months())]
            )
            name = cursor.fetchone()[0]
        if name is None:
            return gone
        gone.append(name)


def partitions_of(table: str) -> list[Partition]:
    """The parts of a table by month, the oldest first; what waits for its month last."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'UTC'")
        cursor.execute(
            "SELECT c.relname, substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''([^'']+)''\\)')::timestamptz, "
            "greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid) "
            "FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass ORDER BY 2 NULLS LAST",
            [table],
        )
        return [Partition(*row) for row in cursor.fetchall()]


def due_months(kept: Months, ages: Ages) -> list[Partition]:
    """The months that would go."""
    cutoff = ages.months_ago(kept.months())
    return [one for one in partitions_of(kept.table) if one.ends_at is not None and one.ends_at <= cutoff]
