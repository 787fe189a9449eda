"""The promises of `GroupRegistry`, over every store that keeps a register."""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from kit.clock import FakeClock
from kit.ids import SeededIds
from kit.redis import open_redis
from services.groups.adapters.redis import RedisGroupRegistry
from services.groups.domain.errors import RecordsGone, RegisterMoved
from services.groups.domain.model import Group, GroupState, TenantId
from services.groups.ports import Answer, Change, GroupRegistry, Register, RequestKey
from tests.unit.groups.builders import EXECUTIVE, OWNER, group, group_id, unit_id

_ids = SeededIds(1)


@pytest.fixture(scope="module", params=["standalone", "cluster"])
def store_url(request: pytest.FixtureRequest) -> str:
    if request.param == "cluster":
        url: str = request.getfixturevalue("valkey_cluster").url
        return url
    standalone: str = request.getfixturevalue("valkey_url")
    return standalone


@asynccontextmanager
async def a_registry(url: str) -> AsyncIterator[RedisGroupRegistry]:
    client = open_redis(url)
    try:
        yield RedisGroupRegistry(client, FakeClock())
    finally:
        await client.aclose()


@pytest.fixture
async def registry(store_url: str) -> AsyncIterator[GroupRegistry]:
    async with a_registry(store_url) as one:
        yield one


@pytest.fixture
async def sibling(store_url: str) -> AsyncIterator[GroupRegistry]:
    """Another process's registry on the same store."""
    async with a_registry(store_url) as one:
        yield one


@pytest.fixture
def tenant(unique: str) -> TenantId:
    return TenantId(unique)


def a_change(
    base: Register,
    created: Sequence[Group] = (),
    updated: Sequence[tuple[int, Group]] = (),
    *,
    tree_version: int = 1,
    request: RequestKey | None = None,
    answer: str = "done",
) -> Change:
    request = request or RequestKey(_ids.new(), "hash")
    return Change(base, created, updated, tree_version, request, answer)


def changed(each: Group, **said: object) -> Group:
    return replace(each, content=replace(each.content, **said))  # type: ignore[arg-type]


async def committed(registry: GroupRegistry, change: Change) -> Register:
    """The register after a change that nothing is in the way of."""
    assert await registry.commit(change) is None
    return await registry.snapshot(change.base.tenant, change.base)


async def everything(registry: GroupRegistry, register: Register) -> list[Group]:
    return list(await registry.groups(register, range(register.count)))


def same(one: Register, other: Register) -> bool:
    """Whether two registers say the same in every respect."""
    columns = ("id", "unit", "kind", "category", "state", "flags", "members")
    ordinals = range(one.count)
    return (
        (one.tenant, one.version, one.tree_version, one.count)
        == (other.tenant, other.version, other.tree_version, other.count)
        and (*one.kinds, "|", *one.categories) == (*other.kinds, "|", *other.categories)
        and all(one.column(name) == other.column(name) for name in columns)  # type: ignore[arg-type]
        and one.by_code == other.by_code
        and one.identities(ordinals) == other.identities(ordinals)
        and one.digests(ordinals) == other.digests(ordinals)
    )


async def test_a_tenant_that_nobody_wrote_to_has_an_empty_register(
    registry: GroupRegistry, tenant: TenantId
) -> None:
    register = await registry.snapshot(tenant, None)

    assert (register.tenant, register.version, register.tree_version) == (tenant, 0, 0)
    assert (register.count, list(register.kinds), list(register.categories)) == (0, [], [""])
    assert register.ordinals(["a"]) == [-1]
    assert register.ordinals_of_ids([group_id("a")]) == [-1]
    assert await everything(registry, register) == []


async def test_a_commit_is_told_as_it_was_made(registry: GroupRegistry, tenant: TenantId) -> None:
    groups = [
        group("b", "u-1", kind="category", category="farmers", admins=(OWNER, EXECUTIVE)),
        group("a", "u-2", kind="internal", admins=(), member_count=2_000_000, capacity=1),
        group("c.C-_9" + "x" * 58, "u-1", names={"en": 'q" \\ ,', "hi": "क्‍ष 😀"}),
    ]

    register = await committed(
        registry, a_change(await registry.snapshot(tenant, None), groups, tree_version=7)
    )

    assert (register.version, register.tree_version, register.count) == (1, 7, 3)
    assert await everything(registry, register) == groups
    assert await registry.groups(register, [2, 0, 2]) == [groups[2], groups[0], groups[2]]


async def test_columns_say_what_the_groups_are(registry: GroupRegistry, tenant: TenantId) -> None:
    groups = [
        group("b", "u-1", kind="category", category="farmers", admins=(OWNER,)),
        group("a", "u-2", admins=(), member_count=2_000_000, state=GroupState.RETIRED),
    ]
    register = await committed(registry, a_change(await registry.snapshot(tenant, None), groups))

    ids = b"".join(bytes.fromhex(each.id.replace("-", "")) for each in groups)
    units = "".join(each.content.unit_id for each in groups).replace("-", "")
    assert bytes(register.column("id")) == ids
    assert bytes(register.column("unit")) == bytes.fromhex(units)
    kinds = struct.unpack("<2H", register.column("kind"))
    assert [register.kinds[number] for number in kinds] == ["category", "booth_voters"]
    categories = struct.unpack("<2H", register.column("category"))
    assert [register.categories[number] for number in categories] == ["farmers", ""]
    assert bytes(register.column("state")) == bytes([3, 4])
    # INCOMPLETE is bit 0, ORPHANED bit 1, FULL bit 2.
    assert bytes(register.column("flags")) == bytes([0b001, 0b110])
    assert struct.unpack("<2I", register.column("members")) == (900, 2_000_000)


async def test_groups_are_found_by_code_and_by_id(
    registry: GroupRegistry, tenant: TenantId
) -> None:
    empty = await registry.snapshot(tenant, None)
    first = await committed(registry, a_change(empty, [group("m"), group("z")]))
    assert first.ordinals(["m"]) == [0]  # so that the next version builds on what this one knows
    assert first.ordinals_of_ids([group_id("z")]) == [1]

    register = await committed(registry, a_change(first, [group("a"), group("Z")]))

    assert register.ordinals(["z", "a", "aa", "Z", "m"]) == [1, 2, -1, 3, 0]
    wanted = [group_id(code) for code in ("Z", "nobody", "m", "a", "z")]
    assert register.ordinals_of_ids(wanted) == [3, -1, 0, 2, 1]
    assert [register.code(ordinal) for ordinal in range(4)] == ["m", "z", "a", "Z"]
    assert struct.unpack("<4I", register.by_code) == (3, 2, 0, 1)


async def test_a_register_that_is_current_is_returned_itself(
    registry: GroupRegistry, tenant: TenantId
) -> None:
    register = await committed(
        registry, a_change(await registry.snapshot(tenant, None), [group("a")])
    )
    assert await registry.snapshot(tenant, register) is register


async def test_a_sibling_sees_a_commit_as_soon_as_it_has_answered(
    registry: GroupRegistry, sibling: GroupRegistry, tenant: TenantId
) -> None:
    seen = await sibling.snapshot(tenant, None)
    register = await registry.snapshot(tenant, None)
    for number in range(5):
        register = await committed(registry, a_change(register, [group(f"g-{number}")]))
        seen = await sibling.snapshot(tenant, seen)
        assert same(seen, register)
        assert await everything(sibling, seen) == await everything(registry, register)


@pytest.mark.parametrize("size", [3, 1_300])
async def test_what_changed_and_the_whole_say_the_same(
    registry: GroupRegistry, tenant: TenantId, size: int
) -> None:
    """Also for changes that are too large to go with the commit itself."""
    first = await committed(
        registry,
        a_change(await registry.snapshot(tenant, None), [group(f"g-{n:04}") for n in range(size)]),
    )
    held = await everything(registry, first)
    updates = [
        (n, changed(each, member_count=n, kind="category", category=f"c-{n % 3}"))
        for n, each in enumerate(held)
        if n % 3 == 0
    ]
    second = await committed(registry, a_change(first, [group("new")], updates))

    assert same(second, await registry.snapshot(tenant, None))
    expected = [dict(updates).get(n, each) for n, each in enumerate(held)]
    assert await everything(registry, second) == [*expected, group("new")]


async def test_a_change_for_an_older_version_changes_nothing(
    registry: GroupRegistry, tenant: TenantId
) -> None:
    old = await registry.snapshot(tenant, None)
    register = await committed(registry, a_change(old, [group("a")]))
    late = a_change(old, [group("b")])

    with pytest.raises(RegisterMoved) as refused:
        await registry.commit(late)

    assert (refused.value.expected_version, refused.value.version) == (0, 1)
    assert same(await registry.snapshot(tenant, None), register)
    assert await registry.answer(tenant, late.request.request_id) is None


@pytest.mark.parametrize("size", [1, 700])
async def test_of_changes_for_one_version_one_is_applied(
    registry: GroupRegistry, sibling: GroupRegistry, tenant: TenantId, size: int
) -> None:
    base = await registry.snapshot(tenant, None)
    changes = [a_change(base, [group(f"{writer}-{n}") for n in range(size)]) for writer in range(6)]

    outcomes = await asyncio.gather(
        *((registry, sibling)[n % 2].commit(change) for n, change in enumerate(changes)),
        return_exceptions=True,
    )

    won = [change for change, told in zip(changes, outcomes, strict=True) if told is None]
    assert len(won) == 1
    assert [type(told) for told in outcomes if told is not None] == [RegisterMoved] * 5
    register = await registry.snapshot(tenant, None)
    assert register.version == 1
    assert await everything(registry, register) == list(won[0].created)


async def test_a_repeated_request_gets_its_first_answer(
    registry: GroupRegistry, tenant: TenantId
) -> None:
    request = RequestKey(_ids.new(), "hash")
    empty = await registry.snapshot(tenant, None)
    register = await committed(
        registry, a_change(empty, [group("a")], request=request, answer='{"क": "\n"}')
    )
    again = a_change(register, [group("b")], request=request, answer="second")
    other = a_change(register, [group("b")], request=replace(request, content_hash="other"))
    first = Answer("hash", '{"क": "\n"}')

    assert await registry.answer(tenant, request.request_id) == first
    assert await registry.commit(again) == first
    assert await registry.commit(other) == first
    assert same(await registry.snapshot(tenant, None), register)


async def test_a_repeat_is_recognised_although_the_register_moved(
    registry: GroupRegistry, tenant: TenantId
) -> None:
    """As when the answer was lost and the caller works the change out on what it had."""
    change = a_change(await registry.snapshot(tenant, None), [group("a")])
    await committed(registry, change)

    assert await registry.commit(change) == Answer("hash", "done")


async def test_a_change_without_groups_keeps_its_answer_and_the_version(
    registry: GroupRegistry, tenant: TenantId
) -> None:
    register = await committed(
        registry, a_change(await registry.snapshot(tenant, None), [group("a")])
    )
    nothing = a_change(register, answer="nothing to do")

    assert await registry.commit(nothing) is None

    assert await registry.snapshot(tenant, register) is register
    assert await registry.answer(tenant, nothing.request.request_id) == Answer(
        "hash", "nothing to do"
    )


async def test_an_unknown_request_has_no_answer(registry: GroupRegistry, tenant: TenantId) -> None:
    assert await registry.answer(tenant, _ids.new()) is None


async def test_an_older_register_still_tells_what_did_not_change(
    registry: GroupRegistry, tenant: TenantId
) -> None:
    old = await committed(
        registry, a_change(await registry.snapshot(tenant, None), [group("a"), group("b")])
    )
    await committed(registry, a_change(old, updated=[(0, changed(group("a"), language="en"))]))

    assert await registry.groups(old, [1]) == [group("b")]
    with pytest.raises(RecordsGone) as gone:
        await registry.groups(old, [1, 0])
    assert gone.value.version == 1


async def test_the_tree_version_never_goes_back(registry: GroupRegistry, tenant: TenantId) -> None:
    register = await registry.snapshot(tenant, None)
    for told, expected in ((5, 5), (3, 5), (8, 8)):
        change = a_change(register, [group(f"g-{told}")], tree_version=told)
        register = await committed(registry, change)
        assert register.tree_version == expected


async def test_numbers_of_kinds_and_categories_never_change(
    registry: GroupRegistry, tenant: TenantId
) -> None:
    register = await committed(
        registry,
        a_change(
            await registry.snapshot(tenant, None),
            [group("a", kind="category", category="women"), group("b", kind="internal")],
        ),
    )
    register = await committed(
        registry,
        a_change(register, [group("c", kind="a_new_kind"), group("d", category="farmers")]),
    )

    assert list(register.kinds) == ["category", "internal", "a_new_kind", "booth_voters"]
    assert list(register.categories) == ["", "women", "farmers"]


async def test_nothing_of_one_tenant_is_seen_or_changed_by_another(
    registry: GroupRegistry, tenant: TenantId
) -> None:
    other = TenantId(f"{tenant}-other")
    request = RequestKey(_ids.new(), "hash")
    mine = await committed(
        registry,
        a_change(await registry.snapshot(tenant, None), [group("a", "u-1")], request=request),
    )
    assert (await registry.snapshot(other, None)).count == 0
    assert await registry.answer(other, request.request_id) is None

    # The same code, the same id and the same request id are somebody else's there.
    theirs = await committed(
        registry,
        a_change(await registry.snapshot(other, None), [group("a", "u-2")], request=request),
    )

    assert [each.content.unit_id for each in await everything(registry, mine)] == [unit_id("u-1")]
    assert [each.content.unit_id for each in await everything(registry, theirs)] == [unit_id("u-2")]
    assert await registry.snapshot(tenant, mine) is mine


async def test_the_store_loses_nothing_that_it_answered(registry: GroupRegistry) -> None:
    assert await registry.durability_problems() == []
