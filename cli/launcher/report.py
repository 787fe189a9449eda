"""What `chaupal up` prints when everything is ready."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cli.demo.samples import SAMPLE_PEOPLE, SamplePerson
from cli.demo.sizes import NO_DEMO
from cli.demo.tenants import TENANTS
from cli.identity.roles import ROLES
from cli.launcher.addresses import described, urls
from cli.launcher.ports import HOST
from cli.launcher.run import ReadyPlatform

if TYPE_CHECKING:
    from rich.console import Console

# Which console suits a demo tenant: the style of its blueprint.
_CONSOLE_OF = {"neem": "party", "peepal": "category"}


def sample_tokens(platform: ReadyPlatform) -> dict[str, dict[str, str]]:
    """Return a token for each demo tenant and role."""
    return {
        tenant: {role: platform.issuer.role_token(tenant, role) for role in ROLES}
        for tenant in TENANTS
    }


def people_tokens(platform: ReadyPlatform) -> list[tuple[SamplePerson, str]]:
    """Return a token for each of the demo's people with a login; nobody where there is no demo."""
    if platform.file.scale == NO_DEMO:
        return []
    issuer = platform.issuer
    return [(one, issuer.person_token(one.tenant, one.subject)) for one in SAMPLE_PEOPLE]


def console_links(
    ports: Mapping[str, int], tokens: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """Return links that open a tenant's console in a role."""
    return {
        tenant: {role: _link(ports, tenant, token) for role, token in by_role.items()}
        for tenant, by_role in tokens.items()
    }


def _link(ports: Mapping[str, int], tenant: str, token: str) -> str:
    return f"{urls(ports)[_CONSOLE_OF[tenant]]}#token={token}"


def ready_json(platform: ReadyPlatform) -> dict[str, object]:
    """Return the one line of `-o json`."""
    file = platform.file
    tokens = sample_tokens(platform)
    return {
        "ready": True,
        "seconds": round(platform.seconds, 2),
        **described(file),
        "processes": dict(platform.pids),
        "tokens": tokens,
        "people": [
            {
                "tenant": one.tenant,
                "subject": one.subject,
                "office": one.told,
                "token": token,
                "console": _link(file.ports, one.tenant, token),
            }
            for one, token in people_tokens(platform)
        ],
        "operatorToken": platform.issuer.operator_token(),
        "consoles": console_links(file.ports, tokens),
    }


def simulated(failure_rate: float) -> str:
    """Return the line that keeps people from taking what they see for real messages."""
    fail = f"about {failure_rate * 100:g} % fail on purpose" if failure_rate else "none fails"
    return f"deliveries are simulated: nothing leaves this machine, and {fail}"


def print_ready(screen: "Console", platform: ReadyPlatform) -> None:
    """Print addresses, ports, links and tokens for people; the ready line comes last."""
    from rich.table import Table  # noqa: PLC0415 - 40 ms that no other verb needs

    file = platform.file
    addresses = Table(box=None, show_header=False, pad_edge=False)
    for name, address in urls(file.ports).items():
        addresses.add_row(name, address)
    screen.print(addresses)
    worker_ports = ", ".join(
        f"{name} {port}"
        for name, port in file.ports.items()
        if name.endswith(("-metrics", "-worker"))
    )
    screen.print(f"metrics and workers on {HOST}: {worker_ports}", style="dim")
    people = people_tokens(platform)
    for tenant, links in console_links(file.ports, sample_tokens(platform)).items():
        screen.print()
        screen.print(f"[bold]{tenant}[/bold]: open a console in a role")
        for role, link in links.items():
            screen.print(f"  [bold]{role}[/bold] may {', '.join(ROLES[role])}")
            screen.print(f"  {link}", style="cyan")
        _print_people(screen, file.ports, [each for each in people if each[0].tenant == tenant])
    screen.print()
    screen.print("The part after #token= is the token; `chaupal token` makes others.", style="dim")
    screen.print("`chaupal tenants` is for whoever operates the platform: here, you.", style="dim")
    screen.print(simulated(platform.failure_rate))
    screen.print(f"data {file.data}; Ctrl-C stops", style="dim")
    screen.print(f"[bold green]ready[/bold green] in {platform.seconds:.1f} s")


def _print_people(
    screen: "Console", ports: Mapping[str, int], people: Sequence[tuple[SamplePerson, str]]
) -> None:
    if people:
        screen.print(
            "  or as one of its people, who see what their office gives them; roles send messages"
        )
    for one, token in people:
        screen.print(f"  [bold]{one.told}[/bold]")
        screen.print(f"  {_link(ports, one.tenant, token)}", style="cyan")
