"""`chaupal tenants delete`: removes a tenant for ever, and shows the proof."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.command import Verb
from cli.errors import Refusal
from cli.output import Bar, console, print_json, progress_bar
from cli.verbs.tenants.common import Reach, in_use, operator_options, with_tenants

if TYPE_CHECKING:
    from cli.clients.tenants import Proof, TenantsClient

_EXAMPLES = (
    "chaupal tenants suspend mango",
    "chaupal tenants delete mango",
    "chaupal tenants delete mango --yes mango -o json",
)
_EXIT_CODES = {
    0: "nothing is left of it; the proof is on stdout",
    1: "refused, or not finished: repeat it",
}


@click.command("delete", cls=Verb, examples=_EXAMPLES, exit_codes=_EXIT_CODES)
@click.argument("tenant")
@click.option("--yes", metavar="TENANT", help="The same id again, instead of being asked for it.")
@operator_options()
def delete(
    *,
    tenant: str,
    yes: str | None,
    token: str | None,
    target: str | None,
    data: Path,
    output: str,
) -> None:
    """Remove a suspended TENANT for ever: its keys first, then everything else.

    Export it before: nothing brings it back, and its id is not given again. Stopped half-way, it
    goes on with the next call; of a deleted tenant it makes another proof.
    """
    if yes is None and output == "json":
        raise click.UsageError("-o json asks nobody: give --yes TENANT")
    reach = Reach(data, token, target)
    confirmed = yes or _ask(tenant, reach)
    if confirmed != tenant:
        said = f"{confirmed} is not {tenant}: nothing was removed"
        raise Refusal("NOT_CONFIRMED", said, "Name the same tenant twice.")
    with progress_bar(output) as show:
        removed_count, proof = with_tenants(reach, lambda it: _remove(it, tenant, show))
    if output == "json":
        print_json({"tenant": tenant, "removedCount": removed_count, "proof": proof.as_json()})
        return
    screen = console()
    screen.print(f"deleted {tenant}: {removed_count:,} things removed", markup=False)
    screen.print(f"at      {proof.deleted_at}", markup=False)
    screen.print(f"left    {proof.remaining_count}", markup=False)
    screen.print(f"digest  {proof.digest}", markup=False)


def _ask(tenant: str, reach: Reach) -> str:
    """Say what there is to lose, and let it be typed."""
    found = with_tenants(reach, lambda client: client.get(tenant))
    click.echo(f"{tenant} is {found.status} and has {in_use(found)}.", err=True)
    question = f"Type {tenant} to delete it for ever"
    return str(click.prompt(question, err=True, default="", show_default=False))


async def _remove(client: "TenantsClient", tenant: str, show: Bar) -> "tuple[int, Proof]":
    removed_count = 0
    while True:
        count, proof = await client.delete(tenant, tenant)
        removed_count += count
        if proof:
            return removed_count, proof
        if not count:
            raise Refusal(
                "NOT_ALL_REMOVED",
                f"something of {tenant} was found after all was removed",
                "Repeat this; if it stays so, look into the store.",
            )
        show("removed", removed_count, None)
