"""The demo tenants, complete: blueprint, units and groups of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from cli.demo.facts import read_facts
from cli.demo.neem import neem_groups, neem_sites
from cli.demo.peepal import peepal_groups, peepal_sites
from cli.demo.sizes import SCALES, Sizes
from cli.records import GroupRecord, UnitRecord

_BLUEPRINTS = Path(__file__).parent / "blueprints"
TENANTS = ("neem", "peepal")
DEFAULT_SEED = 2023


@dataclass(frozen=True, slots=True)
class DemoTenant:
    """One organisation.

    Attributes:
        tenant: Its id.
        blueprint: The file blueprint.yaml.
        units: Rows of units.csv, parents before children.
        groups: Rows of groups.csv.
    """

    tenant: str
    blueprint: Path
    units: Sequence[UnitRecord]
    groups: Sequence[GroupRecord]


def demo_tenants(scale: str, seed: int = DEFAULT_SEED) -> list[DemoTenant]:
    """Generate both tenants of a scale of `SCALES`; the same seed gives the same rows."""
    return [demo_tenant(tenant, scale, seed) for tenant in TENANTS]


def demo_tenant(tenant: str, scale: str, seed: int = DEFAULT_SEED) -> DemoTenant:
    """Generate one tenant of `TENANTS`; it does not depend on the others."""
    sizes = SCALES[scale]
    # Text seeds are hashed in a way that does not change between runs and versions.
    random = Random(f"{tenant}:{seed}")  # noqa: S311 - demo data, nothing to guess
    units, groups = _generate(tenant, sizes, random)
    return DemoTenant(tenant, blueprint_file(tenant), units, groups)


def blueprint_file(tenant: str) -> Path:
    """Return the file of one tenant's blueprint, complete and ready to begin with."""
    return _BLUEPRINTS / f"{tenant}.yaml"


def _generate(
    tenant: str, sizes: Sizes, random: Random
) -> tuple[list[UnitRecord], list[GroupRecord]]:
    facts = read_facts()
    if tenant == "neem":
        sites = neem_sites(facts, sizes.neem, random)
        groups = neem_groups(sites, sizes.neem.groups, random)
    else:
        sites = peepal_sites(facts, sizes.peepal, random)
        groups = peepal_groups(sites, sizes.peepal.categories_per_mandal, random)
    return [one.record() for one in sites], groups
