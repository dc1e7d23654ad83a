"""How passwords are kept, and how many may be hashed at once."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher

from pupitre.kernel.errors import Busy

#: One core is left for pages: at eight in the morning a whole school signs in, and those who are in must not wait.
AT_ONCE = max(1, (os.cpu_count() or 1) - 1)
#: Seconds for which a sign-in waits for its turn before it is told to come back.
PATIENCE = 4.0

_places = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def _a_place() -> Iterator[None]:
    """A turn at hashing in this process. Raises Busy where none comes free in time."""
    if not _places.acquire(timeout=PATIENCE):
        raise Busy
    try:
        yield
    finally:
        _places.release()


class Argon2(Argon2PasswordHasher):
    """Argon2id at OWASP's m=19 MiB, t=2, p=1: 40 sign-ins a second and core; Django's own parameters do 4."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _a_place():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _a_place():
            return super().verify(password, encoded)
