"""Neem Sangathan: a tree of command from the centre down to the booths of a state."""

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

from cli.demo import words
from cli.demo.circles import Circles
from cli.demo.facts import Constituency, Facts, Name, Place
from cli.demo.registrar import Registrar
from cli.demo.sites import Site, near, site
from cli.demo.sizes import NeemSizes, apportion
from cli.records import GroupRecord

_CENTRE = Place(28.61, 77.21)
_STATE = Place(26.91, 75.79)
# How unequal mandals and shakti kendras are: the largest has about twice the smallest.
_UNEVEN = (0.7, 1.3)


def neem_sites(facts: Facts, sizes: NeemSizes, random: Random) -> list[Site]:
    """Return the units from the top down, level by level."""
    centre = site("centre", "DELHI", Name("Delhi", "दिल्ली"), None, _CENTRE)
    state = site("state", "RJ", Name("Rajasthan", "राजस्थान"), centre, _STATE)
    divisions = {
        code: site("division", code, area.name, state, area.place)
        for code, area in facts.divisions.items()
    }
    districts = list(_districts(facts, divisions))
    mandals = list(_mandals(facts, districts, sizes.mandals, random))
    kendras = list(_shakti_kendras(mandals, sizes.shakti_kendras, random))
    booths = list(_booths(kendras, sizes.booths, random))
    return [
        centre,
        state,
        *divisions.values(),
        *districts,
        *(mandal for mandal, _ in mandals),
        *(kendra for kendra, _ in kendras),
        *booths,
    ]


def neem_groups(
    sites: Sequence[Site], total: int, circles: Circles, random: Random
) -> list[GroupRecord]:
    """Return exactly `total` groups: all but the last level in full, and a voters' group of each
    booth; the rest are booth teams, so that part of the booth committees exists on paper only.
    """
    registrar = Registrar(random, circles)
    booths = [one for one in sites if one.level == "booth"]
    for one in sites:
        _register_upper(registrar, one)
    for booth in booths:
        # 992 members on average, as a booth has voters.
        registrar.register(booth, "booth_voters", words.VOTERS, (960, 1_023))
    for booth in random.sample(booths, total - len(registrar.groups)):
        registrar.register(booth, "internal", words.TEAM, (8, 40))
    return registrar.groups


def _districts(facts: Facts, divisions: dict[str, Site]) -> Iterator[Site]:
    for drawn in facts.organisational_districts:
        area = facts.districts[drawn.district]
        yield site("district", drawn.code, drawn.name, divisions[area.parent], area.place)


def _mandals(
    facts: Facts, districts: Sequence[Site], total: int, random: Random
) -> Iterator[tuple[Site, Constituency]]:
    drawn = facts.organisational_districts
    counts = apportion(total, [len(one.constituencies) for one in drawn])
    for district, one, count in zip(districts, drawn, counts, strict=True):
        place = facts.districts[one.district].place
        for index in range(count):
            round_number, turn = divmod(index, len(one.constituencies))
            constituency = facts.constituencies[one.constituencies[turn]]
            number = round_number + 1
            code = f"{constituency.number:03d}-{number}"
            name = words.mandal_name(constituency.name, number)
            yield site("mandal", code, name, district, near(place, random)), constituency


def _shakti_kendras(
    mandals: Sequence[tuple[Site, Constituency]], total: int, random: Random
) -> Iterator[tuple[Site, Constituency]]:
    counts = apportion(total, [random.uniform(*_UNEVEN) for _ in mandals])
    for (mandal, constituency), count in zip(mandals, counts, strict=True):
        for index, locality in enumerate(random.sample(range(max(24, count)), count)):
            code = f"{mandal.code}-{index + 1}"
            name = words.locality_name(locality)
            label = constituency.name + name + words.SHAKTI_KENDRA
            kendra = Site("shakti_kendra", code, name, label, mandal.key, None)
            yield kendra, constituency


def _booths(
    kendras: Sequence[tuple[Site, Constituency]],
    total: int,
    random: Random,
) -> Iterator[Site]:
    counts = apportion(total, [random.uniform(*_UNEVEN) for _ in kendras])
    numbers: Counter[int] = Counter()
    for (kendra, constituency), count in zip(kendras, counts, strict=True):
        for _ in range(count):
            numbers[constituency.number] += 1
            number = numbers[constituency.number]
            name = words.booth_name(number)
            code = f"{constituency.number:03d}-{number:03d}"
            yield Site("booth", code, name, constituency.name + name, kendra.key, None)


def _register_upper(registrar: Registrar, one: Site) -> None:
    match one.level:
        case "centre" | "division":
            registrar.register(one, "internal", words.TEAM, (20, 60))
        case "state":
            registrar.register(one, "internal", words.TEAM, (60, 120))
            registrar.register(one, "executive", words.EXECUTIVE, (80, 150))
        case "district":
            registrar.register(one, "district_office", words.OFFICE_BEARERS, (60, 200))
            for category, noun in words.CATEGORIES.items():
                registrar.register(one, "category", noun, (250, 1_000), category)
        case "mandal":
            registrar.register(one, "internal", words.TEAM, (40, 120))
            registrar.register(one, "youth_icons", words.YOUTH_ICONS, (30, 200))
        case "shakti_kendra":
            registrar.register(one, "internal", words.TEAM, (15, 60))
        case _:
            pass
