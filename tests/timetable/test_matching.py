"""Whose name is it? Only what is beyond doubt is matched."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pupitre.timetable.rules.matching import KnownName, MatchReason, NameKind, Proposal, match_names

TEACHERS = [
    KnownName(1, "Susana Pérez Gil"),
    KnownName(2, "Ana García López"),
    KnownName(3, "María Marqués"),
    KnownName(4, "Ana Ruiz"),
    KnownName(5, "Juan Soto", ("Prof 48",)),
]
CLASSES = [KnownName(name, name) for name in ("1º ESO C", "1º ESO D", "3A", "2º Bach A", "1º ESO C BIL")]
SUBJECTS = [
    KnownName(1, "Educación Física"),
    KnownName(2, "Ciencias Sociales"),
    KnownName(3, "Lengua Castellana y Literatura"),
    KnownName(4, "Física y Química"),
    KnownName(5, "Lengua Extranjera: Inglés"),
]
ROOMS = [KnownName(1, "Sala de vídeo 2"), KnownName(2, "Laboratorio de Química"), KnownName(3, "Aula 12")]


def _one(name: str, known: list[KnownName[int]], kind: NameKind) -> Proposal[int]:
    (proposal,) = match_names([name], known, kind)
    return proposal


@pytest.mark.parametrize(
    ("name", "match", "reason"),
    [
        ("Prof 48", 5, MatchReason.EXACT),
        ("Prof 4", None, MatchReason.UNMATCHED),
        ("SUSANA", 1, MatchReason.PART_OF_NAME),
        ("García López, Ana", 2, MatchReason.EXACT),
        ("garcia lopez ana", 2, MatchReason.SAME_WORDS),
        ("A. García", 2, MatchReason.ABBREVIATION),
        ("AGL", 2, MatchReason.INITIALS),
        ("Mª Marqués", 3, MatchReason.EXACT),
        ("Ana Ruiz Montes", 4, MatchReason.PART_OF_NAME),
        ("ANA", None, MatchReason.AMBIGUOUS),
        ("", None, MatchReason.UNMATCHED),
    ],
)
def test_teachers(name: str, match: int | None, reason: MatchReason) -> None:
    proposal = _one(name, TEACHERS, NameKind.TEACHER)
    assert (proposal.match, proposal.reason) == (match, reason)


@pytest.mark.parametrize(
    ("name", "match", "reason"),
    [
        ("1º ESO D BIL REL", "1º ESO D", MatchReason.PART_OF_CLASS),
        ("1º ESO C BIL REL", "1º ESO C BIL", MatchReason.PART_OF_CLASS),
        ("1ESO-D", "1º ESO D", MatchReason.EXACT),
        ("Clase 3º A", "3A", MatchReason.EXACT),
        ("1º ESO", None, MatchReason.UNMATCHED),
        ("1º ESO CD", None, MatchReason.UNMATCHED),
    ],
)
def test_classes(name: str, match: str | None, reason: MatchReason) -> None:
    (proposal,) = match_names([name], CLASSES, NameKind.CLASS)
    assert (proposal.match, proposal.reason) == (match, reason)


def test_the_tree_of_groups_outranks_the_beginning_of_the_name() -> None:
    (proposal,) = match_names(
        ["1º ESO C REL"], CLASSES, NameKind.CLASS, ancestors={"1º ESO C REL": ("x", "3º A")}
    )
    assert (proposal.match, proposal.reason) == ("3A", MatchReason.PARENT_GROUP)


@pytest.mark.parametrize(
    ("name", "match", "reason"),
    [
        ("FISICA Y QUIMICA", 4, MatchReason.EXACT),
        ("EF", 1, MatchReason.INITIALS),
        ("CCSS", 2, MatchReason.INITIALS),
        ("F. y Q.", 4, MatchReason.INITIALS),
        ("Ed. Física", 1, MatchReason.ABBREVIATION),
        ("Inglés", 5, MatchReason.PART_OF_NAME),
        ("Física", None, MatchReason.AMBIGUOUS),
        ("MATES", None, MatchReason.UNMATCHED),
    ],
)
def test_subjects(name: str, match: int | None, reason: MatchReason) -> None:
    proposal = _one(name, SUBJECTS, NameKind.SUBJECT)
    assert (proposal.match, proposal.reason) == (match, reason)


@pytest.mark.parametrize(
    ("name", "match"),
    [("Aula: Vídeo 2", 1), ("Lab. Química", 2), ("12", 3), ("Aula 1", None), ("Aula: Vídeo 3", None)],
)
def test_rooms(name: str, match: int | None) -> None:
    assert _one(name, ROOMS, NameKind.ROOM).match == match


def test_candidates_are_given_where_a_person_must_decide() -> None:
    assert _one("ANA", TEACHERS, NameKind.TEACHER).candidates == (2, 4)


def test_two_names_that_claim_one_teacher_are_left_to_a_person() -> None:
    proposals = match_names(["Juan Soto", "Soto", "Juan"], TEACHERS, NameKind.TEACHER)
    assert [proposal.match for proposal in proposals] == [5, None, None]
    assert proposals[1] == Proposal("Soto", None, MatchReason.AMBIGUOUS, (5,))


def test_numbers_are_not_run_together() -> None:
    known = [KnownName(1, "Edificio 1 aula 11"), KnownName(2, "Edificio 11 aula 1")]
    assert _one("Edificio 11 - 1", known, NameKind.ROOM).match == 2


_NAMES = st.lists(st.text(st.sampled_from("abc 1º.,"), max_size=8), max_size=8, unique=True)


@given(_NAMES, _NAMES, st.sampled_from(NameKind), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_names_does_not_matter(
    names: list[str], rows: list[str], kind: NameKind, shuffler: random.Random
) -> None:
    known = [KnownName(row, row) for row in rows]
    first = {p.name: (p.match, p.reason) for p in match_names(names, known, kind)}
    shuffler.shuffle(known)
    shuffler.shuffle(names)
    assert {p.name: (p.match, p.reason) for p in match_names(names, known, kind)} == first
    assert set(first) == set(names)


def test_a_thousand_names_meet_a_thousand_rows() -> None:
    given_names = [f"{a}{b}a" for a in "bcdfg" for b in "aeiou"]
    known = [KnownName(n, f"{given_names[n % 25]} Familia{n:04}x Madre{n // 3}y") for n in range(1000)]
    names = [f"{row.name.split()[0][0]}. {row.name.split()[1]}" for row in known]
    proposals = match_names(names, known, NameKind.TEACHER)
    assert {p.reason for p in proposals} <= {MatchReason.ABBREVIATION, MatchReason.AMBIGUOUS}
    assert len(proposals) == 1000
