"""Matching the names of a file to the people, classes, subjects and rooms that a school already has.

Only what is beyond doubt is matched: the same words, or an abbreviation that fits one row and no other. The rest is left
for a person to decide, with the candidates. Nothing depends on the order of the rows.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Final, Generic, TypeVar

from pupitre.timetable.rules.words import word_set, words

Id = TypeVar("Id", bound=Hashable)

_SMALL_WORDS: Final = word_set(
    "de del la las el los al en da do das dos em et des du le les aux au and of in der die das im von"
)
_DROPPED: Final = {
    "room": word_set("aula aules aulas sala salas salle room classroom raum zimmer klassenzimmer espai")
    | _SMALL_WORDS
    | frozenset({"the", "und"}),
    "class": word_set("class clase classe klasse turma grupo grup groupe group curso"),
    "teacher": word_set(
        "mr mrs ms miss mx dr dra don dona sr sra srta sir mme mlle herr frau prof profesor profesora professor "
        "professora professeur"
    )
    | _SMALL_WORDS,
    "subject": _SMALL_WORDS | frozenset({"the", "und"}),
}
_SINGLE_LETTER_WORD: Final = re.compile(r"(?<=\s)[yeiado](?=\s)|\b[dl]['’]", re.IGNORECASE)
_ORDINAL: Final = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|ere|ère|eme|ème)\b", re.IGNORECASE)
_MARIA: Final = re.compile(r"\bM[ªa]\.?(?=\s)")
_LEAST_LETTERS: Final = 3
_MOST_INITIALS: Final = 5
_MOST_CANDIDATES: Final = 5


class NameKind(StrEnum):
    TEACHER = "teacher"
    CLASS = "class"
    SUBJECT = "subject"
    ROOM = "room"


class MatchReason(StrEnum):
    """Why a match is proposed, or why not."""

    EXACT = "exact"
    """The same words in the same order, whatever the accents, case and punctuation."""
    SAME_WORDS = "same_words"
    """The same words in another order: "García López, Ana"."""
    PART_OF_NAME = "part_of_name"
    """Some of the words, and only one row has them all: "SUSANA"."""
    ABBREVIATION = "abbreviation"
    """Each word is cut short or an initial, and only one row fits: "Ed. Física", "A. García"."""
    INITIALS = "initials"
    """The initials of one row: "EF", "AGL"."""
    PARENT_GROUP = "parent_group"
    """The file says that it is part of a group that matches."""
    PART_OF_CLASS = "part_of_class"
    """It begins with the name of a class: "1º ESO C BIL REL" in "1º ESO C"."""
    AMBIGUOUS = "ambiguous"
    UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True)
class KnownName(Generic[Id]):
    """A row that the school has: its id, its name, and other names it goes by (code, user name, short name)."""

    id: Id
    name: str
    other_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal(Generic[Id]):
    """What to do with one imported name. `match` is None where a person must decide, perhaps among `candidates`."""

    name: str
    match: Id | None
    reason: MatchReason
    candidates: tuple[Id, ...] = ()


@dataclass(slots=True)
class _Index(Generic[Id]):
    """The known names by whole name, by sorted words, by word and by initials; rows as positions in `ids`."""

    kind: NameKind
    ids: list[Id] = field(default_factory=list)
    whole: dict[str, set[int]] = field(default_factory=dict)
    sorted_words: dict[tuple[str, ...], set[int]] = field(default_factory=dict)
    by_word: dict[str, set[int]] = field(default_factory=dict)
    by_initials: dict[str, set[int]] = field(default_factory=dict)
    word_counts: dict[int, int] = field(default_factory=dict)
    vocabulary: list[str] = field(default_factory=list)

    def add(self, position: int, name: str) -> None:
        tokens = _tokens(name, self.kind)
        if not tokens:
            return
        self.whole.setdefault(_joined(tokens), set()).add(position)
        self.sorted_words.setdefault(tuple(sorted(tokens)), set()).add(position)
        self.word_counts.setdefault(position, len(set(tokens)))
        for token in tokens:
            self.by_word.setdefault(token, set()).add(position)
        letters = "".join(token[0] for token in tokens if token.isalpha())
        if len(letters) > 1:
            self.by_initials.setdefault(letters, set()).add(position)

    def with_all(self, tokens: Iterable[str]) -> set[int]:
        return _intersection([self.by_word.get(token, set()) for token in tokens])

    def within(self, tokens: Iterable[str]) -> set[int]:
        """The rows of two words or more, all of which are among `tokens`."""
        counts = Counter(position for token in set(tokens) for position in self.by_word.get(token, ()))
        return {position for position, count in counts.items() if count == self.word_counts[position] > 1}

    def with_all_begun(self, tokens: Iterable[str]) -> set[int]:
        return _intersection([self._begun_by(token) for token in tokens])

    def _begun_by(self, prefix: str) -> set[int]:
        if prefix.isdecimal():
            return self.by_word.get(prefix, set())
        found: set[int] = set()
        for word in islice(self.vocabulary, bisect_left(self.vocabulary, prefix), None):
            if not word.startswith(prefix):
                break
            found |= self.by_word[word]
        return found


def _intersection(sets: list[set[int]]) -> set[int]:
    return set.intersection(*sorted(sets, key=len)) if sets else set()


def _tokens(name: str, kind: NameKind) -> tuple[str, ...]:
    if kind is NameKind.TEACHER:
        # "García López, Ana" is Ana García López.
        family, comma, given = name.partition(",")
        name = _MARIA.sub("Maria ", f"{given} {family}" if comma else name)
    if kind in {NameKind.TEACHER, NameKind.SUBJECT}:
        name = _SINGLE_LETTER_WORD.sub(" ", name)
    if kind is NameKind.CLASS:
        name = _ORDINAL.sub(" ", name)
    tokens = words(name)
    return tuple(token for token in tokens if token not in _DROPPED[kind.value]) or tokens


def _joined(tokens: Sequence[str]) -> str:
    """One string in which "1ESO C" and "1 ESO-C" are the same, but "1 11" and "11 1" are not."""
    return re.sub(r"(?<=\d) (?=\d)", ".", " ".join(tokens)).replace(" ", "")


def match_names(
    names: Iterable[str],
    known: Sequence[KnownName[Id]],
    kind: NameKind,
    *,
    ancestors: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Proposal[Id], ...]:
    """A proposal for each different name, in the order given.

    `ancestors` gives for a group's name the groups above it, nearest first (`plan.ancestors`). A teacher or a room is
    never proposed for two names unless both are written like it: the doubtful ones become ambiguous.
    """
    index = _index(known, kind)
    above = ancestors or {}
    proposals = [_propose(name, index, above.get(name, ())) for name in dict.fromkeys(names)]
    if kind in {NameKind.TEACHER, NameKind.ROOM}:
        proposals = _without_rivals(proposals)
    return tuple(proposals)


def _index(known: Sequence[KnownName[Id]], kind: NameKind) -> _Index[Id]:
    index: _Index[Id] = _Index(kind)
    for position, row in enumerate(known):
        index.ids.append(row.id)
        for name in (row.name, *row.other_names):
            index.add(position, name)
    index.vocabulary = sorted(index.by_word)
    return index


def _propose(name: str, index: _Index[Id], above: Sequence[str]) -> Proposal[Id]:
    """The first attempt that finds anything decides: weaker ones could only contradict it."""
    tokens = _tokens(name, index.kind)
    is_class = index.kind is NameKind.CLASS
    for reason, positions in (
        _class_attempts(tokens, index, above) if is_class else _name_attempts(tokens, index)
    ):
        if len(positions) == 1:
            return Proposal(name, index.ids[min(positions)], reason)
        if positions:
            candidates = tuple(index.ids[position] for position in sorted(positions)[:_MOST_CANDIDATES])
            return Proposal(name, None, MatchReason.AMBIGUOUS, candidates)
    return Proposal(name, None, MatchReason.UNMATCHED)


_Attempts = Iterator[tuple[MatchReason, set[int]]]


def _class_attempts(tokens: tuple[str, ...], index: _Index[Id], above: Sequence[str]) -> _Attempts:
    yield MatchReason.EXACT, index.whole.get(_joined(tokens), set())
    for ancestor in above:
        yield MatchReason.PARENT_GROUP, index.whole.get(_joined(_tokens(ancestor, index.kind)), set())
    for length in range(len(tokens) - 1, 0, -1):
        beginning = tokens[:length]
        if any(token.isalpha() for token in beginning):
            yield MatchReason.PART_OF_CLASS, index.whole.get(_joined(beginning), set())


def _name_attempts(tokens: tuple[str, ...], index: _Index[Id]) -> _Attempts:
    yield MatchReason.EXACT, index.whole.get(_joined(tokens), set())
    if sum(token.isdecimal() for token in tokens) < 2:
        yield MatchReason.SAME_WORDS, index.sorted_words.get(tuple(sorted(tokens)), set())
    tells = any(token.isalpha() and len(token) >= _LEAST_LETTERS for token in tokens)
    if tells:
        yield MatchReason.PART_OF_NAME, index.with_all(tokens)
    if index.kind is NameKind.TEACHER:
        yield MatchReason.PART_OF_NAME, index.within(tokens)
    if index.kind is not NameKind.ROOM:
        yield MatchReason.INITIALS, _by_initials(tokens, index)
    if tells:
        yield MatchReason.ABBREVIATION, index.with_all_begun(tokens)


def _by_initials(tokens: tuple[str, ...], index: _Index[Id]) -> set[int]:
    """For "EF", "E.F." and, as Spanish doubles the initials of plurals, "CCSS" for Ciencias Sociales."""
    letters = tokens[0] if len(tokens) == 1 else "".join(tokens) if all(len(t) == 1 for t in tokens) else ""
    if not letters.isalpha() or not 2 <= len(letters) <= _MOST_INITIALS:
        return set()
    single = letters[::2] if letters[::2] == letters[1::2] and len(letters) > 2 else letters
    return index.by_initials.get(letters) or index.by_initials.get(single, set())


def _without_rivals(proposals: list[Proposal[Id]]) -> list[Proposal[Id]]:
    """Where two names claim one row, only those that are written like it keep it."""
    claims = Counter(proposal.match for proposal in proposals if proposal.match is not None)
    sure = {MatchReason.EXACT, MatchReason.SAME_WORDS}
    return [
        Proposal(p.name, None, MatchReason.AMBIGUOUS, (p.match,))
        if p.match is not None and claims[p.match] > 1 and p.reason not in sure
        else p
        for p in proposals
    ]
