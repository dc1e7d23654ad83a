"""Accounts (one per human, across schools) and persons (one per human and school)."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from pupitre.tenancy.models import TenantForeignKey, TenantModel

from .rules import LookAt, Relation, Role, Sex


class AccountManager(BaseUserManager["Account"]):
    """allauth and Django's password reset look accounts up through this."""

    def get_by_natural_key(self, username: str | None) -> "Account":
        return self.get(username=(username or "").lower())


class Account(AbstractBaseUser):
    """One human's sign-in, whatever schools it leads to. Global: it carries no school's data."""

    username = models.CharField(max_length=150, unique=True)  # kept in lower case
    email = models.EmailField(blank=True, default="")
    display_name = models.TextField(blank=True, default="")
    locale = models.CharField(max_length=8, blank=True, default="")
    is_active = models.BooleanField(default=True)
    #: Made by a roster or an invitation, and not yet taken over by its owner.
    activated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []  # type: ignore[misc, unused-ignore]

    objects = AccountManager()

    class Meta:
        indexes = [models.Index(fields=["email"], name="people_account_email")]

    def __str__(self) -> str:
        return self.display_name or self.username


class Person(TenantModel):
    """A pupil, guardian or member of staff in one school. OneRoster's user."""

    account = models.ForeignKey(
        Account, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    sourced_id = models.TextField()
    identifier = models.TextField(blank=True, default="")
    username = models.TextField(blank=True, default="")  # as the roster proposes it
    given_name = models.TextField()
    middle_name = models.TextField(blank=True, default="")
    family_name = models.TextField()
    preferred_name = models.TextField(blank=True, default="")
    email = models.TextField(blank=True, default="")
    phone = models.TextField(blank=True, default="")
    sms = models.TextField(blank=True, default="")
    sex = models.SmallIntegerField(choices=[(s.value, s.name) for s in Sex], null=True)
    born_on = models.DateField(null=True)
    birth_place = models.TextField(blank=True, default="")
    birth_country = models.TextField(blank=True, default="")
    #: OneRoster's grade code, or the school's own label where it has none.
    grade = models.TextField(blank=True, default="")
    locale = models.CharField(max_length=8, blank=True, default="")
    photo_key = models.TextField(blank=True, default="")
    #: kernel.text.fold of "family given" and of "given family": prefix search under row-level security.
    family_key = models.TextField()
    given_key = models.TextField()
    created_at = models.DateTimeField()
    #: Has left. The row stays; nothing of a person is deleted by a roster.
    ended_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "sourced_id"], name="people_person_sourced_id"),
            models.UniqueConstraint(
                fields=["school", "account"],
                condition=models.Q(account__isnull=False),
                name="people_person_account",
            ),
        ]
        indexes = [
            models.Index(fields=["school", "family_key"], name="people_person_family"),
            models.Index(fields=["school", "given_key"], name="people_person_given"),
            models.Index(
                fields=["school", "grade"],
                condition=models.Q(ended_on__isnull=True) & ~models.Q(grade=""),
                name="people_person_grade",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def called(self) -> str:
        """The name used in class."""
        return self.preferred_name or self.given_name

    @property
    def full_name(self) -> str:
        return f"{self.called} {self.family_name}"

    @property
    def sorted_name(self) -> str:
        """As a register lists it."""
        return f"{self.family_name}, {self.called}"


class Department(TenantModel):
    """A part of the school that a role may be limited to: OneRoster's org of type `department`."""

    sourced_id = models.TextField()
    name = models.TextField()
    parent = TenantForeignKey("self", null=True)
    ended_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "sourced_id"], name="people_department_sourced_id")
        ]

    def __str__(self) -> str:
        return self.name


class Membership(TenantModel):
    """A role that a person has in the school, in all of it or in a department, between two dates."""

    person = TenantForeignKey(Person)
    #: The person's account again, so that an account finds its schools before a school is chosen.
    account = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="+")
    role = models.SmallIntegerField(choices=[(r.value, r.name) for r in Role])
    #: The roster's own word, where it says more than the role (professor, proctor).
    roster_role = models.TextField(blank=True, default="")
    department = TenantForeignKey(Department, null=True)
    is_primary = models.BooleanField(default=True)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "person", "role", "department"],
                name="people_membership_once",
                nulls_distinct=False,
            )
        ]
        indexes = [models.Index(fields=["school", "role"], name="people_membership_role")]


class AuthorityMembership(models.Model):
    """A role that an account has in an authority: sees figures of all its schools and no pupil's name."""

    authority = models.ForeignKey("tenancy.Authority", on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    role = models.SmallIntegerField(choices=[(r.value, r.name) for r in Role], default=Role.INSPECTOR.value)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["authority", "account", "role"], name="people_authority_once")
        ]


class Guardianship(TenantModel):
    """Who looks after a pupil, and what this adult is entitled to. A court's limits are kept here."""

    pupil = TenantForeignKey(Person)
    guardian = TenantForeignKey(Person)
    relation = models.SmallIntegerField(
        choices=[(r.value, r.name) for r in Relation], default=Relation.GUARDIAN.value
    )
    lives_with = models.BooleanField(default=True)
    #: Sees the pupil's record and day at all.
    sees_record = models.BooleanField(default=True)
    receives_notices = models.BooleanField(default=True)
    may_announce = models.BooleanField(default=True)
    may_collect = models.BooleanField(default=True)
    court_note = models.TextField(blank=True, default="")
    priority = models.SmallIntegerField(default=1)
    ends_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "pupil", "guardian"], name="people_guardianship_once")
        ]
        indexes = [models.Index(fields=["school", "guardian"], name="people_guardianship_adult")]


class Invitation(TenantModel):
    """A letter with a code by which its owner takes over an account. Only the code's digest is kept."""

    person = TenantForeignKey(Person)
    code_digest = models.CharField(max_length=64)
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey(
        Account, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    #: The e-mail address that the code went to, or '' for a letter on paper. Who uses the code owns the address.
    sent_to = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "code_digest"], name="people_invitation_code")
        ]
        indexes = [models.Index(fields=["school", "person"], name="people_invitation_person")]


class ClassCard(TenantModel):
    """A small child's card: a QR code that says who, and pictures, chosen in order, that say it is really her."""

    person = TenantForeignKey(Person)
    token_digest = models.CharField(max_length=64)
    picture_hash = models.TextField()
    issued_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    failures = models.SmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "token_digest"], name="people_classcard_token")
        ]


class Look(TenantModel):
    """A look of a member of staff at somebody's protected data. Appended, never changed."""

    looked_at = models.DateTimeField()
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=True
    )
    actor_name = models.TextField(blank=True, default="")
    subject = TenantForeignKey(Person, on_delete=models.DO_NOTHING, db_index=False)
    what = models.SmallIntegerField(choices=[(w.value, w.name) for w in LookAt])
    reason = models.TextField(blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["school", "subject", "-looked_at"], name="people_look_subject")]
