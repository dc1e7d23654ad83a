"""What of the fleet is kept how long: logs for days, commands and histories for a year, loans as long as the school's accounts.

`%(after)s` and `%(before)s` are times (or dates); each rule takes the oldest first by an index, so that a batch reads only
what it deletes, whether ten million commands are kept or ten.
"""

from datetime import date, datetime
from typing import Final

from pupitre.tenancy.retention import SCHOOL, Ages, Rule

#: Lines of logs that a device was asked for.
LOG_DAYS: Final = 30
#: A lock lasts until it is taken back: the last word about it is what tablets with Headwind's agent are told.
_ENDED: Final = "AND state NOT IN (1, 2, 3) AND NOT (verb IN (1, 8) AND state = 4)"
#: Commands that have ended, histories, and what was learnt of devices that are out of use.
MONTHS: Final = 12
#: A stray number or a code that ended says nothing after so many days.
TICKET_DAYS: Final = 90
#: Loans and reports are records of the school's property: accounts are kept for six years (Código de Comercio, art. 30).
LOAN_MONTHS: Final = 72


def _months(ages: Ages) -> datetime:
    return ages.months_ago(MONTHS)


def _days(ages: Ages) -> date:
    return ages.months_ago(LOAN_MONTHS).date()


def _by_time(name: str, table: str, column: str, which: str = "", *, most: int = 5000) -> Rule:
    keys = (
        f"SELECT id, {column} FROM {table} "  # noqa: S608 - put together from constants
        f"WHERE school_id = {SCHOOL} AND {column} >= %(after)s AND {column} < %(before)s {which} "
        f"ORDER BY {column}, id LIMIT %(most)s"
    )
    return Rule(name, keys, _months, (f"{table}.id",), most=most)


def _log_days(ages: Ages) -> datetime:
    return ages.days_ago(LOG_DAYS)


def _ticket_days(ages: Ages) -> datetime:
    return ages.days_ago(TICKET_DAYS)


_LOGS = _by_time("lines of devices' logs", "devices_logline", "logged_at")
# A code by which a device came stays with it.
_UNUSED: Final = (
    "AND NOT EXISTS (SELECT FROM devices_device d WHERE d.school_id = devices_enrolmentticket.school_id "
    "AND d.ticket_id = devices_enrolmentticket.id)"
)
_TICKETS = _by_time("enrolment codes", "devices_enrolmentticket", "expires_at", _UNUSED, most=500)

RULES: Final = (
    Rule(_LOGS.name, _LOGS.keys, _log_days, _LOGS.deletes, most=_LOGS.most),
    # By when they were made: a command ends within ninety days of it (rules.commanding), and what was not answered ended, too.
    _by_time("commands to devices", "devices_command", "created_at", _ENDED),
    _by_time("histories of devices", "devices_deviceevent", "happened_at"),
    _by_time("leases of lessons", "devices_lease", "ends_at", most=500),
    # What a device reported is of interest while it is in use; the device itself stays in the books.
    Rule(
        "what devices reported that are out of use",
        "SELECT id, retired_at FROM devices_device "  # noqa: S608 - put together from constants
        f"WHERE school_id = {SCHOOL} AND standing = 4 AND retired_at >= %(after)s AND retired_at < %(before)s "
        "AND EXISTS (SELECT FROM devices_devicestatus s WHERE s.school_id = devices_device.school_id AND s.device_id = devices_device.id) "
        "ORDER BY retired_at, id LIMIT %(most)s",
        _months,
        ("devices_inventory.device_id", "devices_installation.device_id", "devices_devicestatus.device_id"),
        most=200,
    ),
    Rule(
        "reports of broken, lost and stolen devices",
        "SELECT id, closed_at FROM devices_incident "  # noqa: S608 - put together from constants
        f"WHERE school_id = {SCHOOL} AND closed_at >= %(after)s AND closed_at < %(before)s "
        "ORDER BY closed_at, id LIMIT %(most)s",
        _days,
        ("devices_incident.id",),
        most=500,
    ),
    # The last of a row of swaps goes first: the others hang on it.
    Rule(
        "loans with their contracts",
        "SELECT l.id, l.ended_at FROM devices_loan l "  # noqa: S608 - put together from constants
        f"WHERE l.school_id = {SCHOOL} AND l.ended_at >= %(after)s AND l.ended_at < %(before)s "
        "AND NOT EXISTS (SELECT FROM devices_loan n WHERE n.school_id = l.school_id AND n.continues_id = l.id) "
        "AND NOT EXISTS (SELECT FROM devices_incident i WHERE i.school_id = l.school_id AND i.loan_id = l.id) "
        "ORDER BY l.ended_at, l.id LIMIT %(most)s",
        _days,
        ("devices_loan.id",),
        objects=("contract_key",),
        most=200,
    ),
    Rule(_TICKETS.name, _TICKETS.keys, _ticket_days, _TICKETS.deletes, most=_TICKETS.most),
)
