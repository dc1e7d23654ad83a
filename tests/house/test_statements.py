"""Every statement of the edge is prepared against the migrated schema: the price of SQL beside Django's models."""

import re
from pathlib import Path

import pytest
from django.db import connection

from pupitre.edge.gateway.statements import all_statements
from tests.cast import Cast

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", sorted(all_statements()))
def test_a_statement_fits_the_schema(name: str, cast: Cast) -> None:
    with connection.cursor() as cursor:
        # Straight to the server: Django's cursor would take the statement's own marks for its.
        cursor.connection.pgconn.exec_(f"PREPARE fits AS {all_statements()[name]}".encode())
        result = cursor.connection.pgconn.exec_(
            b"SELECT count(*) FROM pg_prepared_statements WHERE name = 'fits'"
        )
        told = cursor.connection.pgconn.error_message.decode(errors="replace")
        assert result.get_value(0, 0) == b"1", told
        cursor.connection.pgconn.exec_(b"DEALLOCATE fits")


def test_every_statement_is_used_and_none_is_written_elsewhere() -> None:
    folder = ROOT / "src" / "pupitre" / "edge" / "gateway"
    code = "\n".join(path.read_text() for path in folder.glob("*.py"))
    assert [name for name in all_statements() if f'"{name}"' not in code] == []
    assert re.findall(r'"(?:SELECT|INSERT|UPDATE|DELETE|WITH) [^"]*"', code) == []
