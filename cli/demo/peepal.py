"""Peepal Manch: districts of one state, whose groups are cut by category."""

from collections.abc import Iterator, Sequence
from random import Random

from cli.demo import words
from cli.demo.circles import Circles
from cli.demo.facts import Facts, Name, Place
from cli.demo.registrar import Registrar
from cli.demo.sites import Site, near, site
from cli.demo.sizes import PeepalSizes, apportion
from cli.records import GroupRecord

_STATE = Place(26.91, 75.79)
_CATEGORIES = list(words.CATEGORIES.items())
# Crossings of district and category without any group, of 165: what a grid is looked at for.
_GAPS = 14


def peepal_sites(facts: Facts, sizes: PeepalSizes, random: Random) -> list[Site]:
    """Return the units from the top down, level by level."""
    state = site("state", "RJ", Name("Rajasthan", "राजस्थान"), None, _STATE)
    districts = [
        site("district", code, area.name, state, area.place)
        for code, area in facts.districts.items()
    ]
    return [state, *districts, *_mandals(facts, districts, sizes.mandals, random)]


def peepal_groups(
    sites: Sequence[Site], categories_per_mandal: int, circles: Circles, random: Random
) -> list[GroupRecord]:
    """Return the groups: the categories of each district in it, some of them in each mandal."""
    registrar = Registrar(random, circles)
    categories = _categories(sites, random)
    for one in sites:
        if one.level == "state":
            registrar.register(one, "executive", words.EXECUTIVE, (80, 150))
            continue
        if one.level == "district":
            registrar.register(one, "district_office", words.OFFICE_BEARERS, (40, 150))
            here = categories[one.code]
        else:
            above = categories[one.parent[1]]
            here = sorted(random.sample(above, min(len(above), categories_per_mandal)))
        for index in here:
            category, noun = _CATEGORIES[index]
            registrar.register(one, "category", noun, (200, 1_000), category)
    return registrar.groups


def _categories(sites: Sequence[Site], random: Random) -> dict[str, list[int]]:
    """Choose the categories of each district by code: all but the gaps, which its mandals share."""
    districts = [one.code for one in sites if one.level == "district"]
    cells = [(code, index) for code in districts for index in range(len(_CATEGORIES))]
    gaps = set(random.sample(cells, _GAPS))
    return {
        code: [index for index in range(len(_CATEGORIES)) if (code, index) not in gaps]
        for code in districts
    }


def _mandals(facts: Facts, districts: Sequence[Site], total: int, random: Random) -> Iterator[Site]:
    by_district = {
        code: [one for one in facts.constituencies.values() if one.district == code]
        for code in facts.districts
    }
    counts = apportion(total, [len(by_district[district.code]) for district in districts])
    for district, count in zip(districts, counts, strict=True):
        constituencies = by_district[district.code]
        place = facts.districts[district.code].place
        for index in range(count):
            round_number, turn = divmod(index, len(constituencies))
            constituency = constituencies[turn]
            name = constituency.name
            if round_number:
                name = words.mandal_name(name, round_number + 1)
            code = f"{constituency.number:03d}-{round_number + 1}"
            yield site("mandal", code, name, district, near(place, random))
