"""Timetable files for tests: a small one made here, and the real schools' where they are at hand."""

from pathlib import Path

from pupitre.timetable.rules.plan import SourceFile

DATA = Path(__file__).parents[3] / "shared" / "data" / "timetables"

#: Two teachers, one of whom the cast knows; a class, a form that is new, a half of it, and an hour of guard duty.
SMALL = """day,period,start,end,class,subject,teacher,room,week
,1,08:00,08:55,,,,,
,2,08:55,09:50,,,,,
,Break,09:50,10:20,,Break,,,
,3,10:20,11:15,,,,,
,4,11:15,12:10,,,,,
Monday,1,,,1A,Maths,Tess Teacher,Room 12,
Monday,2,,,1A,Science,New Name,Lab,
Tuesday,3,,,2B,Science,New Name,Lab,
Friday,4,,,,Guard duty,Tess Teacher,,
"""


def small(text: str = SMALL) -> SourceFile:
    return SourceFile("timetable.csv", text.encode())


def real(*names: str) -> list[SourceFile]:
    return [SourceFile(name, (DATA / name).read_bytes()) for name in names]
