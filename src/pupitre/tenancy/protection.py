"""The migration operation that makes a table a tenant's: row-level security, composite keys, history."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

from pupitre.kernel.scope import Scope, sentence

# The cast raises where the setting is missing or empty, so a query without a scope fails closed. The sub-select is
# evaluated once per statement; without it a sequential scan pays for it in every row.
SCOPE = "(SELECT coalesce(current_setting('pupitre.{name}', true), '')::bigint)"

# Adding a key reads the tables as their owner, whom the policies bind too: the new table or column is empty, so nobody's
# rows are enough.
NOBODY = sentence(Scope()).decode()


def scoped(name: str) -> str:
    return SCOPE.format(name=name)


class Protect(Operation):
    """Protect one model's table.

    Args:
        model: the model's name in this app.
        also_read_by: columns besides the school through which a row may be read: {"account_id": "account"} lets an account read
            its own rows in every school, {"authority_id": "authority"} an authority its schools' figures.
        history: "all" keeps inserts too, "changes" only updates and deletes (for rows that tell themselves who made
            them), None keeps nothing.
        subject: the column that names the person concerned.
    """

    reversible = True

    def __init__(
        self,
        model: str,
        *,
        also_read_by: dict[str, str] | None = None,
        history: str | None = "all",
        subject: str | None = None,
    ) -> None:
        self.model, self.also_read_by, self.history, self.subject = (
            model,
            also_read_by or {},
            history,
            subject,
        )

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        facts = {"also_read_by": self.also_read_by, "history": self.history, "subject": self.subject}
        return (self.__class__.__name__, [self.model], facts)

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model)
        for statement in self._statements(model):
            schema_editor.execute(statement)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Dropping the table, which follows, drops all of this with it."""

    def describe(self) -> str:
        return f"Protect {self.model} by row-level security and composite keys"

    def _statements(self, model: Any) -> list[str]:
        table = model._meta.db_table
        same_school = f"school_id = {scoped('school')}"
        statements = [
            NOBODY,
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_tenant" UNIQUE (school_id, id)',
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
            f'CREATE POLICY school ON "{table}" USING ({same_school}) WITH CHECK ({same_school})',
        ]
        statements += [
            f'CREATE POLICY {setting} ON "{table}" FOR SELECT USING ({column} = {scoped(setting)})'
            for column, setting in self.also_read_by.items()
        ]
        statements += [composite_key(model, field) for field in tenant_references(model)]
        if self.history:
            statements.append(history_trigger(table, self.history, self.subject))
        return statements


class ProtectReference(Operation):
    """Add the composite key of a TenantForeignKey that a later migration adds to a protected table."""

    reversible = True

    def __init__(self, model: str, field: str) -> None:
        self.model, self.field = model, field

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.model, self.field], {})

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model)
        schema_editor.execute(NOBODY)
        schema_editor.execute(composite_key(model, model._meta.get_field(self.field)))

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Dropping the column, which follows, drops the key with it."""

    def describe(self) -> str:
        return f"Protect the reference {self.model}.{self.field} by a composite key"


class KeepInsertsTogether(Operation):
    """Keep the history of a statement's new rows at once, of a table that `Protect(..., history="all")` protects.

    For tables that are filled by the thousand. Changed and deleted rows are kept one by one as before.
    """

    reversible = True

    def __init__(self, model: str, *, subject: str | None = None) -> None:
        self.model, self.subject = model, subject

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.model], {"subject": self.subject})

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model)._meta.db_table
        schema_editor.execute(f'DROP TRIGGER keep_history ON "{table}"')
        schema_editor.execute(history_trigger(table, "changes", self.subject))
        schema_editor.execute(
            f'CREATE TRIGGER keep_inserts AFTER INSERT ON "{table}" REFERENCING NEW TABLE AS new_rows '
            f"FOR EACH STATEMENT EXECUTE FUNCTION tenancy_keep_inserts('{self.subject or ''}')"
        )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        table = from_state.apps.get_model(app_label, self.model)._meta.db_table
        schema_editor.execute(f'DROP TRIGGER keep_inserts ON "{table}"')
        schema_editor.execute(f'DROP TRIGGER keep_history ON "{table}"')
        schema_editor.execute(history_trigger(table, "all", self.subject))

    def describe(self) -> str:
        return f"Keep the history of new rows of {self.model} by statement"


class Stamp(Operation):
    """Give the school a new `settings_stamp` whenever a row of this model changes.

    For settings that are read on every page and seldom written: calendars, bells, codes. Who has read a stamp may
    remember, under the school and it, what it reads after it in the same transaction. No stamp comes twice, not even
    after a rollback, so nothing that was undone is remembered for true.
    """

    reversible = True

    def __init__(self, model: str) -> None:
        self.model = model

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.model], {})

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model)._meta.db_table
        schema_editor.execute(
            f'CREATE TRIGGER stamp_settings AFTER INSERT OR UPDATE OR DELETE ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION tenancy_stamp_settings()"
        )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        table = from_state.apps.get_model(app_label, self.model)._meta.db_table
        schema_editor.execute(f'DROP TRIGGER stamp_settings ON "{table}"')

    def describe(self) -> str:
        return f"Stamp the school's settings when {self.model} changes"


class ByMonth(Operation):
    """Keep the rows of one protected table by months, in partitions: what is too old goes in an instant, as a month.

    For tables that only grow and that nobody refers to. The key becomes `(id, column)`. What is there already stays one
    partition, `<table>_before`; what no month takes goes to `<table>_rest`. `tenancy_make_months` makes the months to come,
    `tenancy_forget_month` drops one. Nobody may use a partition but through its table, whose policies hold.

    Args:
        model: the model's name in this app.
        column: the time by which a row belongs to a month (UTC).
    """

    reversible = False

    def __init__(self, model: str, column: str) -> None:
        self.model, self.column = model, column

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.model, self.column], {})

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change: to Django the id is the key."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model)._meta.db_table
        schema_editor.execute(NOBODY)
        schema_editor.execute(f"SELECT tenancy_keep_by_month('{table}', '{self.column}')")

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        raise NotImplementedError

    def describe(self) -> str:
        return f"Keep the rows of {self.model} by months"


def tenant_references(model: Any) -> list[Any]:
    """The model's foreign keys to other rows of the same school."""
    return [
        field
        for field in model._meta.local_fields
        if field.is_relation and not field.db_constraint and field.name != "school"
    ]


def composite_key(model: Any, field: Any) -> str:
    table, target = model._meta.db_table, field.related_model._meta.db_table
    return (
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{field.column}_same_school" '
        f'FOREIGN KEY (school_id, "{field.column}") REFERENCES "{target}" (school_id, id)'
    )


def history_trigger(table: str, history: str, subject: str | None) -> str:
    events = "INSERT OR UPDATE OR DELETE" if history == "all" else "UPDATE OR DELETE"
    return (
        f'CREATE TRIGGER keep_history AFTER {events} ON "{table}" '
        f"FOR EACH ROW EXECUTE FUNCTION tenancy_keep_change('{subject or ''}')"
    )


class Share(Operation):
    """Protect a table whose rows are an authority's, for all its schools, or one school's (its `school` is null or not).

    A school reads its own rows and its authority's, and writes its own. In the authority's scope all of its rows and its
    schools' can be read, and its own written. References within are composite by the authority.

    Args:
        model: the model's name in this app; has `authority` and a nullable `school`.
        references: its foreign keys to other shared tables.
    """

    reversible = True

    def __init__(self, model: str, references: Sequence[str] = ()) -> None:
        self.model, self.references = model, tuple(references)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.model], {"references": self.references})

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model)
        for statement in self._statements(model):
            schema_editor.execute(statement)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Dropping the table, which follows, drops all of this with it."""

    def describe(self) -> str:
        return f"Protect {self.model}, which an authority shares with its schools"

    def _statements(self, model: Any) -> list[str]:
        table = model._meta.db_table
        of_school = f"(SELECT s.authority_id FROM tenancy_school s WHERE s.id = {scoped('school')})"  # noqa: S608
        own = f"school_id = {scoped('school')}"
        common = f"school_id IS NULL AND authority_id = {scoped('authority')}"
        return [
            NOBODY,
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_shared" UNIQUE (authority_id, id)',
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
            f'CREATE POLICY school ON "{table}" USING ({own}) WITH CHECK ({own} AND authority_id = {of_school})',
            f'CREATE POLICY inherited ON "{table}" FOR SELECT USING (school_id IS NULL AND authority_id = {of_school})',
            f'CREATE POLICY authority ON "{table}" USING ({common}) WITH CHECK ({common})',
            f'CREATE POLICY overseen ON "{table}" FOR SELECT USING (authority_id = {scoped("authority")})',
            *(self._reference(model, name) for name in self.references),
        ]

    def _reference(self, model: Any, name: str) -> str:
        field = model._meta.get_field(name)
        table, target = model._meta.db_table, field.related_model._meta.db_table
        return (
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{field.column}_same_authority" '
            f'FOREIGN KEY (authority_id, "{field.column}") REFERENCES "{target}" (authority_id, id) '
            f"ON DELETE {'SET NULL (' + field.column + ')' if field.null else 'CASCADE'}"
        )


class ServeGateway(Operation):
    """Open a protected table to the gateway, which serves the devices of all schools in one statement.

    It says so by a setting of its own (`kernel.scope.gateway_opening`) that no page ever sets
    (docs/decisions/0019-gateway-scope.md).
    """

    reversible = True

    def __init__(self, model: str, *, writes: bool = False) -> None:
        self.model, self.writes = model, writes

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.model], {"writes": self.writes})

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model)._meta.db_table
        is_gateway = "(SELECT coalesce(current_setting('pupitre.gateway', true), '') = 'on')"
        may = (
            f"USING ({is_gateway}) WITH CHECK ({is_gateway})"
            if self.writes
            else f"FOR SELECT USING ({is_gateway})"
        )
        schema_editor.execute(f'CREATE POLICY gateway ON "{table}" {may}')

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        table = from_state.apps.get_model(app_label, self.model)._meta.db_table
        schema_editor.execute(f'DROP POLICY gateway ON "{table}"')

    def describe(self) -> str:
        return f"Open {self.model} to the gateway"
