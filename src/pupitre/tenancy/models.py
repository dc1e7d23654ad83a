"""Authorities, schools, and what every tenant table inherits."""

from typing import Any
from uuid import uuid4

from django.db import models


class Authority(models.Model):
    """A region or group that carries schools. Its row is public within the installation; it holds no personal data."""

    slug = models.SlugField(unique=True)
    name = models.TextField()
    country = models.CharField(max_length=2)
    locale = models.CharField(max_length=8, default="es")
    time_zone = models.TextField(default="Europe/Madrid")
    #: Roles that see everything must have a second factor before they see anything.
    requires_second_factor = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class School(models.Model):
    """The tenant. OneRoster's org of type `school`."""

    authority = models.ForeignKey(Authority, on_delete=models.PROTECT, related_name="+")
    slug = models.SlugField(unique=True)
    sourced_id = models.TextField(blank=True, default="")
    identifier = models.TextField(blank=True, default="")  # the authority's own code of the school
    name = models.TextField()
    country = models.CharField(max_length=2)
    locale = models.CharField(max_length=8, default="es")
    time_zone = models.TextField(default="Europe/Madrid")
    address = models.TextField(blank=True, default="")
    phone = models.TextField(blank=True, default="")
    email = models.TextField(blank=True, default="")
    #: A new one whenever a row of the school's settings changes: what a process remembers of them, it remembers under
    #: this. Given by triggers (`protection.Stamp`), never by code.
    settings_stamp = models.UUIDField(default=uuid4, editable=False)

    def __str__(self) -> str:
        return self.name


class TenantModel(models.Model):
    """A row that belongs to one school. `migrations.Protect` gives its table row-level security and composite keys."""

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        abstract = True


class TenantForeignKey(models.ForeignKey[Any, Any]):
    """A reference to a row of the same school.

    The database's constraint is the composite one, `(school_id, x_id)` to `(school_id, id)`: a plain foreign key
    pierces row-level security, because the check runs as the table's owner.
    """

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **options: Any) -> None:
        options.setdefault("related_name", "+")
        options["db_constraint"] = False
        super().__init__(to, on_delete, **options)

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        """Migrations see a plain foreign key without constraint: they import nothing of the application."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.ForeignKey", args, kwargs


class Change(models.Model):
    """One change of one row, written by a trigger: who, when, which columns, before and after. Never written by code."""

    school = models.ForeignKey(
        School, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    table_name = models.TextField()
    row_id = models.BigIntegerField()
    #: The person whom the row is about, where it is about one.
    subject_id = models.BigIntegerField(null=True)
    operation = models.CharField(max_length=1)
    changed_at = models.DateTimeField()
    account_id = models.BigIntegerField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["school", "subject_id", "-changed_at"], name="tenancy_change_subject"),
            models.Index(fields=["school", "table_name", "row_id"], name="tenancy_change_row"),
        ]


class Upkeep(models.Model):
    """When work that keeps the installation in order last began and ended, by its name. Holds no school's data."""

    name = models.TextField(unique=True)
    began_at = models.DateTimeField()
    #: When it last came to its end.
    ended_at = models.DateTimeField(null=True)
    facts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name
