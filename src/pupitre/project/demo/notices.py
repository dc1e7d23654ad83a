"""What the schools write to the families, and who has read and confirmed it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from pupitre.project.demo.roster import Population


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice to guardians. `audience` holds keys of the school itself, of grades or of groups."""

    key: str
    school_key: str
    author_key: str
    language: str
    title: str
    body: str
    audience: tuple[str, ...]
    needs_confirmation: bool
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """A notice that reached a guardian: when it was read and confirmed, if it was."""

    notice_key: str
    guardian_key: str
    read_at: datetime | None
    confirmed_at: datetime | None


# School, author's role, language, days ago, confirmation, audience ("" the school), title, body.
_TEXTS: tuple[tuple[str, str, str, int, bool, str, str, str], ...] = (
    ("pri", "head", "ca", 52, False, "", "Benvinguda al nou curs",
     "Benvolgudes famílies, comencem el curs amb moltes ganes. Les portes s'obren a les 8.50 h i a les 14.50 h. Us demanem puntualitat."),
    ("pri", "head", "ca", 38, True, "", "Autorització d'imatge",
     "Us demanem que confirmeu si autoritzeu la publicació de fotografies de l'alumnat al web de l'escola durant aquest curs."),
    ("pri", "deputy_head", "ca", 24, True, "pri-5 pri-6", "Sortida al Planetari",
     "El dijous vinent els grups de cinquè i sisè anirem al Planetari. Sortirem a les 9.15 h i tornarem a les 16.15 h. Cal portar esmorzar, dinar i aigua."),
    ("pri", "nurse", "ca", 13, False, "pri-I3 pri-I4 pri-I5", "Polls a l'aula",
     "S'han detectat alguns casos de polls. Reviseu el cap dels infants aquest vespre i, si cal, feu el tractament abans de tornar a l'escola."),
    ("pri", "head", "ca", 3, False, "", "Tarda de tallers amb les famílies",
     "Divendres a la tarda farem els tallers d'hort, cuina i contes. Qui vulgui ajudar, que ho digui a secretaria."),
    ("sec", "head", "es", 50, False, "", "Comienzo de curso y horario del centro",
     "Estimadas familias: las clases empiezan a las 8:15 y terminan a las 14:45. Las faltas de asistencia pueden comunicarse por adelantado desde su página."),
    ("sec", "deputy_head", "es", 33, True, "", "Reunión general con los tutores",
     "El próximo martes a las 18:00 celebramos la reunión de inicio de curso con cada tutor en el aula del grupo. Rogamos que confirmen si asistirán."),
    ("sec", "deputy_head", "es", 20, True, "sec-3E", "Intercambio con Alemania",
     "Está abierta la inscripción para el intercambio de este curso. Las plazas son veinticuatro; confirmen antes de fin de mes si desean participar."),
    ("sec", "counsellor", "es", 11, False, "sec-2B", "Jornada de orientación universitaria",
     "El alumnado de 2º de Bachillerato visitará las jornadas de orientación. Saldremos en autobús a las 9:10 y volveremos a las 14:30."),
    ("sec", "secretary", "es", 2, True, "sec-1E sec-2E", "Vacunación escolar",
     "La semana que viene el centro de salud vacunará en el instituto. Confirmen que han leído la hoja informativa; si su hijo o hija no se vacuna, indíquenlo en secretaría."),
    ("col", "head", "es", 45, False, "", "Aniversario del colegio",
     "Queridas familias: el sábado celebramos el aniversario con la tradicional kermesse. Cada curso tendrá su puesto. ¡Los esperamos!"),
    ("col", "deputy_head", "de", 27, True, "col-7B col-8B", "Sprachprüfung Deutsch, Stufe A2",
     "Liebe Familien, die Prüfung findet in drei Wochen statt. Bitte bestätigen Sie die Anmeldung Ihres Kindes bis Freitag."),
    ("col", "nurse", "es", 9, False, "", "Medicamentos en el colegio",
     "Si un estudiante debe tomar un medicamento en horario de clases, entreguen la receta y el envase rotulado en enfermería. No administramos medicamentos sin receta."),
    ("col", "head", "es", 1, True, "", "Retiro anticipado por corte de agua",
     "Mañana la empresa sanitaria cortará el agua desde las 13:00. Los estudiantes saldrán a las 13:00. Confirmen quién los retirará."),
)  # fmt: skip


def build_notices(
    population: Population, rng: random.Random, *, now: datetime
) -> tuple[tuple[Notice, ...], tuple[Receipt, ...]]:
    """The notices of the last two months before `now` (aware), with a receipt for every guardian who is entitled."""
    notices = tuple(_notices(population, rng, now))
    return notices, tuple(
        receipt for notice in notices for receipt in _receipts(population, rng, notice, now)
    )


def _notices(population: Population, rng: random.Random, now: datetime) -> Iterator[Notice]:
    authors = {(role.school_key, role.role): role.person_key for role in reversed(population.roles)}
    zones = {school.key: ZoneInfo(school.time_zone) for school in population.schools}
    for number, (school, role, language, ago, confirm, audience, title, body) in enumerate(_TEXTS, start=1):
        day = (now - timedelta(days=ago)).astimezone(zones[school]).date()
        day -= timedelta(days=max(0, day.isoweekday() - 5))
        published = datetime.combine(day, time(rng.randint(9, 17), rng.randint(0, 59)), zones[school])
        yield Notice(
            f"notice-{number:02d}",
            school,
            authors[school, role],
            language,
            title,
            body,
            tuple(audience.split()) or (school,),
            confirm,
            published,
        )


def readers(population: Population, notice: Notice) -> tuple[str, ...]:
    """The guardians whom the notice reaches: entitled, with a child in the audience that has not left; each once."""
    wanted = set(notice.audience)
    children = {
        pupil.person_key
        for pupil in population.pupils
        if wanted & {pupil.school_key, pupil.grade_key, pupil.group_key}
        and pupil.begins_on <= notice.published_at.date()
        and (pupil.ends_on is None or pupil.ends_on >= notice.published_at.date())
    }
    return tuple(
        dict.fromkeys(
            tie.guardian_key
            for tie in population.guardianships
            if tie.receives_notices and tie.pupil_key in children
        )
    )


def _receipts(population: Population, rng: random.Random, notice: Notice, now: datetime) -> Iterator[Receipt]:
    """Most read within the evening, some after days, one in eight never; of the readers three in four confirm."""
    for guardian in readers(population, notice):
        delay = rng.lognormvariate(1.6, 1.3)
        read = notice.published_at + timedelta(hours=delay) if rng.random() < 0.88 else None
        read = read if read is None or read <= now else None
        confirmed = None
        if read is not None and notice.needs_confirmation and rng.random() < 0.76:
            confirmed = read + timedelta(
                minutes=rng.expovariate(1 / 200) if rng.random() < 0.3 else rng.uniform(0.4, 4)
            )
        yield Receipt(
            notice.key, guardian, read, confirmed if confirmed is None or confirmed <= now else None
        )
