"""Each house lint catches what it is for, and the house itself is clean."""

import pytest

from house.lints import all_findings, findings_in

PLANTED = [
    ("src/pupitre/people/x.py", "from datetime import datetime\nx = datetime.now()\n", "kernel.clock"),
    ("src/pupitre/people/x.py", "from django.utils import timezone\nx = timezone.now()\n", "kernel.clock"),
    ("src/pupitre/people/migrations/0002_x.py", "x = [\n  migrations.AddIndex(\n  )]\n", "AddIndexConcurrently"),
    ("src/pupitre/people/migrations/0002_x.py", "from pupitre.people import rules\n", "must mean the same"),
    ("tests/people/test_x.py", "def test_x(self):\n    self.assertNumQueries(3)\n", "counts nothing"),
    ("src/pupitre/people/x.py", "_('%s pupils')\n", "name the placeholder"),
    ("src/pupitre/people/x.py", "_(f'{n} pupils')\n", "f-string"),
    ("src/pupitre/web/templates/web/x.html", '<p style="color: red">', "give the element a class"),
    ("src/pupitre/web/templates/web/x.html", '<a onclick="go()">', "island"),
    ("src/pupitre/web/templates/web/x.html", "<script>go()</script>", "module"),
    ("requirements/dev.txt", "--index-url https://somewhere/simple\n", "make lock"),
    ("src/pupitre/people/x.py", "x = '/" + "root/x'\n", "relative to the repository"),
]


@pytest.mark.parametrize(("path", "text", "says"), PLANTED)
def test_a_planted_violation_is_caught_and_told_kindly(path: str, text: str, says: str) -> None:
    assert any(says in finding.says for finding in findings_in(path, text))


def test_the_house_is_clean() -> None:
    assert [str(finding) for finding in all_findings()] == []
