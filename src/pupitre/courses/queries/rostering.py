"""What OneRoster's rostering service reads: a page of a collection, or one thing, in a fixed number of statements.

A collection is counted, the keys of the page are found, and only the page's rows are told whole. Row-level security leaves
one school's rows, a few thousand of each kind: they are filtered and sorted as they stand, by constant statements.
What is told agrees with the export (`rules.exporting`), ended things besides, as `tobedeleted`.
"""
# ruff: noqa: S608  Statements are put together of this module's own constants; what was asked goes as parameters.

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection

from pupitre.courses.rules.exporting import OWN_COURSE, school_year_of
from pupitre.courses.rules.rostering.asking import Asked
from pupitre.courses.rules.rostering.filtering import FieldKind, Predicate
from pupitre.courses.rules.rostering.resources import (
    CLASSES,
    COURSES,
    DEMOGRAPHICS,
    ENROLMENTS,
    ORGS,
    SESSIONS,
    USERS,
    Endpoint,
    Narrowing,
    Resource,
)
from pupitre.courses.rules.rostering.telling import (
    IN_CLASS_WORDS,
    ROLE_WORDS,
    SESSION_WORDS,
    SEXES,
    STUDENT_ROLE,
    TEACHER_ROLE,
    USUAL_IN_CLASS,
    USUAL_ROLES,
)
from pupitre.kernel import clock
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy import queries as tenancy

Row = dict[str, Any]

#: When something was changed last of which no change is kept any more.
LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


def _case(of: str, words: Mapping[Any, str], otherwise: str = "''") -> str:
    """A CASE that maps a column's values to constant words of this program."""
    pairs = " ".join(
        f"WHEN {value if isinstance(value, int) else repr(str(value))} THEN '{word}'"
        for value, word in words.items()
    )
    return f"CASE {of} {pairs} ELSE {otherwise} END"


_STATUS: Final = "CASE WHEN {0}.ended_on IS NULL THEN 'active' ELSE 'tobedeleted' END"
_WORDS: Final = "ARRAY(SELECT jsonb_array_elements_text({0}))"
#: The shortest session of today, else the latest, else the year that is told where there is no session.
_TERM: Final = """coalesce((SELECT t.sourced_id FROM courses_academicsession t WHERE t.ended_on IS NULL
 ORDER BY (%(today)s BETWEEN t.starts_on AND t.ends_on) DESC,
          CASE WHEN %(today)s BETWEEN t.starts_on AND t.ends_on THEN t.starts_on ELSE t.ends_on END DESC,
          t.sourced_id COLLATE "C" DESC LIMIT 1), %(year)s)"""

_SESSIONS: Final = f"""
SELECT a.id AS pk, a.sourced_id AS "sourcedId", {_STATUS.format("a")} AS status, {{modified}} AS "dateLastModified",
       coalesce(nullif(btrim(a.title), ''), a.sourced_id) AS title,
       {_case("a.kind", SESSION_WORDS, "'ext:' || a.kind")} AS type,
       a.school_year::text AS "schoolYear", a.starts_on AS "startDate", a.ends_on AS "endDate",
       (SELECT p.sourced_id FROM courses_academicsession p WHERE p.id = a.parent_id AND p.ended_on IS NULL)
           AS "parent.sourcedId",
       ARRAY(SELECT c.sourced_id FROM courses_academicsession c WHERE c.parent_id = a.id AND c.ended_on IS NULL
              ORDER BY c.starts_on, c.id) AS "children.sourcedId"
  FROM courses_academicsession a {{history}}
 UNION ALL
SELECT 0, %(year)s, 'active', %(long_ago)s, %(year_title)s, 'schoolYear', %(year_number)s, %(year_begins)s::date,
       %(year_ends)s::date, NULL, ARRAY[]::text[]
 WHERE NOT EXISTS (SELECT FROM courses_academicsession x WHERE x.ended_on IS NULL)
"""
_ORGS: Final = f"""
SELECT 0::bigint AS pk, %(org)s AS "sourcedId", 'active' AS status, %(long_ago)s AS "dateLastModified",
       %(org_name)s AS name, 'school' AS type, %(org_code)s AS identifier, NULL::text AS "parent.sourcedId",
       ARRAY(SELECT c.sourced_id FROM people_department c LEFT JOIN people_department up ON up.id = c.parent_id
              WHERE c.ended_on IS NULL AND (up.id IS NULL OR up.ended_on IS NOT NULL) ORDER BY c.id) AS "children.sourcedId"
 UNION ALL
SELECT d.id, d.sourced_id, {_STATUS.format("d")}, {{modified}}, btrim(d.name), 'department', '',
       coalesce((SELECT p.sourced_id FROM people_department p WHERE p.id = d.parent_id AND p.ended_on IS NULL), %(org)s),
       ARRAY(SELECT c.sourced_id FROM people_department c WHERE c.parent_id = d.id AND c.ended_on IS NULL ORDER BY c.id)
  FROM people_department d {{history}}
"""
_COURSES: Final = f"""
SELECT c.id AS pk, c.sourced_id AS "sourcedId", {_STATUS.format("c")} AS status, {{modified}} AS "dateLastModified",
       coalesce(nullif(btrim(c.title), ''), c.sourced_id) AS title, btrim(c.code) AS "courseCode",
       (SELECT a.sourced_id FROM courses_academicsession a WHERE a.id = c.session_id AND a.ended_on IS NULL)
           AS "schoolYear.sourcedId",
       coalesce((SELECT d.sourced_id FROM people_department d WHERE d.id = c.department_id AND d.ended_on IS NULL),
                %(org)s) AS "org.sourcedId",
       {_WORDS.format("c.grades")} AS grades, {_WORDS.format("c.subjects")} AS subjects,
       {_WORDS.format("c.subject_codes")} AS "subjectCodes"
  FROM courses_course c {{history}}
 UNION ALL
SELECT -k.id, '{OWN_COURSE}' || k.sourced_id, {_STATUS.format("k")}, %(long_ago)s,
       coalesce(nullif(btrim(k.title), ''), k.sourced_id), '', NULL, %(org)s, ARRAY[]::text[], ARRAY[]::text[], ARRAY[]::text[]
  FROM courses_class k
 WHERE NOT EXISTS (SELECT FROM courses_course x WHERE x.id = k.course_id AND x.ended_on IS NULL)
   AND NOT EXISTS (SELECT FROM courses_course x WHERE x.sourced_id = '{OWN_COURSE}' || k.sourced_id)
"""
_CLASSES: Final = f"""
SELECT k.id AS pk, k.sourced_id AS "sourcedId", {_STATUS.format("k")} AS status, {{modified}} AS "dateLastModified",
       coalesce(nullif(btrim(k.title), ''), k.sourced_id) AS title, btrim(k.code) AS "classCode", k.kind AS "classType",
       btrim(k.location) AS location,
       coalesce((SELECT c.sourced_id FROM courses_course c WHERE c.id = k.course_id AND c.ended_on IS NULL),
                '{OWN_COURSE}' || k.sourced_id) AS "course.sourcedId",
       %(org)s AS "school.sourcedId",
       coalesce((SELECT array_agg(a.sourced_id ORDER BY a.sourced_id COLLATE "C")
                   FROM courses_classsession s JOIN courses_academicsession a ON a.id = s.session_id
                  WHERE s.class_id = k.id AND a.ended_on IS NULL), ARRAY[{_TERM}]) AS "terms.sourcedId",
       {_WORDS.format("k.grades")} AS grades, {_WORDS.format("k.subjects")} AS subjects,
       {_WORDS.format("k.subject_codes")} AS "subjectCodes", {_WORDS.format("k.periods")} AS periods
  FROM courses_class k {{history}}
"""
_ROLE_WORD: Final = _case("m.roster_role", ROLE_WORDS, _case("m.role", USUAL_ROLES, "'ext:none'"))
_ROLE_ORG: Final = """coalesce((SELECT d.sourced_id FROM people_department d
                                 WHERE d.id = m.department_id AND d.ended_on IS NULL), %(org)s)"""
#: Whoever reads this cannot be told what a court forbids: an adult who may see nothing is nobody's agent.
_FAMILY: Final = """
  FROM people_guardianship g JOIN people_person o ON o.id = CASE WHEN g.pupil_id = p.id THEN g.guardian_id ELSE g.pupil_id END
 WHERE p.id IN (g.pupil_id, g.guardian_id) AND g.sees_record AND (g.ends_on IS NULL OR g.ends_on >= %(today)s)
   AND o.ended_on IS NULL
 ORDER BY g.pupil_id = p.id DESC, o.sourced_id COLLATE "C"
"""
_USERS: Final = f"""
SELECT p.id AS pk, p.sourced_id AS "sourcedId", {_STATUS.format("p")} AS status, {{modified}} AS "dateLastModified",
       coalesce(nullif(btrim(p.username), ''), p.sourced_id) AS username, 'true' AS "enabledUser",
       coalesce(nullif(btrim(p.given_name), ''), nullif(btrim(p.family_name), ''), p.sourced_id) AS "givenName",
       coalesce(nullif(btrim(p.family_name), ''), nullif(btrim(p.given_name), ''), p.sourced_id) AS "familyName",
       btrim(p.middle_name) AS "middleName", btrim(p.preferred_name) AS "preferredFirstName",
       btrim(p.identifier) AS identifier, btrim(p.email) AS email, btrim(p.phone) AS phone, btrim(p.sms) AS sms,
       coalesce(string_to_array(nullif(p.grade, ''), ','), ARRAY[]::text[]) AS grades, %(org)s AS school,
       ARRAY(SELECT {_ROLE_WORD} FROM people_membership m WHERE m.person_id = p.id) AS "roles.role",
       ARRAY(SELECT {_ROLE_ORG} FROM people_membership m WHERE m.person_id = p.id) AS "roles.org.sourcedId",
       (SELECT coalesce(json_agg(json_build_object('role', {_ROLE_WORD}, 'org', {_ROLE_ORG}, 'primary', m.is_primary,
                   'beginDate', m.starts_on, 'endDate', CASE WHEN m.ends_on IS NOT NULL THEN greatest(m.starts_on, m.ends_on) END)
                   ORDER BY m.is_primary DESC, m.id), '[]'::json)
          FROM people_membership m WHERE m.person_id = p.id) AS roles,
       ARRAY(SELECT o.sourced_id {_FAMILY}) AS "agents.sourcedId",
       ARRAY(SELECT g.relation {_FAMILY}) AS relations
  FROM people_person p {{history}}
"""
#: Identifiers of enrolments that stand twice: a roster may use one again once the enrolment it named is over.
_TWICE: Final = """ARRAY(SELECT x.sourced_id FROM courses_enrolment x WHERE x.sourced_id <> ''
                          GROUP BY x.sourced_id HAVING count(*) > 1)"""
_ENROLMENTS: Final = f"""
SELECT e.id AS pk,
       CASE WHEN e.sourced_id = '' OR (e.sourced_id = ANY({_TWICE}) AND EXISTS (
                     SELECT FROM courses_enrolment x WHERE x.sourced_id = e.sourced_id
                        AND (x.class_id, x.role, x.id) < (e.class_id, e.role, e.id)))
            THEN k.sourced_id || ':' || p.sourced_id || ':' || e.role ELSE e.sourced_id END AS "sourcedId",
       CASE WHEN p.ended_on IS NULL AND k.ended_on IS NULL THEN 'active' ELSE 'tobedeleted' END AS status,
       {{modified}} AS "dateLastModified", p.sourced_id AS "user.sourcedId", k.sourced_id AS "class.sourcedId",
       %(org)s AS "school.sourcedId", {_case("e.roster_role", IN_CLASS_WORDS, _case("e.role", USUAL_IN_CLASS))} AS role,
       CASE WHEN e.role <> 1 THEN e.is_primary::text END AS "primary", e.begins_on AS "beginDate",
       CASE WHEN e.ends_on IS NOT NULL THEN greatest(e.begins_on, e.ends_on) END AS "endDate"
  FROM courses_enrolment e JOIN courses_class k ON k.id = e.class_id JOIN people_person p ON p.id = e.person_id {{history}}
"""
_DEMOGRAPHICS: Final = f"""
SELECT p.id AS pk, p.sourced_id AS "sourcedId", {_STATUS.format("p")} AS status, {{modified}} AS "dateLastModified",
       p.born_on AS "birthDate", {_case("p.sex", SEXES)} AS sex, btrim(p.birth_country) AS "countryOfBirthCode",
       btrim(p.birth_place) AS "cityOfBirth"
  FROM people_person p {{history}}
 WHERE p.born_on IS NOT NULL OR p.sex IS NOT NULL OR p.birth_place <> '' OR p.birth_country <> ''
"""

_OF_ROW: Final = ("row_id", "table_name = '{0}'")
_OF_PERSON: Final = (
    "subject_id",
    "table_name IN ('people_person', 'people_membership', 'people_guardianship')",
)


def _dated(base: str, alias: str, by: tuple[str, str], otherwise: str = "%(long_ago)s") -> tuple[str, str]:
    """The statement for finding rows, and the one for telling a few: they look the last change up in different ways.

    For all rows of a school the history is gathered once, and not at all where neither filter nor order asks for it.
    """
    column, condition = by
    gathered = (
        f"LEFT JOIN (SELECT {column} AS changed, max(changed_at) AS changed_at FROM tenancy_change"
        f" WHERE {condition} GROUP BY {column}) h ON h.changed = {alias}.id"
    )
    looked_up = (
        f"(SELECT max(t.changed_at) FROM tenancy_change t WHERE t.{condition} AND t.{column} = {alias}.id)"
    )
    day = "date_trunc('milliseconds', coalesce({0}, {1}))"
    finding = base.replace("{modified}", day.format("h.changed_at", otherwise)).replace("{history}", gathered)
    telling = base.replace("{modified}", day.format(looked_up, otherwise)).replace("{history}", "")
    return finding, telling


def _by_table(base: str, alias: str, table: str) -> tuple[str, str]:
    return _dated(base, alias, (_OF_ROW[0], _OF_ROW[1].format(table)))


_BASES: Final[Mapping[str, tuple[str, str]]] = {
    SESSIONS.one: _by_table(_SESSIONS, "a", "courses_academicsession"),
    ORGS.one: _by_table(_ORGS, "d", "people_department"),
    COURSES.one: _by_table(_COURSES, "c", "courses_course"),
    CLASSES.one: _by_table(_CLASSES, "k", "courses_class"),
    USERS.one: _dated(_USERS, "p", _OF_PERSON, "p.created_at"),
    ENROLMENTS.one: _by_table(_ENROLMENTS, "e", "courses_enrolment"),
    DEMOGRAPHICS.one: _dated(_DEMOGRAPHICS, "p", _OF_PERSON, "p.created_at"),
}

_CURRENT: Final = "(e.ends_on IS NULL OR e.ends_on >= %(today)s)"
_IN_CLASS: Final = (
    "pk IN (SELECT e.person_id FROM courses_enrolment e JOIN courses_class k ON k.id = e.class_id"
    f" WHERE k.sourced_id = %(parent)s AND e.role = {{0}} AND {_CURRENT})"
)
_WITH_PERSON: Final = (
    "pk IN (SELECT e.class_id FROM courses_enrolment e JOIN people_person p ON p.id = e.person_id"
    f" WHERE p.sourced_id = %(parent)s AND e.role IN ({{0}}) AND {_CURRENT})"
)
_HAS_ROLE: Final = "pk IN (SELECT m.person_id FROM people_membership m WHERE m.role = {0})"
_NARROWED: Final[Mapping[Narrowing, str]] = {
    Narrowing.TERMS: "type NOT IN ('schoolYear', 'gradingPeriod', 'ext:fullSchoolYear')",
    Narrowing.GRADING_PERIODS: "type = 'gradingPeriod'",
    Narrowing.SCHOOLS: "type = 'school'",
    Narrowing.STUDENTS: _HAS_ROLE.format(STUDENT_ROLE),
    Narrowing.TEACHERS: _HAS_ROLE.format(TEACHER_ROLE),
    Narrowing.OF_TERM: '%(parent)s = ANY("terms.sourcedId")',
    Narrowing.CHILDREN_OF_TERM: "type = 'gradingPeriod' AND \"parent.sourcedId\" = %(parent)s",
    Narrowing.OF_COURSE: '"course.sourcedId" = %(parent)s',
    Narrowing.OF_CLASS: '"class.sourcedId" = %(parent)s',
    Narrowing.STUDENTS_OF_CLASS: _IN_CLASS.format(1),
    Narrowing.TEACHERS_OF_CLASS: _IN_CLASS.format(2),
    Narrowing.OF_USER: _WITH_PERSON.format("1, 2, 3"),
    Narrowing.OF_STUDENT: _WITH_PERSON.format("1"),
    Narrowing.OF_TEACHER: _WITH_PERSON.format("2"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a collection, and how many there are in all. `pk` of a row is the person's for users and demographics."""

    rows: list[Row]
    total: int


def has_parents(actor: Actor, endpoint: Endpoint, identifiers: Sequence[str]) -> bool:
    """Whether all that an endpoint's path names before its last part is there. One statement each."""
    require(actor, OFFICE)
    facts = _facts(actor)
    with connection.cursor() as cursor:
        for (resource, narrowings), sourced_id in zip(endpoint.parents, identifiers, strict=False):
            conditions = _conditions(narrowings, '"sourcedId" = %(sourced_id)s')
            cursor.execute(
                f"SELECT 1 FROM ({_BASES[resource.one][0]}) found WHERE {conditions} LIMIT 1",
                {**facts, "sourced_id": sourced_id},
            )
            if cursor.fetchone() is None:
                return False
    return True


def find_thing(actor: Actor, endpoint: Endpoint, sourced_id: str) -> Row | None:
    """One thing by its sourcedId. One statement besides the school's own facts."""
    require(actor, OFFICE)
    conditions = _conditions(endpoint.narrowings, '"sourcedId" = %(sourced_id)s')
    statement = f"SELECT * FROM ({_BASES[endpoint.resource.one][1]}) found WHERE {conditions} LIMIT 1"
    rows = _rows(statement, {**_facts(actor), "sourced_id": sourced_id})
    return rows[0] if rows else None


def things_for(actor: Actor, endpoint: Endpoint, asked: Asked, *, parent: str = "") -> Found:
    """A page of an endpoint's collection, narrowed by the last thing that its path names. Three statements."""
    require(actor, OFFICE)
    finding, telling = _BASES[endpoint.resource.one]
    facts = {**_facts(actor), "parent": parent}
    conditions = _conditions(endpoint.narrowings, _filtered(asked, facts))
    facts.update(limit=asked.limit, offset=asked.offset)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({finding}) found WHERE {conditions}", facts)
        total = int(cursor.fetchone()[0])
        if asked.offset >= total:
            return Found([], total)
        cursor.execute(
            f"SELECT pk FROM ({finding}) found WHERE {conditions} ORDER BY {_order(endpoint.resource, asked)}"
            " LIMIT %(limit)s OFFSET %(offset)s",
            facts,
        )
        keys = [key for (key,) in cursor.fetchall()]
    rows = _rows(f"SELECT * FROM ({telling}) found WHERE pk = ANY(%(keys)s)", {**facts, "keys": keys})
    place = {key: number for number, key in enumerate(keys)}
    return Found(sorted(rows, key=lambda row: place[row["pk"]]), total)


def _conditions(narrowings: Iterable[Narrowing], *more: str) -> str:
    return " AND ".join([*(_NARROWED[one] for one in narrowings), *filter(None, more)]) or "true"


def _rows(statement: str, facts: Mapping[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _facts(actor: Actor) -> dict[str, Any]:
    sourced_id, identifier, name = tenancy.codes_of(actor.place.id)
    today = clock.today(actor.place.time_zone)
    year = school_year_of(today)
    return {
        "org": sourced_id or actor.place.slug,
        "org_code": identifier,
        "org_name": name,
        "today": today,
        "long_ago": LONG_AGO,
        "year": year.sourced_id,
        "year_title": year.title,
        "year_number": year.school_year,
        "year_begins": year.start_date,
        "year_ends": year.end_date,
    }


def _order(resource: Resource, asked: Asked) -> str:
    if not asked.sort:
        return "pk"
    column = f'"{asked.sort}"'
    if resource.fields[asked.sort] in (FieldKind.TEXT, FieldKind.ID):
        column += ' COLLATE "C"'
    return f"{column} {'DESC' if asked.descending else 'ASC'} NULLS LAST, pk"


# -- filters ----------------------------------------------------------------------------------------------------------


def _filtered(asked: Asked, facts: dict[str, Any]) -> str:
    """The filter as a condition on declared columns; the values go into `facts`."""
    alternatives = [
        " AND ".join(_compared(predicate, facts) for predicate in predicates)
        for predicates in asked.alternatives
    ]
    return f"({' OR '.join(alternatives)})" if alternatives else ""


def _compared(one: Predicate, facts: dict[str, Any]) -> str:
    name = f"value_{len(facts)}"
    value, column = f"%({name})s", f'"{one.field}"'
    if one.kind in (FieldKind.WORDS, FieldKind.PARTS):
        facts[name] = [word.lower() for word in ([one.value] if isinstance(one.value, str) else one.value)]  # type: ignore[union-attr]
        return _compared_lists(one, f"lower({column}::text)::text[]", f"{value}::text[]")
    facts[name] = one.value.lower() if one.kind is FieldKind.TEXT else one.value  # type: ignore[union-attr]
    if one.kind is FieldKind.TEXT:
        column = f"lower({column})"
    if one.kind in (FieldKind.TEXT, FieldKind.ID):
        value = f"{value}::text"
    if one.sign == "~":
        return f"position({value} IN coalesce({column}, '')) > 0"
    if one.sign == "!=":
        return f"{column} IS DISTINCT FROM {value}"
    order = ' COLLATE "C"' if one.kind is FieldKind.TEXT and one.sign != "=" else ""
    return f"{column}{order} {one.sign} {value}"


def _compared_lists(one: Predicate, column: str, value: str) -> str:
    """Of parts any; of words all and no other, or with ~ at least those."""
    if one.kind is FieldKind.PARTS:
        found = f"{column} && {value}"
    elif one.sign == "~":
        found = f"{column} @> {value}"
    else:
        found = f"({column} @> {value} AND {column} <@ {value})"
    return f"NOT {found}" if one.sign == "!=" else found
