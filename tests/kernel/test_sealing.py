"""What a school enters for another system cannot be read in a copy of the database, and outlives a new secret."""

from collections.abc import Iterator

import pytest

from pupitre.kernel import sealing

OLD, NEW = "an old secret of the installation 0123", "a new secret of the installation 45678"


@pytest.fixture(autouse=True)
def _own_secrets() -> Iterator[None]:
    before = list(sealing._secrets)
    yield
    sealing.use(before)


def test_what_is_sealed_is_read_again_and_shows_nothing() -> None:
    sealing.use([NEW])
    sealed = sealing.seal("clé de l’école")
    assert sealing.unseal(sealed) == sealing.unseal(memoryview(sealed)) == "clé de l’école"
    assert b"cole" not in sealed
    assert sealing.seal("clé de l’école") != sealed


def test_a_new_secret_reads_what_the_old_one_sealed_as_long_as_it_is_named() -> None:
    sealing.use([OLD])
    sealed = sealing.seal("secret")
    sealing.use([NEW, OLD])
    assert sealing.unseal(sealed) == "secret"
    anew = sealing.sealed_anew(sealed)
    sealing.use([NEW])
    assert sealing.unseal(anew) == "secret"
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(sealed)


def test_without_a_secret_nothing_is_sealed() -> None:
    sealing.use([])
    with pytest.raises(RuntimeError):
        sealing.seal("secret")
