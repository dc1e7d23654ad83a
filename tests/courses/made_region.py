"""A region's files for the tests: two schools of a district, with everything that crosses from one to the other."""

_MANIFEST = (
    "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\nfile.academicSessions,bulk\nfile.orgs,bulk\n"
    "file.courses,bulk\nfile.classes,bulk\nfile.users,bulk\nfile.roles,bulk\nfile.enrollments,bulk\n"
    "file.demographics,bulk\n"
)
#: Aina and Biel are siblings in two schools; Joan teaches in both; Quim is in the region's offices only.
REGION = {
    "manifest.csv": _MANIFEST,
    "orgs.csv": (
        "sourcedId,name,type,identifier,parentSourcedId\n"
        "d,Comarca,district,,\n"
        "mar,Escola Mar,school,080,d\n"
        "dep,Ciències,department,,mar\n"
        "sol,Institut Sol,school,081,d\n"
    ),
    "academicSessions.csv": (
        "sourcedId,title,type,startDate,endDate,parentSourcedId,schoolYear\n"
        "y1,2026-27,schoolYear,2026-09-01,2027-06-30,,2027\n"
        "t1,Primer,term,2026-09-01,2026-12-22,y1,2027\n"
        "t9,Altre,term,2026-09-01,2026-12-22,y1,2027\n"
    ),
    "courses.csv": (
        "sourcedId,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes\n"
        "m1,y1,Mates,MAT,07,d,Mathematics,\nm2,y1,Física,FIS,08,dep,Physics,\nm3,y1,Dibuix,DIB,07,sol,Art,\n"
    ),
    "classes.csv": (
        "sourcedId,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds\n"
        "c1,1A Mates,07,m1,,scheduled,,mar,t1\n"
        "c2,1B Mates,07,m1,,scheduled,,sol,t1\n"
        "c3,2A Física,08,m2,,scheduled,,dep,y1\n"
        "c4,1B Dibuix,07,m3,,scheduled,,sol,t9\n"
    ),
    "users.csv": (
        "sourcedId,enabledUser,username,givenName,familyName,email,phone,agentSourcedIds,grades,password\n"
        'p1,true,aina,Aina,Puig,,,"g1,g2",07,geheim\n'
        'p2,true,biel,Biel,"Puig\nSoler",,,g1,07,\n'
        "t1,true,joan,Joan,Riu,joan@mar.example,,,,\n"
        "t2,true,mar,Mar,Vidal,,,,,\n"
        "g1,true,rosa,Rosa,Puig,,+34 600,,,\n"
        "g2,true,pere,Pere,Soler,,,p1,,\n"
        "x1,true,quim,Quim,Serra,,,,,\n"
    ),
    "roles.csv": (
        "sourcedId,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId\n"
        "r1,p1,primary,student,31/08/2026,,mar\n"
        "r2,p2,primary,student,01/09/2026,,sol\n"
        "r3,t1,primary,teacher,,,mar\n"
        "r4,t1,secondary,teacher,,,sol\n"
        "r5,t2,primary,teacher,,,dep\n"
        "r6,g1,primary,parent,,,mar\n"
        "r7,g1,secondary,parent,,,sol\n"
        "r8,g2,primary,guardian,,,mar\n"
        "r9,x1,primary,districtAdministrator,,,d\n"
    ),
    "enrollments.csv": (
        "sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n"
        "e1,c1,mar,p1,student,,2026-09-01,2027-06-30\n"
        "e2,c2,sol,p2,student,,2026-09-01,2027-06-30\n"
        "e3,c1,mar,t1,teacher,true,,\n"
        "e4,c2,sol,t1,teacher,true,,\n"
        "e5,c3,mar,t2,teacher,true,,\n"
        "e6,c3,mar,p1,student,,,\n"
        "e7,c4,sol,p2,student,,,\n"
    ),
    "demographics.csv": "sourcedId,birthDate,sex\np1,2013-03-05,M\np2,2013-04-06,H\n",
}


def with_line(files: dict[str, str], name: str, old: str, new: str) -> dict[str, str]:
    """The files with one text exchanged for another."""
    assert old in files[name]
    return {**files, name: files[name].replace(old, new)}
