"""Units by name: whole, by word, by beginning, and by sound; best first.

Held in memory beside the tree, so that every store finds alike: 60,000 units with two names each.
"""

from bisect import bisect_left
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from services.hierarchy.domain.model import Unit, UnitId
from services.hierarchy.domain.spelling import fold, sound, words

MAX_QUERY_CHARS = 100
# Behind a text, every text that begins with it: no letter of a name is above this.
_ABOVE = "\U0010ffff"

WHOLE = 1.0
CODE = 0.95
WHOLE_PREFIX = 0.9
WORD = 0.8
WORD_PREFIX = 0.7
WHOLE_SOUND = 0.6
WORD_SOUND = 0.5
SOUND_PREFIX = 0.4
# A single consonant sounds like too much.
_MIN_SOUND_CHARS = 2


class Match(NamedTuple):
    """How well a unit fits: 0 to 1, and the language of the name that did, "" for the code."""

    score: float
    language: str


class _Entry(NamedTuple):
    text: str
    unit: int
    language: str


@dataclass(frozen=True, slots=True)
class NameIndex:
    """The names of units at one moment. Each list is ordered by text; `unit` indexes into `ids`."""

    ids: tuple[UnitId, ...]
    names: Sequence[_Entry]
    words: Sequence[_Entry]
    codes: Sequence[_Entry]
    sounds: Sequence[_Entry]
    word_sounds: Sequence[_Entry]

    @classmethod
    def of(cls, units: Sequence[Unit]) -> Self:
        """Index units: about 20 us each, so not for an event loop."""
        names: list[_Entry] = []
        every_word: list[_Entry] = []
        sounds: list[_Entry] = []
        word_sounds: list[_Entry] = []
        for place, unit in enumerate(units):
            for language, text in unit.names.texts:
                said = words(text)
                names.append(_Entry(" ".join(said), place, language))
                sounds.append(_Entry(sound(text), place, language))
                every_word.extend(_Entry(word, place, language) for word in said)
                word_sounds.extend(_Entry(sound(word), place, language) for word in said)
        codes = [_Entry(fold(unit.code), place, "") for place, unit in enumerate(units)]
        lists = (sorted(each) for each in (names, every_word, codes, sounds, word_sounds))
        return cls(tuple(unit.id for unit in units), *lists)

    def search(self, query: str) -> dict[UnitId, Match]:
        """Every unit that fits the query, with its best match; each word of it must fit a name.

        Up to a second where all of 60,000 units fit, so not for an event loop either.
        """
        every_word = words(query)
        # A word that is repeated says no more, and costs as much again.
        said = tuple(dict.fromkeys(every_word))
        best = self._whole(query, every_word)
        parts = self._parts(said)
        if parts:
            shared = min(parts.values(), key=len)
            for place in shared:
                score = sum(part[place].score for part in parts.values()) / len(parts)
                found = Match(score, parts[said[0]][place].language)
                if place not in best or best[place].score < score:
                    best[place] = found
        return {self.ids[place]: match for place, match in best.items()}

    def _parts(self, said: Sequence[str]) -> dict[str, dict[int, Match]]:
        """What fits each word, as far as it fits the words before it, the longest being first.

        Empty when nothing fits all of them.
        """
        parts: dict[str, dict[int, Match]] = {}
        among: Mapping[int, Match] | None = None
        for word in sorted(said, key=len, reverse=True):
            among = parts[word] = self._word(word, among)
            if not among:
                return {}
        return parts

    def _whole(self, query: str, said: Sequence[str]) -> dict[int, Match]:
        text, heard, code = " ".join(said), sound(query), fold(query.strip())
        best: dict[int, Match] = {}
        # From the best score down: who is there stays.
        if text:
            _add(best, _equal(self.names, text), WHOLE)
        _add(best, _equal(self.codes, code), CODE)
        if text:
            _add(best, _starting(self.names, text), WHOLE_PREFIX)
        if len(heard) >= _MIN_SOUND_CHARS:
            _add(best, _equal(self.sounds, heard), WHOLE_SOUND)
            _add(best, _starting(self.sounds, heard), SOUND_PREFIX)
        return best

    def _word(self, word: str, among: Container[int] | None) -> dict[int, Match]:
        best: dict[int, Match] = {}
        _add(best, _equal(self.words, word), WORD, among)
        _add(best, _starting(self.words, word), WORD_PREFIX, among)
        heard = sound(word)
        if len(heard) >= _MIN_SOUND_CHARS:
            _add(best, _equal(self.word_sounds, heard), WORD_SOUND, among)
        return best


def _equal(entries: Sequence[_Entry], text: str) -> Sequence[_Entry]:
    return _between(entries, text, text + "\0")


def _starting(entries: Sequence[_Entry], text: str) -> Sequence[_Entry]:
    return _between(entries, text, text + _ABOVE)


def _between(entries: Sequence[_Entry], start: str, end: str) -> Sequence[_Entry]:
    low = bisect_left(entries, start, key=_text)
    return entries[low : bisect_left(entries, end, lo=low, key=_text)]


def _text(entry: _Entry) -> str:
    return entry.text


def _add(
    best: dict[int, Match],
    entries: Iterable[_Entry],
    score: float,
    among: Container[int] | None = None,
) -> None:
    """Add the units of entries that are not there yet, if they are among some."""
    matches: dict[str, Match] = {}
    for _, unit, language in entries:
        if unit not in best and (among is None or unit in among):
            if language not in matches:
                matches[language] = Match(score, language)
            best[unit] = matches[language]
