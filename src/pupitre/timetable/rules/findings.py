"""What an import has to tell the person who uploaded the file: where, what, and how to mend it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


def gettext_noop(message: str) -> str:
    """Mark a message for the catalogues; the caller translates it when it is shown."""
    return message


class Severity(StrEnum):
    """An error stops the import; a warning is for the person to judge; a notice says what was understood."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class FindingCode(StrEnum):
    NO_FILE = "no_file"
    IS_PDF = "is_pdf"
    IS_PICTURE = "is_picture"
    IS_WORKBOOK = "is_workbook"
    IS_DOCUMENT = "is_document"
    IS_WEB_PAGE = "is_web_page"
    IS_ARCHIVE = "is_archive"
    IS_NO_TEXT = "is_no_text"
    TOO_LARGE = "too_large"
    MALFORMED_XML = "malformed_xml"
    FORBIDDEN_XML = "forbidden_xml"
    NOT_A_TIMETABLE = "not_a_timetable"
    OTHER_FET_FILE = "other_fet_file"
    TWO_SOLUTIONS = "two_solutions"
    SOLUTION_WITHOUT_DATA = "solution_without_data"
    FILE_IGNORED = "file_ignored"
    NO_SOLUTION = "no_solution"
    FILES_DO_NOT_MATCH = "files_do_not_match"
    NO_DAYS_OR_HOURS = "no_days_or_hours"
    ACTIVITY_WITHOUT_ID = "activity_without_id"
    ACTIVITY_TWICE = "activity_twice"
    BAD_DURATION = "bad_duration"
    UNKNOWN_ACTIVITY = "unknown_activity"
    UNKNOWN_DAY = "unknown_day"
    UNKNOWN_HOUR = "unknown_hour"
    NAME_NOT_DECLARED = "name_not_declared"
    DAY_NOT_RECOGNISED = "day_not_recognised"
    DAYS_SHARE_WEEKDAY = "days_share_weekday"
    INACTIVE_ACTIVITIES = "inactive_activities"
    NOT_PLACED = "not_placed"
    PAST_LAST_HOUR = "past_last_hour"
    GROUP_OVERLAP = "group_overlap"
    TEACHER_OVERLAP = "teacher_overlap"
    ROOM_OVERLAP = "room_overlap"
    AND_MORE = "and_more"
    ENCODING_GUESSED = "encoding_guessed"
    MALFORMED_CSV = "malformed_csv"
    NO_HEADER = "no_header"
    COLUMN_IGNORED = "column_ignored"
    COLUMN_TWICE = "column_twice"
    CELL_MISSING = "cell_missing"
    BAD_TIME = "bad_time"
    UNKNOWN_WEEK = "unknown_week"
    PERIOD_TIMES_DIFFER = "period_times_differ"
    NO_LESSONS = "no_lessons"
    PERIOD_ENDS_BEFORE_START = "period_ends_before_start"
    PERIODS_OVERLAP = "periods_overlap"


@dataclass(frozen=True, slots=True)
class FindingText:
    """A message with named placeholders: what was found, and what the person can do about it."""

    severity: Severity
    what: str
    mend: str


def _error(what: str, mend: str) -> FindingText:
    return FindingText(Severity.ERROR, what, mend)


def _warning(what: str, mend: str) -> FindingText:
    return FindingText(Severity.WARNING, what, mend)


def _notice(what: str, mend: str) -> FindingText:
    return FindingText(Severity.NOTICE, what, mend)


_ACCEPTED: Final = gettext_noop(
    "What can be imported: the .fet file of FET together with its _activities.xml, its _data_and_timetable.fet alone, or a "
    "CSV table with the columns day, period, class, subject, teacher and room. Export one of them from the program in "
    "which the timetable was made."
)

FINDING_TEXTS: Final[Mapping[FindingCode, FindingText]] = {
    FindingCode.NO_FILE: _error(
        gettext_noop("No timetable file was given."),
        gettext_noop(
            "Choose the .fet file together with its _activities.xml, or the _data_and_timetable.fet alone."
        ),
    ),
    FindingCode.IS_PDF: _error(
        gettext_noop(
            "This is a PDF: people can read the timetable in it, but its lessons cannot be imported."
        ),
        _ACCEPTED,
    ),
    FindingCode.IS_PICTURE: _error(
        gettext_noop(
            "This is a picture: people can read the timetable in it, but its lessons cannot be imported."
        ),
        _ACCEPTED,
    ),
    FindingCode.IS_WORKBOOK: _error(
        gettext_noop("This is a workbook of a spreadsheet program (Excel, LibreOffice), not a CSV table."),
        gettext_noop(
            "Open it, save the sheet with the columns day, period, class, subject, teacher and room as “CSV UTF-8”, and "
            "upload that file."
        ),
    ),
    FindingCode.IS_DOCUMENT: _error(
        gettext_noop("This is a document of a word processor; lessons cannot be imported from it."),
        _ACCEPTED,
    ),
    FindingCode.IS_WEB_PAGE: _error(
        gettext_noop("This is a web page; lessons cannot be imported from it."),
        _ACCEPTED,
    ),
    FindingCode.IS_ARCHIVE: _error(
        gettext_noop("This is an archive in which files are packed."),
        gettext_noop(
            "Unpack it and choose what is in it: the .fet file together with its _activities.xml, the "
            "_data_and_timetable.fet alone, or a CSV table."
        ),
    ),
    FindingCode.IS_NO_TEXT: _error(
        gettext_noop("This is neither a file of FET nor a CSV table: it does not hold text."),
        _ACCEPTED,
    ),
    FindingCode.TOO_LARGE: _error(
        gettext_noop("The file holds more than %(limit)s, more than any school's timetable."),
        gettext_noop("Check that this is the timetable and not another file."),
    ),
    FindingCode.MALFORMED_XML: _error(
        gettext_noop("The file is damaged: %(problem)s."),
        gettext_noop("Save it again in FET and upload that file as it is, without opening it in an editor."),
    ),
    FindingCode.FORBIDDEN_XML: _error(
        gettext_noop("The file contains a document type or entity declaration, which is not accepted."),
        gettext_noop("Open it in a current version of FET, save it, and upload the saved file."),
    ),
    FindingCode.NOT_A_TIMETABLE: _error(
        gettext_noop("This is not a FET file: it begins with <%(root)s>."),
        gettext_noop(
            "Choose the .fet file together with its _activities.xml, or the _data_and_timetable.fet alone."
        ),
    ),
    FindingCode.OTHER_FET_FILE: _error(
        gettext_noop("FET also writes this file (<%(root)s>), but it does not tell the lessons apart."),
        gettext_noop("From the same folder take the file that ends in _activities.xml."),
    ),
    FindingCode.TWO_SOLUTIONS: _error(
        gettext_noop("There are two solutions: %(first)s and %(second)s."),
        gettext_noop("Upload the one that the school works by."),
    ),
    FindingCode.SOLUTION_WITHOUT_DATA: _error(
        gettext_noop("The solution says when, but not who teaches what: the .fet file is missing."),
        gettext_noop("Upload it together with the .fet file that it was generated from."),
    ),
    FindingCode.FILE_IGNORED: _notice(
        gettext_noop("The file was not needed; %(used)s was read instead."),
        gettext_noop("Nothing to do, if that is the right one."),
    ),
    FindingCode.NO_SOLUTION: _error(
        gettext_noop(
            "The file says what is to be taught, but not when: %(placed)s of %(activities)s activities have a time."
        ),
        gettext_noop(
            "Generate the timetable in FET. It then writes a folder fet-results/timetables/%(stem)s-single: upload "
            "%(stem)s_activities.xml from there together with this file, or %(stem)s_data_and_timetable.fet alone."
        ),
    ),
    FindingCode.FILES_DO_NOT_MATCH: _error(
        gettext_noop(
            "%(solution)s is not the solution of %(data)s (%(institution)s): %(strangers)s of its %(rows)s rows name "
            "something that the school does not have (%(examples)s), and %(missing)s activities are not in it."
        ),
        gettext_noop("Upload two files that FET wrote for the same school at the same time."),
    ),
    FindingCode.NO_DAYS_OR_HOURS: _error(
        gettext_noop("The file has %(days)s days and %(hours)s hours; a timetable needs both."),
        gettext_noop("Enter the days and the hours in FET (Data, Basic) and save again."),
    ),
    FindingCode.ACTIVITY_WITHOUT_ID: _error(
        gettext_noop("An activity has no number, so its time cannot be found."),
        gettext_noop("Save the file again in FET and upload that file."),
    ),
    FindingCode.ACTIVITY_TWICE: _error(
        gettext_noop("Activity %(activity)s stands twice in the file."),
        gettext_noop("Save the file again in FET and upload that file."),
    ),
    FindingCode.BAD_DURATION: _error(
        gettext_noop("“%(value)s” is not a duration in hours (activity %(activity)s)."),
        gettext_noop("Write how many hours of the timetable the lesson lasts: 1, 2, 3."),
    ),
    FindingCode.UNKNOWN_ACTIVITY: _warning(
        gettext_noop("The solution places activity %(activity)s, which the .fet file does not have."),
        gettext_noop("It is left out. If lessons are missing, upload the two files of the same day."),
    ),
    FindingCode.UNKNOWN_DAY: _error(
        gettext_noop("“%(value)s” is not a day of this timetable."),
        gettext_noop(
            "Write the day as a weekday in one of the six languages, or as FET's list of days has it."
        ),
    ),
    FindingCode.UNKNOWN_HOUR: _error(
        gettext_noop("“%(value)s” is not an hour of this timetable."),
        gettext_noop("Write the hour as FET's list of hours has it."),
    ),
    FindingCode.NAME_NOT_DECLARED: _notice(
        gettext_noop("“%(name)s” is used by an activity but is in no list of the file."),
        gettext_noop("It is imported under this name."),
    ),
    FindingCode.DAY_NOT_RECOGNISED: _warning(
        gettext_noop("It is not clear which day of the week “%(name)s” is."),
        gettext_noop("Choose the weekday in the next step."),
    ),
    FindingCode.DAYS_SHARE_WEEKDAY: _warning(
        gettext_noop("“%(first)s” and “%(second)s” are the same day of the week."),
        gettext_noop(
            "If they are two weeks, name them A and B; if they are mornings and afternoons, use one day with all hours."
        ),
    ),
    FindingCode.INACTIVE_ACTIVITIES: _notice(
        gettext_noop("%(count)s activities are switched off in FET."),
        gettext_noop("They are left out. Switch them on in FET if they take place."),
    ),
    FindingCode.NOT_PLACED: _warning(
        gettext_noop("Activity %(activity)s (%(subject)s, %(groups)s, %(teachers)s) has no day and hour."),
        gettext_noop("It is left out. Place it in FET, or add the lesson by hand afterwards."),
    ),
    FindingCode.PAST_LAST_HOUR: _error(
        gettext_noop(
            "Activity %(activity)s begins at “%(hour)s” and lasts %(duration)s hours, past the end of the day."
        ),
        gettext_noop("Shorten it or begin it earlier."),
    ),
    FindingCode.GROUP_OVERLAP: _warning(
        gettext_noop("“%(name)s” has two lessons on %(day)s at %(hour)s: %(first)s and %(second)s."),
        gettext_noop("Both are imported. Correct the one that is wrong."),
    ),
    FindingCode.TEACHER_OVERLAP: _warning(
        gettext_noop("%(name)s teaches two lessons on %(day)s at %(hour)s: %(first)s and %(second)s."),
        gettext_noop("Both are imported. Correct the one that is wrong."),
    ),
    FindingCode.ROOM_OVERLAP: _warning(
        gettext_noop("Room “%(name)s” is taken twice on %(day)s at %(hour)s: %(first)s and %(second)s."),
        gettext_noop("Both are imported. Correct the one that is wrong, or leave it if the room holds both."),
    ),
    FindingCode.AND_MORE: _notice(
        gettext_noop("%(count)s more like the one above are not listed."),
        gettext_noop("Correct the listed ones first and upload again."),
    ),
    FindingCode.ENCODING_GUESSED: _notice(
        gettext_noop("The file is not UTF-8; it was read as %(encoding)s."),
        gettext_noop("Look whether accents are right. If not, save it as “CSV UTF-8”."),
    ),
    FindingCode.MALFORMED_CSV: _error(
        gettext_noop("The file cannot be read as a table: %(problem)s."),
        gettext_noop("Save it from the spreadsheet as “CSV UTF-8” and upload that file."),
    ),
    FindingCode.NO_HEADER: _error(
        gettext_noop("No row names the columns: day, period (or start), and class, subject or teacher."),
        gettext_noop("Put the names of the columns in the first row."),
    ),
    FindingCode.COLUMN_IGNORED: _notice(
        gettext_noop("Columns that are not used: %(names)s."),
        gettext_noop(
            "Rename those that mean day, period, start, end, class, subject, teacher, room or week."
        ),
    ),
    FindingCode.COLUMN_TWICE: _warning(
        gettext_noop("Two columns mean the same: “%(first)s” and “%(second)s”."),
        gettext_noop("The first is used. Remove the other."),
    ),
    FindingCode.CELL_MISSING: _error(
        gettext_noop("The row has no %(column)s."),
        gettext_noop("Fill the cell or delete the row."),
    ),
    FindingCode.BAD_TIME: _error(
        gettext_noop("“%(value)s” is not a time of day."),
        gettext_noop("Write it like 8:30."),
    ),
    FindingCode.UNKNOWN_WEEK: _error(
        gettext_noop("“%(value)s” is not a week."),
        gettext_noop("Write A or B, or leave the cell empty for every week."),
    ),
    FindingCode.PERIOD_TIMES_DIFFER: _warning(
        gettext_noop("Period “%(name)s” is given as %(first)s and as %(second)s."),
        gettext_noop("The first is used. Give periods with other times another name."),
    ),
    FindingCode.NO_LESSONS: _error(
        gettext_noop("The file has no lesson."),
        gettext_noop("Check that this is the right file."),
    ),
    FindingCode.PERIOD_ENDS_BEFORE_START: _error(
        gettext_noop("“%(name)s” begins at %(starts_at)s and ends at %(ends_at)s."),
        gettext_noop("Let it end after it begins, on the same day."),
    ),
    FindingCode.PERIODS_OVERLAP: _error(
        gettext_noop("“%(second)s” begins at %(starts_at)s, before “%(first)s” ends at %(ends_at)s."),
        gettext_noop("Change one of the two times."),
    ),
}

#: More findings of one kind than a person reads; the rest is counted.
MOST_OF_A_KIND: Final = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to tell. `line` counts from 1, `column` is the header's own name; either may be unknown."""

    code: FindingCode
    file: str = ""
    line: int | None = None
    column: str | None = None
    params: tuple[tuple[str, str], ...] = ()

    @property
    def severity(self) -> Severity:
        return FINDING_TEXTS[self.code].severity

    def what(self, translate: Callable[[str], str] = gettext_noop) -> str:
        """What was found, in the language of `translate`."""
        return translate(FINDING_TEXTS[self.code].what) % dict(self.params)

    def mend(self, translate: Callable[[str], str] = gettext_noop) -> str:
        """What the person can do about it, in the language of `translate`."""
        return translate(FINDING_TEXTS[self.code].mend) % dict(self.params)


class FindingList:
    """Collects findings while a file is read; of each kind it keeps the first hundred and counts the others."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._counts: dict[FindingCode, int] = {}

    def add(
        self,
        code: FindingCode,
        file: str = "",
        line: int | None = None,
        column: str | None = None,
        /,
        **params: object,
    ) -> None:
        self._counts[code] = self._counts.get(code, 0) + 1
        if self._counts[code] <= MOST_OF_A_KIND:
            facts = tuple((key, str(value)) for key, value in params.items())
            self._kept.append(Finding(code, file, line, column, facts))

    def has_errors(self) -> bool:
        """Whether anything so far stops the import."""
        return any(finding.severity is Severity.ERROR for finding in self._kept)

    def freeze(self) -> tuple[Finding, ...]:
        """The findings in the order they were met; where a kind had too many, its last is followed by their number."""
        last = {finding.code: position for position, finding in enumerate(self._kept)}
        listed: list[Finding] = []
        for position, finding in enumerate(self._kept):
            listed.append(finding)
            more = self._counts[finding.code] - MOST_OF_A_KIND
            if more > 0 and last[finding.code] == position:
                facts = (("count", str(more)), ("kind", finding.code.value))
                listed.append(Finding(FindingCode.AND_MORE, finding.file, params=facts))
        return tuple(listed)
