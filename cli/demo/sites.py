"""A unit of a demo organisation with what its groups are named after."""

from dataclasses import dataclass
from random import Random

from cli.demo.facts import Name, Place
from cli.records import UnitRecord

# Generated mandals lie within about 25 km of the seat of their district.
_SCATTER_DEGREES = 0.25


@dataclass(frozen=True, slots=True)
class Site:
    """A unit, and the full name that its groups carry ("Amber Booth 12")."""

    level: str
    code: str
    name: Name
    label: Name
    parent: tuple[str, str]
    place: Place | None

    @property
    def key(self) -> tuple[str, str]:
        """Level and code."""
        return self.level, self.code

    def record(self) -> UnitRecord:
        """Return the row that describes the unit."""
        place = self.place
        return UnitRecord(
            self.level,
            self.code,
            self.name.en,
            self.name.hi,
            *self.parent,
            None if place is None else place.latitude,
            None if place is None else place.longitude,
        )


def site(level: str, code: str, name: Name, above: Site | None, place: Place | None) -> Site:
    """Make a site whose name stands for itself."""
    return Site(level, code, name, name, ("", "") if above is None else above.key, place)


def near(place: Place, random: Random) -> Place:
    """Return a made-up place near a real one."""
    return Place(
        round(place.latitude + random.uniform(-_SCATTER_DEGREES, _SCATTER_DEGREES), 4),
        round(place.longitude + random.uniform(-_SCATTER_DEGREES, _SCATTER_DEGREES), 4),
    )
