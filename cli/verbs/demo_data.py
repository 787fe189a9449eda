"""`chaupal demo-data`: the demo organisations as files."""

import time
from datetime import UTC, date, datetime
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
    "chaupal demo-data --out /tmp/demo --day 2026-06-30   # the same bytes on any day",
)


@click.command("demo-data", cls=Verb, examples=_EXAMPLES)
@click.option(
    "--scale",
    type=click.Choice(list(SCALES)),
    default="small",
    show_default=True,
    help="small: 700 units, 1,500 people and groups each; state: 60,000 units, 70,000 people and"
    " 100,000 groups.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write to.")
@click.option(
    "--seed",
    type=int,
    default=DEFAULT_SEED,
    show_default=True,
    help="The same seed and day give the same bytes.",
)
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="From which verified appointments count back.  [default: today, in UTC]",
)
@output_option()
def demo_data(scale: str, out: Path, seed: int, day: datetime | None, output: str) -> None:
    """Write the demo organisations as files that `chaupal import` reads.

    Two fictional tenants over the real divisions, districts and constituencies of Rajasthan:
    Neem Sangathan (neem), a tree of command down to the booth, and Peepal Manch (peepal), a
    cross-cut by category. Each gets a folder with blueprint.yaml, units.csv, areas.csv,
    persons.csv, appointments.csv, teams.csv, groups.csv and a README. Files of an earlier run are
    replaced. Nobody is called like its people, and nobody can have their phone numbers.
    """
    began = time.monotonic()
    verified_on: date = (day or datetime.now(UTC)).date()
    tenants = demo_tenants(scale, verified_on, seed)
    try:
        folders = [write_tenant(out, tenant, scale, seed, verified_on) for tenant in tenants]
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
            "areaCount": len(tenant.areas),
            "personCount": len(tenant.persons),
            "appointmentCount": len(tenant.appointments),
            "teamRowCount": len(tenant.teams),
            "groupCount": len(tenant.groups),
        }
        for tenant, folder in zip(tenants, folders, strict=True)
    ]
    if output == "json":
        made = {"scale": scale, "seed": seed, "day": str(verified_on), "seconds": seconds}
        print_json({**made, "tenants": told})
        return
    screen = console()
    for one in told:
        people = f"{one['personCount']} persons, {one['appointmentCount']} appointments"
        counts = f"{one['unitCount']} units, {people}, {one['groupCount']} groups"
        screen.print(f"{one['tenant']}: {counts}")
        screen.print(f"  {one['folder']}")
    screen.print(f"written in {seconds} s")
