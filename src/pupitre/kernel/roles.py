"""The two roles of the database: one owns the tables and migrates, the other only uses them and sees one school."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

OLDEST_SERVER = 16
OWNER, APPLICATION = "pupitre_owner", "pupitre_app"


@dataclass(frozen=True)
class Finding:
    """What is wrong with a database server, and how to mend it."""

    wrong: str
    mend: str


def make_role(connection: psycopg.Connection[Any], role: str, password: str) -> None:
    """Make the role, or set its password anew; it can sign in and nothing else."""
    known = connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
    statement = sql.SQL(
        "{verb} role {role} login nosuperuser nobypassrls nocreatedb nocreaterole noreplication password {password}"
    )
    verb = sql.SQL("alter" if known else "create")
    connection.execute(statement.format(verb=verb, role=sql.Identifier(role), password=sql.Literal(password)))


def make_database(connection: psycopg.Connection[Any], database: str, owner: str, application: str) -> None:
    """Make the database if it is missing; only the two roles may enter it. Needs autocommit."""
    names = {
        "database": sql.Identifier(database),
        "owner": sql.Identifier(owner),
        "application": sql.Identifier(application),
    }
    if not connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone():
        connection.execute(sql.SQL("create database {database} owner {owner}").format(**names))
    # Temporary tables: COPY is refused under row-level security, so an import copies into one first.
    for statement in (
        "revoke all on database {database} from public",
        "grant connect, temporary on database {database} to {application}",
    ):
        connection.execute(sql.SQL(statement).format(**names))


def give_schema(connection: psycopg.Connection[Any], owner: str, application: str) -> None:
    """Let the owner make tables in the connection's database, and the application see that they are there."""
    names = {"owner": sql.Identifier(owner), "application": sql.Identifier(application)}
    connection.execute(sql.SQL("alter schema public owner to {owner}").format(**names))
    connection.execute(sql.SQL("grant usage on schema public to {application}").format(**names))


def check_server(application_url: str, owner_url: str | None) -> list[Finding]:
    """Look at an outside server: its version, and that the roles are what row-level security needs.

    Every finding is a reason not to start.
    """
    findings: list[Finding] = []
    for title, url in (("application", application_url), ("owner", owner_url)):
        if url is None:
            continue
        try:
            with psycopg.connect(url, connect_timeout=5, autocommit=True) as connection:
                findings += _check_connection(connection, title)
        except psycopg.OperationalError as error:
            reason = " ".join(str(error).split())
            findings.append(Finding(
                f"The {title}'s role cannot connect: {reason}",
                "See that the server runs, and that user, password and database are right.",
            ))  # fmt: skip
    return findings


def _check_connection(connection: psycopg.Connection[Any], title: str) -> list[Finding]:
    findings = []
    major = connection.info.server_version // 10000
    if major < OLDEST_SERVER:
        findings.append(
            Finding(
                f"The server is PostgreSQL {major}.", f"Pupitre needs PostgreSQL {OLDEST_SERVER} or newer."
            )
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        findings.append(Finding(f"The database is encoded in {encoding}.", "Create it with encoding 'UTF8'."))
    return findings + (
        check_application_role(connection) if title == "application" else _check_owner(connection)
    )


def check_application_role(connection: psycopg.Connection[Any]) -> list[Finding]:
    """Whether row-level security holds for the role of this connection."""
    row = connection.execute(
        "select current_user, bool_or(rolsuper), bool_or(rolbypassrls), "
        "  (select count(*) from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace "
        "   and pg_has_role(current_user, relowner, 'usage')) "
        "from pg_roles where pg_has_role(current_user, oid, 'member')"
    ).fetchone()
    assert row
    role, is_super, bypasses, owned = row
    findings = []
    if is_super:
        findings.append(Finding(
            f"The application's role {role} is a superuser or may become one: it would see every school.",
            f'Let it be an ordinary role: alter role "{role}" nosuperuser; and take it out of such roles.',
        ))  # fmt: skip
    if bypasses and not is_super:
        findings.append(Finding(
            f"The application's role {role} passes by row-level security: it would see every school.",
            f'alter role "{role}" nobypassrls; and take it out of such roles.',
        ))  # fmt: skip
    if owned and not is_super:
        findings.append(Finding(
            f"The application's role {role} owns tables, or is a member of the role that does: it could lift their protection.",
            "Use one role as owner and another as application (PUPITRE_OWNER_DATABASE_URL, PUPITRE_DATABASE_URL).",
        ))  # fmt: skip
    return findings


def _check_owner(connection: psycopg.Connection[Any]) -> list[Finding]:
    row = connection.execute(
        "select current_user, rolsuper or rolbypassrls, has_schema_privilege('public', 'create') "
        "from pg_roles where rolname = current_user"
    ).fetchone()
    assert row
    role, unbound, may_create = row
    findings = []
    if unbound:
        findings.append(Finding(
            f"The owner's role {role} is a superuser or passes by row-level security.",
            f'alter role "{role}" nosuperuser nobypassrls; it needs neither.',
        ))  # fmt: skip
    if not may_create:
        findings.append(
            Finding(
                f"The owner's role {role} may not create tables.",
                f'grant create on schema public to "{role}";',
            )
        )
    return findings
