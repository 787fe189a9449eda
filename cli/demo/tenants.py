"""The demo tenants, complete: blueprint, units, areas, people and groups of each."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

from cli.demo.areas import demo_areas
from cli.demo.facts import Facts, read_facts
from cli.demo.neem import neem_groups, neem_sites
from cli.demo.neem_people import neem_people
from cli.demo.peepal import peepal_groups, peepal_sites
from cli.demo.peepal_people import peepal_people
from cli.demo.people import People
from cli.demo.sites import Site
from cli.demo.sizes import SCALES, Sizes
from cli.demo.staff import Staff
from cli.records import (
    AppointmentRecord,
    AreaRecord,
    GroupRecord,
    PersonRecord,
    TeamRecord,
    UnitRecord,
    WatchRecord,
)

_BLUEPRINTS = Path(__file__).parent / "blueprints"
TENANTS = ("neem", "peepal")
DEFAULT_SEED = 2023


@dataclass(frozen=True, slots=True)
class DemoTenant:
    """One organisation; rows stand in the order of the files.

    Attributes:
        tenant: Its id.
        blueprint: The file blueprint.yaml.
        units: Rows of units.csv, parents before children.
        areas: Rows of areas.csv.
        persons: Rows of persons.csv.
        appointments: Rows of appointments.csv.
        teams: Rows of teams.csv, those of a team together.
        watches: Who answers for which subtrees; in no file.
        groups: Rows of groups.csv.
    """

    tenant: str
    blueprint: Path
    units: Sequence[UnitRecord]
    areas: Sequence[AreaRecord]
    persons: Sequence[PersonRecord]
    appointments: Sequence[AppointmentRecord]
    teams: Sequence[TeamRecord]
    watches: Sequence[WatchRecord]
    groups: Sequence[GroupRecord]


def demo_tenants(scale: str, day: date, seed: int = DEFAULT_SEED) -> list[DemoTenant]:
    """Generate both tenants of a scale of `SCALES`; see `demo_tenant`."""
    return [demo_tenant(tenant, scale, day, seed) for tenant in TENANTS]


def demo_tenant(tenant: str, scale: str, day: date, seed: int = DEFAULT_SEED) -> DemoTenant:
    """Generate one tenant of `TENANTS`; it does not depend on the others.

    The same seed gives the same rows, but for the days on which appointments were verified: they
    count back from `day`, so that on that day some are verified and some are stale.
    """
    sizes, facts = SCALES[scale], read_facts()
    # Text seeds are hashed in a way that does not change between runs and versions.
    random = Random(f"{tenant}:{seed}")  # noqa: S311 - demo data, nothing to guess
    staff = Staff(tenant, Random(f"{tenant}:{seed}:people"), day)  # noqa: S311 - the same
    with _uncollected():
        sites, people, groups = _generate(tenant, sizes, facts, staff, random)
        return DemoTenant(
            tenant,
            blueprint_file(tenant),
            [one.record() for one in sites],
            list(demo_areas(facts, sites)),
            staff.persons,
            staff.appointments,
            people.teams,
            people.watches,
            groups,
        )


def blueprint_file(tenant: str) -> Path:
    """Return the file of one tenant's blueprint, complete and ready to begin with."""
    return _BLUEPRINTS / f"{tenant}.yaml"


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no cycles meanwhile: there are none among a million rows, and it takes as long."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _generate(
    tenant: str, sizes: Sizes, facts: Facts, staff: Staff, random: Random
) -> tuple[list[Site], People, list[GroupRecord]]:
    if tenant == "neem":
        sites = neem_sites(facts, sizes.neem, random)
        people = neem_people(sites, sizes.neem, staff, random)
        groups = neem_groups(sites, sizes.neem.groups, people.circles, random)
    else:
        sites = peepal_sites(facts, sizes.peepal, random)
        people = peepal_people(sites, facts, staff)
        categories = sizes.peepal.categories_per_mandal
        groups = peepal_groups(sites, categories, people.circles, random)
    return sites, people, groups
