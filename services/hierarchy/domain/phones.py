"""Phone numbers: read from what people type, and shown so that nobody can call them."""

import re
from dataclasses import dataclass, field
from typing import Self

# What people put between digits: spaces, also unbreakable ones, dots, hyphens, brackets.
_BETWEEN = re.compile("[ .()\u00a0\u2009\u202f\u2010\u2011-]")
# ITU-T E.164: a country code that begins with no zero, and 15 digits at most. No number that
# people answer has fewer than 8 with its country code.
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")
MAX_TYPED_CHARS = 40
# Country codes of one and two digits (ITU-T E.164, list of assigned codes); others have three.
_ONE_DIGIT = frozenset("17")
_TWO_DIGITS = {
    "2": "07",
    "3": "0123469",
    "4": "013456789",
    "5": "12345678",
    "6": "0123456",
    "8": "1246",
    "9": "0123458",
}
_HIDDEN = "•"


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number in E.164, such as +919800000000. Neither its text nor its repr shows it."""

    e164: str = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The number that somebody typed, or None when it is none."""
        digits = _BETWEEN.sub("", text) if len(text) <= MAX_TYPED_CHARS else ""
        return cls(digits) if _E164.fullmatch(digits) else None

    @property
    def masked(self) -> str:
        """The country and the last digits, such as "+91 ••••••3210"."""
        digits = self.e164[1:]
        country = _country_code(digits)
        national = digits[len(country) :]
        # Half of it at most, so that no short number is shown whole.
        shown = min(4, len(national) // 2)
        hidden = _HIDDEN * (len(national) - shown)
        return f"+{country} {hidden}{national[len(national) - shown :]}"

    def __str__(self) -> str:
        return self.masked


def _country_code(digits: str) -> str:
    if digits[0] in _ONE_DIGIT:
        return digits[0]
    return digits[:2] if digits[1] in _TWO_DIGITS.get(digits[0], "") else digits[:3]
