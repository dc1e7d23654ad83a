"""How long to wait after a failure: doubling, with full jitter, so that a school that comes back does not come at once."""

import random
from dataclasses import dataclass, field


@dataclass
class Backoff:
    """Seconds to wait, drawn anew each time from nothing up to a limit that doubles until it is `most`."""

    least: float = 5.0
    most: float = 900.0
    failures: int = 0
    chance: random.Random = field(default_factory=random.SystemRandom)

    @property
    def limit(self) -> float:
        """The most that the next wait can be."""
        return min(self.most, self.least * 2.0 ** min(self.failures, 30))

    def next(self) -> float:
        """Count a failure, and say how long to wait."""
        limit = self.limit
        self.failures += 1
        return self.chance.uniform(0, limit)

    def succeeded(self) -> None:
        self.failures = 0
