"""`chaupal demo-data`: the demo organisations as files."""

import time
from pathlib import Path

import click

from cli.command import Verb, output_option
from cli.demo.folder import write_tenant
from cli.demo.sizes import SCALES
from cli.demo.tenants import DEFAULT_SEED, demo_tenants
from cli.errors import Refusal
from cli.output import console, print_json

_EXAMPLES = (
    "chaupal demo-data --scale small --out /tmp/demo",
    "chaupal demo-data --scale state --out /tmp/demo --seed 7 -o json",
)


@click.command("demo-data", cls=Verb, examples=_EXAMPLES)
@click.option(
    "--scale",
    type=click.Choice(list(SCALES)),
    default="small",
    show_default=True,
    help="small: 700 units and 1,500 groups; state: 60,000 units and 100,000 groups.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write to.")
@click.option(
    "--seed",
    type=int,
    default=DEFAULT_SEED,
    show_default=True,
    help="The same seed gives the same bytes.",
)
@output_option()
def demo_data(scale: str, out: Path, seed: int, output: str) -> None:
    """Write the demo organisations as files that `chaupal import` reads.

    Two fictional tenants over the real divisions, districts and constituencies of Rajasthan:
    Neem Sangathan (neem), a tree of command down to the booth, and Peepal Manch (peepal), a
    cross-cut by category. Each gets a folder with blueprint.yaml, units.csv, groups.csv and a
    README. Files of an earlier run are replaced.
    """
    began = time.monotonic()
    tenants = demo_tenants(scale, seed)
    try:
        folders = [write_tenant(out, tenant, scale, seed) for tenant in tenants]
    except OSError as error:
        raise Refusal(
            "OUT_UNWRITABLE",
            f"cannot write to {out}: {error.strerror}",
            "Name a folder that you may write to, with --out.",
        ) from error
    seconds = round(time.monotonic() - began, 2)
    told = [
        {
            "tenant": tenant.tenant,
            "folder": str(folder),
            "unitCount": len(tenant.units),
            "groupCount": len(tenant.groups),
        }
        for tenant, folder in zip(tenants, folders, strict=True)
    ]
    if output == "json":
        print_json({"scale": scale, "seed": seed, "seconds": seconds, "tenants": told})
        return
    screen = console()
    for one in told:
        screen.print(f"{one['tenant']}: {one['unitCount']} units, {one['groupCount']} groups")
        screen.print(f"  {one['folder']}")
    screen.print(f"written in {seconds} s")
