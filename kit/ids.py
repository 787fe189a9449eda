"""Identity as an injectable value: UUIDv7 in operation, reproducible in tests and demo data."""

import random
import re
import uuid
from collections.abc import Sequence
from typing import Protocol

import uuid6

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CANONICAL_LINES = re.compile(rf"(?:{_CANONICAL.pattern}\n)*+")
_LINE = 37
# The root of our name-based ids; any fixed UUID would do.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "chaupal")


class Ids(Protocol):
    """A source of new identifiers."""

    def new(self) -> str:
        """A UUID version 7 (RFC 9562) in canonical text, never given before by this source.

        Ids of one source grow, as text and as bytes, in the order in which they were given.
        """
        ...


class SystemIds:
    """Ids from the machine's time and randomness."""

    def new(self) -> str:
        """A new UUIDv7; grows even within one millisecond of this process."""
        return str(uuid6.uuid7())


class SeededIds:
    """The same ids in the same order for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  # reproducible on purpose
        self._milliseconds = 1_767_225_600_000  # 2026-01-01, so that real ids sort after these

    def new(self) -> str:
        """The next UUIDv7 of this seed."""
        self._milliseconds += 1
        value = self._milliseconds << 80 | self._random.getrandbits(80)
        value = value & ~(0xF << 76) | 0x7 << 76  # version 7
        value = value & ~(0x3 << 62) | 0x2 << 62  # variant of RFC 9562
        return str(uuid.UUID(int=value))


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID in the one spelling that we keep: lower case with hyphens."""
    return _CANONICAL.fullmatch(text) is not None


def are_uuids(texts: Sequence[str]) -> bool:
    """Whether each of the texts is such a UUID: a tenth of the time of asking for each."""
    lines = "\n".join([*texts, ""])
    # Of other lengths together: one of them has lines of its own.
    return len(lines) == _LINE * len(texts) and _CANONICAL_LINES.fullmatch(lines) is not None


def uuid_bytes(text: str) -> bytes:
    """The 16 bytes of a UUID's text. Raises ValueError when it is none."""
    return uuid.UUID(text).bytes


def uuid_text(value: bytes) -> str:
    """The canonical text of a UUID's 16 bytes. Raises ValueError for any other length."""
    return str(uuid.UUID(bytes=value))


def stable_id(namespace: str, *parts: str) -> str:
    """The UUID (version 5) that always stands for these parts, in this order, in this namespace.

    Parts are told apart by their lengths, so ("ab", "c") and ("a", "bc") have different ids.
    """
    name = "".join(f"{len(part)}:{part}" for part in (namespace, *parts))
    return str(uuid.uuid5(_NAMESPACE, name))
