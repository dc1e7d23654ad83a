"""A school's facts as a roster again: what OneRoster 1.2 says about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pupitre.courses.rules.facts import (
    RELATION_OF,
    SEX_WORDS,
    STUDENT,
    WORD_IN_CLASS,
    WORD_OF,
    Facts,
)
from pupitre.courses.rules.planning import Ends, Rows
from pupitre.courses.rules.roster import (
    ONEROSTER_1_2,
    AcademicSession,
    Class,
    Course,
    Demographics,
    Enrolment,
    Guardianship,
    Kind,
    Mode,
    Org,
    Roster,
    RosterRole,
    User,
    UserRole,
)
from pupitre.people.rules import Relation, Role

#: Before a class's identifier: that of the course which is told where the class has none.
OWN_COURSE = "course-of-"


def school_year_of(today: date) -> AcademicSession:
    """The school year that is told where a school has entered no session."""
    year = today.year + (today.month >= 8)
    first, last = date(year - 1, 8, 1), date(year, 7, 31)
    return AcademicSession(f"year-{year}", f"{year - 1}-{year}", "schoolYear", first, last, str(year))


def roster_of_school(rows: Rows, ended: Ends, school: Org, today: date) -> Roster:
    """Everything that has not ended, as one whole roster that can be imported into an empty school.

    The format asks for a course and a term of every class and for a user name of everybody: who has none gets a course
    of the class's own, the school year of today, or the sourcedId.
    """
    return _Exporting(rows, ended, school, today).roster()


class _Exporting:
    def __init__(self, rows: Rows, ended: Ends, school: Org, today: date) -> None:
        self.school, self.today = school, today
        self.rows = {
            kind: {key: facts for key, facts in found.items() if key not in ended.get(kind, {})}
            for kind, found in rows.items()
        }

    def roster(self) -> Roster:
        users, classes = self.rows[Kind.USERS], self.rows[Kind.CLASSES]
        enrolments = [
            f for f in self.rows[Kind.ENROLMENTS].values() if f["person"] in users and f["class"] in classes
        ]
        return Roster(
            ONEROSTER_1_2,
            modes=dict.fromkeys(Kind, Mode.BULK),
            orgs=(self.school, *(self._org(key, f) for key, f in self.rows[Kind.ORGS].items())),
            academic_sessions=tuple(self._sessions()),
            courses=(
                *(self._course(key, f) for key, f in self.rows[Kind.COURSES].items()),
                *self._own_courses(),
            ),
            classes=tuple(self._class(key, f) for key, f in classes.items()),
            users=tuple(_user(key, f) for key, f in users.items()),
            roles=tuple(self._role(f) for f in self.rows[Kind.ROLES].values() if f["person"] in users),
            guardianships=tuple(
                Guardianship(f["pupil"], f["guardian"], RELATION_OF[Relation(f["relation"])])
                for _, f in sorted(self.rows[Kind.GUARDIANSHIPS].items())
                if f["pupil"] in users and f["guardian"] in users
            ),
            enrolments=tuple(self._enrolments(enrolments)),
            demographics=tuple(_demographics(key, f) for key, f in users.items() if _has_birth(f)),
        )

    def _org(self, key: str, facts: Facts) -> Org:
        parent = facts["parent"] if facts["parent"] in self.rows[Kind.ORGS] else self.school.sourced_id
        return Org(key, facts["name"].strip(), "department", parent=parent)

    def _org_of(self, department: str) -> str:
        return department if department in self.rows[Kind.ORGS] else self.school.sourced_id

    # -- teaching ----------------------------------------------------------------------------------------------------

    def _sessions(self) -> list[AcademicSession]:
        rows = self.rows[Kind.ACADEMIC_SESSIONS]
        found = [
            AcademicSession(
                key,
                f["title"].strip() or key,
                f["type"],
                date.fromisoformat(f["start_date"]),
                date.fromisoformat(f["end_date"]),
                str(f["school_year"]),
                f["parent"] if f["parent"] in rows else "",
            )
            for key, f in rows.items()
        ]
        return found or [school_year_of(self.today)]

    def _term(self) -> str:
        """The shortest session of today, else the latest, else the year that the export brings along."""
        day = self.today.isoformat()
        rows = self.rows[Kind.ACADEMIC_SESSIONS]
        if not rows:
            return school_year_of(self.today).sourced_id
        current = [key for key, f in rows.items() if f["start_date"] <= day <= f["end_date"]]
        chosen = current or [max(rows, key=lambda key: (rows[key]["end_date"], key))]
        return max(chosen, key=lambda key: (rows[key]["start_date"], key))

    def _course(self, key: str, facts: Facts) -> Course:
        return Course(
            key,
            facts["title"].strip() or key,
            self._org_of(facts["department"]),
            facts["code"].strip(),
            facts["session"] if facts["session"] in self.rows[Kind.ACADEMIC_SESSIONS] else "",
            tuple(facts["grades"]),
            tuple(facts["subjects"]),
            tuple(facts["subject_codes"]),
        )

    def _own_course(self, key: str) -> str:
        return f"{OWN_COURSE}{key}"

    def _has_course(self, facts: Facts) -> bool:
        return facts["course"] in self.rows[Kind.COURSES]

    def _own_courses(self) -> list[Course]:
        return [
            Course(self._own_course(key), facts["title"].strip() or key, self.school.sourced_id)
            for key, facts in self.rows[Kind.CLASSES].items()
            if not self._has_course(facts) and self._own_course(key) not in self.rows[Kind.COURSES]
        ]

    def _class(self, key: str, facts: Facts) -> Class:
        terms = [term for term in facts["terms"] if term in self.rows[Kind.ACADEMIC_SESSIONS]]
        return Class(
            key,
            facts["title"].strip() or key,
            self.school.sourced_id,
            facts["course"] if self._has_course(facts) else self._own_course(key),
            tuple(terms) or (self._term(),),
            facts["code"].strip(),
            facts["type"],
            facts["location"].strip(),
            *(tuple(facts[name]) for name in ("grades", "subjects", "subject_codes", "periods")),
        )

    # -- people ------------------------------------------------------------------------------------------------------

    def _role(self, facts: Facts) -> UserRole:
        word = _word(facts["roster_role"], WORD_OF[Role(facts["role"])])
        org = self._org_of(facts["department"])
        key = f"{facts['person']}:{facts['role']}:{org}"
        return UserRole(key, facts["person"], org, word, facts["is_primary"], *_span(facts))

    def _enrolments(self, rows: list[Facts]) -> list[Enrolment]:
        used: set[str] = set()
        found = []
        for facts in rows:
            key = facts["sourced_id"].strip()
            if not key or key in used:
                key = f"{facts['class']}:{facts['person']}:{facts['role']}"
            used.add(key)
            word = _word(facts["roster_role"], WORD_IN_CLASS[facts["role"]])
            primary = facts["is_primary"] if facts["role"] != STUDENT else None
            where = (facts["class"], facts["person"], self.school.sourced_id)
            found.append(Enrolment(key, *where, word, primary, *_span(facts)))
        return found


def _word(told: str, usual: RosterRole) -> RosterRole:
    return RosterRole(told) if told in set(RosterRole) else usual


def _span(facts: Facts) -> tuple[date | None, date | None]:
    first, last = (date.fromisoformat(d) if d else None for d in (facts["starts_on"], facts["ends_on"]))
    # Who left before she began was never there: the format knows no such span, so it is one day long.
    return first, max(first, last) if first and last else last


def _user(key: str, facts: Facts) -> User:
    text = {name: value.strip() for name, value in facts.items() if isinstance(value, str)}
    return User(
        key,
        text["username"] or key,
        text["given_name"] or text["family_name"] or key,
        text["family_name"] or text["given_name"] or key,
        middle_name=text["middle_name"],
        preferred_given_name=text["preferred_name"],
        identifier=text["identifier"],
        email=text["email"],
        phone=text["phone"],
        sms=text["sms"],
        grades=tuple(filter(None, text["grade"].split(","))),
    )


def _has_birth(facts: Mapping[str, object]) -> bool:
    return any(facts[name] for name in ("born_on", "sex", "birth_place", "birth_country"))


def _demographics(key: str, facts: Facts) -> Demographics:
    born_on = date.fromisoformat(facts["born_on"]) if facts["born_on"] else None
    sex = SEX_WORDS[facts["sex"]] if facts["sex"] else ""
    return Demographics(key, born_on, sex, facts["birth_place"].strip(), "", facts["birth_country"].strip())
