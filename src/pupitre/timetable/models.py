"""Bell schedules, rooms, lessons, the calendar's exceptions, substitutions, and the secrets of calendar feeds."""

from django.db import models

from pupitre.tenancy.models import TenantForeignKey, TenantModel


class BellSchedule(TenantModel):
    """A day's periods. A school has a default one and perhaps others (short days, another building)."""

    name = models.TextField()
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school", "name"], name="timetable_bellschedule_name")]

    def __str__(self) -> str:
        return self.name


class Period(TenantModel):
    """A stretch of the day in the school's own time."""

    schedule = TenantForeignKey(BellSchedule, on_delete=models.CASCADE, db_index=False)
    position = models.SmallIntegerField()
    name = models.TextField()
    starts_at = models.TimeField()
    ends_at = models.TimeField()
    is_break = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "schedule", "position"], name="timetable_period_position"
            )
        ]


class Room(TenantModel):
    name = models.TextField()
    capacity = models.SmallIntegerField(null=True)
    ended_on = models.DateField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school", "name"], name="timetable_room_name")]

    def __str__(self) -> str:
        return self.name


class CalendarRule(TenantModel):
    """How the school's weeks run: which weekdays, and the cycle of weeks A and B. One row a school."""

    weekdays = models.SmallIntegerField(default=0b0011111)  # bit 0 is Monday
    cycle_starts_on = models.DateField(null=True)  # the Monday of a week A; null: no cycle
    holidays_pause_cycle = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school"], name="timetable_calendarrule_once")]


class CalendarException(TenantModel):
    """Days that run otherwise: holidays, a Saturday that runs as a Monday, a day with another bell schedule."""

    NO_SCHOOL, RUNS_AS, OTHER_BELL = 1, 2, 3

    starts_on = models.DateField()
    ends_on = models.DateField()
    kind = models.SmallIntegerField(default=NO_SCHOOL)
    label = models.TextField()
    runs_as_weekday = models.SmallIntegerField(null=True)  # ISO, Monday is 1
    schedule = TenantForeignKey(BellSchedule, null=True)

    class Meta:
        indexes = [models.Index(fields=["school", "starts_on"], name="timetable_exception_start")]


class Lesson(TenantModel):
    """A lesson of every week (or of every week A or B): class, weekday, periods, room."""

    klass = TenantForeignKey("courses.Class", db_column="class_id", db_index=False)
    weekday = models.SmallIntegerField()  # ISO, Monday is 1
    position = models.SmallIntegerField()  # of the first period in the day's bell schedule
    length = models.SmallIntegerField(default=1)  # in periods
    week = models.CharField(max_length=1, blank=True, default="")  # "", "A" or "B"
    subject = models.TextField()
    room = TenantForeignKey(Room, null=True)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    #: The activity's id in the file it came from.
    source = models.TextField(blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["school", "weekday", "position"], name="timetable_lesson_slot"),
            models.Index(fields=["school", "klass"], name="timetable_lesson_class"),
        ]


class LessonTeacher(TenantModel):
    """A teacher of a lesson."""

    lesson = TenantForeignKey(Lesson, on_delete=models.CASCADE, db_index=False)
    teacher = TenantForeignKey("people.Person", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "lesson", "teacher"], name="timetable_lessonteacher_once"
            )
        ]
        indexes = [models.Index(fields=["school", "teacher"], name="timetable_lessonteacher_who")]


class Duty(TenantModel):
    """Time of a teacher without pupils: guard duty, a meeting. It has no register; guard duty covers absent teachers."""

    teacher = TenantForeignKey("people.Person", db_index=False)
    weekday = models.SmallIntegerField()  # ISO, Monday is 1
    position = models.SmallIntegerField()
    length = models.SmallIntegerField(default=1)  # in periods
    week = models.CharField(max_length=1, blank=True, default="")
    title = models.TextField()
    room = TenantForeignKey(Room, null=True)
    covers = models.BooleanField(default=False)  # stands in for whoever is absent then
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    source = models.TextField(blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["school", "teacher"], name="timetable_duty_who"),
            models.Index(fields=["school", "weekday", "position"], name="timetable_duty_slot"),
        ]


class Substitution(TenantModel):
    """What is different in one lesson on one day: another teacher, another room, or it does not take place."""

    lesson = TenantForeignKey(Lesson, on_delete=models.CASCADE, db_index=False)
    held_on = models.DateField()
    absent_teacher = TenantForeignKey("people.Person", null=True)
    substitute = TenantForeignKey("people.Person", null=True)
    room = TenantForeignKey(Room, null=True)
    is_cancelled = models.BooleanField(default=False)
    note = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "lesson", "held_on"], name="timetable_substitution_once"
            )
        ]
        indexes = [models.Index(fields=["school", "held_on"], name="timetable_substitution_day")]


class CalendarFeed(TenantModel):
    """A person's iCalendar address. Whoever has the secret reads the feed, so it can be revoked; its digest is kept."""

    person = TenantForeignKey("people.Person")
    #: Who may read it as long as she is entitled to: the person herself, or a guardian.
    created_by = TenantForeignKey("people.Person", null=True)
    secret_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "secret_digest"], name="timetable_calendarfeed_secret")
        ]


class TimetableImport(TenantModel):
    """An uploaded timetable: what was read, what it was matched with, what it did."""

    READ, APPLIED, REFUSED = 1, 2, 3

    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    file_name = models.TextField()
    file_key = models.TextField()
    solution_name = models.TextField(blank=True, default="")
    solution_key = models.TextField(blank=True, default="")
    state = models.SmallIntegerField(default=READ)
    findings = models.JSONField(default=list)
    choices = models.JSONField(default=dict)
    report = models.JSONField(default=dict)
    applied_at = models.DateTimeField(null=True)
