"""Counting the requests of a connection: mostly in this process, and now and then together with all the others."""

from datetime import datetime
from typing import Final

from django.db import connection

from pupitre.connections.rules.metering import Meter, TooManyRequests, minute_of, seconds_left
from pupitre.tenancy.scoping import scope

#: What a connection may ask in a minute: a school of two thousand is read whole in a few seconds by pages of 200.
PER_MINUTE: Final = 1200
_MOST_KNOWN: Final = 10_000
_meters: dict[int, Meter] = {}

_SHARE: Final = """
INSERT INTO connections_connectionuse AS u (school_id, connection_id, minute, count) VALUES (%s, %s, %s, %s)
ON CONFLICT (school_id, connection_id) DO UPDATE
   SET count = excluded.count + CASE WHEN u.minute = excluded.minute THEN u.count ELSE 0 END,
       minute = greatest(u.minute, excluded.minute)
RETURNING count
"""


def count_request(connection_id: int, *, now: datetime) -> int:
    """Count a request; says how many are left in this minute. Raises TooManyRequests. Asks nothing of the database."""
    if len(_meters) > _MOST_KNOWN:
        _meters.clear()
    left = PER_MINUTE - _meters.setdefault(connection_id, Meter()).count(minute_of(now))
    if left < 0:
        raise TooManyRequests(seconds_left(now))
    return left


def share_count(school_id: int, connection_id: int, *, now: datetime) -> None:
    """Tell the others what was counted here, and hear of them: one short transaction for some twenty requests.

    It has its own transaction: what a request did may be undone, that it came may not, and nobody waits for its end.
    """
    meter = _meters.get(connection_id)
    if meter is None or not meter.is_due:
        return
    minute, sent = meter.minute, meter.own
    with scope(school_id), connection.cursor() as cursor:
        cursor.execute(_SHARE, [school_id, connection_id, minute, sent])
        meter.told(minute, cursor.fetchone()[0], sent)
