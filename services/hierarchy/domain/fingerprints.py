"""Tells a repeated request from another one under the same id."""

import hashlib
from collections.abc import Iterable


def fingerprint(*parts: object) -> str:
    """A digest of values whose `repr` tells them apart, such as frozen dataclasses and texts.

    A field with `repr=False` is not seen: give what it holds as a part, or to `fingerprint_of_all`.
    """
    return fingerprint_of_all(parts)


def fingerprint_of_all(parts: Iterable[object]) -> str:
    """The same, for parts that are too many to hold at once."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(repr(part).encode())
        digest.update(b"\n")
    return digest.hexdigest()
