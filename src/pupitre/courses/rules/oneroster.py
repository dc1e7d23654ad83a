"""OneRoster CSV 1.1 and 1.2 (CSV Binding 1.2.1, 1EdTech, 22 August 2023): the columns, and how they fill a roster.

1.2 moved roles into a file of their own. Files are met that say 1.2 and still keep roles in users.csv, so the columns
of both versions are known in either; where there is a roles.csv, it decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pupitre.courses.rules import vocabulary
from pupitre.courses.rules.findings import FindingCode, Findings, Severity
from pupitre.courses.rules.gathering import Gathering, relation_reader
from pupitre.courses.rules.roster import (
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
    RosterRole,
    User,
    UserRole,
    relation_of,
)
from pupitre.courses.rules.tables import FileSpec, Sheet, Table, columns, list_of

# The binding's way to add columns of one's own is the prefix "metadata.".
AGENT_RELATIONS = "metadata.pupitre.agentRelations"
FLAGS = "metadata.pupitre.flags"
ROLE_GRADE = "metadata.pupitre.grade"

MANIFEST = FileSpec("manifest.csv", None, columns("propertyName* value*"))
_HEAD = "sourcedId* status dateLastModified "

SPECS: Mapping[str, FileSpec] = {
    "academicsessions": FileSpec(
        "academicSessions.csv",
        Kind.ACADEMIC_SESSIONS,
        columns(
            _HEAD + "title* type+ startDate* endDate* parentSourcedId schoolYear+",
            sourcedId="sourced_id",
            title="title",
            type="type",
            startDate="start_date",
            endDate="end_date",
            parentSourcedId="parent",
            schoolYear="school_year",
        ),
    ),
    "orgs": FileSpec(
        "orgs.csv",
        Kind.ORGS,
        columns(
            _HEAD + "name* type* identifier parentSourcedId",
            sourcedId="sourced_id",
            name="name",
            type="type",
            identifier="identifier",
            parentSourcedId="parent",
        ),
    ),
    "courses": FileSpec(
        "courses.csv",
        Kind.COURSES,
        columns(
            _HEAD
            + "schoolYearSourcedId title* courseCode grades=grade orgSourcedId* subjects=subject subjectCodes",
            sourcedId="sourced_id",
            schoolYearSourcedId="school_year",
            title="title",
            courseCode="code",
            grades="grades",
            orgSourcedId="org",
            subjects="subjects",
            subjectCodes="subject_codes",
        ),
    ),
    "classes": FileSpec(
        "classes.csv",
        Kind.CLASSES,
        columns(
            _HEAD + "title* grades=grade courseSourcedId+ classCode classType+ location schoolSourcedId* "
            "termSourcedIds+=termSourcedId subjects=subject subjectCodes periods=period",
            sourcedId="sourced_id",
            title="title",
            grades="grades",
            courseSourcedId="course",
            classCode="code",
            classType="type",
            location="location",
            schoolSourcedId="school",
            termSourcedIds="terms",
            subjects="subjects",
            subjectCodes="subject_codes",
            periods="periods",
        ),
    ),
    "users": FileSpec(
        "users.csv",
        Kind.USERS,
        columns(
            _HEAD
            + "enabledUser username* userIds=userId givenName*=first_name familyName*=last_name|surname middleName "
            "identifier email sms phone agentSourcedIds=agents grades=grade password userMasterIdentifier "
            "preferredGivenName preferredMiddleName preferredFamilyName primaryOrgSourcedId pronouns "
            f"orgSourcedIds role {AGENT_RELATIONS} {FLAGS}",
            sourcedId="sourced_id",
            enabledUser="enabled",
            username="username",
            userIds="user_ids",
            givenName="given_name",
            familyName="family_name",
            middleName="middle_name",
            identifier="identifier",
            email="email",
            sms="sms",
            phone="phone",
            grades="grades",
            userMasterIdentifier="master_identifier",
            preferredGivenName="preferred_given_name",
            preferredMiddleName="preferred_middle_name",
            preferredFamilyName="preferred_family_name",
            primaryOrgSourcedId="primary_org",
            pronouns="pronouns",
            agentSourcedIds="agents",
            orgSourcedIds="orgs",
            role="role",
            **{AGENT_RELATIONS: "relations", FLAGS: "flags"},
        ),
    ),
    "roles": FileSpec(
        "roles.csv",
        Kind.ROLES,
        columns(
            _HEAD
            + "userSourcedId* roleType+ role* beginDate endDate orgSourcedId* userProfileSourcedId=userProfile "
            f"{ROLE_GRADE}",
            sourcedId="sourced_id",
            userSourcedId="user",
            roleType="primary",
            role="role",
            beginDate="begin_date",
            endDate="end_date",
            orgSourcedId="org",
            **{ROLE_GRADE: "grade"},
        ),
    ),
    "enrollments": FileSpec(
        "enrollments.csv",
        Kind.ENROLMENTS,
        columns(
            _HEAD + "classSourcedId* schoolSourcedId+ userSourcedId* role* primary beginDate endDate",
            sourcedId="sourced_id",
            classSourcedId="class_",
            schoolSourcedId="school",
            userSourcedId="user",
            role="role",
            primary="primary",
            beginDate="begin_date",
            endDate="end_date",
        ),
    ),
    "demographics": FileSpec(
        "demographics.csv",
        Kind.DEMOGRAPHICS,
        columns(
            "sourcedId*=userSourcedId status dateLastModified birthDate sex americanIndianOrAlaskaNative asian "
            "blackOrAfricanAmerican nativeHawaiianOrOtherPacificIslander white demographicRaceTwoOrMoreRaces "
            "hispanicOrLatinoEthnicity countryOfBirthCode stateOfBirthAbbreviation cityOfBirth "
            "publicSchoolResidenceStatus",
            sourcedId="user",
            birthDate="birth_date",
            sex="sex",
            countryOfBirthCode="birth_country",
            stateOfBirthAbbreviation="birth_state",
            cityOfBirth="birth_city",
        ),
    ),
    "userprofiles": FileSpec(
        "userProfiles.csv",
        None,
        columns(
            _HEAD
            + "userSourcedId* profileType vendorId applicationId description credentialType username password"
        ),
    ),
}

# The rest of the binding: grades, results and resources are other features' data.
OTHER_FILES = (
    *("categories", "classResources", "courseResources", "lineItemLearningObjectiveIds", "lineItems"),
    *(
        "lineItemScoreScales",
        "resources",
        "resultLearningObjectiveIds",
        "results",
        "resultScoreScales",
        "scoreScales",
    ),
    *("userResources",),
)
MANIFEST_FILES = sorted(
    [*OTHER_FILES, *(spec.name.removesuffix(".csv") for spec in SPECS.values())], key=str.casefold
)

TARGETS: Mapping[Kind, str] = {spec.kind: spec.name for spec in SPECS.values() if spec.kind is not None}


# -- the manifest ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Manifest:
    """What manifest.csv says: the version, and bulk, delta or absent for each file (folded name without .csv)."""

    version: str
    modes: Mapping[str, str]
    line_of_version: int = 0


_MODE_WORDS = {"bulk": "bulk", "full": "bulk", "delta": "delta", "absent": "absent", "none": "absent", "": ""}


def read_manifest(sheet: Sheet, findings: Findings) -> Manifest:
    """Reads manifest.csv, with or without its header; words that are no mode are refused."""
    table = Table(sheet, MANIFEST, findings)
    version, line_of_version = "", 0
    modes: dict[str, str] = {}
    if not table.readable:
        return Manifest(version, modes)
    at_name, at_value = table.places("propertyName", "value")
    for line, row in table._all_rows():
        name, value = row[at_name], row[at_value]
        key = vocabulary.fold(name)
        if key == "onerosterversion":
            version, line_of_version = value, line
        elif key.startswith("file"):
            mode = _MODE_WORDS.get(vocabulary.fold(value))
            if mode is None:
                table.add(Severity.ERROR, FindingCode.MANIFEST_VALUE, line, name, value)
            else:
                modes[key.removeprefix("file").removesuffix("csv")] = mode
    return Manifest(version, modes, line_of_version)


# -- the files -------------------------------------------------------------------------------------------------------


def gather(
    tables: Mapping[str, Table], modes: Mapping[str, Mode], version: str, gathering: Gathering
) -> None:
    """Reads the tables (by folded file name, in READING_ORDER) into the gathering."""
    for name, table in tables.items():
        kind = table.spec.kind
        if kind is not None:
            gathering.modes[kind] = modes[name]
            gathering.tell(kind, table)
        if table.readable and name in _READERS:
            _READERS[name](table, gathering)
            if kind is not None:
                gathering.ended[kind].update(table.ended)
    users = tables.get("users")
    if users is not None and users.readable:
        _gather_from_users(users, "roles" in tables, version, gathering)


def _gather_from_users(users: Table, roles_are_apart: bool, version: str, gathering: Gathering) -> None:
    if not roles_are_apart and users.has("role", "orgSourcedIds"):
        _read_roles_of_users(users, gathering)
    elif not roles_are_apart and version == "1.1":
        for name in ("role", "orgSourcedIds"):
            if not users.has(name):
                users.add(Severity.ERROR, FindingCode.COLUMN_MISSING, users.sheet.header_line, name)
    _read_agents(users, gathering)
    if roles_are_apart:
        _say_who_has_no_role(users, gathering)


def _read_orgs(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.ORGS, table)
    a_key, a_name, a_type, a_identifier, a_parent = table.places(
        "sourcedId", "name", "type", "identifier", "parentSourcedId"
    )
    org_type = table.words("type", vocabulary.ORG_TYPES)
    for line, row in table.living_rows("sourcedId"):
        key = row[a_key]
        put(key, Org(key, row[a_name], org_type(row[a_type], line), row[a_identifier], row[a_parent]), line)


def _read_sessions(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.ACADEMIC_SESSIONS, table)
    a_key, a_title, a_type, a_start, a_end, a_parent, a_year = table.places(
        "sourcedId", "title", "type", "startDate", "endDate", "parentSourcedId", "schoolYear"
    )
    start, end = table.date_readers("startDate", "endDate", chosen=gathering.choices.date_order)
    session_type = table.words("type", vocabulary.SESSION_TYPES, usual="term")
    for line, row in table.living_rows("sourcedId"):
        key, last = row[a_key], end(row[a_end], line)
        year = row[a_year] or (str(last.year) if last else "")
        kind = session_type(row[a_type], line)
        put(
            key,
            AcademicSession(key, row[a_title], kind, start(row[a_start], line), last, year, row[a_parent]),
            line,
        )


def _read_courses(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.COURSES, table)
    a_key, a_title, a_org, a_code, a_year, a_grades, a_subjects, a_codes = table.places(
        "sourcedId",
        "title",
        "orgSourcedId",
        "courseCode",
        "schoolYearSourcedId",
        "grades",
        "subjects",
        "subjectCodes",
    )
    grade = gathering.grade_reader(table, "grades")
    for line, row in table.living_rows("sourcedId"):
        key = row[a_key]
        course = Course(
            key,
            row[a_title],
            row[a_org],
            row[a_code],
            row[a_year],
            tuple(grade(word, line) for word in list_of(row[a_grades])),
            list_of(row[a_subjects]),
            list_of(row[a_codes]),
        )
        put(key, course, line)


def _read_classes(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.CLASSES, table)
    a_key, a_title, a_school, a_course, a_terms, a_code, a_type, a_location = table.places(
        *("sourcedId", "title", "schoolSourcedId", "courseSourcedId"),
        *("termSourcedIds", "classCode", "classType", "location"),
    )
    a_grades, a_subjects, a_codes, a_periods = table.places("grades", "subjects", "subjectCodes", "periods")
    grade = gathering.grade_reader(table, "grades")
    class_type = table.words("classType", vocabulary.CLASS_TYPES, usual="scheduled")
    for line, row in table.living_rows("sourcedId"):
        key = row[a_key]
        class_ = Class(
            key,
            row[a_title],
            row[a_school],
            row[a_course],
            list_of(row[a_terms]),
            row[a_code],
            class_type(row[a_type], line),
            row[a_location],
            tuple(grade(word, line) for word in list_of(row[a_grades])),
            list_of(row[a_subjects]),
            list_of(row[a_codes]),
            list_of(row[a_periods]),
        )
        put(key, class_, line)


def _read_users(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.USERS, table)
    a_key, a_name, a_given, a_family, a_middle, a_identifier, a_master = table.places(
        *("sourcedId", "username", "givenName", "familyName"),
        *("middleName", "identifier", "userMasterIdentifier"),
    )
    a_preferred, a_preferred_middle, a_preferred_family, a_email, a_phone, a_sms = table.places(
        *("preferredGivenName", "preferredMiddleName", "preferredFamilyName", "email", "phone", "sms")
    )
    a_ids, a_grades, a_enabled, a_org, a_pronouns, a_flags, a_agents, a_relations = table.places(
        *("userIds", "grades", "enabledUser", "primaryOrgSourcedId", "pronouns", FLAGS),
        *("agentSourcedIds", AGENT_RELATIONS),
    )
    families = gathering.families
    grade = gathering.grade_reader(table, "grades")
    enabled = table.flags("enabledUser")
    for line, row in table.living_rows("sourcedId"):
        user = User(
            row[a_key],
            row[a_name],
            row[a_given],
            row[a_family],
            row[a_middle],
            row[a_preferred],
            row[a_preferred_middle],
            row[a_preferred_family],
            row[a_identifier],
            row[a_master],
            row[a_email],
            row[a_phone],
            row[a_sms],
            _user_ids(row[a_ids], table, line) if row[a_ids] else (),
            tuple([grade(word, line) for word in list_of(row[a_grades])]) if row[a_grades] else (),
            enabled(row[a_enabled], line) is not False,
            row[a_org],
            row[a_pronouns],
            list_of(row[a_flags]),
        )
        put(row[a_key], user, line)
        if row[a_agents]:
            families.append((line, row[a_key], row[a_agents], row[a_relations]))


_USER_ID = re.compile(r"\{([^{}:]*):([^{}]*)\}")
_USER_IDS = re.compile(r"(?:\{[^{}:]*:[^{}]*\}[\s,;]*)+")


def _user_ids(cell: str, table: Table, line: int) -> tuple[tuple[str, str], ...]:
    if _USER_IDS.fullmatch(cell) is None:
        table.add(Severity.WARNING, FindingCode.USER_IDS_UNREADABLE, line, "userIds", cell)
        return ()
    return tuple((kind.strip(), identifier.strip()) for kind, identifier in _USER_ID.findall(cell))


def _read_roles(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.ROLES, table)
    a_key, a_user, a_org, a_role, a_type, a_begin, a_end, a_grade = table.places(
        "sourcedId", "userSourcedId", "orgSourcedId", "role", "roleType", "beginDate", "endDate", ROLE_GRADE
    )
    begin, end = table.date_readers("beginDate", "endDate", chosen=gathering.choices.date_order)
    role_of = gathering.role_reader(table, "role")
    role_type = table.words("roleType", ("primary", "secondary"), usual="primary")
    for line, row in table.living_rows("sourcedId"):
        role = role_of(row[a_role], line)
        if role is None:
            continue
        key, primary = row[a_key], role_type(row[a_type], line) != "secondary"
        span = begin(row[a_begin], line), end(row[a_end], line)
        put(key, UserRole(key, row[a_user], row[a_org], role, primary, *span, row[a_grade]), line)


def _read_enrolments(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.ENROLMENTS, table)
    a_key, a_class, a_school, a_user, a_role, a_primary, a_begin, a_end = table.places(
        *("sourcedId", "classSourcedId", "schoolSourcedId", "userSourcedId"),
        *("role", "primary", "beginDate", "endDate"),
    )
    begin, end = table.date_readers("beginDate", "endDate", chosen=gathering.choices.date_order)
    role_of, primary = gathering.role_reader(table, "role"), table.flags("primary")
    classes: Mapping[str, Class] = gathering.rows[Kind.CLASSES]
    for line, row in table.living_rows("sourcedId"):
        role = role_of(row[a_role], line)
        if role is None:
            continue
        key, class_key, school = row[a_key], row[a_class], row[a_school]
        if not school and class_key in classes:
            school = classes[class_key].school
        span = begin(row[a_begin], line), end(row[a_end], line)
        enrolment = Enrolment(key, class_key, row[a_user], school, role, primary(row[a_primary], line), *span)
        put(key, enrolment, line)


def _read_demographics(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.DEMOGRAPHICS, table)
    a_key, a_birth, a_sex, a_city, a_state, a_country = table.places(
        "sourcedId", "birthDate", "sex", "cityOfBirth", "stateOfBirthAbbreviation", "countryOfBirthCode"
    )
    (birth,) = table.date_readers("birthDate", chosen=gathering.choices.date_order)
    sex = table.sexes("sex")
    for line, row in table.living_rows("sourcedId"):
        key = row[a_key]
        born = birth(row[a_birth], line)
        put(
            key,
            Demographics(key, born, sex(row[a_sex], line), row[a_city], row[a_state], row[a_country]),
            line,
        )


_READERS = {
    "orgs": _read_orgs,
    "academicsessions": _read_sessions,
    "courses": _read_courses,
    "classes": _read_classes,
    "users": _read_users,
    "roles": _read_roles,
    "enrollments": _read_enrolments,
    "demographics": _read_demographics,
}
# Enrolments look their school up in the classes.
READING_ORDER = tuple(_READERS)


# -- what users.csv says about others --------------------------------------------------------------------------------


def _read_roles_of_users(table: Table, gathering: Gathering) -> None:
    """OneRoster 1.1: one role in each of a user's organisations, the first of them the primary one."""
    gathering.modes[Kind.ROLES] = gathering.modes[Kind.USERS]
    gathering.told[Kind.ROLES] = frozenset({"user", "org", "role"})
    put = gathering.putter(Kind.ROLES, table)
    a_key, a_role, a_orgs = table.places("sourcedId", "role", "orgSourcedIds")
    role_of = gathering.role_reader(table, "role")
    for line, row in table.quietly().living_rows("sourcedId"):
        for name, place in (("role", a_role), ("orgSourcedIds", a_orgs)):
            if not row[place]:
                table.add(Severity.ERROR, FindingCode.CELL_EMPTY, line, name)
        role = role_of(row[a_role], line) if row[a_role] else None
        if role is None:
            continue
        for number, org in enumerate(list_of(row[a_orgs])):
            key = f"{row[a_key]}:{org}:{role}"
            put(key, UserRole(key, row[a_key], org, role, number == 0), line)


def _say_who_has_no_role(table: Table, gathering: Gathering) -> None:
    if gathering.modes.get(Kind.ROLES) is not Mode.BULK:
        return
    known = {role.user for role in gathering.rows[Kind.ROLES].values()}
    known.update(guardianship.agent for guardianship in gathering.rows[Kind.GUARDIANSHIPS].values())
    for key in gathering.rows[Kind.USERS]:
        if key not in known:
            line = gathering.place(Kind.USERS, key).line
            gathering.findings.tally(
                Severity.WARNING, FindingCode.USER_WITHOUT_ROLE, file=table.file, line=line
            )


def _read_agents(table: Table, gathering: Gathering) -> None:
    """agentSourcedIds, told by the pupil, by the guardian, or by both: one guardianship each, sorted."""
    if not table.has("agentSourcedIds"):
        return
    gathering.modes[Kind.GUARDIANSHIPS] = gathering.modes[Kind.USERS]
    gathering.told[Kind.GUARDIANSHIPS] = frozenset({"pupil", "agent", "relation"})
    relation_word = relation_reader(table, AGENT_RELATIONS)
    roles = roles_by_user(gathering.rows[Kind.ROLES].values())
    found: dict[tuple[str, str], tuple[Relation, int]] = {}
    for line, user, agents, relations in gathering.families:
        words = list_of(relations)
        for number, other in enumerate(list_of(agents)):
            pupil, agent = _pupil_first(user, other, roles)
            told = relation_word(words[number], line) if number < len(words) else None
            found.setdefault((pupil, agent), (told or relation_of(roles.get(agent, frozenset())), line))
    put = gathering.putter(Kind.GUARDIANSHIPS, table)
    for (pupil, agent), (relation, line) in sorted(found.items()):
        guardianship = Guardianship(pupil, agent, relation)
        put(guardianship.sourced_id, guardianship, line)


def roles_by_user(roles: Iterable[UserRole]) -> dict[str, frozenset[RosterRole]]:
    """The roles that each user has anywhere."""
    single = {role: frozenset({role}) for role in RosterRole}
    found: dict[str, frozenset[RosterRole]] = {}
    for role in roles:
        before = found.get(role.user)
        found[role.user] = single[role.role] if before is None else before | single[role.role]
    return found


_FAMILY = frozenset({RosterRole.PARENT, RosterRole.GUARDIAN, RosterRole.RELATIVE})


def _pupil_first(user: str, other: str, roles: Mapping[str, frozenset[RosterRole]]) -> tuple[str, str]:
    """The column stands in the pupil's row; where a guardian's row names a pupil, the pair is turned."""
    own, others = roles.get(user, frozenset()), roles.get(other, frozenset())
    is_turned = RosterRole.STUDENT not in own and bool(own & _FAMILY) and RosterRole.STUDENT in others
    return (other, user) if is_turned else (user, other)
