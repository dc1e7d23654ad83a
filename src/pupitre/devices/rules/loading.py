"""A whole school's fleet as facts: what `actions.loading` takes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from . import (
    CommandState,
    Condition,
    InstallState,
    LoanState,
    Platform,
    Protocol,
    RolloutState,
    Standing,
    Verb,
)
from .applications import Wave


@dataclass(frozen=True, slots=True)
class NewStatus:
    """What a device last said of itself (models.DeviceStatus)."""

    last_seen_at: datetime
    battery: int | None = None
    is_charging: bool | None = None
    battery_health: int | None = None
    os_version: str = ""
    agent_version: str = ""
    storage_free: int | None = None
    problems: tuple[Mapping[str, Any], ...] = ()
    is_compliant: bool | None = None


@dataclass(frozen=True, slots=True)
class NewLoan:
    """A loan of the device it is listed with. Persons are ids; `signed_by` None with `signed_at` was signed on paper."""

    person: int
    state: LoanState
    starts_on: date
    due_on: date | None
    created_at: datetime
    accessories: tuple[str, ...] = ()
    conditions: str = ""
    signed_by: int | None = None
    signed_at: datetime | None = None
    ended_at: datetime | None = None
    returned: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class NewIncident:
    """Something that was reported of a device; it belongs to the last of its loans."""

    condition: Condition
    told: str
    happened_on: date
    reported_at: datetime
    reported_by: int | None = None
    closed_at: datetime | None = None
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class NewCommand:
    """A command with where it stands. Accounts are ids."""

    verb: Verb
    state: CommandState
    created_at: datetime
    expires_at: datetime
    arguments: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    requested_by: int | None = None
    approved_by: int | None = None
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device with everything that hangs on it. `holder` and `klass` are ids; `delivery` names one of the load's."""

    number: str
    serial: str
    asset_tag: str
    name: str
    platform: Platform
    protocol: Protocol
    maker: str
    model: str
    created_at: datetime
    standing: Standing = Standing.ENROLLED
    condition: Condition = Condition.GOOD
    holder: int | None = None
    klass: int | None = None
    delivery: str = ""
    enrolled_at: datetime | None = None
    retired_at: datetime | None = None
    warranty_until: date | None = None
    notes: str = ""
    status: NewStatus | None = None
    applications: Mapping[str, str] = field(default_factory=dict)
    hardware: Mapping[str, Any] = field(default_factory=dict)
    loans: tuple[NewLoan, ...] = ()
    incidents: tuple[NewIncident, ...] = ()
    commands: tuple[NewCommand, ...] = ()
    #: (when, rules.events.EventKind, facts)
    events: tuple[tuple[datetime, str, Mapping[str, Any]], ...] = ()


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery note."""

    name: str
    supplier: str
    delivered_on: date
    warranty_until: date
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version; `url` where its file is not ours."""

    version: str
    code: int = 0
    size: int = 0
    url: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class NewRollout:
    """A rollout of one of the application's versions (by its name), going back to `previous`."""

    version: str
    previous: str
    state: RolloutState
    waves: tuple[Wave, ...]
    created_at: datetime
    site_budget: int = 0
    failure_limit: int = 5
    least_reports: int = 20
    why_halted: str = ""


@dataclass(frozen=True, slots=True)
class NewApplication:
    """An application with its versions, the oldest first, and their rollouts."""

    package: str
    name: str
    platform: Platform
    kind: str
    created_at: datetime
    publisher: str = ""
    versions: tuple[NewVersion, ...] = ()
    rollouts: tuple[NewRollout, ...] = ()


@dataclass(frozen=True, slots=True)
class NewInstallation:
    """What a device (by its number) reported of a version."""

    number: str
    version: int
    state: InstallState
    reported_at: datetime
    message: str = ""
