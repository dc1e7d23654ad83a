"""Every table that belongs to a school is protected, without exception."""

import pytest
from django.apps import apps
from django.db import connection, models

from pupitre.devices.models import Shared
from pupitre.tenancy.models import TenantModel
from pupitre.tenancy.protection import tenant_references
from tests.cast import Cast

TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, TenantModel)]
# Global by design: what an account is must be known before a school is chosen, and holds no school's data.
GLOBAL = {
    "people_account",
    "people_authoritymembership",
    "messaging_preference",
    "messaging_pushsubscription",
    "connections_schooldomain",
    "devices_authoritysavedview",
}
SHARED_MODELS = [model for model in apps.get_models() if issubclass(model, Shared)]


def rows(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def test_there_are_tenant_tables() -> None:
    assert len(TENANT_MODELS) > 30


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_a_tenant_table_has_forced_row_level_security(model: type[models.Model], cast: Cast) -> None:
    table = model._meta.db_table
    assert rows(
        f"SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = '{table}'::regclass"
    ) == [(True, True)]
    policies = rows(
        f"SELECT cmd, qual, with_check FROM pg_policies WHERE tablename = '{table}' AND policyname <> 'gateway'"
    )
    whole = [(qual, check) for cmd, qual, check in policies if cmd == "ALL"]
    assert len(whole) == 1
    assert all("pupitre.school" in str(text) and "SELECT" in str(text) for text in whole[0])
    assert all(cmd in {"ALL", "SELECT"} for cmd, _, _ in policies)


def test_only_the_fleets_tables_are_open_to_the_gateway(cast: Cast) -> None:
    found = rows("SELECT tablename, qual FROM pg_policies WHERE policyname = 'gateway'")
    assert found
    assert all(str(table).startswith("devices_") for table, _ in found)
    assert all("pupitre.gateway" in str(qual) and "SELECT" in str(qual) for _, qual in found)


@pytest.mark.parametrize("model", SHARED_MODELS, ids=lambda model: model._meta.label)
def test_what_an_authority_shares_has_forced_row_level_security(
    model: type[models.Model], cast: Cast
) -> None:
    table = model._meta.db_table
    assert rows(
        f"SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = '{table}'::regclass"
    ) == [(True, True)]
    found = rows(
        f"SELECT policyname, cmd FROM pg_policies WHERE tablename = '{table}' AND policyname <> 'gateway'"
    )
    assert sorted(found) == [
        ("authority", "ALL"),
        ("inherited", "SELECT"),
        ("overseen", "SELECT"),
        ("school", "ALL"),
    ]


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_every_reference_within_a_school_is_a_composite_key(model: type[models.Model], cast: Cast) -> None:
    table = model._meta.db_table
    wanted = {field.column for field in tenant_references(model)}
    composite = rows(
        "SELECT a.attname FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[2] "
        f"WHERE c.contype = 'f' AND c.conrelid = '{table}'::regclass AND cardinality(c.conkey) = 2"
    )
    assert {name for (name,) in composite} == wanted


def test_no_plain_foreign_key_leads_to_a_tenant_table(cast: Cast) -> None:
    tables = ", ".join(f"'{model._meta.db_table}'::regclass" for model in TENANT_MODELS)
    plain = rows(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint "
        f"WHERE contype = 'f' AND confrelid IN ({tables}) AND cardinality(conkey) < 2"
    )
    assert plain == []


def test_every_table_of_ours_is_a_tenants_or_named_global(cast: Cast) -> None:
    ours = {m._meta.db_table for m in apps.get_models() if m.__module__.startswith("pupitre.")}
    assert ours - {model._meta.db_table for model in [*TENANT_MODELS, *SHARED_MODELS]} == GLOBAL | {
        "attendance_authorityday",  # the authority's own, by a policy of its own
        "tenancy_authority",
        "tenancy_school",
        "tenancy_change",
        "tenancy_upkeep",
    }


def test_indexes_of_tenant_tables_begin_with_the_school_or_a_key_of_their_own(cast: Cast) -> None:
    for model in TENANT_MODELS:
        also_read_by = {"account", "authority"}
        for index in model._meta.indexes:
            assert index.fields[0].lstrip("-") in {"school", *also_read_by}, index.name


def test_the_application_cannot_rewrite_the_past(cast: Cast) -> None:
    for table in ("tenancy_change", "people_look"):
        for act in ("UPDATE", "DELETE", "TRUNCATE"):
            assert rows(f"SELECT has_table_privilege('{table}', '{act}')") == [(False,)]
    assert rows("SELECT has_table_privilege('tenancy_change', 'INSERT')") == [(False,)]
    assert rows("SELECT has_function_privilege('tenancy_keep_change()', 'EXECUTE')") == [(False,)]


def test_no_column_uses_a_type_that_row_level_security_makes_slow(cast: Cast) -> None:
    slow = rows(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' "
        "AND table_name ~ '^(people|courses|timetable|attendance|messaging|tenancy|devices)_' "
        "AND (data_type = 'numeric' OR data_type = 'USER-DEFINED')"
    )
    assert slow == []
