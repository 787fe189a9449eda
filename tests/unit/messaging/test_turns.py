"""Whose turn it is."""

from hypothesis import given
from hypothesis import strategies as st

from services.messaging.domain.ids import BroadcastId, TenantId
from services.messaging.domain.partitions import Partition
from services.messaging.domain.turns import Turn, Turns


def a_turn(tenant: str, broadcast: str, number: int = 0) -> Turn:
    partition = Partition(TenantId(tenant), BroadcastId(broadcast), 1, number, number * 10, 10)
    return Turn(partition, "simulator")


def taken(turns: Turns, count: int) -> list[tuple[str, str, int]]:
    found = [turns.next() for _ in range(count)]
    return [
        (each.partition.tenant, each.partition.broadcast_id, each.partition.number)
        for each in found
        if each is not None
    ]


def test_nobody_waits() -> None:
    assert Turns().next() is None


def test_partitions_take_turns() -> None:
    turns = Turns()
    turns.offer([a_turn("a", "one", n) for n in range(3)], now=0.0)
    assert [number for _, _, number in taken(turns, 7)] == [0, 1, 2, 0, 1, 2, 0]


def test_a_small_broadcast_gets_every_other_turn_beside_a_large_one() -> None:
    turns = Turns()
    turns.offer([*(a_turn("a", "large", n) for n in range(40)), a_turn("a", "small")], now=0.0)
    assert [broadcast for _, broadcast, _ in taken(turns, 6)] == ["large", "small"] * 3


def test_a_tenant_with_many_broadcasts_gets_no_more_than_one_with_few() -> None:
    turns = Turns()
    turns.offer([*(a_turn("a", f"{n}") for n in range(9)), a_turn("b", "only")], now=0.0)
    assert [tenant for tenant, _, _ in taken(turns, 6)] == ["a", "b"] * 3


def test_one_that_rests_is_left_out_until_it_is_offered_after_that() -> None:
    turns = Turns()
    offered = [a_turn("a", "one"), a_turn("b", "two")]
    turns.offer(offered, now=0.0)
    turns.rest(offered[0], until=1.0)
    assert {tenant for tenant, _, _ in taken(turns, 4)} == {"b"}
    turns.offer(offered, now=0.9)
    assert {tenant for tenant, _, _ in taken(turns, 4)} == {"b"}
    turns.offer(offered, now=1.0)
    assert {tenant for tenant, _, _ in taken(turns, 4)} == {"a", "b"}


def test_what_is_offered_no_more_has_no_turn() -> None:
    turns = Turns()
    one, two = a_turn("a", "one"), a_turn("b", "two")
    turns.offer([one, two], now=0.0)
    turns.rest(two, until=5.0)
    turns.offer([one], now=1.0)
    assert {tenant for tenant, _, _ in taken(turns, 3)} == {"a"}
    turns.offer([one, two], now=1.0)
    assert {tenant for tenant, _, _ in taken(turns, 3)} == {"a", "b"}


def test_offering_again_changes_no_ones_place() -> None:
    turns = Turns()
    offered = [a_turn("a", "one"), a_turn("b", "two"), a_turn("c", "three")]
    turns.offer(offered, now=0.0)
    assert [tenant for tenant, _, _ in taken(turns, 1)] == ["a"]
    turns.offer(offered, now=0.1)
    assert [tenant for tenant, _, _ in taken(turns, 3)] == ["b", "c", "a"]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 3)),
        unique=True,
        min_size=1,
    )
)
def test_nobody_waits_longer_than_everybodys_turn(places: list[tuple[str, str, int]]) -> None:
    turns = Turns()
    turns.offer([a_turn(*place) for place in places], now=0.0)
    tenants = len({tenant for tenant, _, _ in places})
    seen = taken(turns, tenants * 3 * 4)
    for tenant, broadcast, number in places:
        of_tenant = len({b for t, b, _ in places if t == tenant})
        of_broadcast = len([n for t, b, n in places if (t, b) == (tenant, broadcast)])
        within = tenants * of_tenant * of_broadcast
        assert (tenant, broadcast, number) in seen[:within]
