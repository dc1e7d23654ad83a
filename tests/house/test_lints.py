"""Each house lint catches what it is for, and the house itself is clean."""

import pytest

from house.lints import all_findings, findings_in

PLANTED = [
    ("src/pupitre/people/x.py", "from datetime import datetime\nx = datetime.now()\n", "kernel.clock"),
    ("src/pupitre/people/x.py", "from django.utils import timezone\nx = timezone.now()\n", "kernel.clock"),
    (
        "src/pupitre/people/migrations/0002_x.py",
        "x = [\n  migrations.AddIndex(\n  )]\n",
        "AddIndexConcurrently",
    ),
    ("src/pupitre/people/migrations/0002_x.py", "from pupitre.people import rules\n", "must mean the same"),
    ("tests/people/test_x.py", "def test_x(self):\n    self.assertNumQueries(3)\n", "counts nothing"),
    ("src/pupitre/people/x.py", "_('%s pupils')\n", "name the placeholder"),
    ("src/pupitre/people/x.py", "_(f'{n} pupils')\n", "f-string"),
    ("src/pupitre/web/templates/web/x.html", '<p style="color: red">', "give the element a class"),
    ("src/pupitre/web/templates/web/x.html", '<a onclick="go()">', "island"),
    ("src/pupitre/web/templates/web/x.html", "<script>go()</script>", "module"),
    ("src/pupitre/web/templates/web/x.html", "<p>Good morning</p>", "stays English"),
    (
        "src/pupitre/web/templates/web/x.html",
        '<b>{{ n }}</b>\n pupils are {% if n %}{{ _("absent") }}{% endif %}',
        ":2: “pupils are …”",
    ),
    ("src/pupitre/web/templates/web/x.html", '<input aria-label="Minutes late">', "Minutes late"),
    (
        "src/pupitre/web/templates/web/x.html",
        "<img {% if x %}alt='The class of {{ name }}'{% endif %}>",
        "The class of …",
    ),
    ("src/pupitre/web/templates/web/x.html", '{{ button("Save", kind="primary") }}', "“Save”"),
    (
        "src/pupitre/web/templates/web/x.html",
        '{{ table(_("Pupils"), columns=["Given name", _("Class")]) }}',
        "“Given name”",
    ),
    ("src/pupitre/people/templates/people/mail.txt", "Dear {{ name }},", "“Dear …,”"),
    ("requirements/dev.txt", "--index-url https://somewhere/simple\n", "make lock"),
    ("src/pupitre/people/x.py", "x = '/" + "root/x'\n", "relative to the repository"),
]


@pytest.mark.parametrize(("path", "text", "says"), PLANTED)
def test_a_planted_violation_is_caught_and_told_kindly(path: str, text: str, says: str) -> None:
    assert any(says in str(finding) for finding in findings_in(path, text))


def test_marked_words_names_and_code_are_left_alone() -> None:
    template = """
{# A comment may say anything. #}
<!doctype html>
<title>{% block title %}{{ _("People") }}{% endblock %} · Pupitre</title>
<a href="{{ url("people", school=slug) }}"{% if here %} aria-current="page"{% endif %} title="{{ _("All of them") }}">&nbsp;{{ n }} MB</a>
{% trans count=n %}One pupil{% pluralize %}{{ count }} pupils{% endtrans %}
{% if n > 3 %}<{{ "a" if href else "span" }} class="person">{{ name }}</{{ "a" if href else "span" }}>{% endif %}
{% macro described(id) %} aria-describedby="{{ id }}_help"{% endmacro %}
{{ button(_("Save") if n else _("Close"), kind="primary large", icon_name="check") }}<code>--paper</code>
<script type="application/json">{"words": true}</script>
"""
    assert findings_in("src/pupitre/web/templates/web/x.html", template) == []


def test_the_house_is_clean() -> None:
    assert [str(finding) for finding in all_findings()] == []
