"""Dividing a region's files among its schools: read once from front to back, written to a folder, a share for each school.

A million people with their enrolments are half a gigabyte of text and would be twenty of objects. So rows go by one at a
time; who belongs to which school is kept in an SQLite file, and the rows themselves are appended to the schools' files.
What a share holds is decided generously: the rules that read it (`rules.facts`) leave out what is another school's.
"""

import codecs
import csv
import io
import sqlite3
import zipfile
import zlib
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO

from pupitre.courses.rules import dates, oneroster, regions, vocabulary
from pupitre.courses.rules.archives import is_roster_file, leads_outside
from pupitre.courses.rules.findings import Finding, FindingCode, Findings, Severity
from pupitre.courses.rules.parts import Part
from pupitre.courses.rules.passwords import emptied
from pupitre.courses.rules.reading import Recognised, recognise
from pupitre.courses.rules.roster import FAMILY_ROLES, Choices, Format, Kind, Mode, Org, RosterRole
from pupitre.courses.rules.tables import Table, list_of, sheet_of

#: Text of rows that is held before it is appended to the schools' files.
MOST_HELD = 24 * 1024 * 1024
#: A delta is read whole by every school, because only they know whom it is about.
MOST_DELTA = 16 * 1024 * 1024
#: What a zip unpacks to; a region of a million is half a gigabyte.
MOST_BYTES = 64 * 1024**3
MOST_ENTRIES = 1000
_HEAD = 256 * 1024
_CHUNK = 1 << 20
_BATCH = 5000
_CACHED = 50_000
_DATES: Mapping[str, tuple[str, ...]] = {
    "academicsessions": ("startDate", "endDate"),
    "roles": ("beginDate", "endDate"),
    "enrollments": ("beginDate", "endDate"),
    "demographics": ("birthDate",),
}
_PUPIL, _FAMILY = 1, 2
Heard = Callable[[str, int], None]


class Bundle:
    """The files of a zip or a folder, each readable as often as needed from front to back."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path) if path.is_file() else None
        self._folder = path
        self.names = sorted(filter(is_roster_file, self._all()))

    def _all(self) -> list[str]:
        if self._zip is None:
            found = (file for file in self._folder.rglob("*") if file.is_file())
            return [file.relative_to(self._folder).as_posix() for file in found]
        entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        if len(entries) > MOST_ENTRIES or sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise zipfile.BadZipFile
        return [entry.filename for entry in entries if not leads_outside(entry.filename)]

    def open(self, name: str) -> IO[bytes]:
        """The file's bytes."""
        return (self._folder / name).open("rb") if self._zip is None else self._zip.open(name)

    def close(self) -> None:
        """Let go of the zip."""
        if self._zip is not None:
            self._zip.close()


@dataclass(frozen=True, slots=True)
class Share:
    """One school's files, as `rules.reading` reads them with their `part`."""

    files: Mapping[str, bytes]
    part: Part


@dataclass(slots=True)
class Division:
    """What became of a region's files. rows: how many each school has, by its org.

    findings: what concerns the files as a whole; with an error among them there are no shares. nowhere: rows that belong
    to no school, by file, with the line of the first.
    """

    folder: Path
    source: str = ""
    orgs: dict[str, Org] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    nowhere: dict[str, tuple[int, int]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    whole: Mapping[str, bytes] | None = None
    manifest: tuple[str, bytes] | None = None
    _files: dict[str, tuple[str, int]] = field(default_factory=dict)
    _witnesses: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    _known: dict[Kind, frozenset[str]] = field(default_factory=dict)

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity is Severity.ERROR]

    def share_of(self, unit: str) -> Share:
        """The school's share. Of a delta it is everything."""
        if self.whole is not None:
            return Share(self.whole, Part())
        number = list(self.rows).index(unit)
        files = {self.manifest[0]: self.manifest[1]} if self.manifest else {}
        lines: dict[str, Sequence[int]] = {}
        for path, (header, header_line) in self._files.items():
            place = self.folder / str(number) / _file_name(path)
            numbers = array("I", [header_line])
            rows = place.read_bytes() if place.exists() else b""
            if rows:
                numbers.frombytes(place.with_suffix(".lines").read_bytes())
            files[path], lines[path] = header.encode() + rows, numbers
        kinds = (Kind.ORGS, Kind.ACADEMIC_SESSIONS, Kind.COURSES, Kind.CLASSES, Kind.USERS)
        return Share(files, Part(lines, self._witnesses, {kind: _Asked(self, kind) for kind in kinds}))

    def exists(self, kind: Kind, key: str) -> bool:
        """Whether the row stands anywhere in the region's files."""
        if kind in self._known:
            return key in self._known[kind]
        table = {Kind.USERS: "person", Kind.CLASSES: "class", Kind.COURSES: "course"}[kind]
        with closing(sqlite3.connect(self.folder / "index.sqlite")) as index:
            return index.execute(f"SELECT 1 FROM {table} WHERE key = ?", [key]).fetchone() is not None  # noqa: S608


class _Asked(Collection[str]):
    """Rows of the region's files, looked up when they are asked for; remembers those that it was asked for."""

    def __init__(self, division: Division, kind: Kind) -> None:
        self._division, self._kind = division, kind
        self._found: dict[str, bool] = {}

    def __contains__(self, key: object) -> bool:
        text = str(key)
        if text not in self._found:
            self._found[text] = self._division.exists(self._kind, text)
        return self._found[text]

    def __iter__(self) -> Iterator[str]:
        return (key for key, is_there in self._found.items() if is_there)

    def __len__(self) -> int:
        return sum(self._found.values())


def _file_name(path: str) -> str:
    return f"{PurePosixPath(path).stem.lower()}.csv"


def divide(
    path: Path,
    folder: Path,
    heard: Heard = lambda _file, _rows: None,
    choices: Choices | None = None,
) -> Division:
    """Divide the files of a zip or folder into shares in the (empty) folder. `heard(file, rows)` hears how far it is.

    Only OneRoster CSV can be divided. Never raises for what the files hold.
    """
    division, findings = Division(folder), Findings()
    try:
        with closing(Bundle(path)) as bundle:
            _Dividing(bundle, division, findings, choices or Choices(), heard).run()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        findings.add(Severity.ERROR, FindingCode.ZIP_BROKEN)
    division.findings = findings.done()
    return division


@dataclass(slots=True)
class _Record:
    """A row as it stands in the file, and its cells with an empty one at the end."""

    line: int
    text: str
    lines: int
    cells: list[str]


class _Stream:
    """One file on its way through: its columns, its records."""

    def __init__(self, bundle: Bundle, table: Table, encoding: str, findings: Findings) -> None:
        self.bundle, self.table, self.path = bundle, table, table.file
        self.encoding, self.findings = encoding, findings
        self.header = ""
        password = table.at.get("password")
        self._password = password if password is not None else -1

    def records(self) -> Iterator[_Record]:
        """Every record after the header that holds anything. One that cannot be split ends in a finding."""
        held: list[str] = []

        def lines() -> Iterator[str]:
            for line in text:
                held.append(line)
                yield line.replace("\0", "") if "\0" in line else line

        header_line, width, delimiter = self.table.sheet.header_line, self.table.width, self.table.delimiter
        password = self._password
        with io.TextIOWrapper(
            self.bundle.open(self.path), self.encoding, errors="replace", newline=""
        ) as text:
            self.header = "".join(islice(text, header_line)).splitlines(keepends=True)[-1]
            reader = csv.reader(lines(), delimiter=delimiter, strict=True)
            while True:
                held.clear()
                line = header_line + reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    self.findings.add(Severity.ERROR, FindingCode.CSV_BROKEN, file=self.path, line=line)
                    continue
                short = width - len(cells)
                if short == 0:
                    cells.append("")
                elif short > 0:
                    cells.extend([""] * (short + 1))
                if len(held) == 1 and password < 0 and held[0][-1] == "\n":
                    yield _Record(line, held[0], 1, cells)
                else:
                    yield _Record(line, self._clean(held, cells), len(held), cells)

    def _clean(self, held: list[str], cells: list[str]) -> str:
        text = held[0] if len(held) == 1 else "".join(held)
        if self._password >= 0 and cells[self._password]:
            text = emptied(text, self.table.delimiter, self._password)
        return text if text.endswith(("\n", "\r")) else f"{text}\r\n"


class _Shares:
    """Rows of one file on their way to the schools' folders: held up to a bound, then appended."""

    def __init__(self, folder: Path, path: str) -> None:
        self._folder, self._name = folder, _file_name(path)
        self._held: dict[int, tuple[list[str], array[int]]] = {}
        self._size = 0
        self.counts: dict[int, int] = {}

    def add(self, units: Iterable[int], record: _Record) -> None:
        for unit in units:
            held = self._held.get(unit)
            if held is None:
                held = self._held[unit] = ([], array("I"))
            held[0].append(record.text)
            if record.lines == 1:
                held[1].append(record.line)
            else:
                held[1].extend(range(record.line, record.line + record.lines))
            self._size += len(record.text) + 60
        if self._size > MOST_HELD:
            self.flush()

    def flush(self) -> None:
        for unit, (texts, lines) in self._held.items():
            folder = self._folder / str(unit)
            folder.mkdir(exist_ok=True)
            self.counts[unit] = self.counts.get(unit, 0) + len(texts)
            with (folder / self._name).open("ab") as rows:
                rows.write("".join(texts).encode("utf-8", "surrogatepass"))
            with (folder / self._name).with_suffix(".lines").open("ab") as numbers:
                lines.tofile(numbers)
        self._held.clear()
        self._size = 0


class _Index:
    """Who belongs to which school: pairs in SQLite, written in batches."""

    _TABLES = (
        "class (key TEXT, unit INTEGER, PRIMARY KEY (key, unit)) WITHOUT ROWID",
        "course (key TEXT PRIMARY KEY) WITHOUT ROWID",
        "taught (key TEXT, unit INTEGER, PRIMARY KEY (key, unit)) WITHOUT ROWID",
        "member (key TEXT, unit INTEGER, PRIMARY KEY (key, unit)) WITHOUT ROWID",
        # What somebody is anywhere: a pupil or family.
        "kin (key TEXT, unit INTEGER, PRIMARY KEY (key, unit)) WITHOUT ROWID",
        "family (key TEXT, unit INTEGER, PRIMARY KEY (key, unit)) WITHOUT ROWID",
        "person (key TEXT PRIMARY KEY) WITHOUT ROWID",
    )

    def __init__(self, path: Path) -> None:
        self._base = sqlite3.connect(path, isolation_level=None)
        for pragma in (
            "journal_mode = OFF",
            "synchronous = OFF",
            "cache_size = -48000",
            "temp_store = MEMORY",
        ):
            self._base.execute(f"PRAGMA {pragma}")
        for table in self._TABLES:
            self._base.execute(f"CREATE TABLE {table}")
        self._base.execute("BEGIN")
        self._waiting: dict[str, set[tuple[str, ...] | tuple[str, int]]] = {}
        self._cached: dict[tuple[str, str], tuple[int, ...]] = {}

    def put(self, table: str, *row: str | int) -> None:
        waiting = self._waiting.get(table)
        if waiting is None:
            waiting = self._waiting[table] = set()
        waiting.add(row)  # type: ignore[arg-type]
        if len(waiting) >= _BATCH:
            self._write(table)

    def _write(self, table: str) -> None:
        waiting = self._waiting.pop(table, set())
        if waiting:
            marks = ", ".join("?" * len(next(iter(waiting))))
            self._base.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", sorted(waiting))  # noqa: S608

    def settle(self, *tables: str) -> None:
        """Write what waits, before the table is asked."""
        for table in tables:
            self._write(table)
        self._cached.clear()

    def units(self, table: str, key: str) -> tuple[int, ...]:
        """The schools of a key; remembered for a while, because neighbours are alike."""
        found = self._cached.get((table, key))
        if found is None:
            rows = self._base.execute(f"SELECT unit FROM {table} WHERE key = ?", [key])  # noqa: S608
            found = tuple([row[0] for row in rows])
            if len(self._cached) >= _CACHED:
                self._cached.clear()
            self._cached[table, key] = found
        return found

    def people(self, key: str) -> list[int]:
        rows = self._base.execute(
            "SELECT unit FROM member WHERE key = ?1 UNION SELECT unit FROM family WHERE key = ?1", [key]
        )
        return [row[0] for row in rows]

    def close(self) -> None:
        for table in list(self._waiting):
            self._write(table)
        self._base.execute("COMMIT")
        self._base.close()


class _Dividing:
    def __init__(
        self, bundle: Bundle, division: Division, findings: Findings, choices: Choices, heard: Heard
    ) -> None:
        self.bundle, self.division, self.findings, self.heard = bundle, division, findings, heard
        self.streams: dict[str, _Stream] = {}
        self.units: dict[str, int] = {}
        #: School of every org, by number; orgs above schools are not in it.
        self.unit_of: dict[str, int] = {}
        self.sessions_used: dict[int, set[str]] = {}
        self.roles = {vocabulary.fold(word): role for word, role in choices.roles.items()}
        self.kin: dict[str, int] = {}
        self.index: _Index

    def run(self) -> None:
        known = self._recognised()
        if self.findings.has_errors or not self._may_be_divided(known):
            return
        modes = known.modes.values()
        if Mode.DELTA in modes:
            self._keep_whole()
            return
        self.index = _Index(self.division.folder / "index.sqlite")
        try:
            for key, work in (
                ("classes", self._classes),
                ("courses", self._courses),
                ("academicsessions", self._sessions),
                ("roles", self._roles),
                ("enrollments", self._enrolments),
                ("users", self._users),
                ("demographics", self._demographics),
            ):
                if key in self.streams:
                    work(self.streams[key])
        finally:
            self.index.close()

    # -- what the files are --------------------------------------------------------------------------------------------

    def _recognised(self) -> Recognised:
        encodings = {name: self._encoding(name) for name in self.bundle.names}
        heads = {name: self._head(name, encoding) for name, encoding in encodings.items()}
        known = recognise(heads, self.findings)
        self.division.source = str(known.source)
        for key, sheet in known.sheets.items():
            spec = oneroster.SPECS.get(key)
            if spec is None or spec.kind is None or key not in known.modes:
                continue
            table = Table(sheet, spec, self.findings)
            stream = _Stream(self.bundle, table, encodings[sheet.path], self.findings)
            self.streams[key] = stream
        manifest = next((n for n in heads if vocabulary.fold(PurePosixPath(n).stem) == "manifest"), None)
        if manifest is not None:
            self.division.manifest = (manifest, heads[manifest])
        return known

    def _may_be_divided(self, known: Recognised) -> bool:
        if known.source.format is not Format.ONEROSTER or "orgs" not in self.streams:
            self.findings.add(Severity.ERROR, FindingCode.REGION_NOT_DIVISIBLE)
            return False
        self._orgs(self.streams["orgs"])
        return not self.findings.has_errors

    def _encoding(self, name: str) -> str:
        """As `rules.tables.encoding_of`, without holding the file."""
        with self.bundle.open(name) as stream:
            head = stream.read(_HEAD)
        found = sheet_of(name, head).encoding
        if not found.startswith(("utf-8", "cp1252", "latin")) or found == "utf-8-sig":
            return found
        if self._decodes(name, "utf-8"):
            return "utf-8"
        self._refuse_two_encodings(name)
        return "cp1252" if self._decodes(name, "cp1252") else "latin-1"

    def _chunks(self, name: str) -> Iterator[bytes]:
        with self.bundle.open(name) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

    def _decodes(self, name: str, encoding: str) -> bool:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for chunk in self._chunks(name):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return True

    def _refuse_two_encodings(self, name: str) -> None:
        decoder, line = codecs.getincrementaldecoder("utf-8")("replace"), 1
        strange = 0
        is_utf8 = False
        for chunk in self._chunks(name):
            text = decoder.decode(chunk)
            is_utf8 = is_utf8 or any(ord(character) > 127 and character != "\ufffd" for character in text)
            if not strange and "\ufffd" in text:
                strange = line + text.count("\n", 0, text.index("\ufffd"))
            line += text.count("\n")
        if is_utf8:
            self.findings.add(Severity.ERROR, FindingCode.ENCODING_MIXED, file=name, line=strange)

    def _head(self, name: str, encoding: str) -> bytes:
        """The first lines in UTF-8, whole ones; all of a manifest."""
        with self.bundle.open(name) as stream:
            text = stream.read(_HEAD).decode(encoding, "replace")
        return (text if len(text) < _HEAD // 4 else text[: text.rfind("\n") + 1]).encode()

    def _keep_whole(self) -> None:
        sizes = {}
        for name in self.bundle.names:
            with self.bundle.open(name) as stream:
                sizes[name] = stream.read(MOST_DELTA + 1)
        if sum(map(len, sizes.values())) > MOST_DELTA:
            limit = f"{MOST_DELTA // 1024**2} MiB"
            self.findings.add(Severity.ERROR, FindingCode.REGION_DELTA_TOO_LARGE, limit=limit)
            return
        self.division.whole = sizes
        self.division.rows = dict.fromkeys(self.units, 0)

    # -- file by file --------------------------------------------------------------------------------------------------

    def _watched(self, key: str, stream: _Stream) -> Iterator[_Record]:
        """The records of a file; what decides how its columns are read is kept on the way."""
        at = stream.table.at
        columns = [(name, at[name]) for name in _DATES.get(key, ()) if name in at]
        kept: dict[str, dict[str, int]] = {name: {} for name, _ in columns}
        proven: dict[str, set[str]] = {name: set() for name, _ in columns}
        number = 0
        for number, record in enumerate(stream.records(), start=1):
            for name, place in columns:
                cell = record.cells[place]
                if cell and cell[4:5] != "-" and len(proven[name]) < 2:
                    order = dates.proof(cell.strip())
                    if order and order not in proven[name]:
                        proven[name].add(order)
                        kept[name][cell.strip()] = record.line
            if number % 20_000 == 0:
                self.heard(stream.path, number)
            yield record
        self.heard(stream.path, number)
        self.division._witnesses[stream.path] = {name: cells for name, cells in kept.items() if cells}
        self.division._files[stream.path] = (_line(stream.header), stream.table.sheet.header_line)

    def _done(self, shares: _Shares) -> None:
        shares.flush()
        names = list(self.units)
        for unit, count in shares.counts.items():
            self.division.rows[names[unit]] += count

    def _nowhere(self, stream: _Stream, record: _Record) -> None:
        if any(map(str.strip, record.cells)):
            first, count = self.division.nowhere.get(stream.path, (record.line, 0))
            self.division.nowhere[stream.path] = (first, count + 1)

    def _orgs(self, stream: _Stream) -> None:
        """All of them are held: their tree decides everything else."""
        at_key, at_name, at_type, at_identifier, at_parent, at_status = stream.table.places(
            "sourcedId", "name", "type", "identifier", "parentSourcedId", "status"
        )
        records: dict[str, list[_Record]] = {}
        orgs: dict[str, Org] = {}
        words = vocabulary.by_fold(vocabulary.ORG_TYPES)
        for record in self._watched("orgs", stream):
            cells = [cell.strip() for cell in record.cells]
            key, kind = cells[at_key], words.get(vocabulary.fold(cells[at_type]), cells[at_type])
            if key and vocabulary.fold(cells[at_status]) in vocabulary.STATUS_ACTIVE:
                orgs[key] = Org(key, cells[at_name], kind, cells[at_identifier], cells[at_parent])
            records.setdefault(key, []).append(record)
        owners = regions.units_of(orgs.values())
        units = [key for key, owner in owners.items() if owner == key]
        self.units = {key: number for number, key in enumerate(units)}
        self.unit_of = {key: self.units[owner] for key, owner in owners.items()}
        self.division.orgs = {key: orgs[key] for key in units}
        self.division.rows = dict.fromkeys(units, 0)
        self.division._known[Kind.ORGS] = frozenset(records)
        shares = _Shares(self.division.folder, stream.path)
        below = _by_owner(owners)
        for key, number in self.units.items():
            for org in regions.lineage(key, orgs, below):
                for record in records[org]:
                    shares.add((number,), record)
        shares.flush()

    def _classes(self, stream: _Stream) -> None:
        table, shares = stream.table, _Shares(self.division.folder, stream.path)
        at_key, at_school, at_course, at_terms = table.places(
            "sourcedId", "schoolSourcedId", "courseSourcedId", "termSourcedIds"
        )
        for record in self._watched("classes", stream):
            cells = record.cells
            unit = self.unit_of.get(cells[at_school].strip())
            if unit is None:
                self._nowhere(stream, record)
                continue
            shares.add((unit,), record)
            self.index.put("class", cells[at_key].strip(), unit)
            if course := cells[at_course].strip():
                self.index.put("taught", course, unit)
            self.sessions_used.setdefault(unit, set()).update(list_of(cells[at_terms].strip()))
        self.index.settle("class", "taught")
        self._done(shares)

    def _courses(self, stream: _Stream) -> None:
        table, shares = stream.table, _Shares(self.division.folder, stream.path)
        at_key, at_org, at_year = table.places("sourcedId", "orgSourcedId", "schoolYearSourcedId")
        for record in self._watched("courses", stream):
            key, own = record.cells[at_key].strip(), self.unit_of.get(record.cells[at_org].strip())
            self.index.put("course", key)
            units = set(self.index.units("taught", key))
            if own is not None:
                units.add(own)
            # A course of the region that no school teaches is a catalogue's, and nobody's loss.
            shares.add(units, record)
            if year := record.cells[at_year].strip():
                for unit in units:
                    self.sessions_used.setdefault(unit, set()).add(year)
        self.index.settle("course")
        self._done(shares)

    def _sessions(self, stream: _Stream) -> None:
        """Those that a school's classes and courses name, and what they are parts of."""
        at_key, at_parent = stream.table.places("sourcedId", "parentSourcedId")
        records: dict[str, list[_Record]] = {}
        for record in self._watched("academicsessions", stream):
            records.setdefault(record.cells[at_key].strip(), []).append(record)
        self.division._known[Kind.ACADEMIC_SESSIONS] = frozenset(records)
        shares = _Shares(self.division.folder, stream.path)
        for unit, used in self.sessions_used.items():
            wanted: set[str] = set()
            todo = list(used)
            while todo:
                key = todo.pop()
                if key in records and key not in wanted:
                    wanted.add(key)
                    todo.extend(record.cells[at_parent].strip() for record in records[key])
            for key, rows in records.items():
                for record in rows if key in wanted else ():
                    shares.add((unit,), record)
        self._done(shares)

    def _roles(self, stream: _Stream) -> None:
        shares = _Shares(self.division.folder, stream.path)
        at_user, at_org, at_role = stream.table.places("userSourcedId", "orgSourcedId", "role")
        unit_of, put = self.unit_of, self.index.put
        for record in self._watched("roles", stream):
            self._note_kin(record.cells[at_user].strip(), record.cells[at_role])
            unit = unit_of.get(record.cells[at_org].strip())
            if unit is None:
                self._nowhere(stream, record)
                continue
            shares.add((unit,), record)
            put("member", record.cells[at_user].strip(), unit)
        self.index.settle("member", "kin")
        self._done(shares)

    def _note_kin(self, user: str, word: str) -> None:
        word = word.strip()
        if word not in self.kin:
            role = self.roles.get(vocabulary.fold(word)) or vocabulary.ROLES.get(vocabulary.fold(word))
            self.kin[word] = _PUPIL if role is RosterRole.STUDENT else _FAMILY if role in FAMILY_ROLES else 0
        if self.kin[word]:
            self.index.put("kin", user, self.kin[word])

    def _enrolments(self, stream: _Stream) -> None:
        shares = _Shares(self.division.folder, stream.path)
        at_class, at_user, at_school = stream.table.places(
            "classSourcedId", "userSourcedId", "schoolSourcedId"
        )
        unit_of, put, units_in = self.unit_of, self.index.put, self.index.units
        before: tuple[str, tuple[int, ...]] = ("", ())
        for record in self._watched("enrollments", stream):
            cells = record.cells
            units = units_in("class", cells[at_class].strip())
            if not units:
                # Of a class that is nowhere: its school's reading says so, with this line.
                school = unit_of.get(cells[at_school].strip())
                if school is None:
                    self._nowhere(stream, record)
                    continue
                units = (school,)
            shares.add(units, record)
            user = cells[at_user].strip()
            if before != (user, units):
                before = (user, units)
                for unit in units:
                    put("member", user, unit)
        self.index.settle("member")
        self._done(shares)

    def _users(self, stream: _Stream) -> None:
        at_key, at_orgs, at_agents, at_role = stream.table.places(
            "sourcedId", "orgSourcedIds", "agentSourcedIds", "role"
        )
        if "roles" not in self.streams and stream.table.has("role", "orgSourcedIds"):
            for record in stream.records():
                self._note_kin(record.cells[at_key].strip(), record.cells[at_role])
                for org in list_of(record.cells[at_orgs].strip()):
                    if org in self.unit_of and record.cells[at_role].strip():
                        self.index.put("member", record.cells[at_key].strip(), self.unit_of[org])
            self.index.settle("member", "kin")
        if stream.table.has("agentSourcedIds"):
            self._families(stream, at_key, at_agents)
        shares = _Shares(self.division.folder, stream.path)
        people, put = self.index.people, self.index.put
        for record in self._watched("users", stream):
            key = record.cells[at_key].strip()
            put("person", key)
            units = people(key)
            if units:
                shares.add(units, record)
            else:
                self._nowhere(stream, record)
        self.index.settle("person")
        self._done(shares)

    def _families(self, stream: _Stream, at_key: int, at_agents: int) -> None:
        """Guardians belong where their pupils do; which of the two rows names the other is as `rules.oneroster` tells."""
        units, put = self.index.units, self.index.put
        for record in stream.records():
            agents = record.cells[at_agents].strip()
            if not agents:
                continue
            user = record.cells[at_key].strip()
            own = units("kin", user)
            may_be_turned = _PUPIL not in own and _FAMILY in own
            for other in list_of(agents):
                is_turned = may_be_turned and _PUPIL in units("kin", other)
                pupil, guardian = (other, user) if is_turned else (user, other)
                for unit in units("member", pupil):
                    put("family", guardian, unit)
        self.index.settle("family")

    def _demographics(self, stream: _Stream) -> None:
        shares = _Shares(self.division.folder, stream.path)
        (at_key,) = stream.table.places("sourcedId")
        at_sex = stream.table.at.get("sex")
        letters: dict[str, int] = {}
        for record in self._watched("demographics", stream):
            if at_sex is not None and len(letters) < 20:
                letters.setdefault(record.cells[at_sex].strip(), record.line)
            units = self.index.people(record.cells[at_key].strip())
            if units:
                shares.add(units, record)
            else:
                self._nowhere(stream, record)
        if letters:
            self.division._witnesses[stream.path]["sex"] = letters
        self._done(shares)


def _by_owner(owners: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, owner in owners.items():
        found.setdefault(owner, []).append(key)
    return found


def _line(text: str) -> str:
    text = text.lstrip("\ufeff").replace("\0", "")
    return text if text.endswith(("\n", "\r")) else f"{text}\r\n"
