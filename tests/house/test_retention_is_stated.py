"""For every table of the database it is said how long its rows are kept."""

import re
from pathlib import Path

from django.db import connection

from pupitre.project.retention import MONTHS, RULES, RULES_OF_INSTALLATION
from tests.cast import Cast

STATED = Path(__file__).resolve().parents[2] / "docs" / "operate" / "retention.md"


def named_tables() -> set[str]:
    return set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", STATED.read_text(encoding="utf-8")))


def test_every_table_has_its_rule(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
            "AND relnamespace = 'public'::regnamespace"
        )
        tables = {row[0] for row in cursor.fetchall()}
    missing = sorted(tables - named_tables())
    assert missing == [], (
        "say in docs/operate/retention.md how long their rows are kept, and write the rule if they grow"
    )
    assert sorted(named_tables() - tables) == [], "docs/operate/retention.md names tables that there are not"


def test_rules_are_about_tables_that_are_stated() -> None:
    ruled = {place.partition(".")[0] for rule in (*RULES, *RULES_OF_INSTALLATION) for place in rule.deletes}
    assert ruled | {kept.table for kept in MONTHS} <= named_tables()
