"""`chaupal up`: the whole platform on this machine."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from cli.command import Verb, data_option, output_option
from cli.demo.sizes import NO_DEMO, SCALES
from cli.errors import Refusal
from cli.launcher.ports import DEFAULT_PORTS, choose_ports
from cli.launcher.processes import missing_consoles
from cli.launcher.report import print_ready, ready_json
from cli.launcher.run import ReadyPlatform, UpOptions, run
from cli.launcher.store import check_store_url
from cli.output import console, print_json

_EXAMPLES = (
    "chaupal up",
    "chaupal up --scale state --data /var/tmp/chaupal",
    "chaupal up --port gateway=8080 --port issuer=8081",
    "chaupal up --port-base 0 --data $(mktemp -d) -o json     # any free ports",
    "NEO4J_URI=bolt://127.0.0.1:7687 REDIS_URL=redis://127.0.0.1 chaupal up --stores servers",
)
_EXIT_CODES = {0: "stopped as asked, by Ctrl-C or SIGTERM", 1: "could not start; says why"}


def _named_ports(
    _ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]
) -> dict[str, int]:
    ports = {}
    for value in values:
        name, _, number = value.partition("=")
        if name not in DEFAULT_PORTS:
            raise click.BadParameter(f"{name} is none of {', '.join(DEFAULT_PORTS)}")
        if not number.isdigit():
            raise click.BadParameter(f"{value}: write NAME=NUMBER")
        ports[name] = int(number)
    return ports


@click.command("up", cls=Verb, examples=_EXAMPLES, exit_codes=_EXIT_CODES)
@data_option()
@click.option(
    "--scale",
    type=click.Choice([*SCALES, NO_DEMO]),
    default="small",
    show_default=True,
    help="Demo data for tenants that have none yet; none: an empty platform.",
)
@click.option(
    "--stores",
    type=click.Choice(["embedded", "servers"]),
    default="embedded",
    show_default=True,
    help="embedded: SQLite and a private Valkey (or REDIS_URL, where it is set); servers: those"
    " that NEO4J_URI and REDIS_URL name.",
)
@click.option(
    "--port-base",
    type=click.IntRange(0, 65535 - len(DEFAULT_PORTS)),
    help="Take a run of ports from this one on; 0: any that are free.",
)
@click.option(
    "--port",
    "named_ports",
    multiple=True,
    metavar="NAME=NUMBER",
    callback=_named_ports,
    help=f"One port; repeatable. Names: {', '.join(DEFAULT_PORTS)}.",
)
@output_option()
def up(
    *,
    data: Path,
    scale: str,
    stores: str,
    port_base: int | None,
    named_ports: dict[str, int],
    output: str,
) -> None:
    """Run the whole platform on this machine.

    Starts the gateway, the three services, their workers, a private store and a development
    issuer of tokens, fills the demo tenants where they are empty, prints addresses and tokens,
    and runs until Ctrl-C. A process that dies is started again. Everything that is kept lies in
    the data folder, and everything listens on 127.0.0.1 only.
    """
    environ = dict(os.environ)
    options = UpOptions(
        data=data,
        scale=scale,
        ports=choose_ports(port_base, named_ports),
        redis_url=environ.get("REDIS_URL", ""),
        neo4j=stores == "servers",
        environ=environ,
        say=_say,
        announce=_announce_json if output == "json" else _announce,
    )
    if stores == "servers":
        _check_servers(environ)
    else:
        check_store_url(options.redis_url)
    for name in missing_consoles():
        _say(f"the {name} console is not built, its page will be missing; cure: make setup")
    asyncio.run(run(options))
    _say("stopped")


def _check_servers(environ: Mapping[str, str]) -> None:
    missing = [name for name in ("NEO4J_URI", "REDIS_URL") if not environ.get(name)]
    if missing:
        raise Refusal(
            "SERVERS_UNNAMED",
            f"--stores servers needs {' and '.join(missing)}",
            "Set NEO4J_URI (such as bolt://127.0.0.1:7687, with NEO4J_USERNAME and\n"
            "NEO4J_PASSWORD where it asks for them) and REDIS_URL (such as redis://127.0.0.1:6379).",
        )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _announce(platform: ReadyPlatform) -> None:
    print_ready(console(), platform)


def _announce_json(platform: ReadyPlatform) -> None:
    print_json(ready_json(platform))
