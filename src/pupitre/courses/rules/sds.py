"""Microsoft School Data Sync CSV v1 and v2.1: the columns, and how they fill a roster in OneRoster's words.

Neither has a manifest: every file is complete. v1 is a school's export in American words and dates; v2.1 is close to
OneRoster with identifiers only where Microsoft needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from pupitre.courses.rules import dates, vocabulary
from pupitre.courses.rules.findings import FindingCode, Severity
from pupitre.courses.rules.gathering import Gathering, enrolment, relation_reader
from pupitre.courses.rules.roster import (
    AcademicSession,
    Class,
    Course,
    Demographics,
    Guardianship,
    Kind,
    Mode,
    Org,
    RosterRole,
    User,
    UserRole,
)
from pupitre.courses.rules.tables import FileSpec, Table, columns, list_of

_PERSON = (
    "SIS_ID* School_SIS_ID* First_Name+=Given_Name Last_Name+=Surname|Family_Name Username* Password State_ID "
    "Secondary_Email=Email Middle_Name Status Phone Mailing_Address Mailing_City Mailing_State Mailing_Zip "
    "Mailing_Country Mailing_Latitude Mailing_Longitude Residence_Address Residence_City Residence_State "
    "Residence_Zip Residence_Country Residence_Latitude Residence_Longitude "
)
_PERSON_KEPT = {
    "SIS_ID": "sourced_id",
    "School_SIS_ID": "org",
    "First_Name": "given_name",
    "Last_Name": "family_name",
    "Username": "username",
    "Secondary_Email": "email",
    "Middle_Name": "middle_name",
    "Phone": "phone",
}

V1: Mapping[str, FileSpec] = {
    "school": FileSpec(
        "School.csv",
        Kind.ORGS,
        columns(
            "SIS_ID* Name* School_Number School_NCES__ID State_ID Grade_Low Grade_High Principal_SIS_ID Principal_Name "
            "Principal_Secondary_Email Address City State Country Zip Phone Zone",
            SIS_ID="sourced_id",
            Name="name",
            School_Number="identifier",
        ),
    ),
    "section": FileSpec(
        "Section.csv",
        Kind.CLASSES,
        columns(
            "SIS_ID* School_SIS_ID* Section_Name* Section_Number Term_SIS_ID Term_Name Term_StartDate Term_EndDate "
            "Course_SIS_ID Course_Name Course_Number Course_Description Course_Subject Periods Status",
            SIS_ID="sourced_id",
            School_SIS_ID="school",
            Section_Name="title",
            Section_Number="code",
            Term_SIS_ID="terms",
            Term_Name="term_title",
            Term_StartDate="start_date",
            Term_EndDate="end_date",
            Course_SIS_ID="course",
            Course_Name="course_title",
            Course_Number="course_code",
            Course_Subject="subjects",
            Periods="periods",
        ),
    ),
    "student": FileSpec(
        "Student.csv",
        Kind.USERS,
        columns(
            _PERSON + "Student_Number Grade Birthdate Graduation_Year FederalRace",
            **_PERSON_KEPT,
            Student_Number="identifier",
            Grade="grades",
            Birthdate="birth_date",
        ),
    ),
    "teacher": FileSpec(
        "Teacher.csv",
        Kind.USERS,
        columns(_PERSON + "Teacher_Number Title Qualification", **_PERSON_KEPT, Teacher_Number="identifier"),
    ),
    "studentenrollment": FileSpec(
        "StudentEnrollment.csv",
        Kind.ENROLMENTS,
        columns("Section_SIS_ID* SIS_ID* Status", Section_SIS_ID="class_", SIS_ID="user"),
    ),
    "teacherroster": FileSpec(
        "TeacherRoster.csv",
        Kind.ENROLMENTS,
        columns("Section_SIS_ID* SIS_ID* Status", Section_SIS_ID="class_", SIS_ID="user"),
    ),
    "user": FileSpec(
        "User.csv",
        Kind.USERS,
        columns(
            "Email* First_Name+ Last_Name+ Phone SIS_ID",
            Email="email",
            First_Name="given_name",
            Last_Name="family_name",
            Phone="phone",
            SIS_ID="sourced_id",
        ),
    ),
    "guardianrelationship": FileSpec(
        "Guardianrelationship.csv",
        Kind.GUARDIANSHIPS,
        columns("SIS_ID* Email* Role", SIS_ID="pupil", Email="agent", Role="relation"),
    ),
}
V1_REQUIRED = ("school", "student", "teacher")
V1_TOGETHER = ("section", "studentenrollment", "teacherroster")
V1_TARGETS: Mapping[Kind, str] = {
    Kind.ORGS: "School.csv",
    Kind.ACADEMIC_SESSIONS: "Section.csv",
    Kind.COURSES: "Section.csv",
    Kind.CLASSES: "Section.csv",
    Kind.USERS: "Student.csv / Teacher.csv",
}
V1_COLUMNS: Mapping[tuple[Kind, str], str] = {
    (Kind.COURSES, "org"): "School SIS ID",
    (Kind.CLASSES, "school"): "School SIS ID",
    (Kind.ROLES, "user"): "SIS ID",
    (Kind.ROLES, "org"): "School SIS ID",
    (Kind.GUARDIANSHIPS, "pupil"): "SIS ID",
    (Kind.GUARDIANSHIPS, "agent"): "Email",
    (Kind.ENROLMENTS, "class_"): "Section SIS ID",
    (Kind.ENROLMENTS, "user"): "SIS ID",
    (Kind.ENROLMENTS, "school"): "Section SIS ID",
    (Kind.DEMOGRAPHICS, "user"): "SIS ID",
}

V2: Mapping[str, FileSpec] = {
    "orgs": FileSpec(
        "orgs.csv",
        Kind.ORGS,
        columns(
            "sourcedId* name* type* parentSourcedId",
            sourcedId="sourced_id",
            name="name",
            type="type",
            parentSourcedId="parent",
        ),
    ),
    "academicsessions": FileSpec(
        "academicSessions.csv",
        Kind.ACADEMIC_SESSIONS,
        columns(
            "sourcedId* title* type* schoolYear* startDate* endDate*",
            sourcedId="sourced_id",
            title="title",
            type="type",
            schoolYear="school_year",
            startDate="start_date",
            endDate="end_date",
        ),
    ),
    "courses": FileSpec(
        "courses.csv",
        Kind.COURSES,
        columns(
            "sourcedId* orgSourcedId* title* code schoolYearSourcedId subject=subjects grade=grades",
            sourcedId="sourced_id",
            orgSourcedId="org",
            title="title",
            code="code",
            schoolYearSourcedId="school_year",
            subject="subjects",
            grade="grades",
        ),
    ),
    "classes": FileSpec(
        "classes.csv",
        Kind.CLASSES,
        columns(
            "sourcedId* orgSourcedId* title* sessionSourcedIds courseSourcedId code",
            sourcedId="sourced_id",
            orgSourcedId="school",
            title="title",
            sessionSourcedIds="terms",
            courseSourcedId="course",
            code="code",
        ),
    ),
    "users": FileSpec(
        "users.csv",
        Kind.USERS,
        columns(
            "sourcedId* username* givenName familyName password activeDirectoryMatchId email phone sms",
            sourcedId="sourced_id",
            username="username",
            givenName="given_name",
            familyName="family_name",
            activeDirectoryMatchId="user_ids",
            email="email",
            phone="phone",
            sms="sms",
        ),
    ),
    "roles": FileSpec(
        "roles.csv",
        Kind.ROLES,
        columns(
            "userSourcedId* orgSourcedId* role* sessionSourcedId grade isPrimary roleStartDate roleEndDate",
            userSourcedId="user",
            orgSourcedId="org",
            role="role",
            grade="grade",
            isPrimary="primary",
            roleStartDate="begin_date",
            roleEndDate="end_date",
        ),
    ),
    "enrollments": FileSpec(
        "enrollments.csv",
        Kind.ENROLMENTS,
        columns(
            "classSourcedId* userSourcedId* role*", classSourcedId="class_", userSourcedId="user", role="role"
        ),
    ),
    "relationships": FileSpec(
        "relationships.csv",
        Kind.GUARDIANSHIPS,
        columns(
            "userSourcedId* relationshipUserSourcedId* relationshipRole*",
            userSourcedId="pupil",
            relationshipUserSourcedId="agent",
            relationshipRole="relation",
        ),
    ),
    "demographics": FileSpec(
        "demographics.csv",
        Kind.DEMOGRAPHICS,
        columns(
            "userSourcedId* sex birthDate birthCity birthState birthCountry ethnicityCodes raceCodes",
            userSourcedId="user",
            sex="sex",
            birthDate="birth_date",
            birthCity="birth_city",
            birthState="birth_state",
            birthCountry="birth_country",
        ),
    ),
    "userflags": FileSpec(
        "userFlags.csv", None, columns("userSourcedId* flag*", userSourcedId="sourced_id", flag="flags")
    ),
}
V2_REQUIRED = ("orgs", "users", "roles")
V2_TARGETS: Mapping[Kind, str] = {spec.kind: spec.name for spec in V2.values() if spec.kind is not None}
V2_COLUMNS: Mapping[tuple[Kind, str], str] = {
    (Kind.CLASSES, "school"): "orgSourcedId",
    (Kind.CLASSES, "terms"): "sessionSourcedIds",
    (Kind.GUARDIANSHIPS, "agent"): "relationshipUserSourcedId",
    (Kind.DEMOGRAPHICS, "user"): "userSourcedId",
    (Kind.ENROLMENTS, "school"): "classSourcedId",
}

Tables = Mapping[str, Table]


# -- version 1 -------------------------------------------------------------------------------------------------------


def gather_v1(tables: Tables, gathering: Gathering) -> None:
    """Reads School, Section, Student, Teacher, StudentEnrollment, TeacherRoster, User, Guardianrelationship."""
    readers: Mapping[str, Callable[[Table, Gathering], None]] = {
        "school": _read_schools,
        "section": _read_sections,
        "student": _read_students,
        "teacher": _read_teachers,
        "studentenrollment": _read_student_enrolments,
        "teacherroster": _read_teacher_roster,
        "user": _read_guardians,
        "guardianrelationship": _read_guardian_relationships,
    }
    for name, read in readers.items():
        table = tables.get(name)
        if table is not None:
            _announce_v1(name, table, gathering)
            if table.readable:
                read(table, gathering)


_V1_KINDS: Mapping[str, tuple[Kind, ...]] = {
    "section": (Kind.CLASSES, Kind.COURSES, Kind.ACADEMIC_SESSIONS),
    "student": (Kind.USERS, Kind.ROLES, Kind.DEMOGRAPHICS),
    "teacher": (Kind.USERS, Kind.ROLES),
}
_DERIVED_COLUMN: Mapping[Kind, str] = {
    Kind.COURSES: "Course SIS ID",
    Kind.ACADEMIC_SESSIONS: "Term SIS ID",
    Kind.DEMOGRAPHICS: "Birthdate",
}
_DERIVED_FIELDS: Mapping[Kind, frozenset[str]] = {
    Kind.COURSES: frozenset({"title", "org", "code", "subjects"}),
    Kind.ACADEMIC_SESSIONS: frozenset({"title", "start_date", "end_date", "school_year"}),
    Kind.ROLES: frozenset({"user", "org", "role"}),
    Kind.DEMOGRAPHICS: frozenset({"user", "birth_date"}),
}


def _announce_v1(name: str, table: Table, gathering: Gathering) -> None:
    for kind in _V1_KINDS.get(name, (table.spec.kind or Kind.ORGS,)):
        column = _DERIVED_COLUMN.get(kind)
        if column is not None and not table.has(column):
            continue
        gathering.modes[kind] = Mode.BULK
        if kind in _DERIVED_FIELDS:
            gathering.told[kind] = _DERIVED_FIELDS[kind]
        else:
            gathering.tell(kind, table)


def _read_schools(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.ORGS, table)
    a_key, a_name, a_number = table.places("SIS ID", "Name", "School Number")
    for line, row in table.living_rows("SIS ID"):
        put(row[a_key], Org(row[a_key], row[a_name], "school", row[a_number]), line)
    gathering.ended[Kind.ORGS].update(table.ended)


def _read_sections(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.CLASSES, table)
    put_term = _term_putter(table, gathering)
    put_course = gathering.putter(Kind.COURSES, table, derived=True)
    a_key, a_school, a_title, a_code, a_term, a_course, a_subject, a_periods = table.places(
        *("SIS ID", "School SIS ID", "Section Name", "Section Number"),
        *("Term SIS ID", "Course SIS ID", "Course Subject", "Periods"),
    )
    a_course_name, a_course_number = table.places("Course Name", "Course Number")
    for line, row in table.living_rows("SIS ID"):
        key, school, term, course = row[a_key], row[a_school], row[a_term], row[a_course]
        subjects = list_of(row[a_subject])
        if term:
            put_term(term, row, line)
        if course:
            title = row[a_course_name] or row[a_course_number] or course
            put_course(course, Course(course, title, school, row[a_course_number], subjects=subjects), line)
        class_ = Class(
            key,
            row[a_title],
            school,
            course,
            (term,) if term else (),
            row[a_code],
            subjects=subjects,
            periods=list_of(row[a_periods]),
        )
        put(key, class_, line)
    gathering.ended[Kind.CLASSES].update(table.ended)


def _term_putter(table: Table, gathering: Gathering) -> Callable[[str, list[str], int], None]:
    put = gathering.putter(Kind.ACADEMIC_SESSIONS, table, derived=True)
    a_name, a_start, a_end = table.places("Term Name", "Term StartDate", "Term EndDate")
    start, end = table.date_readers(
        "Term StartDate", "Term EndDate", chosen=gathering.choices.date_order, usual=dates.MDY
    )

    def put_term(term: str, row: list[str], line: int) -> None:
        first, last = start(row[a_start], line), end(row[a_end], line)
        year = str(last.year) if last else ""
        put(term, AcademicSession(term, row[a_name] or term, "term", first, last, year), line)

    return put_term


def _read_students(table: Table, gathering: Gathering) -> None:
    put_birth = gathering.putter(Kind.DEMOGRAPHICS, table, derived=True)
    (a_birth,) = table.places("Birthdate")
    (birth,) = table.date_readers("Birthdate", chosen=gathering.choices.date_order, usual=dates.MDY)

    def tell_birth(key: str, row: list[str], line: int) -> None:
        born: date | None = birth(row[a_birth], line)
        if born is not None:
            put_birth(key, Demographics(key, born), line)

    _read_people(table, gathering, RosterRole.STUDENT, "Student Number", tell_birth)


def _read_teachers(table: Table, gathering: Gathering) -> None:
    _read_people(table, gathering, RosterRole.TEACHER, "Teacher Number", lambda _key, _row, _line: None)


def _read_people(
    table: Table,
    gathering: Gathering,
    role: RosterRole,
    number: str,
    tell_more: Callable[[str, list[str], int], None],
) -> None:
    # Someone of two schools stands there twice, with two roles: only the role may tell the rows apart.
    put = gathering.putter(Kind.USERS, table, derived=True)
    put_role = gathering.putter(Kind.ROLES, table)
    a_key, a_school, a_name, a_given, a_family, a_middle, a_number, a_email, a_phone, a_grade = table.places(
        *("SIS ID", "School SIS ID", "Username", "First Name", "Last Name"),
        *("Middle Name", number, "Secondary Email", "Phone", "Grade"),
    )
    grade_of = gathering.grade_reader(table, "Grade")
    for line, row in table.living_rows("SIS ID"):
        key = row[a_key]
        grade = grade_of(row[a_grade], line)
        user = User(
            key,
            row[a_name],
            row[a_given],
            row[a_family],
            row[a_middle],
            identifier=row[a_number],
            email=row[a_email],
            phone=row[a_phone],
            grades=(grade,) if grade else (),
        )
        put(key, user, line)
        role_key = f"{key}:{row[a_school]}:{role}"
        put_role(role_key, UserRole(role_key, key, row[a_school], role), line)
        tell_more(key, row, line)
    gathering.ended[Kind.USERS].update(table.ended)


def _read_student_enrolments(table: Table, gathering: Gathering) -> None:
    _read_v1_enrolments(table, gathering, RosterRole.STUDENT)


def _read_teacher_roster(table: Table, gathering: Gathering) -> None:
    _read_v1_enrolments(table, gathering, RosterRole.TEACHER)


def _read_v1_enrolments(table: Table, gathering: Gathering, role: RosterRole) -> None:
    put = gathering.putter(Kind.ENROLMENTS, table)
    a_class, a_user = table.places("Section SIS ID", "SIS ID")
    for line, row in table.living_rows("SIS ID"):
        found = enrolment(gathering, class_=row[a_class], user=row[a_user], role=role)
        put(found.sourced_id, found, line)


def _read_guardians(table: Table, gathering: Gathering) -> None:
    """Families have no identifier of their own where the school gave none: then the address is it."""
    put = gathering.putter(Kind.USERS, table)
    a_email, a_given, a_family, a_phone, a_key = table.places(
        "Email", "First Name", "Last Name", "Phone", "SIS ID"
    )
    for line, row in table.living_rows("Email"):
        email = row[a_email].lower()
        key = row[a_key] or email
        put(key, User(key, email, row[a_given], row[a_family], email=email, phone=row[a_phone]), line)


def _read_guardian_relationships(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.GUARDIANSHIPS, table)
    by_email = {user.email: key for key, user in gathering.rows[Kind.USERS].items() if user.email}
    a_pupil, a_email, a_role = table.places("SIS ID", "Email", "Role")
    relation = relation_reader(table, "Role")
    for line, row in table.living_rows("SIS ID"):
        email = row[a_email].lower()
        guardianship = Guardianship(row[a_pupil], by_email.get(email, email), relation(row[a_role], line))
        put(guardianship.sourced_id, guardianship, line)


# -- version 2.1 -----------------------------------------------------------------------------------------------------


def gather_v2(tables: Tables, gathering: Gathering) -> None:
    """Reads the ten files of version 2.1. Grades stand in roles.csv, so roles are read before users."""
    readers: Mapping[str, Callable[[Table, Gathering], None]] = {
        "orgs": _read_orgs,
        "academicsessions": _read_sessions,
        "courses": _read_courses,
        "classes": _read_classes,
        "roles": _read_roles,
        "enrollments": _read_enrolments,
        "relationships": _read_relationships,
        "demographics": _read_demographics,
    }
    for name, read in readers.items():
        table = tables.get(name)
        if table is None:
            continue
        kind = table.spec.kind
        if kind is not None:
            gathering.modes[kind] = Mode.BULK
            gathering.tell(kind, table)
        if table.readable:
            read(table, gathering)
    if "users" in tables:
        _announce_users(tables, gathering)
        if tables["users"].readable:
            _read_users(tables, gathering)


def _announce_users(tables: Tables, gathering: Gathering) -> None:
    gathering.modes[Kind.USERS] = Mode.BULK
    gathering.tell(Kind.USERS, *(tables[name] for name in ("users", "userflags") if name in tables))
    if "roles" in tables and tables["roles"].has("grade"):
        gathering.told[Kind.USERS] |= {"grades"}


def _read_orgs(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.ORGS, table)
    a_key, a_name, a_type, a_parent = table.places("sourcedId", "name", "type", "parentSourcedId")
    org_type = table.words("type", vocabulary.ORG_TYPES)
    for line, row in table.living_rows("sourcedId"):
        org = Org(row[a_key], row[a_name], org_type(row[a_type], line), parent=row[a_parent])
        put(org.sourced_id, org, line)


def _read_sessions(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.ACADEMIC_SESSIONS, table)
    a_key, a_title, a_type, a_year, a_start, a_end = table.places(
        "sourcedId", "title", "type", "schoolYear", "startDate", "endDate"
    )
    start, end = table.date_readers("startDate", "endDate", chosen=gathering.choices.date_order)
    session_type = table.words("type", vocabulary.SESSION_TYPES)
    for line, row in table.living_rows("sourcedId"):
        session = AcademicSession(
            row[a_key],
            row[a_title],
            session_type(row[a_type], line),
            start(row[a_start], line),
            end(row[a_end], line),
            row[a_year],
        )
        put(session.sourced_id, session, line)


def _read_courses(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.COURSES, table)
    a_key, a_org, a_title, a_code, a_year, a_subject, a_grade = table.places(
        "sourcedId", "orgSourcedId", "title", "code", "schoolYearSourcedId", "subject", "grade"
    )
    grade = gathering.grade_reader(table, "grade")
    for line, row in table.living_rows("sourcedId"):
        course = Course(
            row[a_key],
            row[a_title],
            row[a_org],
            row[a_code],
            row[a_year],
            tuple(grade(word, line) for word in list_of(row[a_grade])),
            list_of(row[a_subject]),
        )
        put(course.sourced_id, course, line)


def _read_classes(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.CLASSES, table)
    a_key, a_org, a_title, a_sessions, a_course, a_code = table.places(
        "sourcedId", "orgSourcedId", "title", "sessionSourcedIds", "courseSourcedId", "code"
    )
    for line, row in table.living_rows("sourcedId"):
        class_ = Class(
            row[a_key], row[a_title], row[a_org], row[a_course], list_of(row[a_sessions]), row[a_code]
        )
        put(class_.sourced_id, class_, line)


def _read_roles(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.ROLES, table)
    a_user, a_org, a_role, a_session, a_grade, a_primary, a_start, a_end = table.places(
        *("userSourcedId", "orgSourcedId", "role", "sessionSourcedId"),
        *("grade", "isPrimary", "roleStartDate", "roleEndDate"),
    )
    begin, end = table.date_readers("roleStartDate", "roleEndDate", chosen=gathering.choices.date_order)
    role_of, grade = gathering.role_reader(table, "role"), gathering.grade_reader(table, "grade")
    primary = table.flags("isPrimary")
    for line, row in table.living_rows("userSourcedId"):
        role = role_of(row[a_role], line)
        if role is None:
            continue
        user, org = row[a_user], row[a_org]
        key = ":".join(part for part in (user, org, role, row[a_session]) if part)
        span = begin(row[a_start], line), end(row[a_end], line)
        is_primary = primary(row[a_primary], line) is not False
        put(key, UserRole(key, user, org, role, is_primary, *span, grade(row[a_grade], line)), line)


def _read_enrolments(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.ENROLMENTS, table)
    a_class, a_user, a_role = table.places("classSourcedId", "userSourcedId", "role")
    role_of = gathering.role_reader(table, "role")
    for line, row in table.living_rows("userSourcedId"):
        role = role_of(row[a_role], line)
        if role is not None:
            found = enrolment(gathering, class_=row[a_class], user=row[a_user], role=role)
            put(found.sourced_id, found, line)


def _read_relationships(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.GUARDIANSHIPS, table)
    a_user, a_agent, a_role = table.places("userSourcedId", "relationshipUserSourcedId", "relationshipRole")
    relation = relation_reader(table, "relationshipRole")
    for line, row in table.living_rows("userSourcedId"):
        guardianship = Guardianship(row[a_user], row[a_agent], relation(row[a_role], line))
        put(guardianship.sourced_id, guardianship, line)


def _read_demographics(table: Table, gathering: Gathering) -> None:
    put = gathering.putter(Kind.DEMOGRAPHICS, table)
    a_user, a_sex, a_birth, a_city, a_state, a_country = table.places(
        "userSourcedId", "sex", "birthDate", "birthCity", "birthState", "birthCountry"
    )
    (birth,) = table.date_readers("birthDate", chosen=gathering.choices.date_order)
    sex = table.sexes("sex")
    for line, row in table.living_rows("userSourcedId"):
        user, born = row[a_user], birth(row[a_birth], line)
        who = Demographics(user, born, sex(row[a_sex], line), row[a_city], row[a_state], row[a_country])
        put(user, who, line)


def _read_users(tables: Tables, gathering: Gathering) -> None:
    table = tables["users"]
    put = gathering.putter(Kind.USERS, table)
    flags, grades = _flags_by_user(tables.get("userflags")), _grades_by_user(gathering)
    a_key, a_name, a_given, a_family = table.places("sourcedId", "username", "givenName", "familyName")
    a_match, a_email, a_phone, a_sms = table.places("activeDirectoryMatchId", "email", "phone", "sms")
    for line, row in table.living_rows("sourcedId"):
        key = row[a_key]
        match = row[a_match]
        user = User(
            key,
            row[a_name],
            row[a_given],
            row[a_family],
            email=row[a_email],
            phone=row[a_phone],
            sms=row[a_sms],
            user_ids=(("activeDirectory", match),) if match else (),
            grades=grades.get(key, ()),
            flags=flags.get(key, ()),
        )
        put(key, user, line)
    _say_unknown_flags(tables.get("userflags"), flags, gathering)


def _grades_by_user(gathering: Gathering) -> dict[str, tuple[str, ...]]:
    grades: dict[str, tuple[str, ...]] = {}
    for role in gathering.rows[Kind.ROLES].values():
        if role.role is RosterRole.STUDENT and role.grade and role.grade not in grades.get(role.user, ()):
            grades[role.user] = (*grades.get(role.user, ()), role.grade)
    return grades


def _flags_by_user(table: Table | None) -> dict[str, tuple[str, ...]]:
    flags: dict[str, tuple[str, ...]] = {}
    if table is not None and table.readable:
        a_user, a_flag = table.places("userSourcedId", "flag")
        for _line, row in table.living_rows("userSourcedId"):
            if row[a_flag] not in flags.get(row[a_user], ()):
                flags[row[a_user]] = (*flags.get(row[a_user], ()), row[a_flag])
    return flags


def _say_unknown_flags(
    table: Table | None, flags: Mapping[str, tuple[str, ...]], gathering: Gathering
) -> None:
    if table is None or flags.keys() <= gathering.rows[Kind.USERS].keys():
        return
    (a_user,) = table.places("userSourcedId")
    for line, row in table.quietly().living_rows("userSourcedId"):
        if row[a_user] not in gathering.rows[Kind.USERS]:
            table.findings.add(
                Severity.ERROR,
                FindingCode.ORPHAN,
                file=table.file,
                line=line,
                column="userSourcedId",
                value=row[a_user],
                target="users.csv",
            )
