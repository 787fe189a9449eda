"""The units that rows name, and what the caller may do there."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from services.hierarchy.domain.model import Unit, UnitId, UnitKey
from services.hierarchy.domain.operations import Found
from services.hierarchy.domain.records import UNITS_BY_KEY, joined_key
from services.hierarchy.domain.text import Fault, is_code, is_key, quoted


@dataclass(frozen=True, slots=True)
class Rights:
    """Which units the caller sees, and over which they have `administer`."""

    sees: Callable[[UnitId], bool]
    administers: Callable[[UnitId], bool]


def unit_key_faults(key: UnitKey) -> Iterator[Fault]:
    """What is wrong with a level and code by themselves."""
    if not key.level:
        yield Fault("unit.level", "MISSING", "the unit's level is needed")
    elif not is_key(key.level):
        yield Fault("unit.level", "BAD_KEY", f"{quoted(key.level)} is no key of a level")
    if not key.code:
        yield Fault("unit.code", "MISSING", "the unit's code is needed")
    elif not is_code(key.code):
        said = f"{quoted(key.code)} is not 1 to 64 of A-Z a-z 0-9 . _ -"
        yield Fault("unit.code", "BAD_CODE", said)


def unit_keys(keys: Iterable[UnitKey]) -> set[str]:
    """What the units are found by."""
    return {joined_key(*key) for key in keys}


def unit_fault(unit: Unit | None, key: UnitKey, rights: Rights) -> Fault | None:
    """Why a row cannot be about this unit."""
    if unit is None or not rights.sees(unit.id):
        return Fault("unit.code", "UNKNOWN_UNIT", f"there is no {key.level} {quoted(key.code)}")
    if not rights.administers(unit.id):
        said = f"this needs the capability administer over {key.level} {key.code}"
        return Fault("unit.code", "NOT_ALLOWED", said)
    return None


def unit_of(key: UnitKey, found: Found) -> Unit | None:
    """The unit with a level and code, if it stands."""
    return found.one(UNITS_BY_KEY, joined_key(*key))
