"""`chaupal tenants rotate-keys`: new secrets for a tenant, while it is in use."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.command import Verb
from cli.output import Bar, console, counted, print_json, progress_bar
from cli.verbs.tenants.common import Reach, operator_options, with_tenants

if TYPE_CHECKING:
    from cli.clients.tenants import TenantsClient

_EXAMPLES = (
    "chaupal tenants rotate-keys neem",
    "chaupal tenants rotate-keys neem --rewrap -o json",
)


@click.command("rotate-keys", cls=Verb, examples=_EXAMPLES)
@click.argument("tenant")
@click.option(
    "--rewrap",
    is_flag=True,
    help="Keep the secrets; only put them under the platform's current key.",
)
@operator_options()
def rotate_keys(
    *,
    tenant: str,
    rewrap: bool,
    token: str | None,
    target: str | None,
    data: Path,
    output: str,
) -> None:
    """Give TENANT a new data key and a new pepper, and carry every phone number over to them.

    The tenant goes on working meanwhile. Stopped half-way, the next call carries on.
    """
    with progress_bar(output) as show:
        reach = Reach(data, token, target)
        carried_count = with_tenants(
            reach, lambda client: _rotate(client, tenant, show, rewrap=rewrap)
        )
    if output == "json":
        print_json({"tenant": tenant, "carriedCount": carried_count, "done": True})
        return
    done = f"{tenant}: {counted(carried_count, 'number')} carried over, the old secrets are gone"
    if rewrap and not carried_count:
        done = f"{tenant}: its secrets are under the platform's current key"
    console().print(done, markup=False)


async def _rotate(client: "TenantsClient", tenant: str, show: Bar, *, rewrap: bool) -> int:
    carried_count, done = await client.rotate_keys(tenant, new_secrets=not rewrap)
    while not done:
        show("carried over", carried_count, None)
        count, done = await client.rotate_keys(tenant, new_secrets=False)
        carried_count += count
    return carried_count
