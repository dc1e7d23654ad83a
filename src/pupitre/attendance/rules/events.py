"""What attendance tells the rest of the product. Names of people are not in it: whoever tells looks them up."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class PupilMissing:
    """A pupil is absent, nobody announced it, and the school's delay is over. Guardians: those who are to be told."""

    school_id: int
    pupil_id: int
    pupil_name: str
    guardian_person_ids: tuple[int, ...]
    register_id: int
    held_on: date
    subject: str
    class_title: str
    starts_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class AbsenceAnnounced:
    """An absence was announced, by the family or by the office for it. Guardians: those to be told, not who announced."""

    school_id: int
    notice_id: int
    pupil_id: int
    pupil_name: str
    guardian_person_ids: tuple[int, ...]
    starts_at: datetime
    ends_at: datetime
    by_office: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class AbsenceDecided:
    """The office accepted or refused a justification. Guardians: those who are to be told."""

    school_id: int
    notice_id: int
    pupil_id: int
    pupil_name: str
    guardian_person_ids: tuple[int, ...]
    starts_at: datetime
    ends_at: datetime
    is_accepted: bool
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AbsenceLetterIssued:
    """A letter about absences was written. Guardians: its recipients."""

    school_id: int
    letter_id: int
    pupil_id: int
    pupil_name: str
    guardian_person_ids: tuple[int, ...]
    count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RegisterTaken:
    """A register was taken for the first time that day; its later corrections are not told."""

    school_id: int
    register_id: int
    lesson_id: int
    class_id: int
    held_on: date
    at: datetime


@dataclass(frozen=True, slots=True)
class RegisterClosed:
    """A register was closed."""

    school_id: int
    register_id: int
    lesson_id: int
    class_id: int
    held_on: date
    at: datetime
