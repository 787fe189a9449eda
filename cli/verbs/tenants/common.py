"""What the verbs of `chaupal tenants` share: how they reach hierarchy, and how a tenant looks."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from cli.access import resolve_operator, token_option
from cli.command import data_option, output_option
from cli.errors import Refusal
from cli.output import console, counted, print_json
from kit.errors import ChaupalError

if TYPE_CHECKING:
    from cli.clients.tenants import Amounts, TenantsClient, TenantState

_Decorated = TypeVar("_Decorated", bound=Callable[..., object])
T = TypeVar("T")
_CURES = {
    "TENANT_NOT_FOUND": "See which there are with `chaupal tenants list`.",
    "TENANT_EXISTS": "See which there are with `chaupal tenants list`; take another id.",
    "TENANT_NOT_SUSPENDED": "Suspend it with `chaupal tenants suspend`; see what happens; go on.",
    "TENANT_DELETING": "`chaupal tenants delete` goes on with it, and shows the proof.",
    "PEERS_NOT_TOLD": "Its keys are gone already. See that hierarchy's worker runs; repeat this.",
}
WHAT = ("units", "persons", "appointments")


def operator_options() -> Callable[[_Decorated], _Decorated]:
    """Add `--token`, `--target`, `--data` and `-o`."""
    options: Sequence[Callable[[_Decorated], _Decorated]] = (
        token_option("Call with this operator's token.  [default: the development issuer's]"),
        click.option(
            "--target",
            metavar="HOST:PORT",
            help="gRPC address of hierarchy.  [default: the data folder's]",
        ),
        data_option(),
        output_option(),
    )

    def decorate(function: _Decorated) -> _Decorated:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def quota_options() -> Callable[[_Decorated], _Decorated]:
    """Add `--units`, `--persons` and `--appointments`."""

    def decorate(function: _Decorated) -> _Decorated:
        for what in reversed(WHAT):
            about = f"How many {what} it may have."
            function = click.option(f"--{what}", type=click.IntRange(min=1), help=about)(function)
        return function

    return decorate


@dataclass(frozen=True, slots=True)
class Reach:
    """What was said about where hierarchy is, and whose token it is called with."""

    data: Path
    token: str | None
    target: str | None


def with_tenants(reach: Reach, work: "Callable[[TenantsClient], Awaitable[T]]") -> T:
    """Do something with the tenants of a platform.

    Raises:
        Refusal: Nothing runs on the data folder, it has no key to sign with, or the tenant is not
            in a state for this.
    """
    access = resolve_operator(reach.data, reach.token)
    address = access.address("hierarchy", reach.target)
    # Importing gRPC takes 0.3 s, which --help need not.
    from cli.clients.tenants import tenants_client  # noqa: PLC0415

    async def run() -> T:
        async with tenants_client(address, access.token) as client:
            return await work(client)

    try:
        return asyncio.run(run())
    except ChaupalError as error:
        if error.reason not in _CURES:
            raise
        raise Refusal(error.reason, error.message, _CURES[error.reason]) from error


def tell(tenant: "TenantState", output: str, done: str) -> None:
    """Print what became of a tenant.

    Args:
        tenant: As it stands.
        output: The format.
        done: For people, such as "created neem".
    """
    if output == "json":
        print_json(tenant.as_json())
        return
    screen = console()
    screen.print(done, markup=False)
    for line in described(tenant):
        screen.print(line, markup=False)
    for line in overdrawn(tenant):
        screen.print(line, style="yellow", markup=False)


def described(tenant: "TenantState") -> list[str]:
    """Return a tenant in lines for people."""
    lines = [f"status        {tenant.status}"]
    lines += [f"{what:13} {used:,} of {quota:,}" for what, used, quota in _rows(tenant)]
    if tenant.changed_at:
        lines.append(f"tree          version {tenant.tree_version}, of {tenant.changed_at}")
    return lines


def overdrawn(tenant: "TenantState") -> list[str]:
    """Return what there is more of than the tenant may have."""
    return [
        f"it has {counted(used - quota, what[:-1], what)} too many: they stay, none can be added"
        for what, used, quota in _rows(tenant)
        if used > quota
    ]


def in_use(tenant: "TenantState") -> str:
    """Return how much a tenant has, in a few words."""
    return ", ".join(counted(used, what[:-1], what) for what, used, _ in _rows(tenant))


def _rows(tenant: "TenantState") -> list[tuple[str, int, int]]:
    def of(amounts: "Amounts", what: str) -> int:
        return int(getattr(amounts, what) or 0)

    return [(what, of(tenant.used, what), of(tenant.quotas, what)) for what in WHAT]
