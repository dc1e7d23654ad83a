"""Rules of the house beyond imports. Each finding says what to do instead.

python -m house.lints        print the findings; exit 1 where there are any
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import TemplateSyntaxError

from house.words import unmarked

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Finding:
    path: str
    line: int
    says: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.says}"


Lint = Callable[[str, str], Iterator[Finding]]
_CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("timezone", "now"),
}


def no_clock_but_the_kernels(path: str, text: str) -> Iterator[Finding]:
    """Time is a parameter; only kernel.clock asks for it."""
    if path.endswith("kernel/clock.py") or "src/pupitre" not in path:
        return
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value
        name = (
            owner.id
            if isinstance(owner, ast.Name)
            else owner.attr
            if isinstance(owner, ast.Attribute)
            else ""
        )
        if (name, node.func.attr) in _CLOCKS:
            yield Finding(
                path,
                node.lineno,
                "take `now` as a parameter; at the edge ask kernel.clock, which tests can hold still",
            )


def indexes_are_made_concurrently(path: str, text: str) -> Iterator[Finding]:
    """An index on a table with rows must not lock it. A first migration makes tables and is free."""
    if "/migrations/" not in path or "0001_" in path or "CreateModel" in text:
        return
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"migrations\.AddIndex\(", line):
            yield Finding(
                path,
                number,
                "use AddIndexConcurrently with `atomic = False`: AddIndex locks the table while it is built",
            )


def migrations_import_nothing_of_ours(path: str, text: str) -> Iterator[Finding]:
    """A migration must mean the same in two years."""
    if "/migrations/" not in path:
        return
    for node in ast.walk(ast.parse(text)):
        names = (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        for name in names:
            if name.startswith("pupitre") and name != "pupitre.tenancy.protection":
                yield Finding(
                    path,
                    node.lineno,
                    f"write what {name} means into the migration: it must mean the same when that code has changed",
                )


def counted_queries_stand_in_with(path: str, text: str) -> Iterator[Finding]:
    if "tests/" not in path:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value.func
            name = (
                call.attr
                if isinstance(call, ast.Attribute)
                else call.id
                if isinstance(call, ast.Name)
                else ""
            )
            if name in {"assertNumQueries", "django_assert_num_queries", "django_assert_max_num_queries"}:
                yield Finding(path, node.lineno, f"write `with {name}(...):`, or it counts nothing")


def placeholders_have_names(path: str, text: str) -> Iterator[Finding]:
    """A translator may need another order."""
    if "src/pupitre" not in path:
        return
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            continue
        if node.func.id not in {"_", "gettext", "gettext_lazy", "ngettext", "gettext_noop"}:
            continue
        for argument in node.args:
            if isinstance(argument, ast.JoinedStr):
                yield Finding(
                    path,
                    node.lineno,
                    "an f-string cannot be translated: use %(name)s and fill it in after gettext",
                )
            elif (
                isinstance(argument, ast.Constant)
                and isinstance(argument.value, str)
                and re.search(r"%[sd]", argument.value)
            ):
                yield Finding(path, node.lineno, "name the placeholder, %(name)s: translators move them")


def no_inline_style_or_script(path: str, text: str) -> Iterator[Finding]:
    """The content security policy forbids them, so they would silently do nothing."""
    if not path.endswith(".html"):
        return
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"\sstyle\s*=|<style\b", line) and "{#" not in line:
            yield Finding(
                path, number, "put the style into web/static/web/pupitre.css and give the element a class"
            )
        if re.search(r"\son[a-z]+\s*=\s*[\"']", line):
            yield Finding(
                path,
                number,
                "listen in an island (a module beside the context's static files), not in an attribute",
            )
        if re.search(r"<script(?![^>]*\b(src=|type=\"(application/json|application/ld\+json)\"))", line):
            yield Finding(path, number, "put the script into a module and load it by src")


def templates_words_are_marked(path: str, text: str) -> Iterator[Finding]:
    """What is not marked stays English in all six languages."""
    if "/templates/" not in path or not path.endswith((".html", ".txt")):
        return
    is_sample = path.endswith("web/templates/web/design.html")
    try:
        found = unmarked(text, is_html=path.endswith(".html"), is_sample=is_sample)
    except TemplateSyntaxError as error:
        yield Finding(path, error.lineno, f"the template cannot be read: {error.message}")
        return
    for number, said in found:
        yield Finding(
            path,
            number,
            f'“{said}” stays English: write {{{{ _("...") }}}} or {{% trans %}}...{{% endtrans %}}',
        )


_ADDRESS = re.compile(r"https?://|--(extra-)?index-url|--find-links|\"resolved\"")
_OWN_PATH = re.compile(r"/(work|root|home)/[a-z]")


def locks_carry_no_addresses(path: str, text: str) -> Iterator[Finding]:
    if Path(path).name not in {"runtime.txt", "dev.txt", "package-lock.json"}:
        return
    for number, line in enumerate(text.splitlines(), 1):
        if _ADDRESS.search(line) and not re.search(r"\"(url|funding)\":", line):
            yield Finding(path, number, "lock files hold names, versions and hashes only: run `make lock`")


def no_paths_of_one_machine(path: str, text: str) -> Iterator[Finding]:
    if "house/" in path or path.endswith((".txt", ".json", ".po", ".svg")):
        return
    for number, line in enumerate(text.splitlines(), 1):
        if _OWN_PATH.search(line):
            yield Finding(path, number, "name a place relative to the repository, or a setting")


PYTHON: tuple[Lint, ...] = (
    no_clock_but_the_kernels,
    indexes_are_made_concurrently,
    migrations_import_nothing_of_ours,
    counted_queries_stand_in_with,
    placeholders_have_names,
)
TEXT: tuple[Lint, ...] = (
    no_inline_style_or_script,
    templates_words_are_marked,
    locks_carry_no_addresses,
    no_paths_of_one_machine,
)


def findings_in(path: str, text: str) -> list[Finding]:
    """What the lints say of one file, by its path relative to the repository."""
    lints = (*PYTHON, *TEXT) if path.endswith(".py") else TEXT
    return [finding for lint in lints for finding in lint(path, text)]


def all_findings() -> list[Finding]:
    found = []
    for folder in ("src", "tests", "bench", "house", "requirements", "frontend", "deploy", ".ci"):
        for path in sorted((ROOT / folder).rglob("*")):
            if (
                path.suffix in {".py", ".html", ".txt", ".json", ".sh", ".js", ".css", ".toml"}
                and "node_modules" not in path.parts
            ):
                found += findings_in(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    return found


def main() -> int:
    found = all_findings()
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
