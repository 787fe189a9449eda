"""What a change writes, worked out before the store is asked: rows, records, and their names."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.groups.adapters.redis.records import encode_group
from services.groups.adapters.redis.rows import RedisRegister, id_bytes, pack_rows
from services.groups.adapters.redis.runs import Run, runs_of
from services.groups.domain.errors import RegisterFull
from services.groups.domain.model import Group
from services.groups.ports import Change

# 512 MB, the longest string of a store, over 128 bytes.
MOST_GROUPS = 4_000_000
MOST_KEYS = 65_535


@dataclass(frozen=True, slots=True)
class Writing:
    """A change as the Function takes it.

    Attributes:
        records: name and value of each new record.
        dropped: the names of the records that they replace.
    """

    count: int
    kinds: str
    categories: str
    runs: Sequence[Run]
    records: Sequence[tuple[bytes, bytes]]
    dropped: Sequence[bytes]


def writing_of(change: Change, base: RedisRegister, revision: bytes) -> Writing:
    """Work a change out: some 20 us a group.

    Raises:
        RegisterFull: it would not fit.
    """
    groups: list[Group] = [*(group for _, group in change.updated), *change.created]
    count = base.count + len(change.created)
    kinds = _with(base.kinds, [group.content.kind for group in groups])
    categories = _with(base.categories, [group.content.category for group in groups])
    for what, size, limit in (
        ("groups", count, MOST_GROUPS),
        ("kinds", len(kinds), MOST_KEYS),
        ("categories", len(categories), MOST_KEYS),
    ):
        if size > limit:
            raise RegisterFull(limit, what=what)
    ordinals = [ordinal for ordinal, _ in change.updated]
    packed = pack_rows(groups, revision, kinds, categories)
    rows = np.concatenate((base.rows, packed[len(ordinals) :]))
    rows[np.array(ordinals, dtype=np.int64)] = packed[: len(ordinals)]
    return Writing(
        count=count,
        kinds=json.dumps(kinds),
        categories=json.dumps(categories),
        runs=runs_of(rows, ordinals, base.count),
        records=[(id_bytes(group.id) + revision, encode_group(group)) for group in groups],
        dropped=base.names_of_records(ordinals),
    )


def _with(keys: Sequence[str], used: Sequence[str]) -> list[str]:
    """The keys, then those that are used for the first time, in order: numbers never change."""
    return list(dict.fromkeys([*keys, *used]))
