"""How far an import is can be seen before its transaction has ended, and a busy row never holds the import up."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from pupitre.courses.actions.progress import VisibleProgress
from tests.cast import NOW, Cast

SCOPE = (
    "SELECT set_config('pupitre.school', %s, false), set_config('pupitre.account', '0', false), "
    "set_config('pupitre.authority', '0', false)"
)


@pytest.fixture
def apart(cast: Cast) -> Iterator[Any]:
    """Another connection, as a page of the office has it, with an import that is committed there."""
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute(SCOPE, [str(cast.school.id)])
        cursor.execute(
            "INSERT INTO courses_rosterimport (school_id, uploaded_at, file_name, file_key, state, source, choices, "
            "findings, plan, report, done, total) VALUES (%s, %s, 'f', 'k', 3, '', '{}', '[]', '{}', '{}', 0, 0) "
            "RETURNING id",
            [cast.school.id, NOW],
        )
        (import_id,) = cursor.fetchone()
        yield cursor, import_id
        cursor.execute("DELETE FROM courses_rosterimport WHERE id = %s", [import_id])
    other.close()


def test_others_see_how_far_an_import_is(cast: Cast, apart: Any) -> None:
    cursor, import_id = apart
    with VisibleProgress(cast.school.id, import_id) as progress:
        progress(0, 10)
        progress(10, 10)
        cursor.execute("SELECT done, total FROM courses_rosterimport WHERE id = %s", [import_id])
        assert cursor.fetchone() == (10, 10)


def test_not_every_row_is_told(cast: Cast, apart: Any) -> None:
    cursor, import_id = apart
    with VisibleProgress(cast.school.id, import_id) as progress:
        progress(0, 1000)
        for done in range(1, 1000):
            progress(done, 1000)
        cursor.execute("SELECT done FROM courses_rosterimport WHERE id = %s", [import_id])
        assert cursor.fetchone()[0] < 999


def test_a_locked_row_leaves_the_figure_out_and_lets_the_import_go_on(cast: Cast, apart: Any) -> None:
    cursor, import_id = apart
    cursor.execute("BEGIN")
    cursor.execute("UPDATE courses_rosterimport SET done = 1 WHERE id = %s", [import_id])
    with VisibleProgress(cast.school.id, import_id) as progress:
        progress(5, 5)
    cursor.execute("ROLLBACK")
    cursor.execute("SELECT done FROM courses_rosterimport WHERE id = %s", [import_id])
    assert cursor.fetchone() == (0,)
