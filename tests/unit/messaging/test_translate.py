"""Messages and values: round trips, and that no state is forgotten."""

from datetime import UTC, datetime, timedelta

from chaupal.messaging.v1 import messaging_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

from services.messaging.domain.broadcasts import (
    Audience,
    AudienceTerm,
    BroadcastState,
    Draft,
    Plan,
)
from services.messaging.domain.deliveries import DeliveryState
from services.messaging.domain.ids import UnitId
from services.messaging.domain.progress import Counts
from services.messaging.translate.values import (
    BROADCAST_STATES,
    DELIVERY_STATES,
    audience_from_proto,
    audience_to_proto,
    broadcast_to_proto,
    counts_to_proto,
    draft_from_proto,
)
from tests.unit.messaging.support import NOON, a_broadcast

words = st.text(min_size=1, max_size=8)
terms = st.builds(
    AudienceTerm,
    st.lists(words.map(UnitId), max_size=3).map(tuple),
    st.lists(words, max_size=3).map(tuple),
    st.lists(words, max_size=3).map(tuple),
)
audiences = st.builds(
    Audience, st.lists(terms, max_size=3).map(tuple), st.lists(terms, max_size=3).map(tuple)
)
drafts = st.builds(Draft, words, st.dictionaries(words, words, max_size=3), audiences, words)


@given(audiences)
def test_an_audience_comes_back_as_it_went(audience: Audience) -> None:
    assert audience_from_proto(audience_to_proto(audience)) == audience


@given(drafts)
def test_a_draft_comes_back_as_it_went(draft: Draft) -> None:
    assert draft_from_proto(broadcast_to_proto(a_broadcast(draft))) == draft


def test_a_whole_broadcast_is_told() -> None:
    broadcast = a_broadcast()
    for name, value in (
        ("state", BroadcastState.COMPLETED),
        ("started_at", NOON),
        ("completed_at", NOON + timedelta(seconds=1)),
        ("plan", Plan(2, 24, 10)),
        ("failure_reason", "NO_LUCK"),
        ("revision", 4),
    ):
        object.__setattr__(broadcast, name, value)
    told = broadcast_to_proto(broadcast)
    assert (told.delivery_count, told.failure_reason) == (24, "NO_LUCK")
    assert told.created_at.ToDatetime(UTC) == datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)
    assert told.completed_at.ToDatetime(UTC) - told.started_at.ToDatetime(UTC) == timedelta(
        seconds=1
    )
    assert told.etag == f"{broadcast.id}.4"


def test_every_state_has_its_word() -> None:
    assert set(BROADCAST_STATES) == set(BroadcastState)
    assert set(BROADCAST_STATES.values()) == set(pb.BroadcastState.values()) - {0}
    assert set(DELIVERY_STATES) == set(DeliveryState)
    assert set(DELIVERY_STATES.values()) == set(pb.DeliveryState.values()) - {0}


@given(st.tuples(*[st.integers(0, 1_000)] * len(DeliveryState)))
def test_counts_add_up_to_their_total(numbers: tuple[int, ...]) -> None:
    told = counts_to_proto(Counts(numbers))
    parts = [getattr(told, field.name) for field in told.DESCRIPTOR.fields if field.name != "total"]
    assert sum(parts) == told.total == sum(numbers)
