"""Hypothesis strategies: rosters that are whole in themselves, with the strangest texts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from hypothesis import strategies as st

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
    Relation,
    Roster,
    RosterRole,
    User,
    UserRole,
)

LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
FORMULAS = st.sampled_from(
    ["=1+1", "+34 600", "-3", "@SUM(A1)", '=HYPERLINK("x")', '"', ",", "a,b", ";", "'"]
)
TEXTS = st.one_of(st.text(LETTERS, max_size=8), FORMULAS).map(str.strip)
NAMES = TEXTS.map(lambda text: text or "x")
LISTS = st.lists(NAMES, max_size=3).map(tuple)
GRADES = st.lists(st.sampled_from(["KG", "01", "10", "UG"]), max_size=2, unique=True).map(tuple)
DATES = st.one_of(st.none(), st.dates(date(1900, 1, 1), date(2100, 1, 1)))
USER_ID = st.text(LETTERS, max_size=5).map(lambda text: "".join(c for c in text if c not in "{}:").strip())


@st.composite
def spans(draw: st.DrawFn) -> tuple[date | None, date | None]:
    first, last = draw(DATES), draw(DATES)
    if first is not None and last is not None and last < first:
        first, last = last, first
    return first, last


def keys(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


@st.composite
def users(draw: st.DrawFn, key: str, orgs: list[str]) -> User:
    texts = [draw(TEXTS) for _ in range(10)]
    return User(
        key,
        draw(NAMES),
        draw(NAMES),
        draw(NAMES),
        middle_name=texts[0],
        preferred_given_name=texts[1],
        preferred_middle_name=texts[2],
        preferred_family_name=texts[3],
        identifier=texts[4],
        master_identifier=texts[5],
        email=texts[6],
        phone=texts[7],
        sms=texts[8],
        user_ids=tuple(draw(st.lists(st.tuples(USER_ID, USER_ID), max_size=2))),
        grades=draw(GRADES),
        enabled=draw(st.booleans()),
        primary_org=draw(st.sampled_from(["", *orgs])),
        pronouns=texts[9],
        flags=draw(LISTS),
    )


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    orgs, sessions, courses, classes = keys("o", 2), keys("t", 2), keys("m", 2), keys("c", 2)
    pupils, staff, family = keys("p", 2), keys("s", 1), keys("g", 2)
    roles = dict.fromkeys(pupils, RosterRole.STUDENT)
    roles.update({key: draw(st.sampled_from(list(RosterRole))) for key in [*staff, *family]})
    pick: Callable[[list[str]], str] = lambda choices: draw(st.sampled_from(choices))  # noqa: E731
    starts = {key: draw(spans()) for key in sessions}
    pairs = sorted({(pick(pupils), pick(family)) for _ in range(draw(st.integers(0, 3)))})
    modes = dict.fromkeys(Kind, Mode.BULK)
    return Roster(
        source=ONEROSTER_1_2,
        modes=modes,
        orgs=tuple(
            Org(key, draw(NAMES), pick(["school", "district", "college", "x y"]), draw(TEXTS)) for key in orgs
        ),
        academic_sessions=tuple(
            AcademicSession(
                key,
                draw(NAMES),
                "term",
                first or date(1899, 1, 1),
                last or date(2101, 1, 1),
                "2027",
                pick(["", "t0"]),
            )
            for key, (first, last) in starts.items()
        ),
        courses=tuple(
            Course(
                key,
                draw(NAMES),
                pick(orgs),
                draw(TEXTS),
                pick(["", "t0"]),
                draw(GRADES),
                draw(LISTS),
                draw(LISTS),
            )
            for key in courses
        ),
        classes=tuple(
            Class(
                *(key, draw(NAMES), pick(orgs), pick(courses), (pick(sessions),), draw(TEXTS)),
                *(pick(["homeroom", "scheduled", "club"]), draw(TEXTS), draw(GRADES)),
                *(draw(LISTS), draw(LISTS), draw(LISTS)),
            )
            for key in classes
        ),
        users=tuple(draw(users(key, orgs)) for key in roles),
        roles=tuple(
            UserRole(f"r{key}", key, pick(orgs), role, draw(st.booleans()), *draw(spans()), draw(TEXTS))
            for key, role in roles.items()
        ),
        guardianships=tuple(
            Guardianship(pupil, agent, draw(st.sampled_from(list(Relation)))) for pupil, agent in pairs
        ),
        enrolments=tuple(
            Enrolment(
                *(f"e{key}", pick(classes), key, pick(orgs), role),
                draw(st.sampled_from([None, True, False])),
                *draw(spans()),
            )
            for key, role in roles.items()
        ),
        demographics=tuple(
            Demographics(
                key,
                draw(DATES),
                pick(["", "male", "female", "other", "unspecified"]),
                *(draw(TEXTS) for _ in range(3)),
            )
            for key in pupils
        ),
    )
