"""The import map holds, and each contract catches the violation that it is meant for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PLANTED = [
    ("map", "kernel/clock.py", "from pupitre.web import pages"),
    ("map", "people/rules.py", "from pupitre.courses import queries"),
    ("map", "newcontext/__init__.py", '"""Not on the map."""'),
    ("rooms", "people/queries.py", "from pupitre.people import actions"),
    ("doors", "reports/views.py", "from pupitre.people.models import Person"),
    ("thin views", "people/views.py", "from pupitre.people.models import Person"),
    ("pure", "people/rules.py", "import django.conf"),
]


def lint(root: Path) -> tuple[int, str]:
    command = [
        str(Path(sys.executable).with_name("lint-imports")),
        "--no-cache",
        "--config",
        "pyproject.toml",
    ]
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}", "COLUMNS": "200"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_house_keeps_its_contracts() -> None:
    status, said = lint(ROOT)
    assert status == 0, said


@pytest.mark.parametrize(("contract", "place", "line"), PLANTED)
def test_a_planted_violation_breaks_its_contract(
    contract: str, place: str, line: str, tmp_path: Path
) -> None:
    for name in ("src", "house"):
        shutil.copytree(
            ROOT / name,
            tmp_path / name,
            ignore=shutil.ignore_patterns("*.pyc", "static", "locale", "templates"),
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    target = tmp_path / "src" / "pupitre" / place
    if not target.exists() and target.parent.with_suffix(".py").exists():
        target = target.parent.with_suffix(".py")
    if not target.exists() and target.with_suffix("").is_dir():
        target = target.with_suffix("") / "__init__.py"
    target.parent.mkdir(exist_ok=True)
    with target.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    status, said = lint(tmp_path)
    assert status != 0
    assert any(contract in row and "BROKEN" in row for row in said.splitlines()) or "newcontext" in said, said
