"""Relay events from the outbox to the streams that peers follow."""

from services.hierarchy.ports import Backlog, EventStreams, Outbox

MAX_TENANTS_PER_PASS = 1_000
MAX_EVENTS_PER_TENANT = 100


async def relay_events(outbox: Outbox, streams: EventStreams) -> int:
    """Relay waiting events, those of each tenant in order, and return how many there were.

    Effect first, mark second: a crash between the two repeats the effect, which the streams
    ignore. One tenant's turn is bounded, so that no backlog keeps the others waiting.

    Raises:
        ExceptionGroup: of `Unavailable`, for the tenants whose turn failed; the others had theirs.
    """
    relayed = 0
    failures: list[Exception] = []
    for backlog in await outbox.backlogs(limit=MAX_TENANTS_PER_PASS):
        try:
            relayed += await _relay_tenant(outbox, streams, backlog)
        except Exception as error:  # noqa: BLE001  # one tenant's trouble is not the others'
            failures.append(error)
    if failures:
        raise ExceptionGroup("some tenants' events were not relayed", failures)
    return relayed


async def _relay_tenant(outbox: Outbox, streams: EventStreams, backlog: Backlog) -> int:
    tenant, after = backlog.tenant, backlog.relayed_through
    events = await outbox.events(tenant, after=after, limit=MAX_EVENTS_PER_TENANT)
    for event in events:
        await streams.append(event)
    if events:
        await outbox.mark_relayed(tenant, through=events[-1].sequence)
    return len(events)
