"""Fills a platform with the demo tenants when they have nothing yet."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from cli.clients.services import GroupsClient, HierarchyClient, groups_client, hierarchy_client
from cli.demo.sizes import SCALES
from cli.demo.tenants import TENANTS, DemoTenant, demo_tenant
from cli.files.blueprint import read_blueprint
from cli.identity.issuer import DevelopmentIssuer
from cli.launcher.people_seeding import seed_people
from cli.launcher.processes import Wiring
from cli.launcher.seeding_reports import check, content_id, told

_FIRST_ROW = 2  # as in a file with a header


async def seed(
    wiring: Wiring, issuer: DevelopmentIssuer, scale: str, say: Callable[[str], None]
) -> None:
    """Make sure that each demo tenant has a blueprint, units, people and groups.

    Groups come last, as they name people: where there are any, the tenant is complete, and what
    people changed stays. A start that was cut short is taken up where it stopped.
    """
    async with asyncio.TaskGroup() as group:
        for tenant in TENANTS:
            group.create_task(_seed_tenant(tenant, wiring, issuer, scale, say))


async def _seed_tenant(
    tenant: str,
    wiring: Wiring,
    issuer: DevelopmentIssuer,
    scale: str,
    say: Callable[[str], None],
) -> None:
    token = issuer.role_token(tenant, "administrator")
    async with (
        hierarchy_client(wiring.target("hierarchy"), token) as hierarchy,
        groups_client(wiring.target("groups"), token) as groups,
    ):
        has_blueprint, unit_count, group_count = await asyncio.gather(
            hierarchy.has_blueprint(), hierarchy.unit_count(), groups.group_count()
        )
        if has_blueprint and unit_count and group_count:
            if unit_count < _least_units(tenant, scale):
                say(
                    f"{tenant} keeps its {unit_count} units; for --scale {scale}, take a new --data"
                )
            return
        # Seconds of computing at the scale of a state; the loop has processes to look after.
        demo = await asyncio.to_thread(demo_tenant, tenant, scale, datetime.now(UTC).date())
        say(_summary(demo))
        if not has_blueprint:
            await _put_blueprint(demo, hierarchy)
        if not unit_count:
            await _import_units(demo, hierarchy, say)
        if not group_count:
            await seed_people(demo, wiring.target("hierarchy"), token, say)
            await _import_groups(demo, groups, say)


def _summary(demo: DemoTenant) -> str:
    people = f"{len(demo.persons):,} people in {len(demo.appointments):,} appointments"
    return (
        f"{demo.tenant}: importing {len(demo.units):,} units, {people}, {len(demo.groups):,} groups"
    )


def _least_units(tenant: str, scale: str) -> int:
    """Return what a tenant has at least at a scale: its last level."""
    sizes = SCALES[scale]
    return sizes.neem.booths if tenant == "neem" else sizes.peepal.mandals


async def _put_blueprint(demo: DemoTenant, hierarchy: HierarchyClient) -> None:
    record, problems = read_blueprint(demo.blueprint)
    if record is None:
        raise RuntimeError(f"{demo.blueprint}: {problems}")
    await hierarchy.put_blueprint(record, validate_only=False)


async def _import_units(
    demo: DemoTenant, hierarchy: HierarchyClient, say: Callable[[str], None]
) -> None:
    told(f"{demo.tenant}: units", len(demo.units), say)
    report = await hierarchy.import_units(
        list(enumerate(demo.units, _FIRST_ROW)),
        request_id=content_id(demo.tenant, "units", demo.units),
    )
    check(demo.tenant, "units", report.error_count, report.problems)


async def _import_groups(
    demo: DemoTenant, groups: GroupsClient, say: Callable[[str], None]
) -> None:
    told(f"{demo.tenant}: groups", len(demo.groups), say)
    report = await groups.import_groups(
        list(enumerate(demo.groups, _FIRST_ROW)),
        request_id=content_id(demo.tenant, "groups", demo.groups),
    )
    check(demo.tenant, "groups", report.error_count, report.problems)
