"""Academic sessions, courses, classes and enrolments: OneRoster's words."""

from django.db import models

from pupitre.tenancy.models import TenantForeignKey, TenantModel


class AcademicSession(TenantModel):
    """A school year, term, semester or grading period."""

    sourced_id = models.TextField()
    title = models.TextField()
    kind = models.TextField(
        default="schoolYear"
    )  # OneRoster's type: schoolYear, semester, term, gradingPeriod
    school_year = models.SmallIntegerField()  # the year in which it ends
    starts_on = models.DateField()
    ends_on = models.DateField()
    parent = TenantForeignKey("self", null=True)
    ended_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "sourced_id"], name="courses_session_sourced_id")
        ]

    def __str__(self) -> str:
        return self.title


class Course(TenantModel):
    """What is taught: 'Mathematics, 2nd year'."""

    sourced_id = models.TextField()
    title = models.TextField()
    code = models.TextField(blank=True, default="")
    session = TenantForeignKey(AcademicSession, null=True)
    department = TenantForeignKey("people.Department", null=True)
    grades = models.JSONField(default=list)
    subjects = models.JSONField(default=list)
    subject_codes = models.JSONField(default=list)
    ended_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "sourced_id"], name="courses_course_sourced_id")
        ]

    def __str__(self) -> str:
        return self.title


class Class(TenantModel):
    """Pupils who are taught something together (scheduled), or a form (homeroom)."""

    HOMEROOM, SCHEDULED = "homeroom", "scheduled"

    sourced_id = models.TextField()
    title = models.TextField()
    code = models.TextField(blank=True, default="")
    kind = models.CharField(max_length=9, default=SCHEDULED)  # OneRoster's classType
    course = TenantForeignKey(Course, null=True)
    #: The course's or import's subject, as the timetable shows it.
    subject = models.TextField(blank=True, default="")
    location = models.TextField(blank=True, default="")
    grades = models.JSONField(default=list)
    subjects = models.JSONField(default=list)
    subject_codes = models.JSONField(default=list)
    periods = models.JSONField(default=list)
    ended_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "sourced_id"], name="courses_class_sourced_id")
        ]
        indexes = [models.Index(fields=["school", "kind", "title"], name="courses_class_kind")]

    def __str__(self) -> str:
        return self.title


class ClassSession(TenantModel):
    """A session in which a class is taught: OneRoster's termSourcedIds."""

    klass = TenantForeignKey(Class, on_delete=models.CASCADE, db_column="class_id")
    session = TenantForeignKey(AcademicSession)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "klass", "session"], name="courses_classsession_once")
        ]


class ClassGroup(TenantModel):
    """A form whose pupils a scheduled class takes as a whole: who joins the form joins the class."""

    klass = TenantForeignKey(Class, on_delete=models.CASCADE, db_column="class_id")
    homeroom = TenantForeignKey(Class, on_delete=models.CASCADE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "klass", "homeroom"], name="courses_classgroup_once")
        ]
        indexes = [models.Index(fields=["school", "homeroom"], name="courses_classgroup_home")]


class Enrolment(TenantModel):
    """A person's part in a class between two dates (both inclusive)."""

    STUDENT, TEACHER, AIDE = 1, 2, 3
    #: Where it comes from: a roster, somebody's hand, or a form's membership (ClassGroup).
    FROM_ROSTER, BY_HAND, FROM_GROUP = 1, 2, 3

    sourced_id = models.TextField(blank=True, default="")
    klass = TenantForeignKey(Class, db_column="class_id", db_index=False)
    person = TenantForeignKey("people.Person", db_index=False)
    role = models.SmallIntegerField(default=STUDENT)
    roster_role = models.TextField(blank=True, default="")
    origin = models.SmallIntegerField(default=FROM_ROSTER)
    is_primary = models.BooleanField(default=False)
    begins_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "klass", "person", "role"], name="courses_enrolment_once"
            )
        ]
        indexes = [models.Index(fields=["school", "person", "role"], name="courses_enrolment_person")]


class RosterImport(TenantModel):
    """An uploaded roster on its way: read, compared, decided, applied. Also the report of what it did."""

    UPLOADED, READ, APPLYING, APPLIED, REFUSED, FAILED = 1, 2, 3, 4, 5, 6

    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(
        "people.Account", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    file_name = models.TextField()
    file_key = models.TextField()
    state = models.SmallIntegerField(default=UPLOADED)
    source = models.TextField(blank=True, default="")
    choices = models.JSONField(default=dict)
    findings = models.JSONField(default=list)
    plan = models.JSONField(default=dict)
    report = models.JSONField(default=dict)
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    applied_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["school", "-uploaded_at"], name="courses_rosterimport_new")]


class RosterMemory(TenantModel):
    """What rosters last said of one kind of rows: what tells the school's own changes from the roster's.

    All rows of a kind stand together, packed (`queries.rosters.packed`): an import reads and writes them all, and nobody
    else asks for one.
    """

    kind = models.TextField()
    packed = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school", "kind"], name="courses_rostermemory_once")]


class RosterRow(TenantModel):
    """As RosterMemory, a row each, from before there was that. Read where a school has no memory, and written no more."""

    kind = models.TextField()
    sourced_id = models.TextField()
    facts = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "kind", "sourced_id"], name="courses_rosterrow_once")
        ]


class RosterSource(TenantModel):
    """Another system whose roster the school takes over: where it is asked, and what came of it last."""

    base_url = models.TextField()
    token_url = models.TextField()
    client_id = models.TextField()
    secret = models.BinaryField()  # kernel.sealing
    is_nightly = models.BooleanField(default=False)
    #: Up to so many of a hundred rows of a kind may change or end without anybody looking.
    share = models.SmallIntegerField(default=10)
    pulled_at = models.DateTimeField(null=True)
    #: rules.pulling.Outcome and what belongs to it.
    outcome = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school"], name="courses_rostersource_one")]

    def __str__(self) -> str:
        return self.base_url


class RosterExportPlan(TenantModel):
    """At which hour of the school's day its roster is kept as files, and how many of them."""

    is_on = models.BooleanField(default=False)
    hour = models.SmallIntegerField(default=3)
    kept = models.SmallIntegerField(default=14)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school"], name="courses_rosterexportplan_one")]


class RosterExport(TenantModel):
    """A kept export."""

    made_at = models.DateTimeField()
    file_key = models.TextField()
    size = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["school", "-made_at"], name="courses_rosterexport_new")]
