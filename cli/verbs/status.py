"""`chaupal status`: what runs on a data folder, where, and how it is."""

import asyncio
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from cli.command import Verb, data_option, output_option
from cli.launcher.addresses import described, urls
from cli.launcher.folder import DataFolder, no_data
from cli.launcher.ports import HOST
from cli.launcher.processes import PROCESSES, STORE
from cli.launcher.store import store_health
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
    health = asyncio.run(_ask_all(platform)) if platform else {}
    match output:
        case "json":
            print_json(_as_json(data, platform, health))
        case "env":
            sys.stdout.write(_as_env(platform))
            if platform is None:
                sys.stderr.write(f"{_nothing(data)}\n")
        case _:
            _print(data, platform, health)
    if platform is None or any(state != SERVING for state in health.values()):
        ctx.exit(1)


async def _ask_all(platform: PlatformFile) -> dict[str, str]:
    """Ask the private store, if there is one, and every process."""
    store, processes = await asyncio.gather(store_health(platform.redis_url), ask_health(platform))
    return processes if store is None else {STORE: store, **processes}


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


def _nothing(data: Path) -> str:
    folder = DataFolder(data.resolve())
    if not folder.key.exists():
        return f"{no_data(folder.root).message}; `chaupal up` starts a new platform there"
    return f"nothing runs on {folder.root}; `chaupal up` starts a platform"


def _print(data: Path, platform: PlatformFile | None, health: Mapping[str, str]) -> None:
    screen = console()
    if platform is None:
        screen.print(_nothing(data), markup=False)
        return
    from rich.table import Table  # noqa: PLC0415 - only for people

    screen.print(f"data {platform.data}, launcher {platform.pid}, since {platform.started_at}")
    table = Table("process", "address", "health", box=None, pad_edge=False)
    for name, state in health.items():
        colour = "green" if state == SERVING else "red"
        address = "unix socket" if name == STORE else f"{HOST}:{platform.ports[name]}"
        table.add_row(name, address, f"[{colour}]{state}[/{colour}]")
    screen.print(table)
    for name in ("party", "category", "graphql", "issuer"):
        screen.print(f"{name:9} {urls(platform.ports)[name]}")
