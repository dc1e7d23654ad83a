"""The fleet: devices and what they report, policies, commands, applications, loans.

Three kinds of rows. A school's own are `TenantModel`. What an authority sets for all its schools, and a school for itself, is
`Shared`: without a school it is the authority's, whose schools read it. What a device reports by the minute lies in a table
of its own (`DeviceStatus`), which the gateway writes by the thousand.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from pupitre.tenancy.models import Authority, School, TenantForeignKey, TenantModel

from .rules import CommandState, Condition, LoanState, Platform, Protocol, RolloutState, Standing


class FleetModel(TenantModel):
    """A school's row that its authority's fleet managers see, too."""

    authority = models.ForeignKey(Authority, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        abstract = True


class Shared(models.Model):
    """A row of an authority, for all its schools, or of one school (`protection.Share`)."""

    authority = models.ForeignKey(Authority, on_delete=models.PROTECT, related_name="+", db_index=False)
    school = models.ForeignKey(School, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        abstract = True


# Devices


class Delivery(FleetModel):
    """A list of devices that were bought: a delivery note or a zero-touch list."""

    name = models.TextField()
    file_name = models.TextField(blank=True, default="")
    supplier = models.TextField(blank=True, default="")
    delivered_on = models.DateField(null=True)
    warranty_until = models.DateField(null=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )

    def __str__(self) -> str:
        return self.name


class EnrolmentTicket(FleetModel):
    """A code, shown as a QR code, by which devices of one school come in. It ends by itself."""

    #: Of the code: `kernel.tokens.digest`. Global, because a device names nothing but the code.
    digest = models.CharField(max_length=64, unique=True)
    platform = models.SmallIntegerField(null=True)
    #: The devices that come by it belong to this class at once.
    klass = TenantForeignKey("courses.Class", null=True, db_column="class_id", db_index=False)
    label = models.TextField(blank=True, default="")
    #: What comes by it waits for approval unless it is expected; with this it does not.
    admits_unknown = models.BooleanField(default=False)
    uses_left = models.IntegerField(default=40)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["school", "-created_at"], name="devices_ticket_new")]


class Device(FleetModel):
    """A tablet or a computer of the school: what it is, who has it, where it stands."""

    #: How the device calls itself in its protocol (Headwind's "number"). Unique in the installation: it says nothing else.
    number = models.TextField(unique=True)
    serial = models.TextField(blank=True, default="")
    imei = models.TextField(blank=True, default="")
    #: The school's inventory number.
    asset_tag = models.TextField(blank=True, default="")
    name = models.TextField(blank=True, default="")
    platform = models.SmallIntegerField(default=Platform.ANDROID.value)
    protocol = models.SmallIntegerField(default=Protocol.NONE.value)
    maker = models.TextField(blank=True, default="")
    model = models.TextField(blank=True, default="")
    standing = models.SmallIntegerField(default=Standing.EXPECTED.value)
    condition = models.SmallIntegerField(default=Condition.GOOD.value)
    #: Who has it. Kept by the loan, or by hand where nothing is lent.
    holder = TenantForeignKey("people.Person", null=True, db_index=False)
    #: Whose shared device it is (a trolley), or the class for which it came in.
    klass = TenantForeignKey("courses.Class", null=True, db_column="class_id", db_index=False)
    #: The classes whose policies hold: of the holder's enrolments today, and `klass`. Kept by `actions.placing`.
    groups = ArrayField(models.BigIntegerField(), default=list)
    #: Ed25519, raw: what our own agent made at enrolment.
    public_key = models.BinaryField(null=True)
    ticket = TenantForeignKey(EnrolmentTicket, null=True, db_index=False)
    delivery = TenantForeignKey(Delivery, null=True, db_index=False)
    warranty_until = models.DateField(null=True)
    created_at = models.DateTimeField()
    enrolled_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    #: kernel.text.fold of serial, asset tag, name, number and model: what a search of devices looks in.
    search_key = models.TextField(default="")
    notes = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "serial"], condition=~Q(serial=""), name="devices_device_serial"
            )
        ]
        indexes = [
            models.Index(fields=["school", "standing"], name="devices_device_standing"),
            models.Index(
                fields=["school", "holder"], condition=Q(holder__isnull=False), name="devices_device_holder"
            ),
            models.Index(
                fields=["school", "klass"], condition=Q(klass__isnull=False), name="devices_device_class"
            ),
            models.Index(fields=["authority", "serial"], name="devices_device_by_serial"),
            models.Index(fields=["authority", "asset_tag"], name="devices_device_by_tag"),
            models.Index(fields=["authority", "imei"], condition=~Q(imei=""), name="devices_device_by_imei"),
            # The authority's lists go by the key: each filter that finds few has a way there that keeps its order.
            models.Index(fields=["authority", "id"], name="devices_device_in_order"),
            models.Index(fields=["authority", "standing", "id"], name="devices_device_of_standing"),
            models.Index(fields=["authority", "platform", "id"], name="devices_device_of_platform"),
            models.Index(fields=["authority", "model", "id"], name="devices_device_of_model"),
            models.Index(
                fields=["authority", "condition", "id"],
                condition=~Q(condition=Condition.GOOD.value),
                name="devices_device_not_good",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.asset_tag or self.serial or self.number


class DeviceStatus(FleetModel):
    """What a device last said of itself. One row a device, written by the gateway in batches."""

    #: The device, and the key: nobody refers to a status.
    device = TenantForeignKey(Device, on_delete=models.CASCADE, db_index=False)
    last_seen_at = models.DateTimeField(null=True)
    #: The day of `last_seen_at` (UTC): indexed, and changed once a day, so that the updates in between stay in their page.
    seen_on = models.DateField(null=True)
    address = models.TextField(blank=True, default="")
    battery = models.SmallIntegerField(null=True)  # percent
    is_charging = models.BooleanField(null=True)
    #: Percent of what it held when it was new.
    battery_health = models.SmallIntegerField(null=True)
    os_version = models.TextField(blank=True, default="")
    agent_version = models.TextField(blank=True, default="")
    storage_free = models.BigIntegerField(null=True)  # bytes
    #: The version of the desired state that it has applied, and since when.
    applied = models.TextField(blank=True, default="")
    applied_at = models.DateTimeField(null=True)
    #: What it could not apply, and other findings: [{"key": ..., "reason": ...}].
    problems = models.JSONField(default=list)
    is_compliant = models.BooleanField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device"], name="devices_devicestatus_device")]
        indexes = [
            models.Index(fields=["school", "seen_on"], name="devices_status_seen"),
            models.Index(fields=["authority", "seen_on"], name="devices_status_seen_all"),
            # Of columns that seldom change: what a device reports by the minute stays in its page.
            models.Index(fields=["authority", "os_version", "device"], name="devices_status_version"),
            models.Index(
                fields=["authority", "device"],
                condition=Q(is_compliant=False),
                name="devices_status_lacking",
            ),
            models.Index(
                fields=["authority", "device"],
                condition=Q(battery_health__lt=60),
                name="devices_status_worn",
            ),
        ]


class Inventory(TenantModel):
    """What is installed on a device, kept by the differences that it reports."""

    device = TenantForeignKey(Device, on_delete=models.CASCADE, db_index=False)
    #: {"package": "version"}
    applications = models.JSONField(default=dict)
    hardware = models.JSONField(default=dict)
    #: Of the whole, as the device reckons it: where the two differ, the device sends everything anew.
    digest = models.TextField(blank=True, default="")
    reported_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device"], name="devices_inventory_device")]


class DeviceEvent(TenantModel):
    """Something that happened to a device: the lines of its history that no table else tells."""

    device = TenantForeignKey(Device, on_delete=models.CASCADE, db_index=False)
    happened_at = models.DateTimeField()
    kind = models.TextField()  # rules.events
    facts = models.JSONField(default=dict)
    account = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta:
        indexes = [
            models.Index(fields=["school", "device", "-happened_at"], name="devices_event_device"),
            models.Index(fields=["school", "happened_at"], name="devices_event_age"),
        ]


class LogLine(TenantModel):
    """A line of a device's log that it was asked for."""

    device = TenantForeignKey(Device, on_delete=models.CASCADE, db_index=False)
    logged_at = models.DateTimeField()
    level = models.SmallIntegerField()  # 1 error to 5 verbose
    package = models.TextField(blank=True, default="")
    message = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["school", "device", "-logged_at"], name="devices_logline_device"),
            models.Index(fields=["school", "logged_at"], name="devices_logline_age"),
        ]


# Policies


class Policy(Shared):
    """A named set of settings. What it says lies in its versions; one of them is current."""

    name = models.TextField()
    notes = models.TextField(blank=True, default="")
    #: The number of the version that holds; 0 before the first.
    current = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["authority", "school", "name"], name="devices_policy_name")]

    def __str__(self) -> str:
        return self.name


class PolicyVersion(Shared):
    """What a policy said at a time. Written once, never changed: a policy goes back by pointing to an older one."""

    policy = models.ForeignKey(
        Policy, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    number = models.IntegerField()
    #: {"settings": {key: value}, "locked": [key]} (rules.settings). Secrets in it are sealed.
    document = models.JSONField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="devices_policyversion_number")
        ]


class Assignment(Shared):
    """A policy for somebody: all devices of the authority or the school, a class's, a person's, or one device."""

    policy = models.ForeignKey(
        Policy, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    level = models.SmallIntegerField()  # rules.Level
    #: Of the class, person or device; the authority's or the school's own id at those levels.
    whom = models.BigIntegerField()
    platform = models.SmallIntegerField(null=True)
    #: Within a level, what has a higher rank holds.
    rank = models.SmallIntegerField(default=0)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    #: It was taken back, and by whom.
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta:
        indexes = [
            models.Index(fields=["authority", "level", "whom"], name="devices_assignment_whom"),
            models.Index(fields=["authority", "policy"], name="devices_assignment_policy"),
        ]


class LessonRule(TenantModel):
    """Settings that hold in lessons ("calculator and atlas only, in lessons of 2ESO-B"), or at given hours."""

    name = models.TextField()
    klass = TenantForeignKey("courses.Class", db_column="class_id", db_index=False)
    #: Whether it holds in lessons; else only at `hours`.
    in_lessons = models.BooleanField(default=True, db_default=True)
    #: '' for all lessons of the class, else only those of the subject.
    subject = models.TextField(blank=True, default="")
    #: Hours besides or instead of lessons: [{"days": [1..7], "from": "08:00", "to": "09:00"}].
    hours = models.JSONField(default=list)
    settings = models.JSONField(default=dict)
    starts_on = models.DateField()
    ends_on = models.DateField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["school", "klass"], name="devices_lessonrule_class")]

    def __str__(self) -> str:
        return self.name


class Lease(TenantModel):
    """A teacher's word for her class for an hour: settings that end by themselves, or the lifting of a rule."""

    klass = TenantForeignKey("courses.Class", db_column="class_id", db_index=False)
    settings = models.JSONField(default=dict)
    #: Lesson rules do not hold meanwhile.
    lifts_rules = models.BooleanField(default=False)
    reason = models.TextField(blank=True, default="")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    #: None where another system said it, by its connection.
    given_by = TenantForeignKey("people.Person", null=True, db_index=False)

    class Meta:
        indexes = [models.Index(fields=["school", "klass", "-ends_at"], name="devices_lease_class")]


class Target(Shared):
    """What all policies of one level say to one whom, composed: what the gateway holds in memory.

    A device's desired state is that of its chain: authority, school, its groups, its holder, itself. Its version is made of
    their revisions, so a policy for half a million devices changes one row here.
    """

    level = models.SmallIntegerField()
    whom = models.BigIntegerField()
    #: From one sequence: what changed later has a higher one.
    revision = models.BigIntegerField()
    #: {"settings": {...}, "locked": [...], "why": {key: [policy id, name]}, "platforms": {...}, "schedule": [...]}
    document = models.JSONField(default=dict)
    changed_at = models.DateTimeField()
    #: Of the timetable from which lesson rules were compiled (`timetable.queries.stamp`): another one compiles them anew.
    source = models.TextField(blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["authority", "level", "whom"], name="devices_target_once")
        ]
        indexes = [models.Index(fields=["authority", "revision"], name="devices_target_revision")]


# Commands


class Script(Shared):
    """A script that devices may be told to run. Signed by the server when it is sent, with its text."""

    name = models.TextField()
    platform = models.SmallIntegerField()
    text = models.TextField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    archived_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Command(TenantModel):
    """Something that one device shall do once."""

    device = TenantForeignKey(Device, on_delete=models.CASCADE, db_index=False)
    verb = models.SmallIntegerField()  # rules.Verb
    arguments = models.JSONField(default=dict)
    state = models.SmallIntegerField(default=CommandState.QUEUED.value)
    #: A newer active command of the same key takes this one's place; '' never.
    supersede_key = models.TextField(blank=True, default="")
    #: The same for all devices that were told in one act.
    batch = models.UUIDField()
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    approved_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    approved_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, default="")
    attempts = models.SmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    result = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(
                fields=["school", "device", "id"],
                condition=Q(state__in=[CommandState.QUEUED.value, CommandState.SENT.value]),
                name="devices_command_active",
            ),
            models.Index(
                fields=["school", "batch"],
                condition=Q(state=CommandState.PROPOSED.value),
                name="devices_command_proposed",
            ),
            models.Index(fields=["school", "device", "-created_at"], name="devices_command_device"),
            models.Index(fields=["school", "created_at"], name="devices_command_age"),
        ]


# Applications


class Application(Shared):
    """An application of the catalogue."""

    package = models.TextField()
    name = models.TextField()
    platform = models.SmallIntegerField()
    #: apk, deb, flatpak, msi, winget, web
    kind = models.TextField()
    publisher = models.TextField(blank=True, default="")
    notes = models.TextField(blank=True, default="")
    icon_key = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["authority", "school", "platform", "package"],
                name="devices_application_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return self.name


class ApplicationVersion(Shared):
    """A version of an application, with its file where it is ours to deliver."""

    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    version = models.TextField()
    code = models.BigIntegerField(default=0)  # Android's versionCode
    file_key = models.TextField(blank=True, default="")
    file_name = models.TextField(blank=True, default="")
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    #: Where the file is fetched that is not ours: a store's or maker's address.
    url = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application", "version", "code"], name="devices_applicationversion_once"
            )
        ]

    def __str__(self) -> str:
        return self.version


class Rollout(Shared):
    """The way of a version through the schools, in waves."""

    version = models.ForeignKey(
        ApplicationVersion, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    #: What devices go back to when it fails.
    previous = models.ForeignKey(
        ApplicationVersion,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    state = models.SmallIntegerField(default=RolloutState.PLANNED.value)
    #: Percent of failures among reports, from `least_reports` on, at which it halts by itself.
    failure_limit = models.SmallIntegerField(default=5)
    least_reports = models.IntegerField(default=20)
    #: Megabytes an hour that each site may fetch; 0 for no limit.
    site_budget = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    ended_at = models.DateTimeField(null=True)
    #: Reports from before do not count: somebody has looked at them and went on.
    judged_from = models.DateTimeField(null=True)
    #: "failures", "withdrawn", "stopped", or somebody's words.
    why_halted = models.TextField(blank=True, default="")


class Wave(Shared):
    """A rollout's turn for one school, or for all schools of the authority that are left."""

    rollout = models.ForeignKey(
        Rollout, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    number = models.SmallIntegerField()
    #: The schools of this wave; empty for all that no wave before names.
    schools = ArrayField(models.BigIntegerField(), default=list)
    #: Percent of each school's devices that take part, chosen by their number: a canary.
    share = models.SmallIntegerField(default=100)
    starts_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rollout", "number"], name="devices_wave_number")]


class Installation(FleetModel):
    """What a device last reported of an application that was rolled out."""

    device = TenantForeignKey(Device, on_delete=models.CASCADE, db_index=False)
    version = models.BigIntegerField()  # ApplicationVersion
    state = models.SmallIntegerField()  # rules.InstallState
    reported_at = models.DateTimeField()
    message = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "device", "version"], name="devices_installation_once")
        ]
        indexes = [models.Index(fields=["authority", "version", "state"], name="devices_installation_state")]


# Lending


class Loan(TenantModel):
    """A device lent to a person, with the contract that the family signs."""

    device = TenantForeignKey(Device, db_index=False)
    person = TenantForeignKey("people.Person", db_index=False)
    state = models.SmallIntegerField(default=LoanState.PROPOSED.value)
    starts_on = models.DateField()
    due_on = models.DateField(null=True)
    ended_at = models.DateTimeField(null=True)
    accessories = ArrayField(models.TextField(), default=list)
    #: The contract as it was signed: its PDF's key, who signed and when.
    contract_key = models.TextField(blank=True, default="")
    #: The conditions as they stood when the loan was proposed: what is signed is what was shown.
    conditions = models.TextField(blank=True, default="")
    #: With `signed_at`, nobody here means that the office holds the contract on paper.
    signed_by = TenantForeignKey("people.Person", null=True, db_index=False)
    signed_at = models.DateTimeField(null=True)
    #: The accessories that came back with the device; null before it came back.
    returned = ArrayField(models.TextField(), null=True)
    #: The loan that this one continues after a swap.
    continues = TenantForeignKey("self", null=True, db_index=False)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    notes = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "device"],
                condition=Q(state__in=[LoanState.PROPOSED.value, LoanState.RUNNING.value]),
                name="devices_loan_one",
            )
        ]
        indexes = [
            models.Index(fields=["school", "person"], name="devices_loan_person"),
            models.Index(fields=["school", "state", "due_on"], name="devices_loan_due"),
        ]


class LendingTerms(TenantModel):
    """On what terms the school lends: what its contracts say beside the product's own words."""

    conditions = models.TextField(blank=True, default="")
    accessories = ArrayField(models.TextField(), default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school"], name="devices_lendingterms_one")]


class Incident(TenantModel):
    """A device reported broken, lost or stolen."""

    device = TenantForeignKey(Device, db_index=False)
    loan = TenantForeignKey(Loan, null=True, db_index=False)
    condition = models.SmallIntegerField()  # rules.Condition
    told = models.TextField(blank=True, default="")
    happened_on = models.DateField()
    reported_at = models.DateTimeField()
    reported_by = TenantForeignKey("people.Person", null=True, db_index=False)
    closed_at = models.DateTimeField(null=True)
    outcome = models.TextField(blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["school", "device"], name="devices_incident_device"),
            models.Index(
                fields=["school", "reported_at"],
                condition=Q(closed_at__isnull=True),
                name="devices_incident_open",
            ),
        ]


# Pages


class SavedView(TenantModel):
    """A search of the fleet that somebody keeps."""

    person = TenantForeignKey("people.Person", on_delete=models.CASCADE, db_index=False)
    name = models.TextField()
    query = models.TextField()
    is_shared = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "person", "name"], name="devices_savedview_name")
        ]


class FleetFigure(FleetModel):
    """How a school's fleet stands, counted every few minutes: what overviews read instead of the devices."""

    counted_at = models.DateTimeField()
    devices = models.IntegerField(default=0)
    #: {"standing": {...}, "platform": {...}, "condition": {...}, "os": {...}, "seen": {...}, "compliance": {...}, "battery": {...}}
    counts = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school"], name="devices_fleetfigure_one")]


class AuthoritySavedView(models.Model):
    """A search of the authority's fleet that one of its managers keeps. Names no person but its owner."""

    authority = models.ForeignKey(Authority, on_delete=models.PROTECT, related_name="+", db_index=False)
    account = models.ForeignKey("people.Account", on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.TextField()
    query = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["authority", "account", "name"], name="devices_authoritysavedview_name"
            )
        ]
