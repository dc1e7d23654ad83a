"""The words of the formats and of six languages, and what they mean in a roster.

Sources: OneRoster 1.1 and 1.2 CSV bindings; Microsoft's default list of values for School Data Sync; CEDS grade levels.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import TypeVar

from pupitre.courses.rules.roster import Relation, RosterRole
from pupitre.people.rules.grades import CODES


def fold(word: str) -> str:
    """A word without case, accents, blanks and punctuation: 'Élève ' and 'eleve' are the same word."""
    if word.isascii():
        return "".join(filter(str.isalnum, word.lower()))
    bare = unicodedata.normalize("NFKD", word.casefold())
    return "".join(filter(str.isalnum, bare))


_T = TypeVar("_T")


def _table(*words_of: tuple[_T, str]) -> dict[str, _T]:
    return {fold(word): meant for meant, words in words_of for word in words.split(",")}


# Spelt as OneRoster or School Data Sync spell them: these are read without a word.
FORMAT_ROLES: Mapping[str, RosterRole] = {role.value: role for role in RosterRole}

# Two words that look safe are missing on purpose: "tutor" is a class teacher in Spanish and a guardian in law, and
# "other" says nothing. They are left to the user.
ROLES: Mapping[str, RosterRole] = _table(
    *((role, role.value) for role in RosterRole),
    (
        RosterRole.STUDENT,
        (
            "students,pupil,learner,alumno,alumna,alumnos,alumno/a,estudiante,alumne,alumna,alumne/a,estudiant,élève,eleve,"
            "étudiant,étudiante,apprenant,Schüler,Schülerin,Schueler,SchülerIn,Schüler/in,Student/in,Lernende,aluno,aluna,"
            "aluno/a,estudante,educando"
        ),
    ),
    (
        RosterRole.TEACHER,
        (
            "teachers,professor,instructor,faculty,lecturer,adjunct,substitute,profesor,profesora,profesor/a,docente,maestro,"
            "maestra,professora,professor/a,mestre,mestra,docent,professeur,professeure,enseignant,enseignante,prof,"
            "instituteur,institutrice,Lehrer,Lehrerin,LehrerIn,Lehrer/in,Lehrkraft,Lehrperson,docente,professores"
        ),
    ),
    (
        RosterRole.AIDE,
        (
            "teacherAssistant,assistant,paraprofessional,teaching assistant,auxiliar,ayudante,auxiliar educativo,auxiliar "
            "d'educació,vetllador,vetlladora,assistant d'éducation,AESH,accompagnant,Assistenz,Schulbegleiter,"
            "Schulbegleiterin,Schulbegleitung,auxiliar de educação,assistente"
        ),
    ),
    (
        RosterRole.ADMINISTRATOR,
        "admin,administrador,administradora,administrateur,administratrice,Verwalter,Verwalterin",
    ),
    (
        RosterRole.PRINCIPAL,
        (
            "headteacher,head,headmaster,director,directora,director/a,directeur,directrice,proviseur,chef d'établissement,"
            "Schulleiter,Schulleiterin,Schulleitung,Rektor,Rektorin,diretor,diretora"
        ),
    ),
    (RosterRole.SYSTEM_ADMINISTRATOR, "itAdmin,coordinador TIC,coordinadora TIC,coordinador digital"),
    (
        RosterRole.GUARDIAN,
        (
            "legal guardian,tutor legal,tutora legal,responsable legal,representante legal,responsable légal,représentant "
            "légal,Erziehungsberechtigter,Erziehungsberechtigte,Erziehungsberechtigte/r,encarregado de educação,encarregada "
            "de educação,responsável legal,apoderado,apoderada,acudiente"
        ),
    ),
    (
        RosterRole.PARENT,
        (
            "parents,mother,father,padre,madre,padre/madre,progenitor,progenitora,pare,mare,pare/mare,père,mère,Vater,Mutter,"
            "Elternteil,Eltern,pai,mãe"
        ),
    ),
    (
        RosterRole.RELATIVE,
        (
            "family,grandparent,familiar,pariente,abuelo,abuela,avi,àvia,famille,proche,grand-parent,grand-père,grand-mère,"
            "Verwandter,Verwandte,Großvater,Großmutter,parente,avô,avó"
        ),
    ),
    (
        RosterRole.COUNSELOR,
        (
            "counsellor,advisor,orientador,orientadora,conseiller,conseillère,psychologue scolaire,CPE,Berater,Beraterin,"
            "Beratungslehrer,Beratungslehrerin,Schulsozialarbeiter,conselheiro,conselheira"
        ),
    ),
    (
        RosterRole.PROCTOR,
        "invigilator,vigilante,vigilant,surveillant,surveillante,Aufsicht,vigilante de provas",
    ),
    (
        RosterRole.NURSE,
        (
            "school nurse,enfermero,enfermera,infermer,infermera,infirmier,infirmière,Krankenpfleger,Krankenschwester,"
            "Schulkrankenschwester,enfermeiro,enfermeira"
        ),
    ),
    (
        RosterRole.STAFF,
        (
            "officeStaff,secretary,occupationalTherapist,physicalTherapist,speechTherapist,visionTherapist,specialServices,"
            "coach,researcher,chair,affiliate,personal,PAS,secretario,secretaria,administrativo,administrativa,secretari,"
            "secretària,personnel,secrétaire,Personal,Mitarbeiter,Mitarbeiterin,Sekretär,Sekretärin,Sekretariat,funcionário,"
            "funcionária,secretário,secretária"
        ),
    ),
)

RELATIONS: Mapping[str, Relation] = _table(
    *((relation, relation.value) for relation in Relation),
    (Relation.PARENT, "progenitor,progenitora,padre/madre,pare/mare,Elternteil,Eltern,parents"),
    (Relation.MOTHER, "madre,mare,mère,Mutter,mãe,mum,mom"),
    (Relation.FATHER, "padre,pare,père,Vater,pai,dad"),
    (
        Relation.GUARDIAN,
        (
            "tutor,tutora,tutor legal,tutora legal,responsable légal,tuteur,tutrice,Vormund,Erziehungsberechtigter,"
            "Erziehungsberechtigte,encarregado de educação,apoderado,apoderada,acudiente"
        ),
    ),
    (
        Relation.RELATIVE,
        "familiar,grandparent,abuelo,abuela,avi,àvia,proche,Verwandter,Verwandte,parente,avô,avó",
    ),
    (Relation.DOCTOR, "médico,médica,metge,metgessa,médecin,Arzt,Ärztin"),
    (Relation.OTHER, "otro,otra,altre,altra,autre,andere,outro,outra,child,administrator,sibling"),
)

GRADES: Mapping[str, str] = {
    **{code.casefold(): code for code in CODES},
    **{str(grade): f"{grade:02}" for grade in range(1, 10)},
    "k": "KG",
}

ORG_TYPES = (
    *("department", "school", "district", "local", "state", "national"),
    *(
        "ministryOfEducation",
        "localAuthority",
        "university",
        "region",
        "college",
        "division",
        "campus",
        "province",
    ),
    *(
        "adultEducation",
        "researchCenter",
        "municipality",
        "program",
        "departmentOfEducation",
        "academicTrust",
    ),
)
TEACHING_ORGS = frozenset({"school", "college", "university", "campus", "adultEducation"})
SESSION_TYPES = (
    *("gradingPeriod", "semester", "schoolYear", "term"),
    *(
        "fullSchoolYear",
        "quarter",
        "trimester",
        "summerTerm",
        "longSession",
        "intersession",
        "miniTerm",
        "twelveMonth",
    ),
    *("quinmester", "other"),
)
CLASS_TYPES = ("homeroom", "scheduled")
SEXES = ("male", "female", "unspecified", "other")
SEX_WORDS: Mapping[str, str] = _table(
    *((sex, sex) for sex in SEXES),
    ("male", "hombre,varón,home,homme,garçon,masculin,masculino,masculí,männlich,homem,boy,man"),
    ("female", "mujer,dona,femme,fille,féminin,femenino,femení,feminino,weiblich,mulher,girl,woman,f,w"),
    ("other", "divers,otro,altre,autre,outro,x,d"),
    ("unspecified", "unknown,no consta,notSelected"),
)
TRUE = frozenset({"true", "1", "yes", "y", "si", "oui", "ja", "sim", "t"})
FALSE = frozenset({"false", "0", "no", "n", "non", "nein", "nao", "f"})
STATUS_ACTIVE = frozenset({"", "active", "activo", "activa", "actif", "aktiv", "ativo", "enrolled"})
STATUS_ENDED = frozenset(
    {"tobedeleted", "inactive", "deleted", "removed", "transferred", "withdrawn", "baja"}
)


def by_fold(words: Iterable[str]) -> dict[str, str]:
    """The words of a format by their folded form."""
    return {fold(word): word for word in words}


def meaning_of_m(words: Iterable[str]) -> str:
    """What 'M' says in a column of sexes: male beside F, mujer beside H, and '' where nothing tells."""
    letters = {fold(word) for word in words}
    if letters & {"h"}:
        return "" if letters & {"f"} else "female"
    return "male" if letters & {"f", "w"} else ""
