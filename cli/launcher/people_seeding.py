"""Fills a demo tenant with its areas, people, appointments, teams and watches."""

import asyncio
from collections.abc import Callable, Sequence

from cli.clients.transfers import TransfersClient, transfers_client
from cli.clients.watches import watches_client
from cli.demo.tenants import DemoTenant
from cli.files.transfer_rows import APPOINTMENTS, AREAS, PERSONS, TEAMS, Kind
from cli.launcher.seeding_reports import check, content_id, told
from cli.records import TransferRecord
from cli.transferring import import_records


async def seed_people(
    demo: DemoTenant, target: str, token: str, say: Callable[[str], None]
) -> None:
    """Import everything about people that hierarchy keeps, in the order in which it refers.

    Pages that were applied when a start was cut short are not applied again.

    Raises:
        Refusal: The tenant holds other data.
    """
    steps: Sequence[tuple[Kind, Sequence[TransferRecord]]] = (
        (AREAS, demo.areas),
        (PERSONS, demo.persons),
        (APPOINTMENTS, demo.appointments),
        (TEAMS, demo.teams),
    )
    async with transfers_client(target, token) as client:
        for kind, records in steps:
            await _import(demo.tenant, client, kind, records, say)
    # Some dozens, of units that have nothing to do with one another.
    async with watches_client(target, token) as watches, asyncio.TaskGroup() as group:
        for watch in demo.watches:
            request_id = content_id(demo.tenant, "watch", [watch])
            group.create_task(watches.assign(watch, request_id))


async def _import(
    tenant: str,
    client: TransfersClient,
    kind: Kind,
    records: Sequence[TransferRecord],
    say: Callable[[str], None],
) -> None:
    report = await import_records(
        client,
        kind,
        records,
        request_id=content_id(tenant, kind.name, records),
        progress=told(f"{tenant}: {kind.name}", len(records), say),
    )
    check(tenant, kind.name, report.error_count, report.problems)
