"""The three schools as they are planned: grades, lines, subjects and hours, rooms, bells and days without lessons.

Invented schools in invented towns. The hours follow the usual shape of the countries' curricula, not one decree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta

from pupitre.project.demo.roster import AcademicSession, Authority, Bell, Closure, Grade, Period, Room, School

AUTHORITY = Authority(
    key="marinada",
    name="Consorci Educatiu de la Marinada",
    names={
        "ca": "Consorci Educatiu de la Marinada",
        "es": "Consorcio Educativo de la Marinada",
        "en": "Marinada Education Consortium",
        "fr": "Consortium éducatif de la Marinada",
        "de": "Bildungsverbund Marinada",
        "pt": "Consórcio Educativo da Marinada",
    },
    language="ca",
    country="ES",
    time_zone="Europe/Madrid",
    email="consorci@example.org",
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject: its title in the school's language, who teaches it and the kind of room it wants ("" for any)."""

    code: str
    title: str
    department: str
    room_kind: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plan: `options` run side by side for `span` groups together, `hours` lessons a week.

    One option is the whole group; a subject named as often as there are groups keeps its group; named twice for one
    group it halves the group.
    """

    options: tuple[str, ...]
    hours: int
    span: int = 1


@dataclass(frozen=True)
class Plan:
    """A school before its people: `plans` maps (grade key, line letter) to its lines, `joint` spans grades."""

    school: School
    grades: tuple[Grade, ...]
    lines: dict[str, str]
    sizes: tuple[int, int]
    subjects: dict[str, Subject]
    plans: dict[tuple[str, str], tuple[Line, ...]]
    joint: tuple[tuple[tuple[str, ...], Line], ...]
    bell: Bell
    rooms: tuple[Room, ...]
    generalist: frozenset[str]
    load: tuple[int, int]
    shares: dict[str, int]
    words: dict[str, str]


def _subjects(text: str) -> dict[str, Subject]:
    """Read `CODE Title / department / room kind` lines."""
    found = {}
    for row in filter(None, (line.strip() for line in text.splitlines())):
        head, department, *room = (part.strip() for part in row.split("/"))
        code, title = head.split(" ", 1)
        found[code] = Subject(code, title, department, room[0] if room else "")
    return found


def _lines(text: str) -> tuple[Line, ...]:
    """Read `MAT 4, FRA|ALE|REF 2 @2`: options, hours, number of groups that share them."""
    lines = []
    for part in text.split(","):
        options, hours, *span = part.split()
        lines.append(Line(tuple(options.split("|")), int(hours), int(span[0][1:]) if span else 1))
    return tuple(lines)


def _clock(text: str) -> time:
    hours, minutes = text.split(":")
    return time(int(hours), int(minutes))


def _bell(school: str, title: str, text: str, breaks: dict[str, str], last: dict[int, int]) -> Bell:
    """Read `8:15-9:10 9:10-10:05 b10:05-10:35 ...`; a letter before a stretch names the break."""
    periods, number = [], 0
    for stretch in text.split():
        name = breaks.get(stretch[0], "")
        start, end = (stretch[1:] if name else stretch).split("-")
        number += not name
        periods.append(Period(None if name else number, name or str(number), _clock(start), _clock(end)))
    return Bell(f"{school}-bell", school, title, tuple(periods), last)


def _rooms(school: str, text: str) -> tuple[Room, ...]:
    """Read `kind Title xN capacity` lines; N rooms get numbers. `gym-2` is a second sort of gym."""
    rooms = []
    for row in filter(None, (line.strip() for line in text.splitlines())):
        kind, rest = row.split(" ", 1)
        title, count, capacity = rest.rsplit(" ", 2)
        for number in range(1, int(count[1:]) + 1):
            numbered = title if count == "x1" else f"{title} {number}"
            rooms.append(
                Room(f"{school}-{kind}-{number}", school, numbered, kind.split("-")[0], int(capacity))
            )
    return tuple(rooms)


def _grades(school: str, text: str) -> tuple[Grade, ...]:
    """Read `I3 PR Infantil_3 3` items: key, OneRoster code, title, age; separated by commas."""
    grades = []
    for position, item in enumerate(text.split(",")):
        key, code, title, age = item.split()
        grades.append(Grade(f"{school}-{key}", school, code, title.replace("_", " "), int(age), position))
    return tuple(grades)


def _primary() -> Plan:
    grades = _grades(
        "pri",
        "I3 PR Infantil_3 3, I4 PK Infantil_4 4, I5 KG Infantil_5 5, 1 01 Primer 6, 2 02 Segon 7, 3 03 Tercer 8, "
        "4 04 Quart 9, 5 05 Cinquè 10, 6 06 Sisè 11",
    )
    infant = _lines("DES 6, LLV 6, LOG 4, PSI 2, MUS 1, ANG 1, RAC 4, VAL|REL 1")
    junior = _lines("CAT 4, CAS 3, ANG 3, MAT 5, MED 4, EF 2, MUS 1, PLA 1, VAL|REL 1, TUT 1")
    senior = _lines(
        "CAT 4, CAS 3, ANG 2, ANG|ANG 1, MAT 4, MAT|SUP 1, MED 3, DIG 1, EF 2, MUS 1, PLA 1, VAL|REL 1, TUT 1"
    )
    by_grade = [infant] * 3 + [junior] * 4 + [senior] * 2
    school = School(
        "pri", "oronetes", "Escola Les Oronetes", "primary", "ES", "Europe/Madrid", ("ca", "es"),
        "Carrer de les Moreres, 14", "99010", "Sant Aldric de la Marinada", "oronetes@example.org", "+34 401 000 100",
        "https://oronetes.example.org", tuple(grade.key for grade in grades),
    )  # fmt: skip
    return Plan(
        school=school,
        grades=grades,
        lines={grade.key: "AB" for grade in grades},
        sizes=(24, 25),
        subjects=_subjects("""
            DES Descoberta de l'entorn / tutor
            LLV Llenguatge verbal / tutor
            LOG Lògica i matemàtiques / tutor
            PSI Psicomotricitat / physical / psychomotor
            RAC Racons i ambients / tutor
            CAT Llengua catalana / tutor
            CAS Llengua castellana / tutor
            ANG Llengua anglesa / english
            MAT Matemàtiques / tutor
            SUP Matemàtiques, suport / support
            MED Coneixement del medi / tutor
            DIG Competència digital / tutor / computers
            EF Educació física / physical / gym
            MUS Música / music / music
            PLA Educació visual i plàstica / tutor / art
            REL Religió catòlica / religion
            VAL Valors cívics i ètics / tutor
            TUT Tutoria / tutor
            """),
        plans={(grade.key, line): lines for grade, lines in zip(grades, by_grade, strict=True) for line in "AB"},
        joint=(),
        bell=_bell(
            "pri", "Horari marc", "9:00-10:00 10:00-11:00 p11:00-11:30 11:30-12:30 m12:30-15:00 15:00-15:45 15:45-16:30",
            {"p": "Pati", "m": "Migdia"}, dict.fromkeys(range(1, 6), 5),
        ),
        rooms=_rooms("pri", """
            small Aula de suport x4 18
            gym Gimnàs x1 30
            gym-2 Pista coberta x1 60
            psychomotor Sala de psicomotricitat x1 26
            music Aula de música x2 28
            computers Aula digital x1 28
            art Aula de plàstica x2 28
            """),
        generalist=frozenset(grade.key for grade in grades),
        load=(22, 25),
        shares={"REL": 32, "VAL": 68, "MAT": 70, "SUP": 30},
        words={
            "head": "Director|Directora", "deputy_head": "Cap d'estudis", "secretary": "Administratiu|Administrativa",
            "counsellor": "Orientador|Orientadora", "nurse": "Infermer escolar|Infermera escolar", "teacher": "Mestre|Mestra", "homeroom": "Grup classe", "half": "desdoblament",
            "room": "Aula", "year": "Curs", "term": "Trimestre",
        },
    )  # fmt: skip


def _secondary() -> Plan:
    grades = _grades(
        "sec",
        "1E 07 1º_ESO 12, 2E 08 2º_ESO 13, 3E 09 3º_ESO 14, 4E 10 4º_ESO 15, 1B 11 1º_Bachillerato 16, 2B 12 2º_Bachillerato 17",
    )
    eso = {
        "1E": "LCL 4, MAT|MAT|APO 4 @2, ING 3, ING|ING 1, GEH 4, BIG 3, EF 3, EPV 2, MUS 2, ATE|REL 1, FRA|ALE|REF 2 @2, TUT 1",
        "2E": "LCL 4, MAT 4, ING 3, ING|ING 1, GEH 3, FYQ 3, TEC 3, EF 3, MUS 2, ATE|REL 1, FRA|ALE|REF 2 @2, TUT 1",
        "3E": "LCL 4, MAT 4, ING 3, GEH 3, BIG 3, FYQ 3, TEC 3, EF 2, EPV 1, VAL 1, ATE|REL 1, FRA|ALE|DIG 1 @2, TUT 1",
        "4E": "LCL 4, MAT 4, ING 4, GEH 3, EF 2, ATE|REL 1, TUT 1, FYQ|LAT|TEC 3 @2, BIG|ECO|DIG 3 @2, FRA|ALE|MUS 3 @2, EPV|FIL 2 @2",
    }
    bach = {
        (
            "1B",
            "AB",
        ): "LCL 4, FIL 3, ING 3, EF 2, MAT 4, FYQ 4, BIG|DTE 4 @2, DIG|ANA 3 @2, FRA|ALE 2 @2, TUT 1",
        (
            "1B",
            "CD",
        ): "LCL 4, FIL 3, ING 3, EF 2, HMC 4, LAT|MCS 4 @2, ECO|GRI 4 @2, LUN|DIG 3 @2, FRA|ALE 2 @2, TUT 1",
        (
            "2B",
            "AB",
        ): "LCL 4, HFI 3, HES 3, ING 3, MAT 4, FIS|BIO 4 @2, QUI|DTE 4 @2, DIG|GEO 3 @2, ATE|REL 1, TUT 1",
        (
            "2B",
            "CD",
        ): "LCL 4, HFI 3, HES 3, ING 3, HAR 4, LAT|MCS 4 @2, GGE|GRI 4 @2, EMP|PSI 3 @2, ATE|REL 1, TUT 1",
    }
    plans = {(f"sec-{grade}", line): _lines(text) for grade, text in eso.items() for line in "ABCD"}
    plans |= {(f"sec-{grade}", line): _lines(text) for (grade, pair), text in bach.items() for line in pair}
    school = School(
        "sec", "puente-marinada", "IES Puente Marinada", "secondary", "ES", "Europe/Madrid", ("es", "ca", "en"),
        "Avenida de los Almendros, 3", "99020", "Puente Marinada", "ies.puentemarinada@example.org", "+34 402 000 200",
        "https://puente-marinada.example.org", tuple(grade.key for grade in grades),
    )  # fmt: skip
    return Plan(
        school=school,
        grades=grades,
        lines={grade.key: "ABCD" for grade in grades},
        sizes=(25, 30),
        subjects=_subjects("""
            LCL Lengua Castellana y Literatura / spanish
            LUN Literatura Universal / spanish
            MAT Matemáticas / maths
            MCS Matemáticas aplicadas a las CC. SS. / maths
            APO Matemáticas, grupo de apoyo / support
            ING Inglés / english
            FRA Francés / french
            ALE Alemán / german
            REF Refuerzo de Lengua / any
            GEH Geografía e Historia / history
            HMC Historia del Mundo Contemporáneo / history
            HES Historia de España / history
            HAR Historia del Arte / history
            GGE Geografía / history
            BIG Biología y Geología / biology / lab
            BIO Biología / biology / lab
            ANA Anatomía Aplicada / biology / lab
            GEO Geología y Ciencias Ambientales / biology / lab
            FYQ Física y Química / physics / lab
            FIS Física / physics / lab
            QUI Química / physics / lab
            TEC Tecnología y Digitalización / technology / workshop
            DIG Digitalización / technology / computers
            DTE Dibujo Técnico / art / art
            EPV Educación Plástica y Visual / art / art
            MUS Música / music / music
            EF Educación Física / physical / gym
            VAL Educación en Valores / philosophy
            FIL Filosofía / philosophy
            HFI Historia de la Filosofía / philosophy
            PSI Psicología / philosophy
            LAT Latín / classics
            GRI Griego / classics
            ECO Economía / economics
            EMP Empresa y Diseño de Modelos de Negocio / economics
            REL Religión católica / religion
            ATE Atención educativa / any
            TUT Tutoría / tutor
            """),
        plans=plans,
        joint=(),
        bell=_bell(
            "sec", "Horario de mañana",
            "8:15-9:10 9:10-10:05 r10:05-10:35 10:35-11:30 11:30-12:25 s12:25-12:55 12:55-13:50 13:50-14:45",
            {"r": "Primer recreo", "s": "Segundo recreo"}, dict.fromkeys(range(1, 6), 6),
        ),
        rooms=_rooms("sec", """
            small Aula de desdoble x11 24
            gym Gimnasio x1 32
            gym-2 Pista polideportiva x2 60
            music Aula de música x1 32
            lab Laboratorio de Biología x3 32
            lab-2 Laboratorio de Física y Química x3 32
            workshop Taller de Tecnología x2 32
            computers Aula de informática x2 32
            art Aula de Plástica y Dibujo x2 32
            """),
        generalist=frozenset(),
        load=(18, 20),
        shares={
            "REL": 36, "ATE": 64, "FRA": 45, "ALE": 24, "REF": 31, "DIG": 40, "FYQ": 45, "LAT": 25, "TEC": 30, "BIG": 45,
            "ECO": 35, "MUS": 32, "EPV": 55, "FIL": 45, "DTE": 42, "ANA": 50, "MCS": 62, "GRI": 36, "LUN": 50, "FIS": 52,
            "BIO": 48, "QUI": 58, "GEO": 45, "GGE": 64, "EMP": 52, "PSI": 48, "APO": 14, "MAT": 43,
        },
        words={
            "head": "Director|Directora", "deputy_head": "Jefe de estudios|Jefa de estudios", "secretary": "Administrativo|Administrativa",
            "counsellor": "Orientador|Orientadora", "nurse": "Enfermero escolar|Enfermera escolar", "teacher": "Profesor|Profesora", "homeroom": "Grupo", "half": "desdoble", "room": "Aula",
            "year": "Curso", "term": "Evaluación",
        },
    )  # fmt: skip


def _abroad() -> Plan:
    grades = _grades(
        "col",
        "PK PK Prekínder 4, K KG Kínder 5, 1B 01 1º_básico 6, 2B 02 2º_básico 7, 3B 03 3º_básico 8, 4B 04 4º_básico 9, "
        "5B 05 5º_básico 10, 6B 06 6º_básico 11, 7B 07 7º_básico 12, 8B 08 8º_básico 13, 1M 09 1º_medio 14, 2M 10 2º_medio 15, "
        "3M 11 3º_medio 16, 4M 12 4º_medio 17",
    )
    infant = _lines("LVE 6, DEU 10, PEN 4, EXP 4, COR 3, JUE 3")
    lower = _lines(
        "LEN 7, MAT 6, DEU|DAF 6, HIS 3, CIE 4, ING 2, EFI 3, MUS 2, ART 1, TEC 1, REL|REV|ETI 2, ORI 1"
    )
    middle = _lines(
        "LEN 6, MAT 6, DEU|DAF 6, ING 4, HIS 4, CIE 4, EFI 2, MUS 1, ART 1, TEC 1, REL|REV|ETI 2, ORI 1"
    )
    upper = _lines(
        "LEN 6, MAT 6, DEU|DAF 6, ING 4, HIS 4, BIO 2, FIS 2, QUI 2, EFI 2, ART|MUS 1, REL|REV|ETI 2, ORI 1"
    )
    final = _lines("LEN 5, MAT 5, DEU|DAF 6, ING 3, FIL 2, CCI 2, EDC 2, EFI 2, REL|REV|ETI 2, ORI 1")
    by_grade = [infant] * 2 + [lower] * 4 + [middle] * 4 + [upper] * 2 + [final] * 2
    school = School(
        "col", "puerto-arrayan", "Colegio Alemán de Puerto Arrayán · Deutsche Schule", "all-through", "CL", "America/Santiago",
        ("es", "de", "en"), "Camino del Lago 450", "9990012", "Puerto Arrayán", "ds.puertoarrayan@example.org",
        "+56 9 0000 0300", "https://puerto-arrayan.example.org", tuple(grade.key for grade in grades),
    )  # fmt: skip
    bell = _bell(
        "col", "Jornada escolar completa",
        "8:00-8:45 8:45-9:30 r9:30-9:45 9:45-10:30 10:30-11:15 s11:15-11:30 11:30-12:15 12:15-13:00 a13:00-14:00 14:00-14:45 "
        "t14:45-15:00 15:00-15:45",
        {"r": "Primer recreo", "s": "Segundo recreo", "a": "Almuerzo", "t": "Tercer recreo"},
        {1: 8, 2: 8, 3: 8, 4: 8, 5: 6},
    )  # fmt: skip
    electives = (
        (("col-3M", "col-4M"), Line(("BCM", "LIT", "ECO"), 4, 2)),
        (("col-3M", "col-4M"), Line(("PRO", "GEO", "ARV"), 4, 2)),
    )
    return Plan(
        school=school,
        grades=grades,
        lines={grade.key: "A" for grade in grades},
        sizes=(27, 30),
        subjects=_subjects("""
            LVE Lenguaje verbal / tutor
            DEU Deutsch / german
            DAF Deutsch als Fremdsprache / german
            PEN Pensamiento matemático / tutor
            EXP Exploración del entorno / tutor
            COR Corporalidad y movimiento / physical / gym
            JUE Artes y juego / tutor
            LEN Lengua y Literatura / spanish
            MAT Matemática / maths
            HIS Historia, Geografía y Ciencias Sociales / history
            CIE Ciencias Naturales / science
            BIO Biología / science / lab
            FIS Física / science / lab
            QUI Química / science / lab
            CCI Ciencias para la Ciudadanía / science
            ING Inglés / english
            EFI Educación Física y Salud / physical / gym
            MUS Música / music / music
            ART Artes Visuales / art / art
            TEC Tecnología / science / computers
            FIL Filosofía / history
            EDC Educación Ciudadana / history
            BCM Biología Celular y Molecular / science / lab
            LIT Participación y Argumentación / spanish
            ECO Economía y Sociedad / history
            PRO Probabilidades y Estadística / maths
            GEO Geografía, Territorio y Desafíos / history
            ARV Artes Visuales y Audiovisuales / art / art
            REL Religión católica / religion
            REV Religión evangélica / religion
            ETI Ética y convivencia / any
            ORI Orientación / tutor
            """),
        plans={(grade.key, "A"): lines for grade, lines in zip(grades, by_grade, strict=True)},
        joint=electives,
        bell=bell,
        rooms=_rooms("col", """
            small Sala pequeña x6 24
            gym Gimnasio x1 32
            gym-2 Cancha techada x1 60
            music Sala de música x1 32
            lab Laboratorio de Ciencias x2 32
            computers Sala de computación x1 32
            art Taller de artes x1 32
            """),
        generalist=frozenset({"col-PK", "col-K"}),
        load=(27, 30),
        shares={
            "DEU": 52, "DAF": 48, "REL": 44, "REV": 34, "ETI": 22, "ART": 55, "MUS": 45, "BCM": 40, "LIT": 28, "ECO": 32, "PRO": 38,
            "GEO": 32, "ARV": 30,
        },
        words={
            "head": "Rector|Rectora", "deputy_head": "Inspector general|Inspectora general", "secretary": "Secretario|Secretaria",
            "counsellor": "Psicólogo educacional|Psicóloga educacional", "nurse": "Técnico en enfermería|Técnica en enfermería",
            "teacher": "Profesor|Profesora", "homeroom": "Curso", "half": "grupo", "room": "Sala",
            "year": "Año escolar", "term": "Semestre",
        },
    )  # fmt: skip


def plans() -> tuple[Plan, Plan, Plan]:
    """The primary, the secondary and the bilingual school."""
    return _primary(), _secondary(), _abroad()


def year_start_for(today: date) -> date:
    """The Monday ten weeks back.

    The demonstration's year begins relative to the day it is made, so that there are always two months of registers
    behind and most of a year ahead, whatever the season.
    """
    return today - timedelta(days=today.weekday() + 70)


def sessions(plan: Plan, start: date) -> tuple[AcademicSession, ...]:
    """The school year of forty-two weeks with its three terms, or two in Chile."""
    school, count = plan.school.key, 2 if plan.school.country == "CL" else 3
    weeks = 42 // count
    last = start + timedelta(weeks=42, days=-3)
    title = f"{plan.words['year']} {start.year}" + (f"-{last.year}" if last.year != start.year else "")
    year = AcademicSession(f"{school}-year", school, "schoolYear", title, start, last)
    terms = tuple(
        AcademicSession(
            f"{school}-term-{number}", school, "semester" if count == 2 else "term",
            f"{number}. {plan.words['term']}" if school != "sec" else f"{number}ª {plan.words['term']}",
            start + timedelta(weeks=weeks * (number - 1)), start + timedelta(weeks=weeks * number, days=-3), year.key,
        )
        for number in range(1, count + 1)
    )  # fmt: skip
    return (year, *terms)


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


_HOLIDAYS: dict[str, tuple[tuple[int, int, str, str], ...]] = {
    "ES": (
        (10, 12, "Festa Nacional", "Fiesta Nacional"), (11, 1, "Tots Sants", "Todos los Santos"),
        (12, 6, "Dia de la Constitució", "Día de la Constitución"), (12, 8, "La Immaculada", "La Inmaculada"),
        (5, 1, "Festa del Treball", "Fiesta del Trabajo"), (9, 11, "Diada", "Diada"),
    ),
    "CL": (
        (9, 18, "", "Independencia Nacional"), (9, 19, "", "Glorias del Ejército"), (10, 12, "", "Encuentro de Dos Mundos"),
        (10, 31, "", "Día de las Iglesias Evangélicas"), (11, 1, "", "Todos los Santos"), (12, 8, "", "Inmaculada Concepción"),
        (12, 25, "", "Navidad"), (1, 1, "", "Año Nuevo"), (5, 1, "", "Día del Trabajo"), (5, 21, "", "Glorias Navales"),
    ),
}  # fmt: skip


def _closures_of(school: School, year: int) -> Iterator[Closure]:
    catalan = school.languages[0] == "ca"
    for month, day, in_catalan, in_spanish in _HOLIDAYS[school.country]:
        on = date(year, month, day)
        yield Closure(school.key, on, on, in_catalan if catalan else in_spanish)
    sunday = easter(year)
    if school.country == "ES":
        yield Closure(
            school.key,
            date(year, 12, 22),
            date(year + 1, 1, 7),
            "Vacances de Nadal" if catalan else "Vacaciones de Navidad",
        )
        first, last = sunday - timedelta(days=8), sunday + timedelta(days=1)
        yield Closure(school.key, first, last, "Setmana Santa" if catalan else "Semana Santa")
    else:
        friday = sunday - timedelta(days=2)
        yield Closure(school.key, friday, friday, "Viernes Santo")


def closures(school: School, first: date, last: date) -> tuple[Closure, ...]:
    """The holidays of the school's country between two days, in order."""
    found = (
        closure for year in range(first.year - 1, last.year + 1) for closure in _closures_of(school, year)
    )
    kept = (closure for closure in found if closure.last_on >= first and closure.first_on <= last)
    return tuple(sorted(kept, key=lambda closure: closure.first_on))


def school_days(found: tuple[Closure, ...], school_key: str, first: date, last: date) -> tuple[date, ...]:
    """Mondays to Fridays from first to last on which the school is open."""
    closed = [closure for closure in found if closure.school_key == school_key]
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple(
        day
        for day in days
        if day.weekday() < 5 and not any(closure.first_on <= day <= closure.last_on for closure in closed)
    )
