"""`GroupRegistry` over Redis or Valkey. The keys are described in the package's docstring."""

import asyncio
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from importlib import resources
from typing import Any, TypeVar, cast

import numpy as np

from kit.clock import Clock
from kit.errors import Unavailable
from kit.redis import FunctionLibrary, RedisClient, check_durability, function_library
from services.groups.adapters.redis.keys import Keys
from services.groups.adapters.redis.records import decode_group
from services.groups.adapters.redis.rows import (
    ID_BYTES,
    ROW,
    RedisRegister,
    Rows,
    empty_register,
    id_text,
)
from services.groups.adapters.redis.steps import store_step
from services.groups.adapters.redis.sweep import sweep_records
from services.groups.adapters.redis.writing import Writing, writing_of
from services.groups.domain.errors import RecordsGone, RegisterMoved, RegisterUnreadable
from services.groups.domain.model import Group, GroupId, TenantId
from services.groups.ports import Answer, Change, Register

T = TypeVar("T")

_LAYOUT = "1"
_ANSWER_KEPT = timedelta(days=7)
# So many records go with the commit itself; more are laid down before it, so that the Function
# stays short. A hundred records take it about a third of a millisecond.
_INLINE_RECORDS = 500
# Some 300 KB a command: large enough to be cheap, small enough to let others in between.
_BATCH = 1_000
_FEW = 50
# Records to which nothing points: of writers that died between laying down and committing.
_MUCH_RUBBISH = 1_000


class RedisGroupRegistry:
    """The register in one Redis or Valkey.

    The Functions are loaded when they are first needed, so that a process can start, and say why
    it is not ready, while the store is away.
    """

    def __init__(self, client: RedisClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._loaded: FunctionLibrary | None = None

    async def snapshot(self, tenant: TenantId, known: Register | None) -> RedisRegister:
        held = _own(known) if known is not None else empty_register(tenant)
        keys = Keys(tenant)
        with store_step("FCALL_RO groups_snapshot"):
            library = await self._library()
            answer = await library.call(
                "snapshot",
                keys=[keys.meta, keys.rows, keys.changes],
                args=[held.version, held.revision],
                read_only=True,
            )
        if len(answer) == 2:
            return held
        return await asyncio.to_thread(_following, held, answer)

    async def groups(self, register: Register, ordinals: Sequence[int]) -> Sequence[Group]:
        names = _own(register).names_of_records(ordinals)
        key = Keys(register.tenant).record
        found: list[Group] = []
        for batch in _batches(names, _BATCH):
            with store_step("HMGET groups record"):
                records = await cast(Any, self._client.hmget(key, list(batch)))
            if None in records:
                raise RecordsGone(register.version)
            if len(batch) <= _FEW:
                found += _decoded(batch, records)
            else:  # a thousand take some 15 ms: not in the loop that serves everybody else
                found += await asyncio.to_thread(_decoded, batch, records)
        return found

    async def commit(self, change: Change) -> Answer | None:
        base = _own(change.base)
        revision = self._new_revision()
        writing = await asyncio.to_thread(writing_of, change, base, revision)
        key = Keys(base.tenant).record
        inline = len(writing.records) <= _INLINE_RECORDS
        if not inline:
            await self._lay_down(key, writing.records)
        outcome, told = await self._apply(change, base, revision, writing, inline=inline)
        if not inline:
            done = outcome == b"applied"
            names = [name for name, _ in writing.records]
            await self._clean_up(base, key, writing.dropped if done else names)
        match outcome:
            case b"applied":
                return None
            case b"replayed":
                return _answer(told)
            case _:
                raise RegisterMoved(base.version, told)

    async def answer(self, tenant: TenantId, request_id: str) -> Answer | None:
        with store_step("GET groups request"):
            stored: Any = await self._client.get(Keys(tenant).request(request_id))
        return None if stored is None else _answer(stored)

    async def durability_problems(self) -> Sequence[str]:
        return await check_durability(self._client)

    async def _library(self) -> FunctionLibrary:
        if self._loaded is None:
            source = resources.files(__package__).joinpath("library.lua").read_text("utf-8")
            self._loaded = await function_library(self._client, "groups", source)
        return self._loaded

    def _new_revision(self) -> bytes:
        """Eight bytes that no other commit has; the first four say when, for the sweep."""
        seconds = int(self._clock.now().timestamp())
        return seconds.to_bytes(4, "big") + secrets.token_bytes(4)

    async def _apply(
        self,
        change: Change,
        base: RedisRegister,
        revision: bytes,
        writing: Writing,
        *,
        inline: bool,
    ) -> tuple[bytes, Any]:
        keys = Keys(base.tenant)
        records = [each for pair in writing.records for each in pair] if inline else []
        dropped = writing.dropped if inline else []
        runs = [each for run in writing.runs for each in (run.start, run.rows)]
        args: list[str | bytes | int] = [
            *(base.version, base.revision, base.count),
            *(revision, writing.count, max(base.tree_version, change.tree_version)),
            *(writing.kinds, writing.categories),
            f"{change.request.content_hash}\n{change.answer}",
            int(_ANSWER_KEPT.total_seconds() * 1000),
            len(writing.runs),
            *runs,
            len(records),
            *records,
            len(dropped),
            *dropped,
        ]
        with store_step("FCALL groups_commit"):
            library = await self._library()
            outcome = await library.call(
                "commit",
                keys=[
                    keys.meta,
                    keys.rows,
                    keys.record,
                    keys.changes,
                    keys.request(change.request.request_id),
                ],
                args=args,
            )
        return outcome[0], outcome[1]

    async def _clean_up(self, base: RedisRegister, key: str, names: Sequence[bytes]) -> None:
        """Drop these records, and others that nothing points to when much has come together.

        The commit has its outcome already: what cannot be dropped now is swept by a later one.
        """
        with suppress(Unavailable):
            with store_step("HDEL groups record"):
                for batch in _batches(names, _BATCH):
                    await cast(Any, self._client.hdel(key, *batch))
            await self._sweep(base, key)

    async def _sweep(self, base: RedisRegister, key: str) -> None:
        with store_step("HLEN groups record"):
            stored: int = await cast(Any, self._client.hlen(key))
        if stored > base.count + max(_MUCH_RUBBISH, base.count // 10):
            register = await self.snapshot(base.tenant, base)
            if stored > register.count + max(_MUCH_RUBBISH, register.count // 10):
                await sweep_records(self._client, key, register, self._clock.now())

    async def _lay_down(self, key: str, records: Sequence[tuple[bytes, bytes]]) -> None:
        with store_step("HSET groups record"):
            for batch in _batches(records, _BATCH):
                await cast(Any, self._client.hset(key, mapping=dict(batch)))


def _own(register: Register) -> RedisRegister:
    assert isinstance(register, RedisRegister), "a register of another store"  # noqa: S101
    return register


def _decoded(names: Sequence[bytes], records: Sequence[bytes]) -> list[Group]:
    return [
        decode_group(GroupId(id_text(name[:ID_BYTES])), record)
        for name, record in zip(names, records, strict=True)
    ]


def _following(held: RedisRegister, answer: Sequence[Any]) -> RedisRegister:
    version, revision, tree_version, count, kinds, categories, layout, base, *parts = answer
    if layout.decode() != _LAYOUT:
        raise RegisterUnreadable(layout.decode(errors="replace"))
    rows = np.zeros(count, dtype=ROW)
    if base:
        rows[: held.count] = held.rows
    for start, packed in zip(parts[::2], parts[1::2], strict=True):
        patch: Rows = np.frombuffer(packed, dtype=ROW)
        rows[start : start + len(patch)] = patch
    rows.flags.writeable = False
    known = held if base else empty_register(held.tenant)
    return known.followed_by(
        version=version,
        revision=revision,
        tree_version=tree_version,
        kinds=tuple(json.loads(kinds)),
        categories=tuple(json.loads(categories)),
        rows=rows,
    )


def _answer(stored: bytes) -> Answer:
    content_hash, _, text = stored.decode().partition("\n")
    return Answer(content_hash, text)


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
