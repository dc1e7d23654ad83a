"""The plan of a region: how many schools of which size. Pure, and the same for the same seed."""

import hashlib
import random
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Final

from pupitre.project.demo import schools
from pupitre.project.demo.roster import Closure

#: Users for each pupil: the pupil, the guardians (siblings share them) and the staff. Counted on a populated region.
USERS_A_PUPIL: Final = 2.48
#: School days that two school years have: what `history=1` goes back.
DEEPEST: Final = 350
#: The last days, whose lessons all have registers.
DENSE: Final = 2
#: Pupils of the smallest school that is planned.
_SMALLEST: Final = 24
# The spread of the logarithm of school sizes: half of the schools lie between 0.63 and 1.6 times the median.
_SPREAD: Final = 0.7
_LARGEST: Final = 3.4
#: Of the pupils of the smaller of two neighbouring schools, one of so many has a brother or sister in the other one.
_SHARED: Final = 14
_KINDS: Final = ("Escola", "Col·legi", "Institut", "Instituto", "Colegio", "Escuela")
_OF: Final = (
    "del Pi", "de la Font", "del Molí", "de les Oliveres", "de la Marina", "del Puente", "de la Ribera", "del Olmo", "de los Almendros",
    "de la Vega", "del Roure", "de la Serra", "del Estany", "de las Eras", "del Far", "de la Plana",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlannedSchool:
    """One school before it is made: `number` from 0, its size in pupils, and what it shares with the next one."""

    number: int
    slug: str
    name: str
    language: str
    is_primary: bool
    pupils: int
    #: Families with a child here and one in the next school.
    shared: int


@dataclass(frozen=True)
class Region:
    """What was asked for, and the schools that follow from it.

    `authority` is its short name, with which the schools' begin; `history` is from 0 to 1.
    """

    authority: str
    schools: int
    users: int
    history: float
    seed: int

    @cached_property
    def mark(self) -> str:
        """Told by each school's sourcedId: a region is only continued with the numbers that it was begun with."""
        asked = f"{self.authority}/{self.schools}/{self.users}/{self.history:g}/{self.seed}"
        return hashlib.sha256(asked.encode()).hexdigest()[:10]

    def stem(self, part: str) -> str:
        """How the user names of one part of the region end: those of other regions end otherwise."""
        return f"{self.mark[:4]}{part}n"

    def sourced_id(self, number: int) -> str:
        return f"populate-{self.mark}-{number:04d}"

    @cached_property
    def planned(self) -> tuple[PlannedSchool, ...]:
        sizes = self._sizes()
        return tuple(self._school(number, size, sizes) for number, size in enumerate(sizes))

    def next_to(self, number: int) -> int:
        """The school with which a school shares families and teachers."""
        return (number + 1) % self.schools

    def previous_to(self, number: int) -> int | None:
        """The school that shares with this one, where it is another than the next one."""
        if self.schools == 1 or (self.schools == 2 and number == 0):
            return None
        return (number - 1) % self.schools

    def _school(self, number: int, size: int, sizes: list[int]) -> PlannedSchool:
        rng = random.Random(f"{self.seed}/school/{number}")  # noqa: S311
        alone = self.schools == 1 or (self.schools == 2 and number == 1)
        language = "ca" if rng.random() < 0.5 else "es"
        name = f"{rng.choice(_KINDS[:3] if language == 'ca' else _KINDS[3:])} {rng.choice(_OF)} {number + 1}"
        return PlannedSchool(
            number=number,
            slug=f"{self.authority}-{number + 1:04d}",
            name=name,
            language=language,
            is_primary=rng.random() < 0.55,
            pupils=size,
            shared=0 if alone else max(1, min(size, sizes[self.next_to(number)]) // _SHARED),
        )

    def _sizes(self) -> list[int]:
        """Log-normal as real ones: many small schools and a few large ones, together as many pupils as asked for."""
        rng, wanted = random.Random(f"{self.seed}/sizes"), self.users / USERS_A_PUPIL  # noqa: S311
        drawn = [min(_LARGEST, rng.lognormvariate(0, _SPREAD)) for _ in range(self.schools)]
        scale = wanted / sum(drawn)
        return [max(_SMALLEST, round(one * scale)) for one in drawn]


@dataclass(frozen=True)
class Years:
    """The days of two school years up to yesterday; `today` is the day on which a school is filled."""

    today: date

    @cached_property
    def start(self) -> date:
        """The first day of this school year."""
        return self._start_of(self.today.year if self.today.month >= 9 else self.today.year - 1)

    @cached_property
    def last_start(self) -> date:
        """The first day of the school year before."""
        return self._start_of(self.start.year - 1)

    @property
    def end(self) -> date:
        return date(self.start.year + 1, 6, 19)

    @property
    def last_end(self) -> date:
        return date(self.start.year, 6, 19)

    @cached_property
    def closures(self) -> tuple[Closure, ...]:
        """The holidays of both years; between the years nobody is at school."""
        spain = next(plan.school for plan in schools.plans() if plan.school.country == "ES")
        return schools.closures(spain, self.last_start, self.end)

    def days(self, history: float) -> list[date]:
        """The school days of which something is kept, in order: the last ones whole, and those before by depth."""
        wanted = DENSE + round(history * DEEPEST)
        found: list[date] = []
        on = self.today
        while len(found) < wanted and on > self.last_start - timedelta(days=400):
            on -= timedelta(days=1)
            if self._is_open(on):
                found.append(on)
        return found[::-1]

    def _is_open(self, on: date) -> bool:
        in_year = on >= date(on.year, 9, 7) or on <= date(on.year, 6, 19)
        return (
            in_year
            and on.weekday() < 5
            and not any(one.first_on <= on <= one.last_on for one in self.closures)
        )

    def _start_of(self, year: int) -> date:
        return date(year, 9, 7)
