"""Reads a roster from files: which format they are in is told by their names, their headers and the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from pupitre.courses.rules import oneroster, sds, vocabulary
from pupitre.courses.rules.archives import Unpacked, files_of_zip, is_roster_file
from pupitre.courses.rules.countries import doors
from pupitre.courses.rules.findings import FindingCode, Findings, Severity
from pupitre.courses.rules.gathering import Gathering
from pupitre.courses.rules.parts import Part
from pupitre.courses.rules.roster import (
    ONEROSTER_1_1,
    ONEROSTER_1_2,
    SDS_1,
    SDS_2_1,
    UNRECOGNISED,
    Choices,
    Format,
    Mode,
    Roster,
    Source,
)
from pupitre.courses.rules.tables import FileSpec, Sheet, Table, only_misspelling_of, sheet_of

__all__ = ["Recognised", "Unpacked", "files_of_zip", "read_roster", "recognise"]

_OTHER_NAMES = {vocabulary.fold(name): name for name in oneroster.OTHER_FILES}
_SPECS: Mapping[Source, Mapping[str, FileSpec]] = {
    ONEROSTER_1_2: oneroster.SPECS,
    ONEROSTER_1_1: oneroster.SPECS,
    SDS_2_1: sds.V2,
    SDS_1: sds.V1,
}
_PROPER_NAMES: Mapping[str, str] = {
    "manifest": "manifest.csv",
    **{key: spec.name for specs in _SPECS.values() for key, spec in specs.items()},
    **{key: f"{name}.csv" for key, name in _OTHER_NAMES.items()},
}
_SYNONYMS = {
    "enrolments": "enrollments",
    "schools": "school",
    "sections": "section",
    "students": "student",
    "teachers": "teacher",
    "studentenrolment": "studentenrollment",
    "studentenrollments": "studentenrollment",
    "guardianrelationships": "guardianrelationship",
}


def read_roster(
    files: Mapping[str, bytes], *, choices: Choices | None = None, part: Part | None = None
) -> Roster:
    """Reads files (path -> bytes) of OneRoster CSV 1.1 or 1.2, School Data Sync v1 or v2.1, or a country's own.

    Never raises for anything that the files hold: what is wrong stands in the roster's findings, and as long as there
    is an error among them nothing may be imported. `part` is told where the files are one school's share of a region's:
    findings then name the region's lines.
    """
    if (country := doors.read(files, choices or Choices())) is not None:
        return country
    findings = Findings()
    sheets = _recognised(files, findings, part or Part())
    if not sheets:
        findings.add(Severity.ERROR, FindingCode.NOTHING_TO_READ)
        return Roster(UNRECOGNISED, findings=findings.done())
    reading = _Reading(sheets, choices or Choices(), findings, part or Part())
    source = reading.source()
    if source is UNRECOGNISED:
        findings.add(Severity.ERROR, FindingCode.FORMAT_UNKNOWN)
        return Roster(UNRECOGNISED, findings=findings.done())
    return reading.read(source)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a set of files is, told by their first lines: the sheets by folded name, and the mode of each."""

    source: Source
    sheets: Mapping[str, Sheet]
    modes: Mapping[str, Mode]


def recognise(heads: Mapping[str, bytes], findings: Findings) -> Recognised:
    """What files are of which only the first lines are told (path -> bytes); of manifest.csv all."""
    sheets = _recognised(heads, findings, Part())
    if not sheets:
        findings.add(Severity.ERROR, FindingCode.NOTHING_TO_READ)
        return Recognised(UNRECOGNISED, {}, {})
    reading = _Reading(sheets, Choices(), findings, Part())
    source = reading.source()
    if source is UNRECOGNISED:
        findings.add(Severity.ERROR, FindingCode.FORMAT_UNKNOWN)
    modes = reading._modes(source) if source.format is Format.ONEROSTER else {}
    return Recognised(source, reading.sheets, modes)


# -- names -----------------------------------------------------------------------------------------------------------


def _recognised(files: Mapping[str, bytes], findings: Findings, part: Part) -> dict[str, Sheet]:
    """The files whose name means something, by their folded name without its ending."""
    found: dict[str, Sheet] = {}
    close: list[tuple[str, str]] = []
    for path in filter(is_roster_file, files):
        key = vocabulary.fold(PurePosixPath(path.replace("\\", "/")).stem)
        if key in _PROPER_NAMES:
            _keep(found, key, _sheet(path, files, part), findings)
        else:
            close.append((key, path))
    for key, path in close:
        meant = _SYNONYMS.get(key) or only_misspelling_of(key, (k for k in _PROPER_NAMES if k not in found))
        if meant is None:
            findings.add(Severity.NOTE, FindingCode.FILE_IGNORED, file=path)
            continue
        name = _PROPER_NAMES[meant]
        findings.add(Severity.NOTE, FindingCode.FILE_NAME_UNDERSTOOD, file=path, meant=name)
        _keep(found, meant, _sheet(path, files, part), findings)
    return found


def _sheet(path: str, files: Mapping[str, bytes], part: Part) -> Sheet:
    return sheet_of(path, files[path], part.lines.get(path, ()), part.witnesses.get(path))


def _keep(found: dict[str, Sheet], key: str, sheet: Sheet, findings: Findings) -> None:
    if key in found:
        findings.add(
            Severity.ERROR,
            FindingCode.FILE_TWICE,
            file=sheet.path,
            other=found[key].path,
            meant=_PROPER_NAMES[key],
        )
    else:
        found[key] = sheet


# -- format and version ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Reading:
    sheets: dict[str, Sheet]
    choices: Choices
    findings: Findings
    part: Part
    manifest: oneroster.Manifest | None = None

    def source(self) -> Source:
        """The format under which most columns make sense; a manifest is OneRoster's and gives the version."""
        if "manifest" in self.sheets:
            self.manifest = oneroster.read_manifest(self.sheets.pop("manifest"), self.findings)
            return self._version_of_manifest(self.manifest)
        likeness = {
            source: sum(self.sheets[key].likeness(spec) for key, spec in specs.items() if key in self.sheets)
            for source, specs in _SPECS.items()
            if source is not ONEROSTER_1_1
        }
        best = max(likeness, key=lambda source: likeness[source])
        if not any(key in _SPECS[best] for key in self.sheets):
            return UNRECOGNISED
        return self._oneroster_by_header() if best is ONEROSTER_1_2 else best

    def _oneroster_by_header(self) -> Source:
        """Without a manifest: 1.2 has files for roles and profiles, 1.1 has roles in users.csv."""
        if "users" not in self.sheets or not self.sheets.keys().isdisjoint({"roles", "userprofiles"}):
            return ONEROSTER_1_2
        header = {vocabulary.fold(cell) for cell in self.sheets["users"].header(oneroster.SPECS["users"])[1]}
        return ONEROSTER_1_1 if header >= {"role", "orgsourcedids"} else ONEROSTER_1_2

    def _version_of_manifest(self, manifest: oneroster.Manifest) -> Source:
        known = {"1.2": ONEROSTER_1_2, "1.1": ONEROSTER_1_1}
        parts = manifest.version.lower().removeprefix("v").split(".")
        source = known.get(".".join(parts[:2]))
        if source is not None:
            return source
        source = self._oneroster_by_header()
        self.findings.add(
            Severity.WARNING,
            FindingCode.MANIFEST_VERSION,
            line=manifest.line_of_version or None,
            value=manifest.version,
            format=str(source),
        )
        return source

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self, source: Source) -> Roster:
        """The roster, read as this format."""
        if source.format is Format.ONEROSTER:
            return self._read_oneroster(source)
        return self._read_sds(source)

    def _tables(self, specs: Mapping[str, FileSpec], order: Iterable[str]) -> dict[str, Table]:
        for key, sheet in self.sheets.items():
            if key in _OTHER_NAMES or key == "userprofiles":
                self.findings.add(Severity.NOTE, FindingCode.FILE_NOT_KEPT, file=sheet.path)
            elif key not in specs:
                self.findings.add(Severity.NOTE, FindingCode.FILE_IGNORED, file=sheet.path)
        return {
            key: Table(self.sheets[key], specs[key], self.findings) for key in order if key in self.sheets
        }

    def _read_oneroster(self, source: Source) -> Roster:
        gathering = Gathering(self.choices, self.findings, oneroster.TARGETS, exists=self.part.exists)
        modes = self._modes(source)
        tables = self._tables(oneroster.SPECS, oneroster.READING_ORDER)
        oneroster.gather(tables, modes, source.version, gathering)
        return gathering.finish(source)

    def _modes(self, source: Source) -> dict[str, Mode]:
        """The mode of each file that is to be read; what the manifest calls absent leaves the reading."""
        if self.manifest is None:
            self.findings.add(Severity.NOTE, FindingCode.MANIFEST_MISSING)
            self.findings.add(Severity.NOTE, FindingCode.FORMAT_UNDERSTOOD, format=str(source))
            return dict.fromkeys(oneroster.SPECS, Mode.BULK)
        modes: dict[str, Mode] = {}
        for key, spec in oneroster.SPECS.items():
            told = self.manifest.modes.get(key, "")
            if key not in self.sheets:
                if told in {"bulk", "delta"}:
                    self.findings.add(Severity.ERROR, FindingCode.FILE_PROMISED, meant=spec.name, mode=told)
            elif told == "absent":
                file = self.sheets.pop(key).path
                self.findings.add(Severity.WARNING, FindingCode.FILE_DECLARED_ABSENT, file=file)
            else:
                if not told and spec.kind is not None:
                    file = self.sheets[key].path
                    self.findings.add(Severity.NOTE, FindingCode.MODE_INFERRED, file=file)
                modes[key] = Mode(told or "bulk")
        return modes

    def _read_sds(self, source: Source) -> Roster:
        is_v1 = source is SDS_1
        specs = sds.V1 if is_v1 else sds.V2
        required = set(sds.V1_REQUIRED if is_v1 else sds.V2_REQUIRED)
        if is_v1 and not self.sheets.keys().isdisjoint(sds.V1_TOGETHER):
            required.update(sds.V1_TOGETHER)
        for key in specs:
            if key in required and key not in self.sheets:
                self.findings.add(Severity.ERROR, FindingCode.FILE_MISSING, meant=specs[key].name)
        tables = self._tables(specs, specs)
        if is_v1:
            gathering = Gathering(self.choices, self.findings, sds.V1_TARGETS, sds.V1_COLUMNS)
            sds.gather_v1(tables, gathering)
        else:
            gathering = Gathering(self.choices, self.findings, sds.V2_TARGETS, sds.V2_COLUMNS)
            sds.gather_v2(tables, gathering)
        return gathering.finish(source)
