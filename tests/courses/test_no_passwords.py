"""Passwords leave a file before it is stored, whatever its shape; nothing else of it changes."""

import pytest

from pupitre.courses.rules.passwords import without_passwords

CASES = [
    ("sourcedId,username,password\r\n1,jo,Secret\r\n", "sourcedId,username,password\r\n1,jo,\r\n"),
    ("SIS ID;Password;Name\n1;Secret;Jo\n2;;Al\n", "SIS ID;Password;Name\n1;;Jo\n2;;Al\n"),
    ('id,name,password,x\n1,"Doe, Jo","Se,cret",2\n', 'id,name,password,x\n1,"Doe, Jo",,2\n'),
    ('id,name,password\n1,"two\nlines",Secret\n', 'id,name,password\n1,"two\nlines",\n'),
    ('id,name,password\n1,"say ""hi""",Secret\n', 'id,name,password\n1,"say ""hi""",\n'),
    ("id\tPASSWORD\n1\tSecret\n", "id\tPASSWORD\n1\t\n"),
]


@pytest.mark.parametrize(("before", "after"), CASES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_column_is_emptied(before: str, after: str, encoding: str) -> None:
    emptied, found = without_passwords("users.csv", before.encode(encoding))
    assert found
    assert emptied.decode(encoding) == after


def test_letters_in_any_encoding_stay_as_they_are() -> None:
    data = "id,name,password\n1,Ñuñez Größe,Secret\n".encode("cp1252")
    emptied, _ = without_passwords("users.csv", data)
    assert emptied == "id,name,password\n1,Ñuñez Größe,\n".encode("cp1252")


def test_an_open_quotation_mark_hides_no_password() -> None:
    emptied, _ = without_passwords("users.csv", b'id,name,password\n1,"open,Secret\n2,x,Other\n')
    assert b"Secret" not in emptied
    assert b"Other" not in emptied


@pytest.mark.parametrize("text", ["id,name\n1,Jo\n", "id,password\n1,\n", "", "password"])
def test_a_file_without_passwords_is_left_alone(text: str) -> None:
    assert without_passwords("users.csv", text.encode()) == (text.encode(), False)
