"""`pupitre import --authority --jobs`: several schools at once, each in a process of its own, on a database of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg

from pupitre.kernel.scope import Scope, sentence
from tests.courses.made_region import REGION
from tests.database import migrated_copy


def test_two_schools_at_once_get_what_one_after_the_other_gets(tmp_path: Path) -> None:
    region = tmp_path / "region"
    region.mkdir()
    for name, text in REGION.items():
        (region / name).write_text(text, newline="")
    with migrated_copy(f"at_once_{os.getpid()}") as (application, owner):
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PUPITRE_")},
            "PUPITRE_DATABASE_URL": application,
            "PUPITRE_OWNER_DATABASE_URL": owner,
            "PUPITRE_DATA_DIR": str(tmp_path / "data"),
            "PUPITRE_DEMO": "false",
        }

        def pupitre(*words: str) -> str:
            command = [sys.executable, "-m", "pupitre.project.cli", *words]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr + done.stdout
            return done.stdout

        pupitre("found", "comarca", "mar", "--name", "La Mar")
        told: dict[str, Any] = json.loads(
            pupitre("import", "--authority", "comarca", "--found", "--json", "--jobs", "2", str(region))
        )
        assert {facts["outcome"] for facts in told["schools"].values()} == {"imported"}
        assert len(told["schools"]) == 2
        with psycopg.connect(application) as connection:
            ids = [
                row[0] for row in connection.execute("SELECT id FROM tenancy_school ORDER BY id").fetchall()
            ]
            people = {}
            for school in ids:
                connection.pgconn.exec_(sentence(Scope(school)))
                rows = connection.execute("SELECT sourced_id FROM people_person").fetchall()
                people[school] = {sourced_id for (sourced_id,) in rows}
    assert sorted("p1" in found for found in people.values()).count(True) == 1
    assert sum({"t1", "g1"} <= found for found in people.values()) == 2
