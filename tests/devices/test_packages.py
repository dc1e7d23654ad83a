"""What a package says of itself, and that no file breaks who reads it."""

import contextlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from pupitre.devices.rules.applications import NotAPackage
from pupitre.devices.rules.packages import PackageFacts, read_package

from .packages import apk, deb


def read(data: bytes) -> PackageFacts:
    return read_package(io.BytesIO(data))


@pytest.mark.parametrize("wide", [True, False])
def test_an_apk_names_package_version_and_code(wide: bool) -> None:
    assert read(apk(wide=wide)) == PackageFacts("apk", "org.example.atlas", "2.1", 21)


@pytest.mark.parametrize("packed", ["gz", "xz"])
def test_a_deb_names_package_and_version(packed: str) -> None:
    assert read(deb(packed=packed)) == PackageFacts("deb", "atlas", "2.1-1")


def test_an_msi_says_nothing_that_we_read() -> None:
    assert read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512) == PackageFacts("msi")


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04", b"!<arch>\n", b"hello", apk()[:80], deb()[:100]],
    # The bytes tell the time at which they were packed: they are no name for a test.
    ids=["nothing", "a zip's beginning", "an archive's beginning", "a word", "half an apk", "half a deb"],
)
def test_what_is_no_package_is_refused(data: bytes) -> None:
    with pytest.raises(NotAPackage):
        read(data)


def test_a_name_that_is_none_is_refused() -> None:
    for bad in ("../../etc", "org.example;rm", ""):
        with pytest.raises(NotAPackage):
            read(apk(bad))
    with pytest.raises(NotAPackage):
        read(deb("Bad Name"))


@settings(max_examples=300, deadline=None)
@given(
    whole=some.sampled_from([apk(), apk(wide=False), deb(), deb(packed="xz")]),
    changes=some.lists(some.tuples(some.integers(0, 4000), some.integers(0, 255)), max_size=12),
    length=some.integers(0, 4000),
)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    whole: bytes, changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(whole[: length or None])
    for place, value in changes:
        if place < len(data):
            data[place] = value
    with contextlib.suppress(NotAPackage):
        assert read(bytes(data)).kind in {"apk", "deb", "msi"}
