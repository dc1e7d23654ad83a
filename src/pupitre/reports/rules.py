"""When a figure says too much: what an authority is shown rests on so many that nobody can be guessed. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from pupitre.attendance.rules.telling import is_small


@dataclass(frozen=True, slots=True)
class Count:
    """How many lessons of how many were missed, as an authority may see it."""

    missed: int
    marks: int

    @property
    def is_hidden(self) -> bool:
        """Few missed, few present and few in all point at somebody alike."""
        return is_small(self.missed) or is_small(self.marks - self.missed) or is_small(self.marks)

    @property
    def percent(self) -> float | None:
        """With one decimal; None where there is nothing, or nothing that may be told."""
        return None if self.is_hidden or not self.marks else round(100 * self.missed / self.marks, 1)


def total_of(counts: Iterable[Count]) -> Count:
    """The sum of what may be told. What is hidden is left out: else it could be had by taking the others away."""
    told = [one for one in counts if not one.is_hidden]
    return Count(sum(one.missed for one in told), sum(one.marks for one in told))
