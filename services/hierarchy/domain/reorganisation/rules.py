"""The rules of a re-organisation that need no more than what is before them, and their wording."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.hierarchy.domain.model import Blueprint, LocalizedText, Place, Unit, level_index
from services.hierarchy.domain.reorganisation.request import NewUnit, UpdateStep
from services.hierarchy.domain.text import Fault, is_code, place_faults, quoted, text_faults


@dataclass(frozen=True, slots=True)
class Levels:
    """Where units of each level may stand.

    Attributes:
        order: the place of each level, 0 being the highest.
        centre: the level that has one unit at most; empty without one.
    """

    order: Mapping[str, int]
    centre: str

    @classmethod
    def of(cls, blueprint: Blueprint) -> "Levels":
        """The levels of a blueprint."""
        return cls(level_index(blueprint.level_keys), blueprint.centre_level)

    def new_faults(self, level: str) -> Iterator[Fault]:
        """What is wrong with the level of a new unit."""
        if not level:
            yield Fault("level", "MISSING", "the level is needed")
        elif level not in self.order:
            known = ", ".join(self.order)
            said = f"{quoted(level)} is none of the levels: {known}"
            yield Fault("level", "UNKNOWN_LEVEL", said)

    def order_faults(self, level: str, parent: Unit) -> Iterator[Fault]:
        """What is wrong with a unit of a level under a parent: parents are of higher levels.

        So no unit can come to lie under itself.
        """
        if self.order[parent.level] >= self.order[level]:
            said = f"a {parent.level} does not stand above a {level}: name a unit of a higher level"
            yield Fault("", "LEVEL_ORDER", said)

    def root_faults(self, level: str, counts: Mapping[str, int]) -> Iterator[Fault]:
        """What is wrong with a root of a level: roots are on the highest level that has units."""
        used = [key for key, count in counts.items() if count > 0]
        top = min(used, key=lambda key: self.order[key], default=level)
        if self.order[level] > self.order[top]:
            said = f"only a {top} may stand without a unit above it: name the parent"
            yield Fault("parent", "MISSING", said)


def said_faults(new: NewUnit) -> Iterator[Fault]:
    """What is wrong with the code, the names and the place of a new unit."""
    if not new.code:
        yield Fault("code", "MISSING", "the code is needed")
    else:
        yield from _code_faults(new.code)
    yield from _names_faults(new.names)
    yield from _place_faults(new.place)


def update_faults(step: UpdateStep) -> Iterator[Fault]:
    """What is wrong with the new code, names and place of a unit."""
    if step.code:
        yield from _code_faults(step.code)
    if step.names is not None:
        yield from _names_faults(step.names)
    yield from _place_faults(step.place)
    if step.place and step.clear_place:
        said = "a place is given and taken away: leave one of the two out"
        yield Fault("clear_place", "CONTRADICTION", said)


def named(unit: Unit) -> str:
    """A unit in words."""
    return f"{unit.level} {unit.code}"


def some_of(units: Sequence[Unit]) -> str:
    """Units in words: the first few, and how many there are."""
    first = ", ".join(map(named, units[:3]))
    return first if len(units) <= 3 else f"{first} and {len(units) - 3} more"


def _code_faults(code: str) -> Iterator[Fault]:
    if not is_code(code):
        yield Fault("code", "BAD_CODE", f"{quoted(code)} is not 1 to 64 of A-Z a-z 0-9 . _ -")


def _names_faults(names: LocalizedText) -> Iterator[Fault]:
    for each in text_faults(names):
        yield each._replace(field=_joined("names.by_language", each.field))


def _place_faults(place: Place | None) -> Iterator[Fault]:
    for each in place_faults(place) if place else ():
        yield each._replace(field=_joined("place", each.field))


def _joined(path: str, field: str) -> str:
    return f"{path}.{field}" if field else path
