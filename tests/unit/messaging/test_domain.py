"""The domain alone: how evidence joins, how broadcasts are cut, what a frame finds."""

from array import array
from itertools import permutations, product
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.messaging.domain.broadcasts import Plan
from services.messaging.domain.deliveries import (
    SETTLED,
    STRENGTH,
    WITH_REASON,
    Delivery,
    DeliveryState,
    Standing,
    join,
)
from services.messaging.domain.frame import Frame
from services.messaging.domain.ids import BroadcastId, GroupId, TenantId
from services.messaging.domain.partitions import partition_at, partitions_of
from services.messaging.domain.recent import Recent
from tests.unit.messaging.support import a_broadcast, group_ids

STATES = list(DeliveryState)
standings = st.builds(
    lambda state, reason: Standing(state, reason if state in WITH_REASON else ""),
    st.sampled_from(STATES),
    st.sampled_from(["", "FULL", "GONE", "LEFT"]),
)


class TestJoin:
    @given(standings, standings, standings)
    def test_it_is_a_semilattice(self, a: Standing, b: Standing, c: Standing) -> None:
        assert a.join(b) == b.join(a)
        assert a.join(b).join(c) == a.join(b.join(c))
        assert a.join(a) == a
        assert Standing().join(a) == a

    def test_every_state_has_its_strength(self) -> None:
        assert sorted(STRENGTH) == STATES

    def test_what_is_settled_stays_settled(self) -> None:
        for settled, other in product(SETTLED, STATES):
            assert join(settled, other) in SETTLED

    def test_a_refusal_beats_an_acceptance_and_loses_to_proof(self) -> None:
        failed, accepted = DeliveryState.FAILED, DeliveryState.ACCEPTED
        for first, second in permutations((failed, accepted)):
            assert join(first, second) is failed
        for proof in (DeliveryState.DELIVERED, DeliveryState.READ):
            assert join(failed, proof) is proof

    def test_attempts_are_counted_from_the_hand_over_on(self) -> None:
        handed_over = {
            state for state in STATES if Delivery(GroupId("g"), state).attempt_count == 1
        }
        assert handed_over == {
            DeliveryState.DISPATCHED,
            DeliveryState.ACCEPTED,
            DeliveryState.DELIVERED,
            DeliveryState.READ,
            DeliveryState.FAILED,
        }


class TestPartitions:
    @given(st.integers(1, 200), st.integers(1, 60))
    def test_they_cover_the_deliveries_without_gap_or_overlap(self, count: int, size: int) -> None:
        broadcast = a_broadcast()
        object.__setattr__(broadcast, "plan", Plan(3, count, size))
        cut = partitions_of(TenantId("t"), broadcast)
        assert [each.number for each in cut] == list(range(len(cut)))
        assert [each.start for each in cut] == [0, *(each.end for each in cut[:-1])]
        assert cut[-1].end == count
        assert all(each.size == size for each in cut[:-1])
        assert {each.generation for each in cut} == {3}

    def test_a_draft_has_none(self) -> None:
        assert partitions_of(TenantId("t"), a_broadcast()) == ()

    def test_the_last_may_be_smaller(self) -> None:
        last = partition_at(TenantId("t"), BroadcastId("b"), Plan(1, 24, 10), 2)
        assert (last.start, last.size) == (20, 4)


class TestFrame:
    def test_a_unit_is_found_at_its_place_only(self) -> None:
        # The second id stands across the border of two others as bytes.
        first = bytes(range(16))
        inside = bytes(range(8, 16)) + bytes(range(32, 40))
        second = bytes(range(32, 48))
        frame = Frame(("state",), first + second + inside)
        assert frame.find(inside) == 2
        assert frame.find(second) == 1
        assert frame.find(group_ids(1)) is None
        assert frame.unit_at(1) == second

    def test_the_empty_one_has_nothing(self) -> None:
        assert Frame.empty().size == 0
        assert Frame.empty().find(UUID(int=1).bytes) is None
        assert Frame.empty().starts == array("i")


class TestRecent:
    def test_what_was_not_asked_for_longest_goes(self) -> None:
        recent: Recent[str, int] = Recent(2)
        recent.put("a", 1)
        recent.put("b", 2)
        assert recent.get("a") == 1
        assert recent.put("c", 3) == 3
        assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 3)
        assert len(recent) == 2
