"""`chaupal status`: what runs on a data folder, where, and how it is."""

import asyncio
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from cli.command import Verb, data_option, output_option
from cli.launcher.addresses import described, urls
from cli.launcher.folder import DataFolder
from cli.launcher.ports import HOST
from cli.launcher.processes import PROCESSES
from cli.output import console, print_json
from cli.platform_file import PlatformFile, read_platform

_EXAMPLES = (
    "chaupal status",
    "chaupal status -o json",
    'eval "export $(chaupal status -o env | xargs)"',
)
_EXIT_CODES = {0: "everything is ready", 1: "nothing runs, or something is not ready"}
SERVING = "serving"


@click.command("status", cls=Verb, examples=_EXAMPLES, exit_codes=_EXIT_CODES)
@data_option()
@output_option("env")
@click.pass_context
def status(ctx: click.Context, *, data: Path, output: str) -> None:
    """Say what runs on a data folder, where, and how it is.

    With -o env: one NAME=value line for each address, for shells and test runs.
    """
    platform = read_platform(DataFolder(data.resolve()).platform)
    health = asyncio.run(ask_health(platform)) if platform else {}
    match output:
        case "json":
            print_json(_as_json(data, platform, health))
        case "env":
            sys.stdout.write(_as_env(platform))
        case _:
            _print(data, platform, health)
    if platform is None or any(state != SERVING for state in health.values()):
        ctx.exit(1)


async def ask_health(platform: PlatformFile) -> dict[str, str]:
    """Ask every process at once; each answers "serving" or why not."""
    # Importing gRPC takes 0.2 s, which saying "nothing runs" need not.
    from cli.launcher.health import grpc_health, http_health  # noqa: PLC0415

    answers = await asyncio.gather(
        *(
            http_health(HOST, platform.ports[process.name])
            if process.speaks_http
            else grpc_health(f"{HOST}:{platform.ports[process.name]}")
            for process in PROCESSES
        )
    )
    return {process.name: answer for process, answer in zip(PROCESSES, answers, strict=True)}


def _as_json(
    data: Path, platform: PlatformFile | None, health: Mapping[str, str]
) -> dict[str, object]:
    if platform is None:
        return {"running": False, "ready": False, "data": str(data.resolve())}
    return {
        "running": True,
        "ready": all(state == SERVING for state in health.values()),
        **described(platform),
        "startedAt": platform.started_at,
        "health": dict(health),
    }


def _as_env(platform: PlatformFile | None) -> str:
    if platform is None:
        return ""
    address = urls(platform.ports)
    values = {
        "CHAUPAL_DATA": platform.data,
        "CHAUPAL_GRAPHQL_URL": address["graphql"],
        "HIERARCHY_TARGET": address["hierarchy"],
        "GROUPS_TARGET": address["groups"],
        "MESSAGING_TARGET": address["messaging"],
        "OIDC_ISSUER": platform.issuer,
        # Not REDIS_URL: `up` reads it, and would share this platform's store.
        "CHAUPAL_REDIS_URL": platform.redis_url,
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def _print(data: Path, platform: PlatformFile | None, health: Mapping[str, str]) -> None:
    screen = console()
    if platform is None:
        screen.print(f"nothing runs on {data.resolve()}; `chaupal up` starts a platform")
        return
    from rich.table import Table  # noqa: PLC0415 - only for people

    screen.print(f"data {platform.data}, launcher {platform.pid}, since {platform.started_at}")
    table = Table("process", "address", "health", box=None, pad_edge=False)
    for name, state in health.items():
        colour = "green" if state == SERVING else "red"
        table.add_row(name, f"{HOST}:{platform.ports[name]}", f"[{colour}]{state}[/{colour}]")
    screen.print(table)
    for name in ("party", "category", "graphql", "issuer"):
        screen.print(f"{name:9} {urls(platform.ports)[name]}")
