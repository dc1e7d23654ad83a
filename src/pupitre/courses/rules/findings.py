"""What was found while reading a roster: where it stands, what it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """An error forbids the import; a warning asks to be looked at; a note says what was understood."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class FindingCode(StrEnum):
    """Everything that can be said about a file; FINDING_TEXTS has the words."""

    ZIP_BROKEN = "zip-broken"
    ZIP_ENCRYPTED = "zip-encrypted"
    ZIP_TOO_LARGE = "zip-too-large"
    ZIP_PATH = "zip-path"
    NOTHING_TO_READ = "nothing-to-read"
    FORMAT_UNKNOWN = "format-unknown"
    FORMAT_UNDERSTOOD = "format-understood"
    FILE_IGNORED = "file-ignored"
    FILE_NOT_KEPT = "file-not-kept"
    FILE_NAME_UNDERSTOOD = "file-name-understood"
    FILE_TWICE = "file-twice"
    FILE_MISSING = "file-missing"
    FILE_PROMISED = "file-promised"
    FILE_DECLARED_ABSENT = "file-declared-absent"
    FILE_EMPTY = "file-empty"
    FILE_WITHOUT_HEADER = "file-without-header"
    ENCODING_UNDERSTOOD = "encoding-understood"
    ENCODING_MIXED = "encoding-mixed"
    CHARACTER_NUL = "character-nul"
    DELIMITER_UNDERSTOOD = "delimiter-understood"
    QUOTE_OPEN = "quote-open"
    CSV_BROKEN = "csv-broken"
    COLUMN_UNDERSTOOD = "column-understood"
    COLUMN_IGNORED = "column-ignored"
    COLUMN_NOT_KEPT = "column-not-kept"
    COLUMN_TWICE = "column-twice"
    COLUMN_MISSING = "column-missing"
    COLUMN_EXPECTED = "column-expected"
    PASSWORD_NOT_READ = "password-not-read"  # noqa: S105
    ROW_TOO_LONG = "row-too-long"
    ROW_SHORT = "row-short"
    ROW_TRAILING = "row-trailing"
    CELL_EMPTY = "cell-empty"
    CELL_EXPECTED = "cell-expected"
    MANIFEST_MISSING = "manifest-missing"
    MANIFEST_VALUE = "manifest-value"
    MANIFEST_VERSION = "manifest-version"
    MODE_INFERRED = "mode-inferred"
    WORD_CASE = "word-case"
    WORD_UNKNOWN = "word-unknown"
    WORD_LEFT_BLANK = "word-left-blank"
    STATUS_UNKNOWN = "status-unknown"
    ROW_ENDED = "row-ended"
    REFERENCE_ENDED = "reference-ended"
    ROLE_UNKNOWN = "role-unknown"
    ROLE_SKIPPED = "role-skipped"
    ROLE_UNDERSTOOD = "role-understood"
    GRADE_UNKNOWN = "grade-unknown"
    USER_WITHOUT_ROLE = "user-without-role"
    DATE_UNREADABLE = "date-unreadable"
    DATE_AMBIGUOUS = "date-ambiguous"
    DATE_MIXED = "date-mixed"
    DATE_ORDER = "date-order"
    DATE_TIME_CUT = "date-time-cut"
    DATES_REVERSED = "dates-reversed"
    USER_IDS_UNREADABLE = "user-ids-unreadable"
    ROW_REPEATED = "row-repeated"
    ROW_CONTRADICTS = "row-contradicts"
    ORPHAN = "orphan"
    MORE_OF_THE_SAME = "more-of-the-same"
    SEVERAL_SCHOOLS = "several-schools"
    REGION_NOT_DIVISIBLE = "region-not-divisible"
    REGION_DELTA_TOO_LARGE = "region-delta-too-large"
    ROWS_ELSEWHERE = "rows-elsewhere"
    NOT_IN_SCHOOL = "not-in-school"
    ROLE_NOT_GRANTED = "role-not-granted"
    ENROLMENT_NOT_KEPT = "enrolment-not-kept"
    RELATION_NOT_KEPT = "relation-not-kept"
    SESSION_DATES_ASSUMED = "session-dates-assumed"
    SYSTEMS_MIXED = "systems-mixed"
    XML_BROKEN = "xml-broken"
    XML_FORBIDDEN = "xml-forbidden"
    XML_TOO_LARGE = "xml-too-large"
    WORKBOOK_BROKEN = "workbook-broken"
    PARTNER_MISSING = "partner-missing"
    PARTNER_ALONE = "partner-alone"
    EXPORTS_DIFFER = "exports-differ"
    NAME_UNSPLIT = "name-unsplit"
    IDENTIFIER_PROVISIONAL = "identifier-provisional"
    PUPILS_LEFT = "pupils-left"
    CONTACTS_LEFT_OUT = "contacts-left-out"
    LINKS_OUTSIDE = "links-outside"
    DOCUMENT_SHARED = "document-shared"
    MANY_LEAVE = "many-leave"
    OTHER_SCHOOL = "other-school"


def gettext_noop(text: str) -> str:
    """Marks a text for the catalogues; whoever shows it translates it."""
    return text


# fmt: off
FINDING_TEXTS: dict[FindingCode, tuple[str, str]] = {
    FindingCode.ZIP_BROKEN: (
        gettext_noop("This is not a readable zip file."),
        gettext_noop("Pack the files again and upload the new zip.")),
    FindingCode.ZIP_ENCRYPTED: (
        gettext_noop("The zip file is protected by a password."),
        gettext_noop("Pack the files again without a password.")),
    FindingCode.ZIP_TOO_LARGE: (
        gettext_noop("Unpacked, the zip file is larger than %(limit)s or has more than %(entries)s files."),
        gettext_noop("Pack only the roster's files.")),
    FindingCode.ZIP_PATH: (
        gettext_noop("The zip file holds “%(file)s”, which points outside of it."),
        gettext_noop("Pack the files again with an ordinary zip program.")),
    FindingCode.NOTHING_TO_READ: (
        gettext_noop("There is no file of a roster here."),
        gettext_noop("Choose a zip or a folder with the CSV files of OneRoster or School Data Sync, or the export of Esfer@, SAGA, SIECLE, STS-web or SIMAT 6A.")),
    FindingCode.FORMAT_UNKNOWN: (
        gettext_noop("The files' names and columns are those of no format that is read here."),
        gettext_noop("Export the roster again as OneRoster 1.1 or 1.2 CSV, as School Data Sync CSV, or from Esfer@, SAGA, SIECLE, STS-web or SIMAT.")),
    FindingCode.FORMAT_UNDERSTOOD: (
        gettext_noop("The files were read as %(format)s."),
        gettext_noop("If that is wrong, export again with a manifest.csv.")),
    FindingCode.FILE_IGNORED: (
        gettext_noop("The file “%(file)s” is not part of the format and was not read."),
        gettext_noop("If it belongs to the roster, give it the name that the format asks for.")),
    FindingCode.FILE_NOT_KEPT: (
        gettext_noop("The file “%(file)s” was recognised; nothing of it is kept."),
        gettext_noop("Nothing to do.")),
    FindingCode.FILE_NAME_UNDERSTOOD: (
        gettext_noop("The file “%(file)s” was read as %(meant)s."),
        gettext_noop("If that is wrong, rename or remove it.")),
    FindingCode.FILE_TWICE: (
        gettext_noop("There are two files for %(meant)s: “%(other)s” and “%(file)s”."),
        gettext_noop("Leave only one of them, or import each folder by itself.")),
    FindingCode.FILE_MISSING: (
        gettext_noop("%(meant)s is missing; the format asks for it."),
        gettext_noop("Add the file: without it, everyone in it would count as having left.")),
    FindingCode.FILE_PROMISED: (
        gettext_noop("The manifest announces %(meant)s as %(mode)s, but there is no such file."),
        gettext_noop("Add the file, or write “absent” in the manifest.")),
    FindingCode.FILE_DECLARED_ABSENT: (
        gettext_noop("The manifest says that “%(file)s” is absent, so it was not read."),
        gettext_noop("If it shall be read, write “bulk” or “delta” in the manifest.")),
    FindingCode.FILE_EMPTY: (
        gettext_noop("“%(file)s” has no rows: everything of its kind would count as having left."),
        gettext_noop("If that is not meant, export again or leave the file out.")),
    FindingCode.FILE_WITHOUT_HEADER: (
        gettext_noop("“%(file)s” does not begin with the names of its columns."),
        gettext_noop("Put the column names into the first line.")),
    FindingCode.ENCODING_UNDERSTOOD: (
        gettext_noop("“%(file)s” is not in UTF-8; it was read as %(encoding)s."),
        gettext_noop("Look at names with accents; if they are wrong, export the file in UTF-8.")),
    FindingCode.ENCODING_MIXED: (
        gettext_noop("Line %(line)s of “%(file)s” is in another encoding than the rest."),
        gettext_noop("Mend the letters with accents in this line and save the file in UTF-8.")),
    FindingCode.CHARACTER_NUL: (
        gettext_noop("Line %(line)s of “%(file)s” holds a character that is not text."),
        gettext_noop("Export the file again as CSV; spreadsheets and databases cannot be read.")),
    FindingCode.DELIMITER_UNDERSTOOD: (
        gettext_noop("The columns of “%(file)s” are separated by %(delimiter)s."),
        gettext_noop("Nothing to do.")),
    FindingCode.QUOTE_OPEN: (
        gettext_noop("A quotation mark opens at line %(line)s of “%(file)s” and is never closed."),
        gettext_noop("Close it, or write it twice if it belongs to the text.")),
    FindingCode.CSV_BROKEN: (
        gettext_noop("Line %(line)s of “%(file)s” cannot be split into columns."),
        gettext_noop("A quotation mark inside quoted text must be written twice.")),
    FindingCode.COLUMN_UNDERSTOOD: (
        gettext_noop("The column “%(value)s” of “%(file)s” was read as %(column)s."),
        gettext_noop("If that is wrong, rename or remove it.")),
    FindingCode.COLUMN_IGNORED: (
        gettext_noop("Columns of “%(file)s” that are not part of the format and were not read: %(column)s."),
        gettext_noop("Give those that matter the name that the format asks for.")),
    FindingCode.COLUMN_NOT_KEPT: (
        gettext_noop("Columns of “%(file)s” that were recognised, and of which nothing is kept: %(column)s."),
        gettext_noop("Nothing to do.")),
    FindingCode.COLUMN_TWICE: (
        gettext_noop("“%(file)s” has two columns for %(column)s."),
        gettext_noop("Leave only one of them.")),
    FindingCode.COLUMN_MISSING: (
        gettext_noop("“%(file)s” has no column %(column)s."),
        gettext_noop("Add the column; the format asks for it.")),
    FindingCode.COLUMN_EXPECTED: (
        gettext_noop("“%(file)s” has no column %(column)s, though the format asks for it."),
        gettext_noop("The import works without it; add it if you can.")),
    FindingCode.PASSWORD_NOT_READ: (
        gettext_noop("“%(file)s” holds passwords. They were not read and are stored nowhere."),
        gettext_noop("Export without passwords, and delete this file: everyone gets an invitation instead.")),
    FindingCode.ROW_TOO_LONG: (
        gettext_noop("Line %(line)s of “%(file)s” has more values than there are columns."),
        gettext_noop("A value with the separator in it must stand in quotation marks.")),
    FindingCode.ROW_SHORT: (
        gettext_noop("%(count)s rows of “%(file)s”, the first at line %(line)s, end early; the rest counts as empty."),
        gettext_noop("If values were lost, export the file again.")),
    FindingCode.ROW_TRAILING: (
        gettext_noop("The rows of “%(file)s” end with more separators than the line of column names (%(count)s rows)."),
        gettext_noop("If values stand in the wrong columns, put values with the separator in them in quotation marks."),
    ),
    FindingCode.CELL_EMPTY: (
        gettext_noop("%(column)s is empty at line %(line)s of “%(file)s”."),
        gettext_noop("Fill it in, or delete the row.")),
    FindingCode.CELL_EXPECTED: (
        gettext_noop("%(column)s is empty in %(count)s rows of “%(file)s”, the first at line %(line)s."),
        gettext_noop("The import works without it; fill it in if you can.")),
    FindingCode.MANIFEST_MISSING: (
        gettext_noop("There is no manifest.csv: every file was taken as complete (bulk)."),
        gettext_noop("If the files hold only what changed, stop and export with a manifest.")),
    FindingCode.MANIFEST_VALUE: (
        gettext_noop("The manifest says “%(value)s” for %(column)s (line %(line)s)."),
        gettext_noop("Write bulk, delta or absent.")),
    FindingCode.MANIFEST_VERSION: (
        gettext_noop("The manifest gives “%(value)s” as the version of OneRoster; the files were read as %(format)s."),
        gettext_noop("If that is wrong, export again as OneRoster 1.1 or 1.2.")),
    FindingCode.MODE_INFERRED: (
        gettext_noop("The manifest does not say whether “%(file)s” is complete; it was taken as complete (bulk)."),
        gettext_noop("If it holds only what changed, stop and write “delta” in the manifest.")),
    FindingCode.WORD_CASE: (
        gettext_noop("“%(value)s” in %(column)s of “%(file)s” (%(count)s times, first at line %(line)s) was read as %(meant)s."),
        gettext_noop("Nothing to do.")),
    FindingCode.WORD_UNKNOWN: (
        gettext_noop("“%(value)s” is not a value that the format knows for %(column)s (%(count)s times, first at line %(line)s of “%(file)s”); it was kept as it is."),
        gettext_noop("Use one of: %(known)s.")),
    FindingCode.WORD_LEFT_BLANK: (
        gettext_noop("“%(value)s” in %(column)s of “%(file)s” (%(count)s times, first at line %(line)s) was not understood and left empty."),
        gettext_noop("Use one of: %(known)s.")),
    FindingCode.STATUS_UNKNOWN: (
        gettext_noop("“%(value)s” at line %(line)s of “%(file)s” is not a status."),
        gettext_noop("Write active or tobedeleted, or leave it empty.")),
    FindingCode.ROW_ENDED: (
        gettext_noop("%(count)s rows of “%(file)s”, the first at line %(line)s, are marked “%(value)s” and count as having left."),
        gettext_noop("If they are still there, mend their status.")),
    FindingCode.REFERENCE_ENDED: (
        gettext_noop("%(count)s rows of “%(file)s”, the first at line %(line)s, belong to something that the files end (%(column)s), so they were left out."),
        gettext_noop("Nothing to do, unless the end was not meant.")),
    FindingCode.ROLE_UNKNOWN: (
        gettext_noop("The role “%(value)s” is not known (%(count)s times, first at line %(line)s of “%(file)s”)."),
        gettext_noop("Say which role it is, or that these rows shall be left out.")),
    FindingCode.ROLE_SKIPPED: (
        gettext_noop("%(count)s rows with the role “%(value)s” in “%(file)s” were left out, as you chose."),
        gettext_noop("Nothing to do.")),
    FindingCode.ROLE_UNDERSTOOD: (
        gettext_noop("The role “%(value)s” (%(count)s times, first at line %(line)s of “%(file)s”) was read as %(meant)s."),
        gettext_noop("If that is wrong, choose another role for it.")),
    FindingCode.GRADE_UNKNOWN: (
        gettext_noop("The grade “%(value)s” is not a code of the format (%(count)s times, first at line %(line)s of “%(file)s”); it was kept as it is."),
        gettext_noop("If the school calls it otherwise, say how.")),
    FindingCode.USER_WITHOUT_ROLE: (
        gettext_noop("%(count)s people in “%(file)s”, the first at line %(line)s, have no role and belong to no school."),
        gettext_noop("Add them to roles.csv, or remove them.")),
    FindingCode.DATE_UNREADABLE: (
        gettext_noop("“%(value)s” in %(column)s at line %(line)s of “%(file)s” is not a date."),
        gettext_noop("Write year-month-day, as in 2026-09-01.")),
    FindingCode.DATE_AMBIGUOUS: (
        gettext_noop("The dates in %(column)s of “%(file)s” can be read as day/month or month/day; the first is “%(value)s” at line %(line)s."),
        gettext_noop("Choose the order of the dates, or write year-month-day.")),
    FindingCode.DATE_MIXED: (
        gettext_noop("The dates in %(column)s of “%(file)s” are partly day/month and partly month/day, as “%(value)s” at line %(line)s."),
        gettext_noop("Write them all as year-month-day.")),
    FindingCode.DATE_ORDER: (
        gettext_noop("The dates in %(column)s of “%(file)s”, as “%(value)s” at line %(line)s, were read as %(order)s."),
        gettext_noop("If that is wrong, choose the other order or write year-month-day.")),
    FindingCode.DATE_TIME_CUT: (
        gettext_noop("%(column)s of “%(file)s” holds times of day, the first at line %(line)s; only the date was kept."),
        gettext_noop("Nothing to do.")),
    FindingCode.DATES_REVERSED: (
        gettext_noop("At line %(line)s of “%(file)s” the end (%(value)s) lies before the beginning."),
        gettext_noop("Mend one of the two dates.")),
    FindingCode.USER_IDS_UNREADABLE: (
        gettext_noop("“%(value)s” in %(column)s at line %(line)s of “%(file)s” is not a list of {type:identifier}; it was left out."),
        gettext_noop("Write {LDAP:jo.doe}, several separated by commas.")),
    FindingCode.ROW_REPEATED: (
        gettext_noop("%(count)s rows of “%(file)s” say the same again, the first at line %(line)s; they were counted once."),
        gettext_noop("Nothing to do.")),
    FindingCode.ROW_CONTRADICTS: (
        gettext_noop("Line %(line)s of “%(file)s” says something else about “%(value)s” than line %(first_line)s of “%(first_file)s”."),
        gettext_noop("Leave the right one; an identifier belongs to one only.")),
    FindingCode.ORPHAN: (
        gettext_noop("%(column)s at line %(line)s of “%(file)s” names “%(value)s”, which is not in %(target)s."),
        gettext_noop("Add it to %(target)s, mend the identifier, or delete the row.")),
    FindingCode.MORE_OF_THE_SAME: (
        gettext_noop("“%(file)s” has %(count)s more rows with a finding like these (%(column)s, the next at line %(line)s)."),
        gettext_noop("Mend the ones above in the system that wrote the files; these are most likely the same.")),
    FindingCode.REGION_NOT_DIVISIBLE: (
        gettext_noop("Only OneRoster CSV with orgs.csv can be divided among the schools of a region."),
        gettext_noop("Export the region as OneRoster CSV, or import each school's file by itself.")),
    FindingCode.REGION_DELTA_TOO_LARGE: (
        gettext_noop("These files tell changes only (delta), and are larger than %(limit)s."),
        gettext_noop("Export the region whole (bulk).")),
    FindingCode.SEVERAL_SCHOOLS: (
        gettext_noop("The files hold %(count)s schools, and none bears this school's name or code: all of them were taken."),
        gettext_noop("Choose which of them this school is.")),
    FindingCode.ROWS_ELSEWHERE: (
        gettext_noop("%(count)s rows of %(value)s belong to other schools or to none, and were left out."),
        gettext_noop("Nothing to do, unless one of those schools is this one: then choose it.")),
    FindingCode.NOT_IN_SCHOOL: (
        gettext_noop("%(column)s at line %(line)s of “%(file)s” names “%(value)s”, which neither the files nor the school know."),
        gettext_noop("Add it to the files, mend the identifier, or delete the row.")),
    FindingCode.ROLE_NOT_GRANTED: (
        gettext_noop("%(count)s people are “%(value)s”: that role is not given by a roster."),
        gettext_noop("Give them their role by hand, or appoint them in the authority.")),
    FindingCode.ENROLMENT_NOT_KEPT: (
        gettext_noop("%(count)s people are enrolled in classes as “%(value)s”; classes have pupils, teachers and aides, so these rows were left out."),
        gettext_noop("Nothing to do, unless another role was meant.")),
    FindingCode.RELATION_NOT_KEPT: (
        gettext_noop("%(count)s relationships say “%(value)s”; only families are taken, because guardians see a pupil's record."),
        gettext_noop("Nothing to do, unless they are family.")),
    FindingCode.SESSION_DATES_ASSUMED: (
        gettext_noop("The session “%(value)s” has no beginning or no end; the usual school year was taken."),
        gettext_noop("Add its dates, as in 2026-09-01.")),
    FindingCode.SYSTEMS_MIXED: (
        gettext_noop("The files come from different systems: %(value)s."),
        gettext_noop("Import the files of one system at a time.")),
    FindingCode.XML_BROKEN: (
        gettext_noop("“%(file)s” is not well-formed XML (line %(line)s)."),
        gettext_noop("Upload the file just as the system exported it, or export it again.")),
    FindingCode.XML_FORBIDDEN: (
        gettext_noop("“%(file)s” declares entities or a document type (line %(line)s); such files are not read."),
        gettext_noop("Upload the file just as the system exported it, or export it again.")),
    FindingCode.XML_TOO_LARGE: (
        gettext_noop("“%(file)s” is larger or deeper than the export of a school."),
        gettext_noop("Export it again, for one school.")),
    FindingCode.WORKBOOK_BROKEN: (
        gettext_noop("“%(file)s” is not a workbook (.xlsx) that can be read."),
        gettext_noop("Upload the file just as the system exported it, or open it and save it as .xlsx.")),
    FindingCode.PARTNER_MISSING: (
        gettext_noop("“%(file)s” came without %(meant)s: families are left as they are."),
        gettext_noop("The numbers that link the two hold only within one export: export both together and upload both.")),
    FindingCode.PARTNER_ALONE: (
        gettext_noop("“%(file)s” came without %(meant)s, so that nothing tells whose family it is."),
        gettext_noop("The numbers that link the two hold only within one export: export both together and upload both.")),
    FindingCode.EXPORTS_DIFFER: (
        gettext_noop("“%(file)s” and “%(other)s” are not of one export: %(column)s is “%(value)s” in one and “%(meant)s” in the other."),
        gettext_noop("The numbers that link the two hold only within one export: export both together and upload both.")),
    FindingCode.NAME_UNSPLIT: (
        gettext_noop("“%(value)s” in %(column)s at line %(line)s of “%(file)s” is not written “Surnames, Name”."),
        gettext_noop("Put a comma between the surnames and the name.")),
    FindingCode.IDENTIFIER_PROVISIONAL: (
        gettext_noop("%(count)s pupils of “%(file)s”, the first at line %(line)s, have no %(column)s yet; they are known by their name and date of birth."),
        gettext_noop("Nothing to do: they are known again when the number is there.")),
    FindingCode.PUPILS_LEFT: (
        gettext_noop("%(count)s pupils of “%(file)s”, the first at line %(line)s, had left by the day of the export (%(column)s) and were not read."),
        gettext_noop("Nothing to do.")),
    FindingCode.CONTACTS_LEFT_OUT: (
        gettext_noop("%(count)s rows of “%(file)s”, the first at line %(line)s, name people to be called who are not legal guardians (%(column)s); they were left out, because guardians see a pupil's record."),
        gettext_noop("Nothing to do, unless they are guardians.")),
    FindingCode.LINKS_OUTSIDE: (
        gettext_noop("%(count)s rows of “%(file)s”, the first at line %(line)s, name somebody who is not in the files (%(column)s), and were left out."),
        gettext_noop("Nothing to do where those people have left; otherwise export all files again together.")),
    FindingCode.DOCUMENT_SHARED: (
        gettext_noop("“%(value)s” at line %(line)s of “%(file)s” has the identity document of somebody with another name (line %(first_line)s); they were taken for two people."),
        gettext_noop("Mend the document or the name in the system that wrote the file.")),
    FindingCode.MANY_LEAVE: (
        gettext_noop("Of %(known)s people whom earlier files of this sort brought, %(count)s are missing and count as having left."),
        gettext_noop("If only some groups were exported, stop and export all of them.")),
    FindingCode.OTHER_SCHOOL: (
        gettext_noop("The files are of the school “%(value)s”; this school has the code “%(meant)s”."),
        gettext_noop("If that is another school, stop: its pupils would come into this one.")),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Place:
    """A physical line of a file, counted from 1 as an editor shows it."""

    file: str
    line: int
    column: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say about a file. line is None where it concerns the file or the whole set."""

    severity: Severity
    code: FindingCode
    file: str = ""
    line: int | None = None
    column: str = ""
    value: str = ""
    params: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def words(self) -> dict[str, str | int]:
        """Everything that the templates of FINDING_TEXTS name."""
        return {
            **self.params,
            "file": self.file,
            "line": self.line or "",
            "column": self.column,
            "value": self.value,
        }

    @property
    def what(self) -> str:
        """What was found, in English."""
        return FINDING_TEXTS[self.code][0] % self.words

    @property
    def mend(self) -> str:
        """What to do about it, in English."""
        return FINDING_TEXTS[self.code][1] % self.words


SHOWN_OF_A_KIND = 100
SHOWN_CHARACTERS = 80
_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
_Key = tuple[Severity, FindingCode, str, str]


@dataclass(slots=True)
class _Tally:
    first: Finding
    count: int = 1


class Findings:
    """Collects findings while files are read: a hundred of a kind one by one, the rest as a number."""

    def __init__(self) -> None:
        self._found: list[Finding] = []
        self._counts: dict[_Key, int] = {}
        self._rest: dict[_Key, _Tally] = {}
        self._tallies: dict[tuple[FindingCode, str, str, str], _Tally] = {}

    def add(
        self,
        severity: Severity,
        code: FindingCode,
        *,
        file: str = "",
        line: int | None = None,
        column: str = "",
        value: str = "",
        **params: str | int,
    ) -> None:
        """Says one thing about one place."""
        finding = Finding(severity, code, file, line, column, value[:SHOWN_CHARACTERS], params)
        key = (severity, code, file, column)
        count = self._counts[key] = self._counts.get(key, 0) + 1
        if count <= SHOWN_OF_A_KIND:
            self._found.append(finding)
        elif key in self._rest:
            self._rest[key].count += 1
        else:
            self._rest[key] = _Tally(finding)

    def tally(
        self,
        severity: Severity,
        code: FindingCode,
        *,
        file: str = "",
        line: int | None = None,
        column: str = "",
        value: str = "",
        **params: str | int,
    ) -> None:
        """Says one thing about many places: the first is shown, the others are counted (%(count)s)."""
        key = (code, file, column, value)
        seen = self._tallies.get(key)
        if seen is not None:
            seen.count += 1
            return
        finding = Finding(severity, code, file, line, column, value[:SHOWN_CHARACTERS], params)
        self._tallies[key] = _Tally(finding)

    @property
    def has_errors(self) -> bool:
        """Whether an error was said one by one so far."""
        return any(finding.severity is Severity.ERROR for finding in self._found)

    def done(self) -> tuple[Finding, ...]:
        """Everything found, errors first, otherwise in the order of the reading."""
        for tally in self._tallies.values():
            first = tally.first
            self.add(
                first.severity,
                first.code,
                file=first.file,
                line=first.line,
                column=first.column,
                value=first.value,
                **first.params,
                count=tally.count,
            )
        self._tallies.clear()
        more = [
            Finding(
                tally.first.severity,
                FindingCode.MORE_OF_THE_SAME,
                tally.first.file,
                tally.first.line,
                tally.first.column,
                params={"count": tally.count},
            )
            for tally in self._rest.values()
        ]
        return tuple(sorted([*self._found, *more], key=lambda finding: _RANK[finding.severity]))
