"""How names are compared: as typed, and by what is left of a sound in either script.

A name is written in Devanagari by its letters and in Latin by ear: जयपुर and Jaipur, चित्तौड़गढ़ and
Chittorgarh. What both keep is the row of consonants, so that is compared: without vowels, breath
and length, with the letters that Latin cannot tell apart taken as one. It finds too much rather
than too little, and is ranked behind what was spelt alike.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_NUKTA = "\u093c"
_VOCALIC_R = "\u090b\u0943"
_NASAL_SIGNS = "\u0900\u0901\u0902"

# Consonants of Devanagari by what Latin spellings make of them; ड़ and ढ़ are heard as r.
_DEVANAGARI = {
    letter: sound
    for sound, letters in {
        "k": "कख",
        "g": "गघ",
        "n": "ङञणन",
        "c": "चछ",
        "j": "जझ",
        "t": "टठतथ",
        "d": "डढदध",
        "p": "प",
        "f": "फ",
        "b": "बभ",
        "m": "म",
        "y": "य",
        "r": "र",
        "l": "लळ",
        "v": "व",
        "s": "शषस",
        "h": "ह",
    }.items()
    for letter in letters
}
_WITH_NUKTA = {"ड": "r", "ढ": "r", "ज": "j", "फ": "f", "क": "k", "ख": "k", "ग": "g"}
_LATIN = {"w": "v", "z": "j", "q": "k", "x": "ks"} | {each: each for each in "kgcjtdnpfbmyrlvsh"}
_LATIN_VOWELS = "aeiou"


def fold(text: str) -> str:
    """The text as it is compared: one form of each letter, no case, no accents, no nukta.

    https://www.unicode.org/reports/tr15/ for the forms.
    """
    folded = unicodedata.normalize("NFKD", text).casefold()
    kept = (each for each in folded if each != _NUKTA and not _is_accent(each))
    return unicodedata.normalize("NFC", "".join(kept)).replace("\u0901", "\u0902")


def words(text: str) -> tuple[str, ...]:
    """The folded words of a text; marks belong to their letters."""
    spaced = "".join(each if _is_in_word(each) else " " for each in fold(text))
    return tuple(spaced.split())


def sound(text: str) -> str:
    """What is left of a text's sound, in small Latin letters; empty when nothing is.

    A first vowel counts as "a". Equal neighbours count once.
    """
    kept: list[str] = []
    for each in "".join(_sounds(text)):
        if not kept or kept[-1] != each:
            kept.append(each)
    return "".join(kept)


def _sounds(text: str) -> Iterator[str]:
    heard = [each for word in _spelt_words(text) for each in _word_sounds(word)]
    for place, each in enumerate(heard):
        behind = heard[place + 1] if place + 1 < len(heard) else ""
        # An m before a labial is written as any nasal: Sambhar, सांभर.
        yield "n" if each == "m" and behind in ("p", "b", "f") else each


def _spelt_words(text: str) -> Iterator[str]:
    # Not folded: nukta tells ड़ from ड.
    spelt = unicodedata.normalize("NFKD", text).casefold().replace("ज्ञ", "ग्य")
    spaced = "".join(each if _is_in_word(each) else " " for each in spelt)
    yield from spaced.split()


# The words of names come again and again: 60,000 units have some thousands.
@lru_cache(50_000)
def _word_sounds(word: str) -> tuple[str, ...]:
    return tuple(_heard_in(word))


def _heard_in(word: str) -> Iterator[str]:
    letters = [each for each in word if not _is_accent(each)]
    first = True
    for place, letter in enumerate(letters):
        behind = letters[place + 1] if place + 1 < len(letters) else ""
        heard = _letter_sound(letter, behind)
        if heard is None:
            continue
        # y glides into vowels and h into consonants: they are heard only where a word begins.
        if first or heard not in ("y", "h", "a"):
            yield from heard
        first = False


def _letter_sound(letter: str, behind: str) -> str | None:
    """The sound of a letter; "a" for a vowel, None for a sign that has none of its own."""
    if letter in _DEVANAGARI:
        plain = _DEVANAGARI[letter]
        return _WITH_NUKTA.get(letter, plain) if behind == _NUKTA else plain
    if letter in _NASAL_SIGNS:
        return "n"
    if letter in _VOCALIC_R:
        return "r"
    if "\u0904" <= letter <= "\u0914" or letter in _LATIN_VOWELS:
        return "a"
    if letter == "p" and behind == "h":
        return "f"
    if letter == "c":
        return {"h": "c", "e": "s", "i": "s", "y": "s"}.get(behind, "k")
    if letter.isdigit():
        return str(unicodedata.digit(letter))
    return _LATIN.get(letter)


@lru_cache(4_096)
def _is_in_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LMN"


def _is_accent(letter: str) -> bool:
    """Whether it is a mark on a Latin letter."""
    return "\u0300" <= letter <= "\u036f"
