"""The demonstration in the words of the contexts: one school's part of the population as the facts their actions take."""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from pupitre.attendance.rules import loading as attendance
from pupitre.attendance.rules.absences import NoticeState, Reason, span_of_days
from pupitre.attendance.rules.status import Status
from pupitre.courses.rules import loading as courses
from pupitre.messaging.rules import loading as messaging
from pupitre.messaging.rules.kinds import Audience
from pupitre.people.rules import Relation, Role, Sex
from pupitre.people.rules import loading as people
from pupitre.project.demo import notices as letters
from pupitre.project.demo import schools
from pupitre.project.demo.attendance import Absence, Mark, Register, here
from pupitre.project.demo.roster import Bell, Guardianship, Person, Population, Pupil, School, SchoolClass
from pupitre.project.demo.week import Week
from pupitre.timetable.rules import loading as timetable

_ROLES = {
    "head": Role.HEAD,
    "deputy_head": Role.HEAD,
    "secretary": Role.SECRETARY,
    "teacher": Role.TEACHER,
    "counsellor": Role.COUNSELLOR,
    "nurse": Role.NURSE,
}
_RELATIONS = {
    "mother": Relation.MOTHER,
    "father": Relation.FATHER,
    "grandmother": Relation.GRANDPARENT,
    "grandfather": Relation.GRANDPARENT,
    "aunt": Relation.RELATIVE,
    "uncle": Relation.RELATIVE,
}
_SEXES = {"f": Sex.FEMALE, "m": Sex.MALE, "x": Sex.OTHER}
_REASONS = {
    "illness": Reason.ILLNESS,
    "medical": Reason.MEDICAL,
    "family": Reason.FAMILY,
    "travel": Reason.FAMILY,
}
_STATUSES = {
    "present": Status.PRESENT,
    "absent": Status.ABSENT,
    "late": Status.LATE,
    "excused": Status.EXCUSED,
    "out": Status.OUT,
}
_REFUSED = {
    "ca": "Cal un justificant per a més d'un dia. Porteu-lo a secretaria, si us plau.",
    "es": "Para más de un día se necesita un justificante. Entréguenlo en secretaría, por favor.",
}


@dataclass(frozen=True)
class SchoolRecords:
    """One school of the population. `today` is the date there: who has left by then is gone."""

    population: Population
    week: Week
    school: School
    today: date

    # People

    @cached_property
    def pupils(self) -> tuple[Pupil, ...]:
        return tuple(pupil for pupil in self.population.pupils if pupil.school_key == self.school.key)

    @cached_property
    def ties(self) -> tuple[Guardianship, ...]:
        own = {pupil.person_key for pupil in self.pupils}
        return tuple(tie for tie in self.population.guardianships if tie.pupil_key in own)

    def everybody(self, account_ids: Mapping[str, int]) -> people.Everybody:
        """The school's people; `account_ids` are by user name, and who has none there has no account yet."""
        grades = {grade.key: grade.code for grade in self.population.grades}
        staff = [role for role in self.population.roles if role.school_key == self.school.key]
        guardians = dict.fromkeys(tie.guardian_key for tie in self.ties)
        places = {pupil.person_key: pupil for pupil in self.pupils}
        keys = dict.fromkeys([*(role.person_key for role in staff), *places, *guardians])
        persons = tuple(self._person(key, places.get(key), grades, account_ids) for key in keys)
        roles = [
            people.NewRole(role.person_key, _ROLES[role.role], role.title, starts_on=role.begins_on)
            for role in {(role.person_key, _ROLES[role.role]): role for role in reversed(staff)}.values()
        ]
        roles += [
            people.NewRole(pupil.person_key, Role.PUPIL, starts_on=pupil.begins_on, ends_on=pupil.ends_on)
            for pupil in self.pupils
        ]
        roles += [people.NewRole(key, Role.GUARDIAN) for key in guardians]
        return people.Everybody(persons, tuple(roles), tuple(_guardianship(tie) for tie in self.ties))

    def _person(
        self, key: str, place: Pupil | None, grades: Mapping[str, str], account_ids: Mapping[str, int]
    ) -> people.NewPerson:
        person = self.population.people[key]
        told = {
            "username": person.username,
            "given_name": person.given_name,
            "middle_name": person.middle_name,
            "family_name": person.family_name,
            "email": person.email or "",
            "phone": person.phone or "",
            "sex": _SEXES[person.sex],
            "born_on": person.born_on,
            "locale": person.language,
        }
        ended = None
        if place is not None:
            told["grade"] = grades[place.grade_key]
            ended = place.ends_on if place.ends_on and place.ends_on < self.today else None
        return people.NewPerson(key, told, account_ids.get(person.username), ended)

    # Classes

    def teaching(self) -> courses.Teaching:
        key = self.school.key
        codes = {grade.key: grade.code for grade in self.population.grades}
        sessions = [one for one in self.population.sessions if one.school_key == key]
        terms = tuple(one.key for one in sessions if one.kind == "schoolYear")
        own = [one for one in self.population.classes.values() if one.school_key == key]
        kept = {one.key for one in own}
        return courses.Teaching(
            sessions=tuple(
                courses.NewSession(one.key, one.title, one.kind, one.begins_on, one.ends_on, one.parent_key or "")
                for one in sessions
            ),
            courses=tuple(
                courses.NewCourse(
                    one.key, one.title, one.code, terms[0], (codes[one.grade_key],), (self.subject(one.subject),), (one.subject,)
                )
                for one in self.population.courses
                if one.school_key == key
            ),
            classes=tuple(self._class(one, codes, terms) for one in own),
            enrolments=tuple(
                courses.NewEnrolment(
                    one.class_key, one.person_key, one.role == "teacher", one.role == "teacher", one.begins_on, one.ends_on
                )
                for one in self.population.enrolments
                if one.class_key in kept
            ),
        )  # fmt: skip

    def subject(self, code: str) -> str:
        """A subject in the school's words."""
        return self._titles.get(code, "")

    @cached_property
    def _titles(self) -> dict[str, str]:
        plan = next(plan for plan in schools.plans() if plan.school.key == self.school.key)
        return {code: subject.title for code, subject in plan.subjects.items()}

    def _class(self, one: SchoolClass, codes: Mapping[str, str], terms: tuple[str, ...]) -> courses.NewClass:
        grades = {group.key: codes[group.grade_key] for group in self.population.groups}
        whole = one.kind == "scheduled" and self.members[one.key] == frozenset().union(
            *(self.members[group] for group in one.group_keys)
        )
        return courses.NewClass(
            one.key,
            one.title,
            one.kind,
            one.code,
            one.course_key,
            self.subject(one.subject),
            grades=tuple(dict.fromkeys(grades[group] for group in one.group_keys)),
            subjects=(self.subject(one.subject),) if self.subject(one.subject) else (),
            subject_codes=(one.subject,),
            sessions=terms,
            homerooms=one.group_keys if whole else (),
        )

    @cached_property
    def members(self) -> dict[str, frozenset[str]]:
        """The pupils of each class and form, by key."""
        found: dict[str, set[str]] = {}
        for one in self.population.enrolments:
            if one.role == "student":
                found.setdefault(one.class_key, set()).add(one.person_key)
        return {key: frozenset(pupils) for key, pupils in found.items()}

    # Timetable

    @property
    def bell(self) -> Bell:
        return self.week.bells[self.school.key]

    def periods(self, bell: Bell) -> list[tuple[str, time, time, bool]]:
        return [(one.title, one.starts_at, one.ends_at, one.number is None) for one in bell.periods]

    def rooms(self) -> tuple[timetable.NewRoom, ...]:
        return tuple(
            timetable.NewRoom(room.key, room.title, room.capacity)
            for room in self.week.rooms
            if room.school_key == self.school.key
        )

    def lessons(self) -> tuple[timetable.NewLesson, ...]:
        positions = {period.number: at for at, period in enumerate(self.bell.periods)}
        return tuple(
            timetable.NewLesson(
                source=one.key,
                klass=one.class_key,
                subject=self.subject(self.population.classes[one.class_key].subject),
                weekday=one.weekday,
                position=positions[one.period],
                teachers=(one.teacher_key,),
                room=one.room_key,
            )
            for one in self.week.lessons
            if one.school_key == self.school.key
        )

    # Attendance

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.school.time_zone)

    @cached_property
    def secretary(self) -> str:
        return next(
            r.person_key
            for r in self.population.roles
            if r.school_key == self.school.key and r.role == "secretary"
        )

    def absence(self, one: Absence, bell: Bell, now: datetime) -> attendance.PastNotice | None:
        """What the family told of an absence and what the office made of it, or None where it told nothing by now."""
        told = one.announced_at or one.justified_at
        if told is None or told > now or one.told_by is None:
            return None
        starts_at, ends_at = self._span(one, bell)
        rng = random.Random(f"{self.population.seed}/{one.key}/{one.first_on}")  # noqa: S311
        decided = min(max(told, starts_at) + timedelta(hours=rng.uniform(3, 40)), ends_at + timedelta(days=9))
        length = (one.last_on - one.first_on).days
        refused = one.announced_at is None and length > 0 and rng.random() < 0.12
        state = (
            NoticeState.PENDING if decided > now else NoticeState.REFUSED if refused else NoticeState.ACCEPTED
        )
        is_open = state is NoticeState.PENDING
        return attendance.PastNotice(
            pupil=one.pupil_key,
            starts_at=starts_at,
            ends_at=ends_at,
            kind=_REASONS.get(one.reason, Reason.OTHER),
            reason=one.text,
            announced_at=told,
            announced_by=one.told_by,
            state=state,
            decided_at=None if is_open else decided,
            decided_by="" if is_open else self.secretary,
            decision_note=_REFUSED[self.school.languages[0]] if state is NoticeState.REFUSED else "",
        )

    def _span(self, one: Absence, bell: Bell) -> tuple[datetime, datetime]:
        lessons = {period.number: period for period in bell.periods if period.number is not None}
        if one.first_period <= 1 and one.last_period >= max(lessons):
            span = span_of_days(one.first_on, one.last_on, self.school.time_zone)
        else:
            first, last = lessons[one.first_period], lessons[min(one.last_period, max(lessons))]
            span = span_of_days(
                one.first_on, one.last_on, self.school.time_zone, first.starts_at, last.ends_at
            )
        return span.starts_at, span.ends_at

    def registers(
        self, found: Iterable[Register], bell: Bell, *, now: datetime
    ) -> Iterator[attendance.PastRegister]:
        """The registers that were taken by now; those of lessons that are over are closed."""
        periods = {period.number: period for period in bell.periods}
        held: dict[Mark, attendance.PastMark] = {}
        for one in found:
            if one.taken_at is None or one.taken_at > now:
                continue
            period = periods[one.lesson.period]
            starts_at = datetime.combine(one.on, period.starts_at, self.zone)
            ends_at = datetime.combine(one.on, period.ends_at, self.zone)
            marks = []
            for mark in one.marks:
                past = held.get(mark)
                if past is None:
                    past = held[mark] = attendance.PastMark(
                        mark[0], int(_STATUSES[mark[1]]), mark[2], mark[3], mark[1] != "present"
                    )
                marks.append(past)
            yield attendance.PastRegister(
                lesson=one.lesson.key,
                held_on=one.on,
                starts_at=starts_at,
                ends_at=ends_at,
                taken_at=one.taken_at,
                taken_by=one.lesson.teacher_key,
                closed_at=ends_at if ends_at <= now else None,
                marks=marks,
                replaced=_replaced(one.marks, starts_at, one.taken_at),
            )

    # Notices

    def notices(
        self,
        found: Iterable[letters.Notice],
        receipts: Iterable[letters.Receipt],
        *,
        class_ids: Mapping[str, int],
        person_ids: Mapping[str, int],
    ) -> list[messaging.PastNotice]:
        """What the school wrote: to all families, or to those of each form that a notice is for."""
        by_notice: dict[str, dict[str, letters.Receipt]] = {}
        for receipt in receipts:
            by_notice.setdefault(receipt.notice_key, {})[receipt.guardian_key] = receipt
        answers = []
        for one in found:
            if one.school_key != self.school.key:
                continue
            for form in self._forms(one):
                reached = tuple(self._receipts(one, form, by_notice.get(one.key, {}), person_ids))
                answers.append(
                    messaging.PastNotice(
                        one.title,
                        one.body,
                        Audience.FAMILIES,
                        person_ids[one.author_key],
                        one.published_at,
                        one.needs_confirmation,
                        reached,
                        class_ids[form] if form else None,
                    )
                )
        return answers

    def _forms(self, notice: letters.Notice) -> list[str]:
        if self.school.key in notice.audience:
            return [""]
        wanted = set(notice.audience)
        groups = [group for group in self.population.groups if group.school_key == self.school.key]
        return [group.key for group in groups if wanted & {group.key, group.grade_key}]

    def _receipts(
        self,
        notice: letters.Notice,
        form: str,
        answers: Mapping[str, letters.Receipt],
        person_ids: Mapping[str, int],
    ) -> Iterator[messaging.PastReceipt]:
        on = notice.published_at.date()
        pupils = {p.person_key for p in self.pupils if here(p, on) and form in {"", p.group_key}}
        for tie in self.ties:
            answer = answers.get(tie.guardian_key)
            if answer is not None and tie.receives_notices and tie.pupil_key in pupils:
                yield messaging.PastReceipt(
                    person_ids[tie.guardian_key],
                    person_ids[tie.pupil_key],
                    answer.read_at,
                    answer.confirmed_at,
                )


def _guardianship(tie: Guardianship) -> people.NewGuardianship:
    return people.NewGuardianship(
        pupil=tie.pupil_key,
        guardian=tie.guardian_key,
        relation=_RELATIONS.get(tie.relation, Relation.GUARDIAN),
        priority=tie.order,
        lives_with=tie.lives_with,
        sees_record=tie.has_custody,
        receives_notices=tie.receives_notices,
        may_announce=tie.has_custody and tie.receives_notices,
        may_collect=tie.may_collect,
        court_note=tie.court_note,
    )


def _replaced(
    marks: Iterable[Mark], starts_at: datetime, taken_at: datetime
) -> tuple[attendance.Replaced, ...]:
    """Who came in after the register was taken had been marked absent first."""
    found = []
    for mark in marks:
        if mark[1] == "late":
            came = starts_at + timedelta(minutes=mark[2])
            if came > taken_at:
                seen = taken_at - timedelta(seconds=20)
                found.append(attendance.Replaced(mark[0], Status.ABSENT, seen, came))
    return tuple(found)


def display_name(person: Person) -> str:
    return f"{person.given_name} {person.family_name}"
