"""Broadcasts and frames as Redis keeps them."""

import json
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.messaging.domain.broadcasts import (
    Audience,
    AudienceTerm,
    Broadcast,
    BroadcastState,
    Draft,
    Plan,
)
from services.messaging.domain.frame import Frame
from services.messaging.domain.ids import BroadcastId, UnitId

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Half of a frame is random ids, which no level of effort makes smaller.
_FRAME_EFFORT = 1


def microseconds(instant: datetime) -> int:
    """An instant as a whole number, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def _instant(text: str | None) -> datetime | None:
    return None if text is None else _EPOCH + int(text) * _MICROSECOND


def fields_of(broadcast: Broadcast) -> dict[str, str | int]:
    """The hash of a draft that was just made."""
    return {
        "draft": json.dumps(_draft_record(broadcast.draft), ensure_ascii=False),
        "author": broadcast.author,
        "created_at": microseconds(broadcast.created_at),
        "state": broadcast.state.value,
        "revision": broadcast.revision,
    }


def broadcast_from(
    broadcast_id: BroadcastId, record: Sequence[bytes], draft: Draft | None = None
) -> Broadcast | None:
    """The broadcast of a hash as HGETALL answers it: names and values in turn.

    Args:
        broadcast_id: Its id.
        record: Its fields; nothing when there is none.
        draft: What it holds, where the fields do not say so.
    """
    if not record:
        return None
    texts = [part.decode() for part in record]
    fields = dict(zip(texts[::2], texts[1::2], strict=True))
    created_at = _instant(fields["created_at"])
    assert created_at is not None  # noqa: S101  # the key was there
    return Broadcast(
        id=broadcast_id,
        draft=draft or _draft_from(json.loads(fields["draft"])),
        author=fields["author"],
        created_at=created_at,
        state=BroadcastState(fields["state"]),
        started_at=_instant(fields.get("started_at")),
        completed_at=_instant(fields.get("completed_at")),
        failure_reason=fields.get("failure_reason", ""),
        plan=_plan_from(fields),
        revision=int(fields["revision"]),
    )


def as_made(broadcast: Broadcast) -> Broadcast:
    """The draft that a broadcast was when it was made: what a repeated request is answered."""
    return Broadcast(broadcast.id, broadcast.draft, broadcast.author, broadcast.created_at)


def as_started(broadcast: Broadcast, revision: int) -> Broadcast:
    """What a broadcast was when it was started, as that revision."""
    return replace(
        as_made(broadcast),
        state=BroadcastState.PLANNING,
        started_at=broadcast.started_at,
        revision=revision,
    )


def frame_to_bytes(frame: Frame) -> bytes:
    """A frame, packed: a header line of JSON, then its arrays one after the other."""
    header = json.dumps({"levels": frame.levels, "size": frame.size}).encode()
    numbers = (frame.parents, frame.unit_levels, frame.starts, frame.ends)
    arrays = b"".join(_little_endian(each).tobytes() for each in numbers)
    return zlib.compress(header + b"\n" + frame.unit_ids + arrays, _FRAME_EFFORT)


def frame_from_bytes(packed: bytes) -> Frame:
    """The frame that was packed."""
    header, _, body = zlib.decompress(packed).partition(b"\n")
    about = json.loads(header)
    size = int(about["size"])
    parts = [body[16 * size + 4 * size * at :][: 4 * size] for at in range(4)]
    parents, unit_levels, starts, ends = (_little_endian(array("i", part)) for part in parts)
    return Frame(tuple(about["levels"]), body[: 16 * size], parents, unit_levels, starts, ends)


def _little_endian(numbers: "array[int]") -> "array[int]":
    if _BIG_ENDIAN:
        numbers = array("i", numbers)
        numbers.byteswap()
    return numbers


_BIG_ENDIAN = array("i", [1]).tobytes()[0] == 0


def _plan_from(fields: Mapping[str, str]) -> Plan | None:
    if "generation" not in fields:
        return None
    return Plan(int(fields["generation"]), int(fields["deliveries"]), int(fields["partition_size"]))


def _draft_record(draft: Draft) -> dict[str, Any]:
    return {
        "title": draft.title,
        "texts": dict(draft.texts),
        "transport": draft.transport,
        "include": [_term_record(term) for term in draft.audience.include],
        "exclude": [_term_record(term) for term in draft.audience.exclude],
    }


def _term_record(term: AudienceTerm) -> dict[str, Sequence[str]]:
    return {"unit_ids": term.unit_ids, "kinds": term.kinds, "categories": term.categories}


def _draft_from(record: Mapping[str, Any]) -> Draft:
    include, exclude = (tuple(map(_term_from, record[part])) for part in ("include", "exclude"))
    return Draft(record["title"], record["texts"], Audience(include, exclude), record["transport"])


def _term_from(record: Mapping[str, Sequence[str]]) -> AudienceTerm:
    return AudienceTerm(
        unit_ids=tuple(map(UnitId, record["unit_ids"])),
        kinds=tuple(record["kinds"]),
        categories=tuple(record["categories"]),
    )
