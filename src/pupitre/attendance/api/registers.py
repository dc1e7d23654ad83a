"""A day's registers: reading them, taking marks by the rules that merge several devices, closing and reopening."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from pupitre.attendance.actions import registers as actions
from pupitre.attendance.actions.registers import Told
from pupitre.attendance.queries import listing
from pupitre.attendance.queries import registers as queries
from pupitre.attendance.queries.registers import LessonState, Sheet, SheetPupil
from pupitre.attendance.rules.merging import MarkFacts
from pupitre.attendance.rules.registers import judge_phase
from pupitre.attendance.views.registers import happening_words
from pupitre.connections.access import machine, machine_of
from pupitre.connections.paging import Page, Paged, key_of, page_of
from pupitre.connections.rules import Scope
from pupitre.connections.wire import Count, Day, Flag, Id, Minutes, Moment, Ref, Row, Sent, told
from pupitre.kernel import clock
from pupitre.people.access import actor_of

router = Router(tags=["Registers"])
reads, writes = machine(Scope.REGISTERS_READ), machine(Scope.REGISTERS_WRITE)

StatusWord = Literal["present", "absent", "late", "excused", "out"]
PhaseWord = Literal["cancelled", "upcoming", "open", "taken", "closed", "missed", "settled"]
CodeText = Annotated[str, Field(min_length=1, max_length=4, pattern=r"^[^\x00]*$", strict=True)]
Note = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$", strict=True)]
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*[^\x00-\x20][^\x00]*$")]


class LessonRegister(Row):
    """A lesson of a day, and how far its register is."""

    lesson_id: int = told("The lesson of every week.", 610)
    held_on: date = told("The date.", date(2026, 10, 13))
    class_id: int = told("Its class.", 31)
    class_title: str = told("The class's title.", "Maths 1A")
    subject: str = told("Subject.", "Maths")
    starts_at: datetime = told("When it begins.", "2026-10-13T09:00:00+02:00")
    ends_at: datetime = told("When it ends.", "2026-10-13T09:55:00+02:00")
    is_cancelled: bool = told("Whether it does not take place.", example=False)
    taken_at: datetime | None = told("When the register was taken.", "2026-10-13T07:10:00Z")
    closed_at: datetime | None = told("When it was closed.", None)
    marks: int = told("How many pupils have a mark.", 27)
    away: int = told("How many of them are absent, excused or out of class.", 2)
    late: int = told("How many of them came late.", 1)


class MarkRow(Row):
    """The mark that counts for a pupil."""

    status: StatusWord = told("What it says.", "late")
    code: str = told("The school's own code for it.", "L")
    minutes: int = told("How late.", 5)
    note: str = told("What is noted beside it.", "")
    recorded_at: datetime = told("When it was made.", "2026-10-13T07:12:00Z")
    is_explicit: bool = told("Somebody decided it; otherwise nobody touched it.", example=True)


class PupilRow(Row):
    """A pupil's line in a register."""

    pupil_id: int = told("The pupil.", 4711)
    given_name: str = told("What she is called.", "Pau")
    family_name: str = told("Family name.", "Puig Serra")
    is_announced: bool = told("Whether an absence was announced for the lesson.", example=False)
    mark: MarkRow | None = told("The mark that counts; null where the register was not taken.", MarkRow)


class CodeRow(Row):
    """One of the school's codes."""

    code: str = told("What is written and sent.", "L")
    label: str = told("Its name.", "Late")
    status: StatusWord = told("Which of the five statuses it is.", "late")


class RegisterFacts(Row):
    """The register of one lesson on one day."""

    lesson_id: int = told("The lesson of every week.", 610)
    held_on: date = told("The date.", date(2026, 10, 13))
    class_id: int = told("Its class.", 31)
    class_title: str = told("The class's title.", "Maths 1A")
    subject: str = told("Subject.", "Maths")
    starts_at: datetime = told("When the lesson begins.", "2026-10-13T09:00:00+02:00")
    ends_at: datetime = told("When it ends.", "2026-10-13T09:55:00+02:00")
    phase: PhaseWord = told("How far the register is.", "taken")
    version: int = told("Counts the saves; 0 where nobody has taken it.", 1)
    taken_at: datetime | None = told("When it was taken.", "2026-10-13T07:10:00Z")
    closed_at: datetime | None = told("When it was closed.", None)
    codes: list[CodeRow] = told("The codes that marks may have.", [CodeRow])
    pupils: list[PupilRow] = told("Pupils by family name.", [PupilRow])


class MarkSent(Sent):
    """What is said about one pupil."""

    pupil_id: Ref = told("The pupil.", 4711)
    code: CodeText = told("One of the school's codes.", "L")
    minutes: Minutes = told("How late; 0 counts from the lesson's start.", 5, default=0)
    note: Note | None = told("A note; left out, the one that is there stays.", "", default=None)
    recorded_at: Moment | None = told(
        "When it was said, by a clock that is right; left out, now.", "2026-10-13T07:12:00Z", default=None
    )


class MarksSent(Sent):
    """Marks to save. Pupils that are not named are present, or excused where an absence was announced."""

    marks: Annotated[list[MarkSent], Field(max_length=400)] = told("The marks.", [MarkSent])
    base_version: Count | None = told(
        "The version that was read before: what it says is then corrected and not contradicted.",
        1,
        default=None,
    )
    is_late: Flag = told(
        "The marks were made earlier, on a device without network. Those made after the closing are kept and do not count.",
        example=False,
        default=False,
    )


class SavedMark(Row):
    """The mark that counts for a pupil after the save."""

    pupil_id: int = told("The pupil.", 4711)
    status: StatusWord = told("What it says.", "late")
    code: str = told("The school's own code for it.", "L")
    minutes: int = told("How late.", 5)
    note: str = told("What is noted beside it.", "")


class HappeningRow(Row):
    """What became of a mark that met another one."""

    pupil_id: int = told("The pupil.", 4711)
    kind: Literal["known", "counts", "replaced", "overruled", "justified", "after-closing"] = told(
        "What happened to yours.", "overruled"
    )
    text: str = told("The same in a sentence.", "Another device said “Absent” later, which counts.")


class Saved(Row):
    """A register after a save."""

    version: int = told("Its version.", 2)
    marks: list[SavedMark] = told("The mark that counts for each pupil.", [SavedMark])
    happenings: list[HappeningRow] = told("Marks that met others.", [HappeningRow])


class ReasonSent(Sent):
    """Why a register is opened again."""

    reason: Reason = told("It stays in the register's history.", "The bus was late.")


def _lesson(state: LessonState) -> dict[str, Any]:
    lesson = state.lesson
    own = {"taken_at", "closed_at", "marks", "away", "late"}
    return {name: getattr(state if name in own else lesson, name) for name in LessonRegister.model_fields}


@router.get("/days/{on}/registers", response=Page[LessonRegister], auth=reads)
def list_registers(request: HttpRequest, response: HttpResponse, on: Day, part: Query[Paged]) -> Any:
    """The lessons of a day in order of time, and which of their registers are taken and closed."""
    after = key_of(part.cursor, str, int)
    states = sorted(listing.registers_on(actor_of(request), on), key=_key)
    rest = [state for state in states if after is None or _key(state) > after]
    shown = rest[: part.limit]
    following = _key(shown[-1]) if len(rest) > part.limit else None
    return page_of(request, response, [_lesson(state) for state in shown], following)


def _key(state: LessonState) -> tuple[str, int]:
    return f"{state.lesson.starts_at.timestamp():012.0f}", state.lesson.lesson_id


@router.get("/lessons/{lesson}/registers/{on}", response=RegisterFacts, auth=reads)
def read_register(request: HttpRequest, lesson: Id, on: Day) -> Any:
    """The register of a lesson on a day: pupils with the marks that count."""
    sheet = queries.access_sheet(actor_of(request), lesson, on)
    held = {"lesson_id", "held_on", "class_id", "class_title", "subject", "starts_at", "ends_at"}
    return {
        **{name: getattr(sheet.lesson, name) for name in held},
        "phase": judge_phase(sheet.facts, clock.now()).value,
        "version": sheet.version,
        "taken_at": sheet.taken_at,
        "closed_at": sheet.closed_at,
        "codes": [{"code": code.code, "label": code.label, "status": code.kind} for code in sheet.codes],
        "pupils": [_pupil(sheet, pupil) for pupil in sheet.pupils],
    }


def _pupil(sheet: Sheet, pupil: SheetPupil) -> dict[str, Any]:
    names = {"given_name": pupil.given_name, "family_name": pupil.family_name}
    mark = _mark(sheet, pupil.mark) if pupil.mark else None
    return {"pupil_id": pupil.id, **names, "is_announced": pupil.is_announced, "mark": mark}


def _mark(sheet: Sheet, mark: MarkFacts) -> dict[str, Any]:
    return {
        "status": mark.status.kind,
        "code": sheet.code_of(mark.status, mark.code_id).code,
        "minutes": mark.minutes,
        "note": mark.note,
        "recorded_at": mark.recorded_at,
        "is_explicit": mark.is_explicit,
    }


@router.post("/lessons/{lesson}/registers/{on}/marks", response=Saved, auth=writes)
def take_register(request: HttpRequest, lesson: Id, on: Day, body: MarksSent) -> Any:
    """Take the register, or change marks in it, by the same rules as the register's page: the latest decision counts, and
    what it replaced stays in the history.
    """
    now = clock.now()
    taken = actions.take_register(
        actor_of(request),
        lesson_id=lesson,
        held_on=on,
        told=[Told(one.pupil_id, one.code, one.minutes, one.note, one.recorded_at) for one in body.marks],
        now=now,
        device=f"connection-{machine_of(request).connection_id}",
        base_version=body.base_version,
        from_device=body.is_late,
    )
    sheet = taken.sheet
    names = {pupil.id: f"{pupil.given_name} {pupil.family_name}" for pupil in sheet.pupils}
    return {
        "version": taken.version,
        "marks": [{"pupil_id": id_, **_mark(sheet, mark)} for id_, mark in taken.marks.items()],
        "happenings": [
            {
                "pupil_id": one.pupil_id,
                "kind": one.kind.value,
                "text": happening_words(sheet, one, names[one.pupil_id]),
            }
            for one in taken.happenings
        ],
    }


@router.put("/lessons/{lesson}/registers/{on}/closure", response={204: None}, auth=writes)
def close_register(request: HttpRequest, lesson: Id, on: Day) -> Any:
    """Close the register: what it says is final until it is opened again. One that nobody has taken is taken by it."""
    actions.close_register(actor_of(request), lesson_id=lesson, held_on=on, now=clock.now())
    return Status(204, None)


@router.post("/lessons/{lesson}/registers/{on}/reopening", response={204: None}, auth=writes)
def reopen_register(request: HttpRequest, lesson: Id, on: Day, body: ReasonSent) -> Any:
    """Open a closed register again, with a reason."""
    actions.reopen_register(
        actor_of(request), lesson_id=lesson, held_on=on, reason=body.reason, now=clock.now()
    )
    return Status(204, None)
