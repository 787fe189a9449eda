"""What stands on a blueprint, and so in the way of another."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.hierarchy.domain.model import Blueprint, Position, TeamKind
from services.hierarchy.domain.records import joined_key
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.domain.watch_changes import MONITOR

# An error travels in the trailers of a call, which hold 8 KiB.
MAX_NAMED = 16


@dataclass(frozen=True, slots=True)
class Holding:
    """How a position is held at a moment.

    Attributes:
        appointment_count: how many appointments to it are in force.
        unit_counts: in how many units of each level it is held; only where that was looked up.
        most: how many hold it in the unit where most do; only where that was looked up.
        watch_count: how many watches, also later ones, are held by somebody whom it makes a monitor
            and nothing else would; only where that was looked up.
    """

    appointment_count: int = 0
    unit_counts: Mapping[str, int] = field(default_factory=dict)
    most: int = 0
    watch_count: int = 0


@dataclass(frozen=True, slots=True)
class Holders:
    """How positions are held.

    True as long as the tenant's access version is this one, and nobody was given a watch since.

    Attributes:
        watches: how many were ever assigned (`Counts`).
    """

    access_version: int
    by_position: Mapping[str, Holding]
    watches: int = 0

    def fit(self, header: TenantHeader) -> bool:
        """Whether they are still true."""
        now = header.access_version, header.counts.watches
        return now == (self.access_version, self.watches)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a new blueprint takes from a position.

    Attributes:
        goes: the position is no more.
        lost_levels: levels of which the units have it no more, although they stand.
        fewer_seats: whether there is a bound that was not there or was higher.
        no_monitor: whether it makes nobody a monitor any more.
    """

    goes: bool
    lost_levels: tuple[str, ...]
    fewer_seats: bool
    no_monitor: bool

    def __bool__(self) -> bool:
        return self.goes or bool(self.lost_levels) or self.fewer_seats or self.no_monitor


class Obstacle(NamedTuple):
    """Something that is in use: of which section of the blueprint, under which key, and why."""

    section: str
    key: str
    said: str


def narrowings(old: Blueprint, new: Blueprint) -> Mapping[str, Narrowing]:
    """What is taken from which position, where anything is."""
    kept = {position.key: position for position in new.positions}
    found = {each.key: _narrowing(each, kept.get(each.key)) for each in old.positions}
    return {key: narrowing for key, narrowing in found.items() if narrowing}


def obstacles(
    header: TenantHeader, old: Blueprint, new: Blueprint, holders: Mapping[str, Holding]
) -> Iterator[Obstacle]:
    """Everything that must not change in the way in which it would."""
    yield from _level_obstacles(old, new, header.used_levels)
    at_centre = header.used_levels.get(new.centre_level, 0)
    if at_centre > 1:
        said = f"the level {new.centre_level} has {at_centre:,} units, and there is one centre"
        yield Obstacle("levels", new.centre_level, said)
    for key, narrowing in narrowings(old, new).items():
        seats = next((each.seats for each in new.positions if each.key == key), 0)
        yield from _position_obstacles(key, narrowing, seats, holders.get(key, Holding()))
    yield from _team_obstacles(old, new, header.used_team_kinds)


def team_counts(used: Mapping[str, int]) -> Mapping[str, int]:
    """The teams of each kind, whatever their level."""
    counts: Counter[str] = Counter()
    for key, count in used.items():
        counts[key.partition("/")[0]] += count
    return counts


def _narrowing(old: Position, new: Position | None) -> Narrowing:
    was_monitor = MONITOR in old.roles
    if new is None:
        return Narrowing(True, (), False, was_monitor)
    fewer = new.seats and (new.seats < old.seats or not old.seats)
    no_monitor = was_monitor and MONITOR not in new.roles
    return Narrowing(False, _lost(old, new), bool(fewer), no_monitor)


def _lost(old: Position | TeamKind, new: Position | TeamKind) -> tuple[str, ...]:
    return tuple(level for level in old.levels if level not in new.levels)


def _level_obstacles(old: Blueprint, new: Blueprint, used: Mapping[str, int]) -> Iterator[Obstacle]:
    wanted = [key for key in old.level_keys if key in used]
    kept = [key for key in new.level_keys if key in used]
    missing = [key for key in wanted if key not in kept]
    for key in missing:
        yield Obstacle("levels", key, f"the level {key} has {_counted(used[key], 'unit')}")
    if not missing:
        # Without a loss both hold the same keys.
        for key, now in zip(wanted, kept, strict=True):
            if key != now:
                said = f"the level {key} has {_counted(used[key], 'unit')} and keeps its place"
                yield Obstacle("levels", key, said)


def _position_obstacles(
    key: str, narrowing: Narrowing, seats: int, holding: Holding
) -> Iterator[Obstacle]:
    if narrowing.goes and holding.appointment_count:
        held = _counted(holding.appointment_count, "appointment")
        yield Obstacle("positions", key, f"the position {key} has {held} in force")
    for level in narrowing.lost_levels:
        if count := holding.unit_counts.get(level, 0):
            units = _counted(count, "unit")
            said = f"the position {key} is held in {units} of the level {level}"
            yield Obstacle("positions", key, said)
    if narrowing.fewer_seats and holding.most > seats:
        said = f"the position {key} is held by {holding.most:,} in one unit, above {seats:,}"
        yield Obstacle("positions", key, said)
    if narrowing.no_monitor and (count := holding.watch_count):
        watches = "1 watch stands" if count == 1 else f"{count:,} watches stand"
        said = f"{watches} on the role {MONITOR} of the position {key}"
        yield Obstacle("positions", key, said)


def _team_obstacles(old: Blueprint, new: Blueprint, used: Mapping[str, int]) -> Iterator[Obstacle]:
    kept = {kind.key: kind for kind in new.team_kinds}
    for kind in old.team_kinds:
        stays = kept.get(kind.key)
        for level in _lost(kind, stays) if stays else kind.levels:
            if count := used.get(joined_key(kind.key, level), 0):
                said = f"there {_are(count)} of the kind {kind.key} on the level {level}"
                yield Obstacle("team_kinds", kind.key, said)


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def _are(count: int) -> str:
    return "is 1 team" if count == 1 else f"are {count:,} teams"


def distinct(obstacles: Sequence[Obstacle], section: str) -> tuple[str, ...]:
    """The keys of one section that are in the way, each once, as many as an error holds."""
    keys = dict.fromkeys(each.key for each in obstacles if each.section == section)
    return tuple(keys)[:MAX_NAMED]
