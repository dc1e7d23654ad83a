"""Which files are a country's own, and their reading: told by what is in them, never by their names."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pupitre.courses.rules.archives import is_roster_file
from pupitre.courses.rules.countries import esfera, saga, siecle, simat, sts
from pupitre.courses.rules.countries.covering import Covering
from pupitre.courses.rules.countries.elements import Document, UnreadableXmlError, read_rows, root_of, say
from pupitre.courses.rules.countries.workbooks import UnreadableWorkbookError, first_sheet, is_workbook
from pupitre.courses.rules.findings import FindingCode, Findings, Severity
from pupitre.courses.rules.gathering import Gathering
from pupitre.courses.rules.roster import UNRECOGNISED, Choices, Format, Roster, Source
from pupitre.courses.rules.tables import Sheet, sheet_of

#: So much of a table is looked at to tell what it is.
_LOOKED_AT = 1 << 16
_TABLES = (".csv", ".txt", ".tsv")
#: Systems whose files may come together: the same schools, their pupils in one and their staff in the other.
_TOGETHER = frozenset({Format.SIECLE, Format.STS})
_GATHER_SHEETS: Mapping[Format, Callable[[Sequence[Sheet], Gathering, Covering], None]] = {
    Format.ESFERA: esfera.gather,
    Format.SAGA: saga.gather,
    Format.SIMAT: simat.gather,
}


@dataclass(slots=True)
class _Found:
    """The files of each system, what could not be read, and the others."""

    findings: Findings = field(default_factory=Findings)
    sheets: dict[Format, list[Sheet]] = field(default_factory=dict)
    documents: dict[Format, list[Document]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    #: Whether there are files of countries' systems that hold nothing of a roster, and such that are broken.
    has_idle: bool = False
    has_broken: bool = False

    @property
    def formats(self) -> list[Format]:
        return [*self.sheets, *self.documents]


def recognises(files: Mapping[str, bytes]) -> bool:
    """Whether any of the files is of a country's system."""
    return any(_is_ours(path, data) for path, data in files.items())


def read(files: Mapping[str, bytes], choices: Choices) -> Roster | None:
    """The roster, or None where none of the files is of a country's system. Never raises for what the files hold."""
    found = _look(files)
    is_others = any(path.lower().endswith(_TABLES) for path in found.others)
    if not found.formats and (is_others or not (found.has_idle or found.has_broken)):
        return None
    findings, formats = found.findings, found.formats
    for path in found.others:
        findings.add(Severity.NOTE, FindingCode.FILE_IGNORED, file=path)
    if found.has_broken:
        return Roster(UNRECOGNISED, findings=findings.done())
    if not formats:
        findings.add(Severity.ERROR, FindingCode.NOTHING_TO_READ)
        return Roster(UNRECOGNISED, findings=findings.done())
    if len(formats) > 1 and not set(formats) <= _TOGETHER:
        mixed = ", ".join(map(str, formats))
        findings.add(Severity.ERROR, FindingCode.SYSTEMS_MIXED, value=mixed)
        return Roster(UNRECOGNISED, findings=findings.done())
    gathering, covering = Gathering(choices, findings), Covering()
    for system, sheets in found.sheets.items():
        _GATHER_SHEETS[system](sheets, gathering, covering)
    if Format.SIECLE in found.documents:
        siecle.gather(found.documents[Format.SIECLE], gathering, covering)
    if Format.STS in found.documents:
        sts.gather(found.documents[Format.STS], gathering, covering)
    return dataclasses.replace(gathering.finish(_source(found)), coverage=covering.done())


def _source(found: _Found) -> Source:
    if Format.SIECLE in found.documents:
        version = found.documents[Format.SIECLE][0].attributes.get("VERSION", "")
        together = f"+ {Format.STS}" if Format.STS in found.documents else ""
        return Source(Format.SIECLE, f"{version[:20]} {together}".strip())
    return Source(found.formats[0], "")


# -- what a file is --------------------------------------------------------------------------------------------------


def _is_ours(path: str, data: bytes) -> bool:
    if path.lower().endswith(".xml"):
        return root_of(data) in {*siecle.ROOTS, *siecle.OTHER_ROOTS, sts.ROOT}
    return bool(_look({path: data}).formats)


def _look(files: Mapping[str, bytes]) -> _Found:
    found = _Found()
    for path, data in files.items():
        if path.lower().endswith(".xml"):
            _look_at_xml(path, data, found)
        elif is_workbook(path, data):
            _look_at_workbook(path, data, found)
        elif path.lower().endswith(_TABLES):
            _look_at_table(path, data, found)
        elif is_roster_file(path):
            found.others.append(path)
    return found


def _look_at_xml(path: str, data: bytes, found: _Found) -> None:
    root = root_of(data)
    if root in siecle.OTHER_ROOTS:
        found.has_idle = True
        found.findings.add(Severity.NOTE, FindingCode.FILE_NOT_KEPT, file=path)
        return
    layouts = sts.LAYOUTS if root == sts.ROOT else siecle.LAYOUTS.get(root)
    if layouts is None:
        found.others.append(path)
        return
    try:
        document = read_rows(path, data, layouts)
    except UnreadableXmlError as problem:
        found.has_broken = True
        say(found.findings, path, problem)
        return
    found.documents.setdefault(Format.STS if root == sts.ROOT else Format.SIECLE, []).append(document)


def _look_at_workbook(path: str, data: bytes, found: _Found) -> None:
    try:
        rows = first_sheet(data)
    except UnreadableWorkbookError:
        found.has_broken = True
        found.findings.add(Severity.ERROR, FindingCode.WORKBOOK_BROKEN, file=path)
        return
    if (sheet := esfera.sheet_in(path, rows)) is not None:
        found.sheets.setdefault(Format.ESFERA, []).append(sheet)
    elif (sheet := simat.sheet_in(path, rows)) is not None:
        found.sheets.setdefault(Format.SIMAT, []).append(sheet)
    else:
        found.others.append(path)


def _look_at_table(path: str, data: bytes, found: _Found) -> None:
    head = sheet_of(path, data[:_LOOKED_AT])
    if saga.is_saga(head):
        found.sheets.setdefault(Format.SAGA, []).append(sheet_of(path, data))
    elif simat.is_simat(head):
        found.sheets.setdefault(Format.SIMAT, []).append(sheet_of(path, data))
    else:
        found.others.append(path)
