"""Writing many rows at once into protected tables.

PostgreSQL refuses `COPY ... FROM` into a table with row-level security. So the rows are copied into a temporary table, and
from there inserted by one statement, which the policies check as they check any other.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from itertools import count
from typing import Any, Final

from django.db import connection
from psycopg import sql

_numbers: Final = count(1)
_PIECE: Final = 256 * 1024


def next_ids(table: str, amount: int) -> list[int]:
    """Ids for rows that refer to one another before they are written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, amount]
        )
        return [row[0] for row in cursor.fetchall()]


def insert_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write the rows within the scope and transaction that are set; answers how many. Every column is to be named."""
    temporary = stage(dict.fromkeys(columns, ""), (line_of(row) for row in rows), like=table)
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    statement = sql.SQL("INSERT INTO {table} ({names}) SELECT {names} FROM {temporary}").format(
        table=sql.Identifier(table), names=names, temporary=sql.Identifier(temporary)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        written = int(cursor.rowcount)
        cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(temporary)))
    return written


def upsert_rows(
    table: str,
    school_id: int,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    unique: Sequence[str],
    update: Sequence[str],
) -> None:
    """Add the rows of one school, and write the `update` columns of those whose `unique` columns are there already."""
    temporary = stage(dict.fromkeys(columns, ""), (line_of(row) for row in rows), like=table)
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    told = [sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in update]
    statement = sql.SQL(
        "INSERT INTO {table} (school_id, {names}) SELECT {school}, {names} FROM {temporary} "
        "ON CONFLICT ({unique}) DO {act}"
    ).format(
        table=sql.Identifier(table),
        names=names,
        school=sql.Literal(int(school_id)),
        temporary=sql.Identifier(temporary),
        unique=sql.SQL(", ").join(sql.Identifier(name) for name in ("school_id", *unique)),
        act=sql.SQL("UPDATE SET ") + sql.SQL(", ").join(told) if told else sql.SQL("NOTHING"),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(temporary)))


def stage(columns: dict[str, str], lines: Iterable[str], *, like: str = "") -> str:
    """Copy lines in COPY's text format into a new temporary table and answer its name.

    `columns` are names and SQL types; with `like`, the types are those of that table's columns.
    """
    name = f"bulk_{next(_numbers)}"
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    if like:
        making = sql.SQL(
            "CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT {names} FROM {like} WITH NO DATA"
        )
        statement = making.format(name=sql.Identifier(name), names=names, like=sql.Identifier(like))
    else:
        typed = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind))  # type: ignore[arg-type, unused-ignore]
            for column, kind in columns.items()
        )
        statement = sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(
            sql.Identifier(name), typed
        )
    with connection.cursor() as cursor:
        cursor.execute(statement)
    copying = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), names)
    with connection.connection.cursor() as raw, raw.copy(copying) as copy:
        for piece in _pieces(lines):
            copy.write(piece)
    return name


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    """Lines put together: a call for each would cost more than the copying."""
    held: list[str] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size > _PIECE:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


def line_of(row: Sequence[Any]) -> str:
    """A row in COPY's text format."""
    # Most values are words and codes without any sign: those need no look at them.
    return "\t".join([v if type(v) is str and v.isalnum() else text_of(v) for v in row]) + "\n"


def text_of(value: Any) -> str:
    """A value in COPY's text format."""
    if type(value) is str:  # most are
        return escaped(value)
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (list, tuple, dict)):
        value = json.dumps(value, ensure_ascii=False)
    return escaped(str(value))


def escaped(text: str) -> str:
    """Text in which COPY's own signs stand for themselves."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\t" in text or "\n" in text or "\r" in text:
        text = text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return text
