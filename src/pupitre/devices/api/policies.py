"""Policies, to whom they are given, lesson rules, leases, and what applies to a device, for other systems."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field, StrictBool

from pupitre.connections.access import machine
from pupitre.connections.rules import Scope
from pupitre.connections.wire import Day, Flag, Id, Line, Moment, Name, Prose, Ref, Row, Sent, told
from pupitre.devices.actions import leases, lesson_rules
from pupitre.devices.actions import policies as actions
from pupitre.devices.queries import device as one_device
from pupitre.devices.queries import lesson_rules as rule_queries
from pupitre.devices.queries import policies as queries
from pupitre.devices.queries.explaining import Reason, Ruling, explain
from pupitre.devices.queries.previewing import Change, Given, Preview, preview
from pupitre.devices.rules import Level, Platform
from pupitre.devices.rules.secrets import hidden, kept
from pupitre.devices.rules.settings import SETTINGS
from pupitre.devices.rules.validation import FOR_AN_HOUR, checked
from pupitre.kernel import clock
from pupitre.people.access import actor_of

router = Router(tags=["Device policies"])
reads, writes = machine(Scope.DEVICES_READ), machine(Scope.DEVICES_WRITE)

LevelWord = Literal["authority", "school", "class", "person", "device"]
GivenWord = Literal["school", "class", "person", "device"]
PlatformWord = Literal["android", "windows", "linux", "ios", "macos", "chromeos"]
Key = Annotated[str, Field(max_length=60, pattern=r"^[a-z_]+$", strict=True)]
Settings = Annotated[dict[Key, Any], Field(max_length=100)]
Rank = Annotated[int, Field(ge=-50, le=50, strict=True)]
Weekday = Annotated[int, Field(ge=1, le=7, strict=True)]
Clock = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", strict=True)]
_WORDS: Final = {
    Level.AUTHORITY: "authority",
    Level.SCHOOL: "school",
    Level.GROUP: "class",
    Level.PERSON: "person",
    Level.DEVICE: "device",
}
_LEVELS: Final = {word: level for level, word in _WORDS.items()}
_SAID: Final = {"camera": False, "web": {"mode": "allow", "hosts": ["wikipedia.org"]}}


class SettingRow(Row):
    """A setting that policies can say something of."""

    key: str = told("Its name in documents.", "web")
    group: str = told("What it is about.", "web")
    kind: Literal["flag", "choice", "number", "text", "named", "whole"] = told(
        "What its value is: `named` a list of entries, `whole` one object.", "whole"
    )
    platforms: list[PlatformWord] = told("The systems that have it.", ["android", "windows", "linux"])
    choices: list[str] = told("The words of a choice.", [])
    fields: list[str] = told("The members of an entry or object.", ["mode", "hosts"])
    name_by: str = told("The member that names an entry.", "")
    secret: list[str] = told("Members that are never told again.", [])
    least: int = told("Of a number.", 0)
    most: int = told("Of a number.", 0)
    in_lessons: bool = told("Whether lesson rules and leases may say it.", example=True)


class PolicyRow(Row):
    """A policy. Secrets of its settings are `true`."""

    id: int = told("Its number.", 7)
    name: str = told("Its name.", "Exams")
    notes: str = told("Notes.", "")
    version: int = told("The version that holds.", 3)
    is_own: bool = told("Whether the school may change it; else it is the authority's.", example=True)
    archived_at: datetime | None = told("When it was put away.", None)


class PolicyDetail(PolicyRow):
    """A policy with what it says."""

    settings: dict[str, Any] = told("What it says.", _SAID)
    locked: list[str] = told("What narrower levels cannot change.", ["camera"])


class VersionRow(Row):
    """What a policy said."""

    number: int = told("Its number.", 3)
    made_at: datetime = told("Since when.", "2026-10-13T09:00:00+02:00")
    made_by: str = told("Who made it.", "Teo Nician")
    settings: dict[str, Any] = told("What it said; secrets are `true`.", _SAID)
    locked: list[str] = told("What was locked.", ["camera"])


class DocumentSent(Sent):
    """What a policy shall say. A secret that is sent as `true` stays as it is."""

    settings: Settings = told("Settings by their keys (`list_device_settings`).", _SAID)
    locked: list[Key] = told("What narrower levels cannot change.", ["camera"], default=[], max_length=100)


class PolicySent(DocumentSent):
    """A policy to make."""

    name: Name = told("Its name.", "Exams")
    notes: Prose = told("Notes.", "", default="")


class DocumentChanged(DocumentSent):
    """A new version of a policy."""

    expected: Ref | None = told("The version that it follows; another one is refused.", 3, default=None)


class AssignmentRow(Row):
    """To whom a policy is given."""

    id: int = told("Its number.", 12)
    policy_id: int = told("The policy.", 7)
    policy: str = told("Its name.", "Exams")
    level: LevelWord = told("To whom, from wide to narrow.", "class")
    whom: int = told("The number of the class, person, device or school.", 31)
    name: str = told("What that is called.", "1A")
    platform: PlatformWord | None = told("Only on that system.", None)
    rank: int = told("Within a level the higher holds.", 0)
    starts_on: date | None = told("From that day on.", None)
    ends_on: date | None = told("Until that day.", None)
    is_own: bool = told("Whether the school gave it; else the authority did.", example=True)


class AssignmentSent(Sent):
    """A policy to give."""

    policy_id: Ref = told("The policy.", 7)
    level: GivenWord = told("To whom: `school` gives it to all devices of the school.", "class")
    whom: Ref | None = told("The class, person or device; left out for the school.", 31, default=None)
    platform: PlatformWord | None = told("Only on that system.", None, default=None)
    rank: Rank = told("Within a level the higher holds.", 0, default=0)
    starts_on: Day | None = told("From that day on.", None, default=None)
    ends_on: Day | None = told("Until that day.", None, default=None)


class DifferenceRow(Row):
    """A setting that changes."""

    key: str = told("The setting.", "camera")
    before: Any = told("What holds now; null where nothing is said.", example=True)
    after: Any = told("What would hold.", example=False)
    devices: int = told("On how many devices.", 412)


class PreviewRow(Row):
    """What a change would touch."""

    concerned: int = told("Devices that it concerns.", 500)
    changed: int = told("Devices on which something becomes different.", 412)
    platforms: dict[str, int] = told("These by their system.", {"android": 400, "linux": 12})
    differences: list[DifferenceRow] = told("What becomes different.", [DifferenceRow])


class HoursSent(Sent):
    """Hours of the day."""

    days: list[Weekday] = told("ISO weekdays, Monday is 1.", [1, 2, 3], min_length=1, max_length=7)
    starts: Clock = told("From.", "20:00")
    ends: Clock = told("Up to, not included; 24:00 is midnight.", "24:00")


class RuleSent(Sent):
    """What holds in lessons of a class, or at hours."""

    name: Name = told("Its name; the pupils read it.", "Calculator and atlas only")
    settings: Settings = told(
        "What holds then.", {"allowed_applications": {"packages": ["org.geogebra.android"]}}
    )
    starts_on: Day = told("First day.", date(2026, 9, 1))
    ends_on: Day = told("Last day, at most 400 later.", date(2027, 6, 30))
    in_lessons: Flag = told("Whether it holds in lessons.", example=True, default=True)
    subject: Line = told("Only in lessons of that subject.", "Maths", default="")
    hours: list[HoursSent] = told("Hours besides or instead.", [HoursSent], default=[], max_length=20)

    def facts(self) -> dict[str, Any]:
        plain = self.model_dump(exclude={"hours", "class_id"})
        hours = [{"days": one.days, "from": one.starts, "to": one.ends} for one in self.hours]
        return {**plain, "hours": hours}


class NewRule(RuleSent):
    """A lesson rule to make."""

    class_id: Ref = told("The class or form.", 31)


class RuleRow(Row):
    """A lesson rule that has not ended."""

    id: int = told("Its number.", 5)
    class_id: int = told("The class or form.", 31)
    class_title: str = told("Its title.", "1A")
    name: str = told("Its name.", "Calculator and atlas only")
    settings: dict[str, Any] = told("What holds then.", _SAID)
    starts_on: date = told("First day.", date(2026, 9, 1))
    ends_on: date = told("Last day.", date(2027, 6, 30))
    in_lessons: bool = told("Whether it holds in lessons.", example=True)
    subject: str = told("Only in lessons of that subject.", "Maths")
    entries: list[dict[str, Any]] = told(
        "When it holds by the timetable and calendar of today, as devices are told.",
        [{"days": [2], "from": "09:00", "to": "10:50", "first": "2026-09-01", "last": "2027-06-29"}],
    )


class LeaseSent(Sent):
    """Something for the devices of a class that ends by itself."""

    settings: Settings = told("What holds.", {"camera": False}, default={})
    lifts_rules: StrictBool = told("Whether lesson rules do not hold meanwhile.", example=True, default=False)
    ends_at: Moment | None = told(
        "When it ends, at most eight hours later; left out, then.", "2026-10-13T10:50:00+02:00", default=None
    )
    reason: Line = told("Why.", "Films today", default="")


class LeaseMade(Row):
    """A lease."""

    id: int = told("Its number.", 3)
    ends_at: datetime = told("When it ends.", "2026-10-13T10:50:00+02:00")


class PolicyMade(Row):
    """What was made."""

    id: int = told("Its number.", 7)


class VersionMade(Row):
    """A version that holds now."""

    number: int = told("Its number.", 4)


class RulingRow(Row):
    """A lesson rule or lease that holds now."""

    label: str = told("Its name.", "Calculator and atlas only")
    is_lease: bool = told("Whether somebody said it for this hour only.", example=False)
    lifts_rules: bool = told("Whether lesson rules do not hold meanwhile.", example=False)
    until: datetime | None = told("Until when.", "2026-10-13T10:50:00+02:00")
    by: str = told("Who said it.", "Teo Nician")
    class_title: str = told("For which class.", "1A")


class ReasonRow(Row):
    """A setting of a device, and why it is so."""

    key: str = told("The setting.", "camera")
    now: Any = told("What holds now.", example=False)
    value: Any = told("What policies say; null where only a rule does.", example=True)
    level: LevelWord | None = told("Whose policy it is.", "school")
    policy_id: int | None = told("The policy.", 7)
    policy: str = told("Its name.", "Calm")
    by: str = told("Who made its version.", "Teo Nician")
    is_locked: bool = told("Whether narrower levels cannot change it.", example=False)
    overridden: list[str] = told("Policies whose word does not count, wide to narrow.", ["All schools"])
    ruling: str | None = told("The rule or lease that is laid over it now.", None)


class ExplanationRow(Row):
    """What applies to a device and why."""

    version: str = told("The version of its state.", "1f.2a")
    changes_at: datetime | None = told("When something else holds by itself.", "2026-10-13T10:50:00+02:00")
    rulings: list[RulingRow] = told("What holds besides its policies now.", [RulingRow])
    reasons: list[ReasonRow] = told("Every setting that anything is said of.", [ReasonRow])


@router.get("/device-settings", response=list[SettingRow], auth=reads)
def list_device_settings(request: HttpRequest) -> Any:
    """Everything that a policy can say."""
    return [
        {
            "key": one.key,
            "group": one.group.value,
            "kind": one.kind.value,
            "platforms": [platform.name.lower() for platform in sorted(one.platforms)],
            "choices": list(one.choices),
            "fields": list(one.fields),
            "name_by": one.name_by,
            "secret": sorted(one.secret),
            "least": one.least,
            "most": one.most,
            "in_lessons": one.key in FOR_AN_HOUR,
        }
        for one in SETTINGS.values()
    ]


@router.get("/device-policies", response=list[PolicyRow], auth=reads)
def list_device_policies(request: HttpRequest) -> Any:
    """The policies of the school and of its authority, by name."""
    return queries.policies_for(actor_of(request))


@router.post("/device-policies", response={201: PolicyMade}, auth=writes)
def create_device_policy(request: HttpRequest, body: PolicySent) -> Any:
    """Make a policy. It holds for nobody until it is given to somebody."""
    document = {"settings": body.settings, "locked": body.locked}
    made = actions.create_policy(
        actor_of(request), name=body.name, notes=body.notes, document=document, now=clock.now()
    )
    return Status(201, {"id": made.pk})


@router.get("/device-policies/{policy}", response=PolicyDetail, auth=reads)
def read_device_policy(request: HttpRequest, policy: Id) -> Any:
    """A policy with what it says."""
    actor = actor_of(request)
    found = queries.access_policy(actor, policy)
    return {
        "id": found.pk,
        "name": found.name,
        "notes": found.notes,
        "version": found.current,
        "is_own": found.school_id is not None,
        "archived_at": found.archived_at,
        **_told(queries.document_of(found)),
    }


def _told(document: dict[str, Any]) -> dict[str, Any]:
    return {"settings": hidden(document.get("settings", {})), "locked": document.get("locked", [])}


@router.delete("/device-policies/{policy}", response={204: None}, auth=writes)
def archive_device_policy(request: HttpRequest, policy: Id) -> Any:
    """Put a policy away: it holds for nobody any more."""
    actions.archive_policy(actor_of(request), policy, now=clock.now())
    return Status(204, None)


@router.get("/device-policies/{policy}/versions", response=list[VersionRow], auth=reads)
def list_device_policy_versions(request: HttpRequest, policy: Id) -> Any:
    """What the policy said, the newest first."""
    found = queries.versions_of(queries.access_policy(actor_of(request), policy))
    return [
        {
            "number": one.number,
            "made_at": one.made_at,
            "made_by": str(one.made_by or ""),
            **_told(one.document),
        }
        for one in found
    ]


@router.post("/device-policies/{policy}/versions", response={201: VersionMade}, auth=writes)
def change_device_policy(request: HttpRequest, policy: Id, body: DocumentChanged) -> Any:
    """Let the policy say something else, as a new version that holds at once."""
    made = actions.edit_policy(
        actor_of(request),
        policy,
        document={"settings": body.settings, "locked": body.locked},
        expected=body.expected,
        now=clock.now(),
    )
    return Status(201, {"number": made.number})


@router.post("/device-policies/{policy}/versions/{version}/restoration", response={204: None}, auth=writes)
def restore_device_policy(request: HttpRequest, policy: Id, version: Id) -> Any:
    """Let an older version hold again."""
    actions.restore_version(actor_of(request), policy, version, now=clock.now())
    return Status(204, None)


@router.post("/device-policies/{policy}/preview", response=PreviewRow, auth=reads)
def preview_device_policy(request: HttpRequest, policy: Id, body: DocumentSent) -> Any:
    """What would become different if the policy said this. Nothing is changed."""
    actor = actor_of(request)
    before = queries.document_of(queries.access_policy(actor, policy))
    settings = kept(body.settings, before.get("settings", {}))
    clean = checked({"settings": settings, "locked": body.locked})
    today = clock.today(actor.place.time_zone)
    return _previewed(preview(actor, Change(policy, document=clean), today=today))


def _previewed(found: Preview) -> dict[str, Any]:
    return {
        "concerned": found.concerned,
        "changed": found.changed,
        "platforms": {platform.name.lower(): number for platform, number in found.by_platform.items()},
        "differences": found.differences,
    }


@router.get("/device-assignments", response=list[AssignmentRow], auth=reads)
def list_device_assignments(request: HttpRequest) -> Any:
    """Which policies are given to whom, from wide to narrow."""
    return [
        {
            **{name: getattr(one, name) for name in AssignmentRow.model_fields},
            "level": _WORDS[one.level],
            "platform": Platform(one.platform).name.lower() if one.platform else None,
        }
        for one in queries.assignments_for(actor_of(request))
    ]


@router.post("/device-assignments", response={201: PolicyMade}, auth=writes)
def assign_device_policy(request: HttpRequest, body: AssignmentSent) -> Any:
    """Give a policy to all devices of the school, a class, a person or a device."""
    given = _given(request, body)
    made = actions.assign_policy(
        actor_of(request),
        body.policy_id,
        level=given.level,
        whom=given.whom,
        platform=given.platform,
        rank=given.rank,
        starts_on=body.starts_on,
        ends_on=body.ends_on,
        now=clock.now(),
    )
    return Status(201, {"id": made.pk})


@router.post("/device-assignments/preview", response=PreviewRow, auth=reads)
def preview_device_assignment(request: HttpRequest, body: AssignmentSent) -> Any:
    """What would become different if the policy were given so today. Nothing is changed."""
    actor = actor_of(request)
    today = clock.today(actor.place.time_zone)
    return _previewed(preview(actor, Change(body.policy_id, give=_given(request, body)), today=today))


def _given(request: HttpRequest, body: AssignmentSent) -> Given:
    level = _LEVELS[body.level]
    whom = actor_of(request).place.id if level is Level.SCHOOL else body.whom or 0
    platform = Platform[body.platform.upper()] if body.platform else None
    return Given(level, whom, platform, body.rank)


@router.delete("/device-assignments/{assignment}", response={204: None}, auth=writes)
def unassign_device_policy(request: HttpRequest, assignment: Id) -> Any:
    """Take a policy back."""
    actions.unassign_policy(actor_of(request), assignment, now=clock.now())
    return Status(204, None)


@router.get("/device-rules", response=list[RuleRow], auth=reads)
def list_device_rules(request: HttpRequest) -> Any:
    """Lesson rules that have not ended, with the times at which they hold."""
    actor = actor_of(request)
    today = clock.today(actor.place.time_zone)
    schedules = rule_queries.entries_for(actor)
    return [
        {
            "class_id": rule.klass_id,
            "class_title": rule.klass.title,
            "entries": schedules.get(rule.pk, []),
            **{
                name: getattr(rule, name)
                for name in ("id", "name", "settings", "starts_on", "ends_on", "in_lessons", "subject")
            },
        }
        for rule in rule_queries.rules_for(actor, today=today)
    ]


@router.post("/device-rules", response={201: PolicyMade}, auth=writes)
def make_device_rule(request: HttpRequest, body: NewRule) -> Any:
    """Let settings hold in lessons of a class, or at hours; they end by themselves."""
    made = lesson_rules.make_rule(actor_of(request), body.class_id, now=clock.now(), **body.facts())
    return Status(201, {"id": made.pk})


@router.put("/device-rules/{rule}", response={204: None}, auth=writes)
def change_device_rule(request: HttpRequest, rule: Id, body: RuleSent) -> Any:
    """Let a rule say something else."""
    lesson_rules.change_rule(actor_of(request), rule, now=clock.now(), **body.facts())
    return Status(204, None)


@router.delete("/device-rules/{rule}", response={204: None}, auth=writes)
def end_device_rule(request: HttpRequest, rule: Id) -> Any:
    """End a rule at once."""
    lesson_rules.end_rule(actor_of(request), rule, now=clock.now())
    return Status(204, None)


@router.post("/classes/{class_id}/device-leases", response={201: LeaseMade}, auth=writes)
def give_device_lease(request: HttpRequest, class_id: Id, body: LeaseSent) -> Any:
    """Lift the lesson rules of a class or set something for its devices, for some hours at most."""
    lease = leases.give_lease(actor_of(request), class_id, now=clock.now(), **body.model_dump())
    return Status(201, {"id": lease.pk, "ends_at": lease.ends_at})


@router.delete("/device-leases/{lease}", response={204: None}, auth=writes)
def end_device_lease(request: HttpRequest, lease: Id) -> Any:
    """End a lease before its time."""
    leases.end_lease(actor_of(request), lease, now=clock.now())
    return Status(204, None)


@router.get("/devices/{device}/explanation", response=ExplanationRow, auth=reads)
def explain_device(request: HttpRequest, device: Id) -> Any:
    """What applies to a device at this moment, and why."""
    actor = actor_of(request)
    found = one_device.access_device(actor, device, today=clock.today(actor.place.time_zone))
    explained = explain(found, now=clock.now())
    return {
        "version": explained.version,
        "changes_at": explained.changes_at,
        "rulings": [_ruling(one) for one in explained.rulings],
        "reasons": [_reason(one) for one in explained.reasons],
    }


def _ruling(one: Ruling) -> dict[str, Any]:
    return {name: getattr(one, name) for name in RulingRow.model_fields}


def _reason(one: Reason) -> dict[str, Any]:
    facts = {name: getattr(one, name) for name in ("key", "now", "value", "policy", "by", "is_locked")}
    return {
        **facts,
        "level": _WORDS[one.level] if one.level else None,
        "policy_id": one.policy_id or None,
        "overridden": [policy for _, policy in one.overridden],
        "ruling": one.ruling.label if one.ruling else None,
    }
