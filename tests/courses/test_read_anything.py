"""Whatever bytes arrive, reading answers with findings and never raises."""

from __future__ import annotations

import io
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st

from pupitre.courses.rules.findings import FindingCode
from pupitre.courses.rules.reading import files_of_zip, read_roster
from pupitre.courses.rules.roster import Roster
from tests.courses.made_rosters import MANIFEST, ONEROSTER_1_1, ONEROSTER_1_2, SDS_1, encoded

NAMES = [
    *ONEROSTER_1_2,
    *SDS_1,
    "relationships.csv",
    "userFlags.csv",
    "userProfiles.csv",
    "x/../users.csv",
    "é.csv",
    "",
]
SETS = [encoded(files) for files in (ONEROSTER_1_2, ONEROSTER_1_1, SDS_1)]


def say_everything(roster: Roster) -> None:
    for finding in roster.findings:
        assert finding.what
        assert finding.mend


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=200), max_size=4))
def test_arbitrary_bytes_are_answered(files: dict[str, bytes]) -> None:
    say_everything(read_roster(files))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(SETS), st.data())
def test_damaged_files_are_answered(files: dict[str, bytes], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(files)))
    content = files[name]
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 40)))
    piece = data.draw(
        st.one_of(
            st.binary(max_size=6),
            st.sampled_from([b'"', b",", b"\n", b"\r", b"\0", b";", b"\xff\xfe", b"t1", b"c1"]),
        )
    )
    damaged = {**files, name: content[:start] + piece + content[end:]}
    say_everything(read_roster(damaged))


def test_nothing_is_refused() -> None:
    assert [finding.code for finding in read_roster({}).errors] == [FindingCode.NOTHING_TO_READ]
    assert [finding.code for finding in read_roster({"a.csv": b"x"}).errors] == [FindingCode.NOTHING_TO_READ]
    assert read_roster({"manifest.csv": MANIFEST.encode()}).errors


# -- zips ------------------------------------------------------------------------------------------------------------


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def refusal(data: bytes, *, most_bytes: int = 1 << 20, most_entries: int = 10) -> FindingCode:
    unpacked = files_of_zip(data, most_bytes=most_bytes, most_entries=most_entries)
    assert unpacked.files == {}
    (finding,) = unpacked.findings
    assert finding.what
    return finding.code


def test_a_zip_that_grows_without_end_is_refused() -> None:
    assert refusal(zipped({"users.csv": b"0" * (5 << 20)})) is FindingCode.ZIP_TOO_LARGE
    halves = {f"{n}.csv": b"0" * (600 << 10) for n in range(2)}
    assert refusal(zipped(halves)) is FindingCode.ZIP_TOO_LARGE
    assert refusal(zipped({f"{n}.csv": b"" for n in range(11)})) is FindingCode.ZIP_TOO_LARGE


def test_a_zip_that_lies_about_its_sizes_is_refused() -> None:
    data = bytearray(zipped({"users.csv": b"0" * (5 << 20)}))
    size = (5 << 20).to_bytes(4, "little")
    lie = data.replace(size, (10).to_bytes(4, "little"))
    assert refusal(bytes(lie)) in {FindingCode.ZIP_TOO_LARGE, FindingCode.ZIP_BROKEN}


def test_a_zip_that_points_outside_is_refused() -> None:
    for name in ("../users.csv", "/etc/users.csv", "a/../../users.csv", "C:\\users.csv", "..\\users.csv"):
        assert refusal(zipped({name: b""})) is FindingCode.ZIP_PATH


def test_a_zip_with_a_password_is_refused() -> None:
    data = bytearray(zipped({"users.csv": b"abc"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert refusal(bytes(data)) is FindingCode.ZIP_ENCRYPTED


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.binary(max_size=100), st.data()))
def test_a_broken_zip_is_refused(given_data: bytes | st.DataObject) -> None:
    if isinstance(given_data, bytes):
        assert refusal(given_data) is FindingCode.ZIP_BROKEN
        return
    whole = zipped(encoded(ONEROSTER_1_2))
    place = given_data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:place] + given_data.draw(st.binary(max_size=3)) + whole[place + 1 :]
    unpacked = files_of_zip(damaged)
    assert unpacked.files or unpacked.findings
