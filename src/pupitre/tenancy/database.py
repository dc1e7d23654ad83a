"""What the application's role may do. Run by the owner after every migration; safe to repeat."""

from typing import Any

from django.db import connection

# Written by triggers or appended once: the application may not rewrite the past.
READ_ONLY = ("tenancy_change",)
APPEND_ONLY = ("people_look",)


def grant_application_role(role: str) -> None:
    """Give the application's role what it needs on every table, and no more on the records of the past."""
    name = connection.ops.quote_name(role)
    statements = [
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {name}",
        f"REVOKE ALL ON django_migrations FROM {name}",
        f"GRANT SELECT ON django_migrations TO {name}",
    ]
    # Its owner's triggers call it; the application could hang it onto a table of its own and write history by that.
    statements.append(f"REVOKE EXECUTE ON FUNCTION tenancy_keep_change() FROM PUBLIC, {name}")
    existing = set(connection.introspection.table_names())
    statements += [
        f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {t} FROM {name}" for t in READ_ONLY if t in existing
    ]
    statements += [
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {t} FROM {name}" for t in APPEND_ONLY if t in existing
    ]
    statements.append(f"REVOKE EXECUTE ON FUNCTION tenancy_keep_by_month(text, text) FROM PUBLIC, {name}")
    with connection.cursor() as cursor:
        for statement in statements + [f"REVOKE ALL ON {part} FROM {name}" for part in _partitions(cursor)]:
            cursor.execute(statement)


def _partitions(cursor: Any) -> list[str]:
    """The months of tables by month. Policies stand on the table; who could use a partition by itself would pass them by."""
    cursor.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relispartition AND relkind = 'r' "
        "AND relnamespace = 'public'::regnamespace"
    )
    return [row[0] for row in cursor.fetchall()]
