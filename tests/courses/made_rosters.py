"""Small sets of files for the tests, as people's systems write them."""

from __future__ import annotations

from pupitre.courses.rules.findings import Finding, FindingCode
from pupitre.courses.rules.roster import Roster

MANIFEST = (
    "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\nfile.academicSessions,bulk\nfile.orgs,bulk\n"
    "file.courses,bulk\nfile.classes,bulk\nfile.users,bulk\nfile.roles,bulk\nfile.enrollments,bulk\n"
    "file.demographics,bulk\nfile.userProfiles,absent\n"
)
ONEROSTER_1_2 = {
    "manifest.csv": MANIFEST,
    "orgs.csv": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\ns1,,,Escola Mar,school,080,\n",
    "academicSessions.csv": (
        "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n"
        "y1,,,2026-27,schoolYear,2026-09-01,2027-06-30,,2027\n"
    ),
    "courses.csv": (
        "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes\n"
        'm1,,,y1,Maths 7,MAT7,"07,08",s1,Mathematics,\n'
    ),
    "classes.csv": (
        "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,"
        "termSourcedIds,subjects,subjectCodes,periods\nc1,,,7A Maths,07,m1,7A,scheduled,R12,s1,y1,,,\n"
    ),
    "users.csv": (
        "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,"
        "sms,phone,agentSourcedIds,grades,password\n"
        'p1,,,true,aina,{LDAP:aina},Aina,Puig,,,,,,"g1",07,\n'
        "t1,,,true,joan,,Joan,Riu,,,joan@mar.example,,,,,\n"
        "g1,,,true,rosa,,Rosa,Puig,,,,,+34 600 000 000,,,\n"
    ),
    "roles.csv": (
        "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId\n"
        "r1,,,p1,primary,student,2026-09-01,,s1,\nr2,,,t1,primary,teacher,,,s1,\nr3,,,g1,primary,parent,,,s1,\n"
    ),
    "enrollments.csv": (
        "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n"
        "e1,,,c1,s1,p1,student,,2026-09-01,2027-06-30\ne2,,,c1,s1,t1,teacher,true,,\n"
    ),
    "demographics.csv": "sourcedId,status,dateLastModified,birthDate,sex\np1,,,2013-03-05,female\n",
}

ONEROSTER_1_1 = {
    "manifest.csv": (
        "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\nfile.academicSessions,bulk\nfile.orgs,bulk\n"
        "file.courses,bulk\nfile.classes,bulk\nfile.users,bulk\nfile.enrollments,bulk\nfile.demographics,absent\n"
    ),
    **{
        name: ONEROSTER_1_2[name]
        for name in ("orgs.csv", "academicSessions.csv", "courses.csv", "classes.csv")
    },
    "users.csv": (
        "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,"
        "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\n"
        'p1,,,true,s1,student,aina,,Aina,Puig,,,,,,"g1,g2",07,\n'
        "t1,,,true,s1,teacher,joan,,Joan,Riu,,,,,,,,\n"
        "g1,,,true,s1,parent,rosa,,Rosa,Puig,,,,,,p1,,\n"
        "g2,,,true,s1,guardian,marc,,Marc,Vila,,,,,,p1,,\n"
    ),
    "enrollments.csv": ONEROSTER_1_2["enrollments.csv"],
}

SDS_1 = {
    "School.csv": "SIS ID,Name\n1,Hill School\n",
    "Section.csv": (
        "SIS ID,School SIS ID,Section Name,Term SIS ID,Term Name,Term StartDate,Term EndDate,Course SIS ID,Course Name\n"
        "11,1,Art,T,Term,9/1/2026,6/5/2027,31,Arts\n"
    ),
    "Student.csv": "SIS ID,School SIS ID,First Name,Last Name,Username,Password,Grade,Birthdate\n21,1,Jo,Doe,jo,Secret1,9,4/2/2012\n",
    "Teacher.csv": "SIS ID,School SIS ID,First Name,Last Name,Username\n41,1,Al,Roe,al\n",
    "StudentEnrollment.csv": "Section SIS ID,SIS ID\n11,21\n",
    "TeacherRoster.csv": "Section SIS ID,SIS ID\n11,41\n",
}


def encoded(files: dict[str, str], encoding: str = "utf-8") -> dict[str, bytes]:
    return {name: text.encode(encoding) for name, text in files.items()}


def changed(files: dict[str, str], name: str, old: str, new: str) -> dict[str, str]:
    """The files with one text replaced, which must be there."""
    assert old in files[name]
    return {**files, name: files[name].replace(old, new)}


def found(roster: Roster, code: FindingCode) -> Finding:
    """The only finding of a kind."""
    (finding,) = [finding for finding in roster.findings if finding.code is code]
    return finding
