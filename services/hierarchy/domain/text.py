"""The rules for what people type: keys, codes, names, places."""

import math
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from services.hierarchy.domain.model import LocalizedText, Place

MAX_KEY_CHARS = 64
MAX_LANGUAGES = 10
MAX_TEXT_CHARS = 200
MAX_SUBJECT_CHARS = 255
# Texts longer than this are cut where a message quotes them.
_QUOTED_CHARS = 40

_KEY = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")
# The language, script, region and variant subtags of RFC 5646, without its extensions.
_LANGUAGE = re.compile(
    r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?(?:-[a-z0-9]{5,8})*"
)


class Fault(NamedTuple):
    """What is wrong with a value, before anyone says in which request or row it stood.

    `field` is relative to the value and empty when the value as a whole is meant.
    """

    field: str
    reason: str
    description: str


def is_key(text: str) -> bool:
    """Whether the text is lower snake case of at most 64 characters."""
    return len(text) <= MAX_KEY_CHARS and _KEY.fullmatch(text) is not None


def is_code(text: str) -> bool:
    """Whether the text is 1 to 64 of letters, digits, dots, underscores and hyphens."""
    return _CODE.fullmatch(text) is not None


def text_faults(names: LocalizedText) -> Iterator[Fault]:
    """What is wrong with a text in several languages: at most one fault per language."""
    if len(names.texts) > MAX_LANGUAGES:
        yield Fault("", "BAD_NAME", f"has {len(names.texts)} languages, at most {MAX_LANGUAGES}")
        return
    english = next((text for tag, text in names.texts if tag == "en"), "").strip()
    if not english:
        yield Fault("en", "MISSING", "the text in English (en) is needed")
    for tag, text in names.texts:
        said = _text_fault(tag, text) if english or tag != "en" else ""
        if said:
            yield Fault(tag if _LANGUAGE.fullmatch(tag) else "", "BAD_NAME", said)


def place_faults(place: Place) -> Iterator[Fault]:
    """What is wrong with a place."""
    for name, degrees, bound in (
        ("latitude", place.latitude, 90),
        ("longitude", place.longitude, 180),
    ):
        if not (math.isfinite(degrees) and -bound <= degrees <= bound):
            yield Fault(name, "BAD_PLACE", f"{degrees:g} is not between -{bound} and {bound}")


def subject_fault(subject: str) -> Fault | None:
    """What is wrong with the `sub` of somebody's tokens, if they have one."""
    if len(subject) > MAX_SUBJECT_CHARS:
        return Fault("subject", "BAD_SUBJECT", f"has over {MAX_SUBJECT_CHARS} characters")
    if subject and (not subject.isprintable() or subject != subject.strip()):
        return Fault("subject", "BAD_SUBJECT", "has characters that no subject has")
    return None


def quoted(text: str) -> str:
    """The text as a message may show it: printable, short, in quotes."""
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    return f'"{shown[:_QUOTED_CHARS]}…"' if len(shown) > _QUOTED_CHARS else f'"{shown}"'


def _text_fault(tag: str, text: str) -> str:
    if not _LANGUAGE.fullmatch(tag):
        return f"{quoted(tag)} is no language tag such as en or hi"
    if not text.strip():
        return "is empty"
    if len(text) > MAX_TEXT_CHARS:
        return f"has {len(text)} characters, at most {MAX_TEXT_CHARS}"
    if not text.isprintable() and any(unicodedata.category(each) == "Cc" for each in text):
        return "has control characters or line breaks"
    return ""
