"""Says re-organisations in few words, over one tenant held in dictionaries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from kit.errors import InvalidInput
from services.hierarchy.domain.model import LocalizedText, Place, Unit, UnitKey
from services.hierarchy.domain.operations import Decision
from services.hierarchy.domain.reorganisation import (
    CloseStep,
    CreateStep,
    MergeStep,
    MoveStep,
    NewUnit,
    Reorganisation,
    ReorganisationReport,
    Rights,
    SplitStep,
    Step,
    UnitRef,
    UpdateStep,
    decide_reorganisation,
)
from tests.builders_hierarchy import a_request_id, text
from tests.unit.hierarchy.deciding import Deciding

EVERYWHERE = Rights()


def key(said: str) -> UnitKey:
    """A key: "district JPR"."""
    level, _, code = said.partition(" ")
    return UnitKey(level, code)


def refs(*said: UnitRef | str) -> tuple[UnitRef, ...]:
    """References: keys where there is a space, ids otherwise."""
    return tuple(key(each) if isinstance(each, str) and " " in each else each for each in said)  # type: ignore[misc]  # a text without a space is an id


def ref(said: UnitRef | str) -> UnitRef:
    return refs(said)[0]


def new(
    said: str,
    under: UnitRef | str = "",
    *,
    names: LocalizedText | None = None,
    place: Place | None = None,
) -> NewUnit:
    level, code = key(said)
    parent = ref(under) if under else None
    return NewUnit(level, code, names or text(said or "A unit"), parent, place)


def create(
    said: str, under: UnitRef | str = "", *, take: Sequence[UnitRef | str] = (), **of: Any
) -> CreateStep:
    return CreateStep(new(said, under, **of), refs(*take))


def update(unit: UnitRef | str, **of: Any) -> UpdateStep:
    return UpdateStep(ref(unit), **of)


def move(unit: UnitRef | str, under: UnitRef | str, etag: str = "") -> MoveStep:
    return MoveStep(ref(unit), ref(under), etag)


def merge(*units: UnitRef | str, into: UnitRef | str) -> MergeStep:
    return MergeStep(refs(*units), ref(into))


def split(unit: UnitRef | str, *parts: CreateStep, keeps: bool = False) -> SplitStep:
    return SplitStep(ref(unit), parts, keeps)


def close(unit: UnitRef | str, etag: str = "") -> CloseStep:
    return CloseStep(ref(unit), etag)


def asking(*steps: Step, **of: Any) -> Reorganisation:
    return Reorganisation(a_request_id(), steps, **of)


def decided(
    tenant: Deciding, *steps: Step, rights: Rights = EVERYWHERE, **of: Any
) -> Decision[ReorganisationReport]:
    """What would be written."""
    request = asking(*steps, **of)
    return tenant.decide(lambda moment: decide_reorganisation(request, rights, moment))


def reorganise(
    tenant: Deciding,
    *steps: Step,
    effective_at: datetime | None = None,
    rights: Rights = EVERYWHERE,
) -> ReorganisationReport:
    """Write what is decided."""
    request = asking(*steps, effective_at=effective_at)
    return tenant.write(lambda moment: decide_reorganisation(request, rights, moment))


def faults_of(tenant: Deciding, *steps: Step, **of: Any) -> list[tuple[str, str]]:
    """Path and reason of each thing that is wrong; the tenant stays as it was."""
    with pytest.raises(InvalidInput) as refused:
        decided(tenant, *steps, **of)
    for each in refused.value.violations:
        assert each.description
    return [(each.field, each.reason) for each in refused.value.violations]


def parents(tenant: Deciding) -> dict[str, str]:
    """Each standing unit, and the one above it; "" for none."""
    units: dict[str, Unit] = {unit.id: unit for unit in tenant.all(Unit)}
    return {
        " ".join(unit.key): " ".join(units[unit.parent_id].key) if unit.parent_id else ""
        for unit in units.values()
    }
