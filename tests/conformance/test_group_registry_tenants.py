"""No call made for one tenant ever returns or changes what is another's."""

import asyncio
import uuid
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.clock import FakeClock
from kit.redis import open_redis
from services.groups.adapters.redis import RedisGroupRegistry
from services.groups.domain.errors import RegisterMoved
from services.groups.domain.model import Group, TenantId
from services.groups.ports import Answer, Change, GroupRegistry, Register, RequestKey
from tests.unit.groups.builders import group

# Few of each, so that tenants use the same codes, ids and request ids.
CODES = st.lists(st.sampled_from("abcdef"), unique=True, max_size=3)
REQUESTS = [str(uuid.UUID(int=number)) for number in range(4)]
STEPS = st.lists(
    st.tuples(st.sampled_from([0, 1]), st.sampled_from(REQUESTS), CODES, st.booleans()),
    max_size=12,
)


@dataclass
class Model:
    """What one tenant's register should be."""

    tenant: TenantId
    register: Register
    groups: list[Group] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)


@pytest.fixture(scope="module", params=["standalone", "cluster"])
def store_url(request: pytest.FixtureRequest) -> str:
    if request.param == "cluster":
        url: str = request.getfixturevalue("valkey_cluster").url
        return url
    standalone: str = request.getfixturevalue("valkey_url")
    return standalone


@given(steps=STEPS)
def test_tenants_never_meet(store_url: str, steps: list[tuple[int, str, list[str], bool]]) -> None:
    asyncio.run(walk(store_url, steps))


async def walk(url: str, steps: list[tuple[int, str, list[str], bool]]) -> None:
    client = open_redis(url)
    registry = RedisGroupRegistry(client, FakeClock())
    name = f"t{uuid.uuid4().hex[:16]}"
    # One name begins with the other, as keys that were joined without care would mix up.
    names = [TenantId(name), TenantId(f"{name}-a")]
    try:
        models = [Model(each, await registry.snapshot(each, None)) for each in names]
        for who, request_id, codes, stale in steps:
            await step(registry, models[who], request_id, codes, stale)
            for model in models:
                await expect(registry, model)
    finally:
        await client.aclose()


async def step(
    registry: GroupRegistry, model: Model, request_id: str, codes: list[str], stale: bool
) -> None:
    """One commit: of new groups, and of changes where the codes are there."""
    there = {each.content.code: ordinal for ordinal, each in enumerate(model.groups)}
    created = [group(code, str(model.tenant)) for code in codes if code not in there]
    updated = [
        (there[code], group(code, str(model.tenant), member_count=len(model.answers)))
        for code in codes
        if code in there
    ]
    answer = f"{model.tenant} {len(model.answers)}"
    base = await registry.snapshot(model.tenant, None) if stale else model.register
    change = Change(base, created, updated, 1, RequestKey(request_id, answer), answer)
    first = model.answers.get(request_id)
    try:
        assert await registry.commit(change) == first
    except RegisterMoved as error:
        raise AssertionError from error
    if first is None:
        model.answers[request_id] = Answer(answer, answer)
        for ordinal, each in updated:
            model.groups[ordinal] = each
        model.groups += created


async def expect(registry: GroupRegistry, model: Model) -> None:
    before = model.register
    model.register = await registry.snapshot(model.tenant, before)
    ordinals = range(model.register.count)
    assert list(await registry.groups(model.register, ordinals)) == model.groups
    for request_id in REQUESTS:
        assert await registry.answer(model.tenant, request_id) == model.answers.get(request_id)
