"""Which files are a country's own, and their reading: told by what is in them, never by their names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from pupitre.courses.rules.countries import saga
from pupitre.courses.rules.countries.covering import Covering
from pupitre.courses.rules.findings import FindingCode, Findings, Severity
from pupitre.courses.rules.gathering import Gathering
from pupitre.courses.rules.roster import UNRECOGNISED, Choices, Format, Roster, Source
from pupitre.courses.rules.tables import Sheet, sheet_of

_LOOKED_AT = 1 << 16
_TABLES = (".csv", ".txt", ".tsv")


@dataclass(slots=True)
class _Found:
    """The files of each system, and the others."""

    sheets: dict[Format, list[Sheet]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)

    @property
    def formats(self) -> list[Format]:
        return [*self.sheets]


def recognises(files: Mapping[str, bytes]) -> bool:
    """Whether any of the files is of a country's system."""
    return bool(_look(files).formats)


def read(files: Mapping[str, bytes], choices: Choices) -> Roster | None:
    """The roster, or None where none of the files is of a country's system. Never raises for what the files hold."""
    found = _look(files)
    if not found.formats:
        return None
    findings = Findings()
    for path in found.others:
        findings.add(Severity.NOTE, FindingCode.FILE_IGNORED, file=path)
    if len(found.formats) > 1:
        mixed = ", ".join(map(str, found.formats))
        findings.add(Severity.ERROR, FindingCode.SYSTEMS_MIXED, value=mixed)
        return Roster(UNRECOGNISED, findings=findings.done())
    gathering, covering = Gathering(choices, findings), Covering()
    saga.gather(found.sheets[Format.SAGA], gathering, covering)
    return dataclasses.replace(gathering.finish(Source(Format.SAGA, "")), coverage=covering.done())


def _look(files: Mapping[str, bytes]) -> _Found:
    found = _Found()
    for path, data in files.items():
        if path.lower().endswith(_TABLES) and saga.is_saga(sheet_of(path, data[:_LOOKED_AT])):
            found.sheets.setdefault(Format.SAGA, []).append(sheet_of(path, data))
        else:
            found.others.append(path)
    return found
