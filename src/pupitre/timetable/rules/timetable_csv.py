"""Timetables as CSV: one that a secretary can make in a spreadsheet, and FET's own `_timetable.csv`.

One row is one lesson: day, period or start and end, class, subject, teacher, room, week; `periods` says how many periods a
longer lesson takes. Several classes, teachers or rooms in a cell are parted by "|" or "+". A row without a day and without
class, subject and teacher only declares its period, a row with nothing but a day only declares that day; so the order
of the timetable is kept where lessons do not show it. A period's row may say in `subject` that it is a break.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import time
from typing import Final

from pupitre.timetable.rules.bell import parse_time, times_in_name
from pupitre.timetable.rules.findings import FindingCode, FindingList
from pupitre.timetable.rules.plan import (
    ImportedTimetable,
    PlanDay,
    PlanGroup,
    PlanLesson,
    PlanPeriod,
    PlanRoom,
    SourceFile,
    recognise_days,
    report_overlaps,
)
from pupitre.timetable.rules.words import is_break_name, tidy, week_letter, words

MOST_BYTES: Final = 16 * 1024 * 1024
MOST_ROWS: Final = 100_000
_HEADER_WITHIN: Final = 20
_MOST_PERIODS: Final = 24
_MOST_NAMED: Final = 20
_SEPARATOR: Final = " | "
_FORMULA: Final = ("=", "+", "-", "@")
_COLUMNS: Final = (
    "id", "day", "period", "start", "end", "periods", "class", "subject", "teacher", "room", "week", "tags",
)  # fmt: skip

#: What headers call each column, as tokens run together, in en, es, ca, fr, de, pt and in FET.
_SYNONYMS: Final = {
    "id": "id activityid lesson lessonid actividad leccion activitat coursid unterricht atividade nr",
    "day": "day weekday dia diasemana diadelasemana diadelasetmana jour joursemaine tag wochentag diadasemana",
    "period": "period hour lessonnumber slot hora sesion sessio tramo tramohorario periodo periode franja heure "
    "creneau seance stunde unterrichtsstunde tempo bloco",
    "start": "start starts startsat starttime from begin inicio horainicio horadeinicio desde comienzo inici "
    "horainici horadinici debut heuredebut heurededebut de beginn anfang von startzeit",
    "end": "end ends endsat endtime to until fin horafin horadefin hasta final fi horafi horadefi heurefin "
    "heuredefin ende bis endzeit fim horafim horadefim ate",
    "periods": "periods duration hours length duracion periodos sesiones durada periodes duree dauer stunden duracao "
    "tempos",
    "class": "class classes group groups studentssets students studentsset clase clases grupo grupos curso classe "
    "grup grups groupe groupes division klasse klassen gruppe turma turmas",
    "subject": "subject course asignatura materia area assignatura matiere cours discipline fach disciplina",
    "teacher": "teacher teachers staff profesor profesora profesores docente docentes profesorado professor professora "
    "professors professorat professeur professeurs enseignant enseignante enseignants prof lehrer lehrerin lehrkraft "
    "lehrkrafte lehrperson professores",
    "room": "room rooms classroom location aula aulas espacio sala salas salle salles lieu raum raume zimmer espai",
    "week": "week weeks semana semanas setmana setmanes semaine semaines woche wochen weekab semanaab",
    "tags": "tags activitytags etiquetas etiquetes etiquettes",
}
_FIELD_OF: Final = {word: column for column, known in _SYNONYMS.items() for word in known.split()}
_NOT_NEEDED: Final = frozenset({"comments", "comentarios", "comentaris", "commentaires", "bemerkungen"})


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: dict[str, str]

    def get(self, column: str) -> str:
        return self.cells.get(column, "")

    def names(self, column: str) -> tuple[str, ...]:
        return _split(self.get(column))

    @property
    def is_lesson(self) -> bool:
        """A row of a free hour or of a break is not."""
        if self.get("class") or self.get("teacher") or self.get("id"):
            return True
        return bool(self.get("day") and self.get("subject") and not is_break_name(self.get("subject")))


@dataclass(frozen=True, slots=True)
class _Table:
    file: str
    headers: dict[str, str]
    rows: tuple[_Row, ...]


def read_csv(file: SourceFile) -> ImportedTimetable:
    """The timetable in a CSV file of our own form or FET's. Never raises, whatever the bytes."""
    found = FindingList()
    table = _table(file, found)
    plan = _plan(table, found) if table else ImportedTimetable()
    return replace(plan, findings=found.freeze())


# Bytes to rows.


def _table(file: SourceFile, found: FindingList) -> _Table | None:
    if len(file.content) > MOST_BYTES:
        found.add(FindingCode.TOO_LARGE, file.name, limit=f"{MOST_BYTES // 1024 // 1024} MB")
        return None
    lines = _lines(_decode(file, found), file.name, found)
    for position, (_, cells) in enumerate(lines[:_HEADER_WITHIN]):
        columns = _columns(cells)
        if _is_header(set(columns.values())):
            _report_columns(cells, columns, file.name, lines[position][0], found)
            rows = tuple(_row(line, body, columns) for line, body in lines[position + 1 :])
            headers = {column: tidy(cells[index]) for index, column in columns.items()}
            return _Table(file.name, headers, tuple(row for row in rows if any(row.cells.values())))
    if not found.has_errors():
        found.add(FindingCode.NO_HEADER, file.name, 1)
    return None


def _decode(file: SourceFile, found: FindingList) -> str:
    content = file.content
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        found.add(FindingCode.ENCODING_GUESSED, file.name, encoding="Windows-1252")
        return content.decode("cp1252", errors="replace")


def _lines(text: str, file: str, found: FindingList) -> list[tuple[int, list[str]]]:
    """The rows with the line each ends on. Excel's "sep=;" line names the delimiter and is no row."""
    text = text.replace("\0", "")
    delimiter, head = _delimiter(text), text.split("\n", 1)[0].strip().strip('"')
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells) and not (not rows and head.casefold().startswith("sep=")):
                rows.append((reader.line_num, cells))
            head = ""
            if len(rows) > MOST_ROWS:
                found.add(FindingCode.TOO_LARGE, file, reader.line_num, limit=f"{MOST_ROWS} rows")
                return []
    except csv.Error as problem:
        found.add(FindingCode.MALFORMED_CSV, file, reader.line_num, problem=problem)
        return []
    return rows


def _delimiter(text: str) -> str:
    """The delimiter under which one of the first lines is best understood as a header."""
    heads = [line for line in text[:20_000].splitlines() if line.strip()][:_HEADER_WITHIN]
    if heads and heads[0].strip().strip('"').casefold().startswith("sep=") and len(heads[0].strip()) >= 5:
        named = heads[0].strip().strip('"')[4:5]
        if named in ";,|\t":
            return named or ","

    def understood(delimiter: str) -> tuple[int, int]:
        counts = [len(set(_columns(line.split(delimiter)).values())) for line in heads]
        return max(counts, default=0), sum(line.count(delimiter) for line in heads)

    return max((",", ";", "\t", "|"), key=understood)


def _columns(cells: Sequence[str]) -> dict[int, str]:
    """Which column of the file means what; of two that mean the same, the first."""
    meant: dict[int, str] = {}
    for index, cell in enumerate(cells):
        column = _FIELD_OF.get("".join(words(cell)))
        if column and column not in meant.values():
            meant[index] = column
    return meant


def _is_header(columns: set[str]) -> bool:
    return (
        "day" in columns
        and bool(columns & {"period", "start"})
        and bool(columns & {"class", "subject", "teacher"})
    )


def _report_columns(
    cells: Sequence[str], columns: dict[int, str], file: str, line: int, found: FindingList
) -> None:
    first = {column: tidy(cells[index]) for index, column in columns.items()}
    ignored = []
    for index, cell in enumerate(cells):
        key = "".join(words(cell))
        if index in columns or not key or key in _NOT_NEEDED:
            continue
        if key in _FIELD_OF:
            found.add(
                FindingCode.COLUMN_TWICE,
                file,
                line,
                tidy(cell),
                first=first[_FIELD_OF[key]],
                second=tidy(cell),
            )
        else:
            ignored.append(f"“{tidy(cell)}”")
    if ignored:
        more = ["…"] if len(ignored) > _MOST_NAMED else []
        found.add(FindingCode.COLUMN_IGNORED, file, line, names=", ".join([*ignored[:_MOST_NAMED], *more]))


def _row(line: int, cells: Sequence[str], columns: dict[int, str]) -> _Row:
    return _Row(
        line, {column: _plain(cells[index]) for index, column in columns.items() if index < len(cells)}
    )


def _plain(cell: str) -> str:
    text = tidy(cell)
    return text[1:] if text.startswith("'") and text[1:].startswith((*_FORMULA, "'")) else text


def _split(cell: str) -> tuple[str, ...]:
    parts = cell.split("|") if "|" in cell else cell.split("+")
    return tuple(dict.fromkeys(name for part in parts if (name := tidy(part))))


# Rows to a timetable.


def _plan(table: _Table, found: FindingList) -> ImportedTimetable:
    days = _days(table, found)
    periods = _periods(table, found)
    lessons = tuple(_together(_lessons(table, days, periods, found)))
    if not lessons:
        found.add(FindingCode.NO_LESSONS, table.file)
    if found.has_errors():
        return ImportedTimetable()
    plan = ImportedTimetable(
        days=tuple(days.values()),
        periods=tuple(periods.values()),
        teachers=_all(lesson.teachers for lesson in lessons),
        subjects=_all((lesson.subject,) for lesson in lessons),
        rooms=tuple(PlanRoom(name) for name in _all((lesson.room or "",) for lesson in lessons)),
        groups=tuple(PlanGroup(name) for name in _all(lesson.groups for lesson in lessons)),
        lessons=lessons,
    )
    report_overlaps(plan, found, table.file)
    return plan


def _all(names: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(sorted({name for some in names for name in some if name}))


def _key(name: str) -> str:
    return tidy(name).casefold()


def _days(table: _Table, found: FindingList) -> dict[str, PlanDay]:
    """The days in the order of the week, by folded name. "lunes" and "Lunes" are one day, and so are "Mon" and "Monday"."""
    written: dict[str, int] = {}
    for row in table.rows:
        if row.get("day"):
            written.setdefault(row.get("day"), row.line)
    recognised = recognise_days(written)
    first: dict[tuple[int, str], PlanDay] = {}
    days: dict[str, PlanDay] = {}
    for day in recognised:
        if day.weekday is None:
            found.add(
                FindingCode.UNKNOWN_DAY, table.file, written[day.name], table.headers["day"], value=day.name
            )
            continue
        days[day.name] = first.setdefault((day.weekday, day.week), day)
    return dict(sorted(days.items(), key=lambda item: (item[1].week, item[1].weekday or 0)))


def _periods(table: _Table, found: FindingList) -> dict[str, PlanPeriod]:
    """The periods by folded name, in the order of their times, else of their numbers, else as they appear."""
    periods: dict[str, PlanPeriod] = {}
    for row in table.rows:
        told = _period(row, table, found)
        if told is None:
            continue
        known = periods.setdefault(_key(told.name), told)
        if row.is_lesson:
            told = replace(told, is_break=known.is_break)
        if told.starts_at and not known.starts_at:
            periods[_key(told.name)] = told
        elif told.starts_at and (told.starts_at, told.ends_at) != (known.starts_at, known.ends_at):
            found.add(
                FindingCode.PERIOD_TIMES_DIFFER, table.file, row.line, name=told.name,
                first=_span(known), second=_span(told),
            )  # fmt: skip
    return dict(_in_order(list(periods.items()), table))


def _period(row: _Row, table: _Table, found: FindingList) -> PlanPeriod | None:
    starts_at, ends_at = _time(row, "start", table, found), _time(row, "end", table, found)
    name = row.get("period") or (row.get("start") and _times_as_name(starts_at, ends_at))
    if not name:
        return None
    told_start, told_end = times_in_name(name)
    is_break = is_break_name(name)
    if not row.is_lesson and row.get("subject"):
        is_break = is_break_name(row.get("subject"))
    return PlanPeriod(name, starts_at or told_start, ends_at or (None if starts_at else told_end), is_break)


def _times_as_name(starts_at: time | None, ends_at: time | None) -> str:
    if starts_at is None:
        return ""
    return f"{starts_at:%H:%M}-{ends_at:%H:%M}" if ends_at else f"{starts_at:%H:%M}"


def _span(period: PlanPeriod) -> str:
    return _times_as_name(period.starts_at, period.ends_at)


def _time(row: _Row, column: str, table: _Table, found: FindingList) -> time | None:
    cell = row.get(column)
    moment = parse_time(cell)
    if cell and moment is None:
        found.add(FindingCode.BAD_TIME, table.file, row.line, table.headers[column], value=cell)
    return moment


def _in_order(periods: list[tuple[str, PlanPeriod]], table: _Table) -> list[tuple[str, PlanPeriod]]:
    if any(not row.is_lesson and row.get("period") and not row.get("day") for row in table.rows):
        return periods
    if all(period.starts_at for _, period in periods):
        return sorted(periods, key=lambda item: item[1].starts_at or time())
    numbers = {key: next((int(word) for word in words(key) if word.isdecimal()), None) for key, _ in periods}
    if all(number is not None for number in numbers.values()):
        return sorted(periods, key=lambda item: numbers[item[0]] or 0)
    return periods


def _lessons(
    table: _Table, days: dict[str, PlanDay], periods: dict[str, PlanPeriod], found: FindingList
) -> Iterator[PlanLesson]:
    day_list = list(dict.fromkeys(days.values()))
    period_list = list(periods)
    day_at = {name: day_list.index(day) for name, day in days.items()}
    period_at = {key: position for position, key in enumerate(period_list)}
    for number, row in enumerate((row for row in table.rows if row.is_lesson), start=1):
        lesson = _lesson(row, str(number), table, found, day_at, period_at, day_list)
        if lesson:
            yield lesson


def _lesson(
    row: _Row,
    number: str,
    table: _Table,
    found: FindingList,
    day_at: dict[str, int],
    period_at: dict[str, int],
    days: list[PlanDay],
) -> PlanLesson | None:
    day = day_at.get(row.get("day"))
    period = _period(row, table, FindingList())
    if not row.get("day"):
        found.add(
            FindingCode.CELL_MISSING, table.file, row.line, table.headers["day"], column=table.headers["day"]
        )
    if period is None:
        column = table.headers.get("period") or table.headers["start"]
        found.add(FindingCode.CELL_MISSING, table.file, row.line, column, column=column)
    week = week_letter(row.get("week"))
    if week is None:
        found.add(
            FindingCode.UNKNOWN_WEEK, table.file, row.line, table.headers["week"], value=row.get("week")
        )
    if day is None or period is None or week is None:
        return None
    duration = _duration(row, period_at[_key(period.name)], len(period_at), table, found)
    rooms = row.names("room")
    return PlanLesson(
        activity_id=row.get("id") or number,
        teachers=row.names("teacher"),
        subject=row.get("subject"),
        groups=row.names("class"),
        tags=row.names("tags"),
        day=day,
        first_period=period_at[_key(period.name)],
        duration=duration,
        room=_SEPARATOR.join(rooms) or None,
        week=week or days[day].week,
        real_rooms=rooms if len(rooms) > 1 else (),
    )


def _duration(row: _Row, first: int, periods: int, table: _Table, found: FindingList) -> int:
    cell = row.get("periods") or "1"
    hours = int(cell) if cell.isascii() and cell.isdecimal() and len(cell) < 4 else 0
    number = row.get("id") or "—"
    if not 1 <= hours <= _MOST_PERIODS:
        found.add(
            FindingCode.BAD_DURATION,
            table.file,
            row.line,
            table.headers["periods"],
            value=cell,
            activity=number,
        )
        return 1
    if first + hours > periods:
        found.add(
            FindingCode.PAST_LAST_HOUR, table.file, row.line, table.headers["periods"],
            activity=number, hour=row.get("period") or row.get("start"), duration=hours,
        )  # fmt: skip
        return 1
    return hours


def _together(lessons: Iterable[PlanLesson]) -> Iterator[PlanLesson]:
    """FET writes a row for each hour of an activity: rows of one number that follow one another are one lesson."""
    held: PlanLesson | None = None
    for lesson in lessons:
        if held and _continues(held, lesson):
            held = replace(held, duration=held.duration + lesson.duration)
            continue
        if held:
            yield held
        held = lesson
    if held:
        yield held


def _continues(held: PlanLesson, lesson: PlanLesson) -> bool:
    return lesson == replace(held, first_period=held.first_period + held.duration, duration=lesson.duration)


# A timetable to CSV.


def write_csv(plan: ImportedTimetable) -> str:
    """The timetable in our form, which `read_csv` reads back: days, periods and lessons, but not the tree of groups."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, _COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for day in plan.days:
        writer.writerow({"day": _safe(day.name)})
    for period in plan.periods:
        writer.writerow({**_period_cells(period), "subject": "Break" if period.is_break else "Lesson"})
    for lesson in plan.lessons:
        writer.writerow(_lesson_cells(lesson, plan))
    return out.getvalue()


def _period_cells(period: PlanPeriod) -> dict[str, str]:
    return {
        "period": _safe(period.name),
        "start": f"{period.starts_at:%H:%M}" if period.starts_at else "",
        "end": f"{period.ends_at:%H:%M}" if period.ends_at else "",
    }


def _lesson_cells(lesson: PlanLesson, plan: ImportedTimetable) -> dict[str, str]:
    return {
        "id": _safe(lesson.activity_id),
        "day": _safe(plan.days[lesson.day].name),
        **_period_cells(plan.periods[lesson.first_period]),
        "periods": str(lesson.duration),
        "class": _joined(lesson.groups),
        "subject": _safe(lesson.subject),
        "teacher": _joined(lesson.teachers),
        "room": _joined(lesson.rooms),
        "week": lesson.week,
        "tags": _joined(lesson.tags),
    }


def _joined(names: Sequence[str]) -> str:
    """Several names in one cell. One name with a plus sign gets a bar of its own, so that it is not cut there."""
    plain = [tidy(name.replace("|", "/")) for name in names]
    if len(plain) == 1 and "+" in plain[0]:
        return _safe(plain[0] + " |")
    return _safe(_SEPARATOR.join(plain))


def _safe(cell: str) -> str:
    # A spreadsheet would run a cell that begins like a formula, also behind a tab or a carriage return, which names do
    # not need: reading drops them, too.
    text = tidy(cell)
    return "'" + text if text.startswith((*_FORMULA, "'")) else text
