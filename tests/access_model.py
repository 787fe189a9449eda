"""Random organisations in plain data, and who may do what in them, by walking up the parents."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

from services.hierarchy.domain.model import (
    CAPABILITIES,
    Blueprint,
    Category,
    Grant,
    GroupKind,
    Level,
    Position,
    UnitRow,
)
from tests.builders_hierarchy import a_blueprint, a_row, text

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CATEGORIES = ("farmers", "youth", "women")
KINDS = ("internal", "category", "press")
MOST_LEVELS = 7
# Just before, at and just after the instant that is asked about, and far from it.
TIMES = [NOW + timedelta(seconds=seconds) for seconds in (-(10**6), -1, 0, 1, 10**6)]


class Gives(NamedTuple):
    """What a position gives; nothing in `categories` or `kinds` narrows nothing."""

    capability: str
    categories: frozenset[str]
    kinds: frozenset[str]


class Holds(NamedTuple):
    """What an actor holds."""

    unit: str
    position: str
    begins: datetime
    ends: datetime | None


class Action(NamedTuple):
    """What is to be done; empty texts for what is not about a category or a kind."""

    capability: str
    category: str
    kind: str


class Triple(NamedTuple):
    """One question."""

    actor: str
    unit: str
    action: Action


@dataclass(frozen=True)
class Org:
    """Each unit's parent, what each position gives, and who holds what."""

    parents: Mapping[str, str | None]
    gives: Mapping[str, Sequence[Gives]]
    holds: Mapping[str, Sequence[Holds]]


def may(org: Org, triple: Triple) -> bool:
    """The model: nothing of it is taken from the code that it judges."""
    actor, unit, (capability, category, kind) = triple
    line = []
    step: str | None = unit
    while step is not None and step in org.parents:
        line.append(step)
        step = org.parents[step]
    for held in org.holds[actor]:
        if held.unit not in line or held.begins > NOW or (held.ends and held.ends <= NOW):
            continue
        for given in org.gives.get(held.position, ()):
            sees_unit = capability == "view" and not category and not kind
            in_categories = not given.categories or category in given.categories
            in_kinds = not given.kinds or kind in given.kinds
            if given.capability == capability and (sees_unit or (in_categories and in_kinds)):
                return True
    return False


def random_org(chance: Random) -> Org:
    """A few dozen units, some in long lines; offices wide and narrow; past, present and future."""
    parents: dict[str, str | None] = {}
    depths: dict[str, int] = {}
    for number in range(chance.randint(1, 60)):
        above = [unit for unit, depth in depths.items() if depth < MOST_LEVELS - 1]
        parent = chance.choice([None, *above[-3:], *above])
        unit = f"u{number}"
        parents[unit], depths[unit] = parent, depths[parent] + 1 if parent else 0
    gives = {
        f"position_{number}": tuple({_gives(chance): None for _ in range(chance.randint(0, 5))})
        for number in range(6)
    }
    units, positions = [*parents, "closed"], [*gives, "abolished"]
    holds = {
        f"actor-{number}": tuple(
            Holds(chance.choice(units), chance.choice(positions), *_tenure(chance))
            for _ in range(chance.randint(0, 5))
        )
        for number in range(12)
    }
    return Org(parents, gives, holds)


def random_triples(org: Org, chance: Random, count: int) -> Iterator[Triple]:
    """Questions, most of them about what the actor holds something of, or about what is below."""
    units = [*org.parents, "closed", "unknown"]
    for _ in range(count):
        actor = chance.choice([*org.holds])
        held = chance.choice(org.holds[actor] or [NOTHING])
        given = chance.choice(org.gives.get(held.position) or [ANYTHING])
        capability = chance.choice([given.capability] * 4 + [chance.choice(CAPABILITIES)])
        category = chance.choice([*given.categories] or ["", *CATEGORIES])
        kind = chance.choice([*given.kinds] or ["", *KINDS])
        plain, exact = Action(capability, "", ""), Action(capability, category, kind)
        other = Action(capability, chance.choice(CATEGORIES), chance.choice(KINDS))
        below = [unit for unit, parent in org.parents.items() if parent == held.unit]
        unit = chance.choice([held.unit, *below, *below, chance.choice(units)])
        yield Triple(actor, unit, chance.choice([plain, exact, exact, other]))


def always(org: Org) -> Org:
    """The same, as if every tenure lasted for ever."""
    endless = {
        actor: [held._replace(begins=TIMES[0], ends=None) for held in run]
        for actor, run in org.holds.items()
    }
    return replace(org, holds=endless)


def wide(org: Org) -> Org:
    """The same, as if no grant were narrowed."""
    gives = {
        position: [given._replace(categories=frozenset(), kinds=frozenset()) for given in run]
        for position, run in org.gives.items()
    }
    return replace(org, gives=gives)


def flat(org: Org) -> Org:
    """The same, as if no unit were below another."""
    return replace(org, parents=dict.fromkeys(org.parents))


def blueprint_of(org: Org) -> Blueprint:
    """The organisation's blueprint; its levels are the depths."""
    levels = [f"level_{depth}" for depth in range(MOST_LEVELS)]
    positions = (
        Position(
            key,
            text(key),
            tuple(levels),
            seats=0,
            grants=tuple(
                Grant(given.capability, tuple(sorted(given.categories)), tuple(sorted(given.kinds)))
                for given in run
            ),
        )
        for key, run in org.gives.items()
    )
    return replace(
        a_blueprint(),
        levels=tuple(Level(key, text(key)) for key in levels),
        group_kinds=tuple(GroupKind(key, text(key), key == "category") for key in KINDS),
        categories=tuple(Category(key, text(key)) for key in CATEGORIES),
        positions=tuple(positions),
    )


def rows_of(org: Org) -> list[UnitRow]:
    """The units as a file has them; their names are their codes."""
    keys: dict[str | None, tuple[str, str]] = {None: ("", "")}
    depths: dict[str | None, int] = {None: -1}
    rows = []
    for unit, parent in org.parents.items():
        depths[unit] = depths[parent] + 1
        keys[unit] = (f"level_{depths[unit]}", unit)
        rows.append(a_row(*keys[unit], under=keys[parent]))
    return rows


NOTHING = Holds("unknown", "abolished", NOW, None)
ANYTHING = Gives("view", frozenset(), frozenset())


def _gives(chance: Random) -> Gives:
    def some(of: Sequence[str]) -> frozenset[str]:
        return frozenset(chance.sample(of, chance.choice((0, 0, 0, 1, 2))))

    return Gives(chance.choice(CAPABILITIES), some(CATEGORIES), some(KINDS))


def _tenure(chance: Random) -> tuple[datetime, datetime | None]:
    begins, ends = sorted(chance.sample(TIMES, 2))
    return begins, chance.choice((None, ends, ends))
