"""Registers and their marks, absences announced and justified, thresholds and letters, and the day's figures."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from pupitre.tenancy.models import TenantForeignKey, TenantModel


class AttendanceSettings(TenantModel):
    """The school's own delays and switches. One row a school."""

    alerts_families = models.BooleanField(default=True)
    alert_delay_minutes = models.SmallIntegerField(default=20)  # from the lesson's start
    register_due_minutes = models.SmallIntegerField(default=15)  # after which the board calls it not taken
    correction_days = models.SmallIntegerField(default=7)  # how long a teacher may correct a closed register

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school"], name="attendance_settings_once")]


class AttendanceCode(TenantModel):
    """The school's own codes: each is one of the five statuses with the school's letter and words."""

    code = models.CharField(max_length=4)
    label = models.TextField()
    status = models.SmallIntegerField()  # rules.Status
    position = models.SmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school", "code"], name="attendance_code_once")]


class Register(TenantModel):
    """The register of one lesson on one day. It exists from the moment that somebody takes it."""

    lesson = TenantForeignKey("timetable.Lesson", db_index=False)
    klass = TenantForeignKey("courses.Class", db_column="class_id", db_index=False)
    held_on = models.DateField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    taken_at = models.DateTimeField()
    taken_by = TenantForeignKey("people.Person", null=True, db_index=False)
    closed_at = models.DateTimeField(null=True)
    closed_by = TenantForeignKey("people.Person", null=True, db_index=False)
    #: Counts the saves: a device that saves on an older version merges.
    version = models.IntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "lesson", "held_on"], name="attendance_register_once")
        ]
        indexes = [
            models.Index(fields=["school", "held_on"], name="attendance_register_day"),
            models.Index(fields=["school", "klass", "held_on"], name="attendance_register_class"),
        ]


class Mark(TenantModel):
    """One pupil in one register: the mark that counts. Nothing refers to it."""

    # Its register's composite key proves the school: thirty marks of a save are not asked for it once more each.
    school = models.ForeignKey(
        "tenancy.School", models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    register = TenantForeignKey(Register, db_index=False)
    pupil = TenantForeignKey("people.Person", db_index=False)
    status = models.SmallIntegerField()  # rules.Status
    minutes = models.SmallIntegerField(default=0)  # late by
    code = TenantForeignKey(AttendanceCode, null=True, db_index=False)
    note = models.TextField(blank=True, default="")
    #: When and where somebody decided it: the device's clock, corrected by the server's.
    recorded_at = models.DateTimeField()
    recorded_by = TenantForeignKey("people.Person", null=True, db_index=False)
    device = models.CharField(max_length=36, blank=True, default="")
    #: A thumb touched it; otherwise it is 'all the others are present'.
    is_explicit = models.BooleanField(default=False)
    #: The day again, so that a pupil's year is one index range.
    held_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "register", "pupil"], name="attendance_mark_once")
        ]
        indexes = [
            models.Index(fields=["school", "pupil", "held_on"], name="attendance_mark_pupil"),
            models.Index(
                fields=["school", "held_on", "pupil"],
                condition=~models.Q(status=1),
                name="attendance_mark_away",
            ),
        ]


class MarkRevision(TenantModel):
    """A mark that does not count (any more): corrected later, or overruled when two devices were merged. Nothing refers to it."""

    # Its register's composite key proves the school: thirty marks of a save are not asked for it once more each.
    school = models.ForeignKey(
        "tenancy.School", models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    register = TenantForeignKey(Register, db_index=False)
    pupil = TenantForeignKey("people.Person", db_index=False)
    status = models.SmallIntegerField()
    minutes = models.SmallIntegerField(default=0)
    code = TenantForeignKey(AttendanceCode, null=True, db_index=False)
    note = models.TextField(blank=True, default="")
    recorded_at = models.DateTimeField()
    recorded_by = TenantForeignKey("people.Person", null=True, db_index=False)
    device = models.CharField(max_length=36, blank=True, default="")
    is_explicit = models.BooleanField(default=False)
    #: rules.Outcome: corrected, or which rule of the merge overruled it.
    outcome = models.SmallIntegerField()
    kept_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["school", "register", "pupil"], name="attendance_revision_mark")]


class Reopening(TenantModel):
    """A closed register was opened again: when, by whom and why, and the closing that it undid."""

    register = TenantForeignKey(Register, db_index=False)
    reopened_at = models.DateTimeField()
    reopened_by = TenantForeignKey("people.Person", null=True, db_index=False)
    reason = models.TextField()
    closed_at = models.DateTimeField()
    closed_by = TenantForeignKey("people.Person", null=True, db_index=False)

    class Meta:
        indexes = [models.Index(fields=["school", "register"], name="attendance_reopening_register")]


class AbsenceNotice(TenantModel):
    """Why a pupil is, was or will be away: announced by the family, or noted by the office, with a document or none."""

    pupil = TenantForeignKey("people.Person", db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    kind = models.SmallIntegerField(default=1)  # rules.Reason
    reason = models.TextField(blank=True, default="")
    document_key = models.TextField(blank=True, default="")
    document_name = models.TextField(blank=True, default="")
    document_type = models.TextField(blank=True, default="")
    announced_at = models.DateTimeField()
    announced_by = TenantForeignKey("people.Person", null=True, db_index=False)
    by_office = models.BooleanField(default=False)
    state = models.SmallIntegerField(default=1)  # rules.NoticeState
    decided_at = models.DateTimeField(null=True)
    decided_by = TenantForeignKey("people.Person", null=True, db_index=False)
    decision_note = models.TextField(blank=True, default="")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["school", "pupil", "starts_at"], name="attendance_notice_pupil"),
            models.Index(fields=["school", "ends_at"], name="attendance_notice_end"),
            models.Index(
                fields=["school", "document_key"],
                condition=~models.Q(document_key=""),
                name="attendance_notice_document",
            ),
        ]


class Threshold(TenantModel):
    """When the school writes a letter: so many unjustified absences or latenesses in a month, term or year."""

    name = models.TextField()
    counts = models.SmallIntegerField()  # rules.Counted
    limit = models.SmallIntegerField()
    window = models.SmallIntegerField(default=1)  # rules.Window
    letter_title = models.TextField()
    letter_body = models.TextField()
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school", "name"], name="attendance_threshold_name")]


class AbsenceLetter(TenantModel):
    """A letter that a threshold called for. One per pupil, threshold and window: two tutors cannot send it twice."""

    threshold = TenantForeignKey(Threshold, db_index=False)
    pupil = TenantForeignKey("people.Person", db_index=False)
    window_starts_on = models.DateField()
    count = models.SmallIntegerField()
    number = models.IntegerField()
    created_at = models.DateTimeField()
    created_by = TenantForeignKey("people.Person", null=True, db_index=False)
    sent_at = models.DateTimeField(null=True)
    #: The copies word by word, one a recipient: the archive shows what was written, whatever changes later.
    facts = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "threshold", "pupil", "window_starts_on", "number"],
                name="attendance_letter_once",
            )
        ]
        indexes = [models.Index(fields=["school", "pupil"], name="attendance_letter_pupil")]


class Alert(TenantModel):
    """An unannounced absence and what became of it: families are told once a day and pupil, after the school's delay."""

    pupil = TenantForeignKey("people.Person", db_index=False)
    held_on = models.DateField()
    register = TenantForeignKey(Register, db_index=False)
    due_at = models.DateTimeField()
    state = models.SmallIntegerField(default=1)  # rules.AlertState
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "pupil", "held_on"], name="attendance_alert_once")
        ]
        indexes = [
            models.Index(
                fields=["school", "due_at"], condition=models.Q(state=1), name="attendance_alert_due"
            ),
            models.Index(fields=["school", "register"], name="attendance_alert_register"),
        ]


class DayFigure(TenantModel):
    """A class's day in numbers, without names: what heads, charts and the authority read instead of the marks."""

    authority = models.ForeignKey(
        "tenancy.Authority", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    klass = TenantForeignKey("courses.Class", db_column="class_id", db_index=False)
    held_on = models.DateField()
    registers = models.IntegerField(default=0)
    marks = models.IntegerField(default=0)
    present = models.IntegerField(default=0)
    absent = models.IntegerField(default=0)
    late = models.IntegerField(default=0)
    excused = models.IntegerField(default=0)
    out_of_class = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "klass", "held_on"], name="attendance_dayfigure_once")
        ]
        indexes = [
            models.Index(fields=["authority", "held_on"], name="attendance_dayfigure_auth"),
            models.Index(fields=["school", "held_on"], name="attendance_dayfigure_day"),
        ]


class SchoolDay(TenantModel):
    """A school's day in numbers: what an authority with hundreds of schools reads, a row a school and day."""

    authority = models.ForeignKey(
        "tenancy.Authority", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    held_on = models.DateField()
    registers = models.IntegerField(default=0)
    marks = models.IntegerField(default=0)
    present = models.IntegerField(default=0)
    absent = models.IntegerField(default=0)
    late = models.IntegerField(default=0)
    excused = models.IntegerField(default=0)
    out_of_class = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "held_on"], name="attendance_schoolday_once")
        ]
        indexes = [models.Index(fields=["authority", "held_on"], name="attendance_schoolday_auth")]


class SchoolStanding(TenantModel):
    """How a school stands, as its authority reads it: one row a school, counted again with each of its days.

    `registers`, `missed` and `marks` are those of `held_on`, the day on which the school was last counted, which is over at
    `ends_at`: after it there are none yet. `usual` are the registers that each weekday ends with, Monday first, 0 where nothing
    is known, and `usual_today` those of that day's weekday. The window ends with `held_on`, and sums only days that
    may be told.
    """

    authority = models.ForeignKey(
        "tenancy.Authority", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    held_on = models.DateField()
    ends_at = models.DateTimeField()
    registers = models.IntegerField(default=0)
    usual_today = models.IntegerField(default=0)
    missed = models.IntegerField(default=0)
    marks = models.IntegerField(default=0)
    window_missed = models.IntegerField(default=0)
    window_marks = models.IntegerField(default=0)
    usual = ArrayField(models.IntegerField(), size=7)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school"], name="attendance_schoolstanding_once")]
        indexes = [models.Index(fields=["authority"], name="attendance_schoolstanding_auth")]


class AuthorityDay(models.Model):
    """An authority's day in numbers: the sum of what may be told of its schools, for its trend.

    No school's row but the authority's own, which nobody else reads.
    """

    authority = models.ForeignKey(
        "tenancy.Authority", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    held_on = models.DateField()
    missed = models.IntegerField()
    marks = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["authority", "held_on"], name="attendance_authorityday_once")
        ]


class LessonMonth(TenantModel):
    """A class's month in numbers, by weekday and by when the lesson begins. Counted when the month is over."""

    klass = TenantForeignKey("courses.Class", db_column="class_id", db_index=False)
    month = models.DateField()  # its first day
    weekday = models.SmallIntegerField()  # ISO, Monday is 1
    begins = models.CharField(max_length=5)  # "09:00", in the school's time
    marks = models.IntegerField(default=0)
    present = models.IntegerField(default=0)
    absent = models.IntegerField(default=0)
    late = models.IntegerField(default=0)
    excused = models.IntegerField(default=0)
    out_of_class = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "month", "klass", "weekday", "begins"], name="attendance_lessonmonth_once"
            )
        ]


class PupilMonth(TenantModel):
    """A pupil's month in numbers. Counted when the month is over."""

    pupil = TenantForeignKey("people.Person", db_index=False)
    month = models.DateField()  # its first day
    marks = models.IntegerField(default=0)
    present = models.IntegerField(default=0)
    absent = models.IntegerField(default=0)
    late = models.IntegerField(default=0)
    excused = models.IntegerField(default=0)
    out_of_class = models.IntegerField(default=0)
    minutes_late = models.IntegerField(default=0)
    days = models.SmallIntegerField(default=0)  # on which at least one lesson was missed

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "month", "pupil"], name="attendance_pupilmonth_once")
        ]


class KeptMonth(TenantModel):
    """A month whose lesson months and pupil months stand. Pages count from the marks what is not in here."""

    month = models.DateField()  # its first day
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school", "month"], name="attendance_keptmonth_once")]
