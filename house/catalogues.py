"""Keep the catalogues: every context has its own, in five languages; English is the language of the code.

    python -m house.catalogues update [context ...]    extract, and merge into the .po files
    python -m house.catalogues missing [context ...]   say what is not translated yet
    python -m house.catalogues check                   fail where a catalogue is stale or incomplete
"""

import io
import sys
from collections.abc import Iterator
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
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
JINJA = {"trimmed": "true", "extensions": "jinja2.ext.do", "silent": "false"}


def contexts() -> list[str]:
    """The packages that have words of their own."""
    return sorted(path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists())


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
    return catalog


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".py" and "migrations" not in path.parts:
            yield path
        elif "templates" in path.parts and path.suffix in {".html", ".txt", ".xml"}:
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
    pofile.write_po(buffer, catalog, width=0, omit_header=False, no_location=False, include_lineno=False, sort_output=True)
    lines = buffer.getvalue().decode().split("\n")
    volatile = ("POT-Creation-Date", "PO-Revision-Date", "Generated-By", "Last-Translator", "Report-Msgid-Bugs-To")
    return "\n".join(line for line in lines if not line.startswith(tuple(f'"{name}' for name in volatile))).encode()


def update(names: list[str]) -> None:
    for context in names:
        if len(extracted(context)) == 0:
            continue
        for language in LANGUAGES:
            path = catalogue_path(context, language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(written(merged(context, language)))


def missing(context: str, language: str) -> list[str]:
    """Strings of the context without a translation in that language."""
    wanted, held = extracted(context), read(context, language)
    gaps = []
    for message in wanted:
        if not message.id:
            continue
        found = held.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
        texts = [] if found is None else [found.string] if isinstance(found.string, str) else list(found.string)
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
