"""`chaupal tenants list`, `show`, `create`, `suspend`, `resume` and `quota`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.command import Verb
from cli.output import console, print_json
from cli.verbs.tenants.common import (
    WHAT,
    Reach,
    operator_options,
    quota_options,
    tell,
    with_tenants,
)

if TYPE_CHECKING:
    from cli.clients.tenants import TenantsClient, TenantState

_LIST = ("chaupal tenants list", "chaupal tenants list -o json | jq '.tenants[].id'")
_SHOW = ("chaupal tenants show neem", "chaupal tenants show neem -o json")
_CREATE = (
    "chaupal tenants create mango",
    "chaupal tenants create mango --units 5000 --persons 100000 -o json",
)
_SUSPEND = ("chaupal tenants suspend mango",)
_RESUME = ("chaupal tenants resume mango",)
_QUOTA = ("chaupal tenants quota mango --units 60000 --appointments 600000",)


@click.command("list", cls=Verb, examples=_LIST)
@operator_options()
def list_(*, token: str | None, target: str | None, data: Path, output: str) -> None:
    """List all tenants by id, the deleted ones too: their ids are not given again."""

    async def work(client: "TenantsClient") -> "list[TenantState]":
        return [tenant async for tenant in client.list()]

    found = with_tenants(Reach(data, token, target), work)
    if output == "json":
        print_json({"tenants": [tenant.as_json() for tenant in found]})
        return
    from rich.table import Table  # noqa: PLC0415 - only for people

    table = Table("tenant", "status", box=None, pad_edge=False)
    for what in WHAT:
        table.add_column(what, justify="right")
    for tenant in found:
        used = tenant.used
        amounts = (f"{amount or 0:,}" for amount in (used.units, used.persons, used.appointments))
        table.add_row(tenant.id, tenant.status, *amounts)
    console().print(table)


@click.command("show", cls=Verb, examples=_SHOW)
@click.argument("tenant")
@operator_options()
def show(*, tenant: str, token: str | None, target: str | None, data: Path, output: str) -> None:
    """Show the status of TENANT, how much it has, and how much it may have."""
    found = with_tenants(Reach(data, token, target), lambda client: client.get(tenant))
    tell(found, output, found.id)


@click.command("create", cls=Verb, examples=_CREATE)
@click.argument("tenant")
@quota_options()
@operator_options()
def create(
    *,
    tenant: str,
    units: int | None,
    persons: int | None,
    appointments: int | None,
    token: str | None,
    target: str | None,
    data: Path,
    output: str,
) -> None:
    """Create TENANT: 2 to 63 of a-z 0-9 and -. Its id is given once, and never again.

    Its own administrators put its blueprint then, with tokens of the issuer that name it.
    """

    async def work(client: "TenantsClient") -> "TenantState":
        from cli.clients.tenants import Amounts  # noqa: PLC0415

        return await client.create(tenant, Amounts(units, persons, appointments))

    tell(with_tenants(Reach(data, token, target), work), output, f"created {tenant}")


@click.command("suspend", cls=Verb, examples=_SUSPEND)
@click.argument("tenant")
@operator_options()
def suspend(*, tenant: str, token: str | None, target: str | None, data: Path, output: str) -> None:
    """Refuse every call of TENANT, until it is resumed. Nothing is lost."""
    _set_status(tenant, "suspended", Reach(data, token, target), output)


@click.command("resume", cls=Verb, examples=_RESUME)
@click.argument("tenant")
@operator_options()
def resume(*, tenant: str, token: str | None, target: str | None, data: Path, output: str) -> None:
    """Let a suspended TENANT go on as it was."""
    _set_status(tenant, "active", Reach(data, token, target), output)


@click.command("quota", cls=Verb, examples=_QUOTA)
@click.argument("tenant")
@quota_options()
@operator_options()
def quota(
    *,
    tenant: str,
    units: int | None,
    persons: int | None,
    appointments: int | None,
    token: str | None,
    target: str | None,
    data: Path,
    output: str,
) -> None:
    """Change how much TENANT may have; what is not named stays.

    Less than what it has takes nothing away, but nothing can be added then.
    """
    if units is persons is appointments is None:
        raise click.UsageError("name --units, --persons or --appointments")

    async def work(client: "TenantsClient") -> "TenantState":
        from cli.clients.tenants import Amounts  # noqa: PLC0415

        return await client.set_quotas(tenant, Amounts(units, persons, appointments))

    tell(with_tenants(Reach(data, token, target), work), output, f"changed {tenant}")


def _set_status(tenant: str, status: str, reach: Reach, output: str) -> None:
    changed = with_tenants(reach, lambda client: client.set_status(tenant, status))
    tell(changed, output, f"{tenant} is {status}")
