"""The territories that a demo organisation's units lie in: real ones, which no unit is."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from cli.demo.facts import Facts, Name
from cli.demo.sites import Site
from cli.records import AreaRecord

_CONSTITUENCY, _DISTRICT = "assembly_constituency", "administrative_district"


def demo_areas(facts: Facts, sites: Sequence[Site]) -> Iterator[AreaRecord]:
    """Give rows of areas.csv: districts with the units drawn over them, then constituencies."""
    districts = _districts(facts, [one for one in sites if one.level == "district"])
    for code, area in facts.districts.items():
        yield _area(_DISTRICT, code, area.name, districts[code])
    mandals = _mandals([one for one in sites if one.level == "mandal"])
    drawn = {
        number: one.code for one in facts.organisational_districts for number in one.constituencies
    }
    for number, constituency in facts.constituencies.items():
        # Where no mandal was made, all that is known is the district.
        around = [
            one for one in districts[constituency.district]
            if one.code in (drawn[number], constituency.district)
        ]  # fmt: skip
        yield _area(
            _CONSTITUENCY, f"{number:03d}", constituency.name, mandals.get(number) or around
        )


def _districts(facts: Facts, sites: Sequence[Site]) -> Mapping[str, Sequence[Site]]:
    """Return the units of each administrative district: one, or those that it was cut into."""
    of = {one.code: one.district for one in facts.organisational_districts}
    of |= {code: code for code in facts.districts}
    found: defaultdict[str, list[Site]] = defaultdict(list)
    for one in sites:
        found[of[one.code]].append(one)
    return found


def _mandals(sites: Sequence[Site]) -> Mapping[int, Sequence[Site]]:
    """Return the mandals of each constituency, which their codes begin with."""
    found: defaultdict[int, list[Site]] = defaultdict(list)
    for one in sites:
        found[int(one.code.partition("-")[0])].append(one)
    return found


def _area(kind: str, code: str, name: Name, units: Sequence[Site]) -> AreaRecord:
    cell = ";".join(f"{one.level}:{one.code}" for one in units)
    return AreaRecord(kind, code, name.en, name.hi, cell)
