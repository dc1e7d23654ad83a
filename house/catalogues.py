"""Keep the catalogues: every context has its own, in five languages; English is the language of the code.

    python -m house.catalogues update [context ...]    extract, and merge into the .po files
    python -m house.catalogues missing [context ...]   say what is not translated yet
    python -m house.catalogues check                   fail where a catalogue is stale or incomplete

Messages are what `_()` and its kin mark, and the docstrings of domain errors, which their readers are told.
"""

import ast
import io
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from babel.messages import pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "pupitre"
LANGUAGES = ("ca", "de", "es", "fr", "pt")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
JINJA = {"trimmed": "true", "extensions": "jinja2.ext.do", "silent": "false"}


#: What it says it says to machines, in English.
WORDLESS = frozenset({"edge"})


def contexts() -> list[str]:
    """The packages that have words of their own."""
    found = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    return sorted(found - WORDLESS)


def extracted(context: str) -> Catalog:
    """All marked strings of a context, as a template catalogue."""
    catalog = Catalog(project="Pupitre", charset="utf-8", fuzzy=False)
    for path in _sources(SOURCE / context):
        method = "python" if path.suffix == ".py" else "jinja2"
        options = {} if method == "python" else JINJA
        place = path.relative_to(SOURCE).as_posix()
        found = extract_from_file(method, path, KEYWORDS, ["Translators:"], options)  # type: ignore[arg-type]
        for _line, message, comments, message_context in found:
            # No line numbers: they would change every catalogue with every edit.
            catalog.add(message, None, [(place, 0)], auto_comments=comments, context=message_context)
        if path.suffix == ".py":
            for message in error_messages(path.read_text(encoding="utf-8"), _domain_errors()):
                catalog.add(message, None, [(place, 0)])
    return catalog


def error_messages(text: str, errors: Iterable[str]) -> list[str]:
    """The docstrings of a module's domain errors, in one line as `web.middleware.told` looks them up."""
    classes = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef) and _is_among(node, errors)
    ]
    told = [" ".join((ast.get_docstring(node) or "").split()) for node in classes]
    return [message for message in told if message]


def _is_among(node: ast.ClassDef, errors: Iterable[str]) -> bool:
    """Its bases decide and not its own name, which a class that is no error may have, too."""
    return node.name == "DomainError" or not {_name(base) for base in node.bases}.isdisjoint(errors)


@lru_cache(maxsize=1)
def _domain_errors() -> frozenset[str]:
    """The names of all classes of the package that derive from DomainError."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py")))
    return descendants("DomainError", (text for text in texts if "class " in text))


def descendants(root: str, texts: Iterable[str]) -> frozenset[str]:
    """The class of that name and all that derive from it by any chain, told apart by their names alone."""
    bases: dict[str, set[str]] = {}
    for text in texts:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(_name(base) for base in node.bases)
    found = {root}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return frozenset(found)


def _name(base: ast.expr) -> str:
    return base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        is_template = "templates" in path.parts and path.suffix in {".html", ".txt", ".xml"}
        if is_template or (path.suffix == ".py" and "migrations" not in path.parts):
            yield path


def catalogue_path(context: str, language: str) -> Path:
    return SOURCE / context / "locale" / language / "LC_MESSAGES" / "django.po"


def read(context: str, language: str) -> Catalog:
    path = catalogue_path(context, language)
    if not path.exists():
        return Catalog(locale=language, project="Pupitre", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return pofile.read_po(file, locale=language)


def merged(context: str, language: str) -> Catalog:
    """The catalogue as it should be: every marked string, with the translation it has, and nothing else."""
    catalog, template = read(context, language), extracted(context)
    catalog.update(template, no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    return catalog


def written(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    catalog.header_comment = "# Pupitre in this language; see docs/howto/translate.md."
    pofile.write_po(
        buffer, catalog, width=0, omit_header=False, no_location=False, include_lineno=False, sort_output=True
    )
    lines = buffer.getvalue().decode().split("\n")
    # What changes by itself, and what would only repeat the folder's name.
    idle = (
        "POT-Creation",
        "PO-Revision",
        "Generated-By",
        "Last-Translator",
        "Report-Msgid",
        "Project-Id",
        "Language-Team",
    )
    return "\n".join(
        line for line in lines if not line.startswith(tuple(f'"{name}' for name in idle))
    ).encode()


def update(names: list[str]) -> None:
    for context in names:
        if len(extracted(context)) == 0:
            continue
        for language in LANGUAGES:
            path = catalogue_path(context, language)
            path.parent.mkdir(parents=True, exist_ok=True)
            catalog = merged(context, language)
            _take_over(catalog, known(language))
            path.write_bytes(written(catalog))


Text = tuple[str, str | None]


def known(language: str) -> dict[Text, str]:
    """What every context says for a text without plural forms; gettext has room for one answer, so the first counts."""
    answers: dict[Text, str] = {}
    for context in contexts():
        for message in read(context, language):
            if (
                isinstance(message.id, str)
                and isinstance(message.string, str)
                and message.string
                and not message.fuzzy
            ):
                answers.setdefault((message.id, message.context), message.string)
    return answers


def _take_over(catalog: Catalog, answers: dict[Text, str]) -> None:
    """Fill what is empty with what another context says."""
    for message in catalog:
        if isinstance(message.id, str) and message.id and not message.string:
            message.string = answers.get((message.id, message.context), "")


def disagreements(language: str) -> list[str]:
    """Texts that two contexts translate differently: all catalogues become one, so one of the two is never seen."""
    found = []
    answers = known(language)
    for context in contexts():
        for message in read(context, language):
            first = answers.get((str(message.id), message.context), message.string)
            if message.id and message.string and first != message.string and isinstance(message.id, str):
                found.append(
                    f"{context}/{language}: {message.id!r} is {message.string!r} here and {first!r} elsewhere"
                )
    return found


def missing(context: str, language: str) -> list[str]:
    """Strings of the context without a translation in that language."""
    wanted, held = extracted(context), read(context, language)
    gaps = []
    for message in wanted:
        if not message.id:
            continue
        found = held.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
        texts = (
            [] if found is None else [found.string] if isinstance(found.string, str) else list(found.string)
        )
        if not texts or not all(texts) or (found is not None and found.fuzzy):
            gaps.append(message.id if isinstance(message.id, str) else message.id[0])
    return gaps


def stale(context: str, language: str) -> bool:
    """Whether `update` would change the file."""
    path = catalogue_path(context, language)
    if len(extracted(context)) == 0:
        return path.exists()
    return not path.exists() or path.read_bytes() != written(merged(context, language))


def main() -> int:
    verb, names = (sys.argv[1] if len(sys.argv) > 1 else "check"), sys.argv[2:] or contexts()
    if verb == "update":
        update(names)
        return 0
    gaps = 0
    for context in names:
        for language in LANGUAGES:
            lacking = missing(context, language)
            gaps += len(lacking)
            for text in lacking:
                print(f"{context}/{language}: {text!r}")
            if verb == "check" and stale(context, language):
                print(f"{context}/{language}: stale; run `make messages`")
                gaps += 1
    return 1 if gaps else 0


if __name__ == "__main__":
    sys.exit(main())
