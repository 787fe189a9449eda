"""A peer that speaks the contract of `groups` over a plain list of units and groups."""

# ruff: noqa: ARG002  # the signatures are the contract's

import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaupal.groups.v1 import groups_pb2 as pb
from chaupal.groups.v1 import groups_pb2_grpc as stubs

from kit.context import current
from kit.errors import ChaupalError, Unavailable, Violations
from kit.ids import uuid_bytes
from services.messaging.domain.ids import UnitId

SERVICE_NAME = "chaupal.groups.v1.GroupsService"
LEVELS = ("state", "district", "booth")
PAGE = 5_000


@dataclass(frozen=True)
class Unit:
    id: UnitId
    parent: int
    level: int


@dataclass(frozen=True)
class Register:
    """One tenant's units in pre-order, and per unit its groups."""

    units: Sequence[Unit]
    groups: Sequence[Sequence[str]]

    @property
    def state(self) -> UnitId:
        return self.units[0].id

    @property
    def districts(self) -> list[UnitId]:
        return [unit.id for unit in self.units if LEVELS[unit.level] == "district"]

    def end(self, position: int) -> int:
        """One past the last unit of a subtree."""
        after = position + 1
        while after < len(self.units) and self.units[after].parent >= position:
            after += 1
        return after

    def selected(self, unit_ids: Sequence[str]) -> list[bool]:
        inside = [False] * len(self.units)
        for at, unit in enumerate(self.units):
            if unit.id in unit_ids:
                for each in range(at, self.end(at)):
                    inside[each] = True
        return inside


def a_register(districts: int = 3, booths: int = 4, groups: int = 2) -> Register:
    """A state with districts of booths, and that many groups a booth."""
    units = [Unit(_unit_id(), -1, 0)]
    of_unit: list[list[str]] = [[]]
    for _ in range(districts):
        district = len(units)
        units.append(Unit(_unit_id(), 0, 1))
        of_unit.append([])
        for _ in range(booths):
            units.append(Unit(_unit_id(), district, 2))
            of_unit.append([str(uuid.uuid4()) for _ in range(groups)])
    return Register(units, of_unit)


def _unit_id() -> UnitId:
    return UnitId(str(uuid.uuid4()))


@dataclass
class ListedGroups(stubs.GroupsServiceServicer):
    """Serves `PreviewAudience` and `ResolveAudience` for the registers that it is given.

    `down` lets that many calls fail as a register that restarts would; `cut_after` ends streams
    early, after that many messages; `spoil` makes one array of the frame contradict the rest;
    `refusal` is its answer to every call.
    """

    registers: dict[str, Register] = field(default_factory=dict)
    down: int = 0
    cut_after: int | None = None
    spoil: str = ""
    refusal: ChaupalError | None = None
    calls: list[str] = field(default_factory=list)

    async def PreviewAudience(
        self, request: pb.PreviewAudienceRequest, context: Any
    ) -> pb.PreviewAudienceResponse:
        self._arrive("PreviewAudience")
        inside = self._inside(request.audience)
        groups = self._register.groups
        count = sum(len(each) for each, chosen in zip(groups, inside, strict=True) if chosen)
        return pb.PreviewAudienceResponse(group_count=count)

    async def ResolveAudience(
        self, request: pb.ResolveAudienceRequest, context: Any
    ) -> AsyncIterator[pb.ResolveAudienceResponse]:
        self._arrive("ResolveAudience")
        for number, part in enumerate(self._parts(self._inside(request.audience))):
            if number == self.cut_after:
                return
            if self.spoil and part.HasField("frame"):
                getattr(part.frame, self.spoil)[-1] += 1_000
            yield part

    @property
    def _register(self) -> Register:
        return self.registers.get(current().caller.tenant_id, Register((), ()))

    def _arrive(self, method: str) -> None:
        assert current().caller.is_service
        self.calls.append(method)
        if self.refusal:
            raise self.refusal
        if self.down:
            self.down -= 1
            raise Unavailable

    def _inside(self, audience: Any) -> list[bool]:
        self._check(audience)
        register = self._register
        chosen = register.selected([id_ for term in audience.include for id_ in term.unit_ids])
        without = register.selected([id_ for term in audience.exclude for id_ in term.unit_ids])
        return [yes and not no for yes, no in zip(chosen, without, strict=True)]

    def _check(self, audience: Any) -> None:
        known = {unit.id for unit in self._register.units}
        faults = Violations()
        for part in ("include", "exclude"):
            for i, term in enumerate(getattr(audience, part)):
                for j, unit_id in enumerate(term.unit_ids):
                    if unit_id not in known:
                        path = f"audience.{part}[{i}].unit_ids[{j}]"
                        faults.add(path, "UNKNOWN_UNIT", "there is no such unit")
        faults.raise_if_any()

    def _parts(self, inside: Sequence[bool]) -> Iterator[pb.ResolveAudienceResponse]:
        register = self._register
        starts: list[int] = []
        targets: list[str] = []
        for groups, chosen in zip(register.groups, inside, strict=True):
            starts.append(len(targets))
            targets += groups if chosen else ()
        starts.append(len(targets))
        spans = [(starts[at], starts[register.end(at)]) for at in range(len(register.units))]
        rows = [at for at, (start, end) in enumerate(spans) if start < end]
        place = {at: row for row, at in enumerate(rows)}
        yield pb.ResolveAudienceResponse(
            header=pb.ResolvedHeader(
                snapshot_id="1.1",
                target_count=len(targets),
                frame_count=len(rows),
                levels=LEVELS,
            )
        )
        for first in range(0, len(targets), PAGE):
            ids = b"".join(map(uuid_bytes, targets[first : first + PAGE]))
            yield pb.ResolveAudienceResponse(targets=pb.TargetPage(group_ids=ids))
        for first in range(0, len(rows), PAGE):
            run = rows[first : first + PAGE]
            units = [register.units[at] for at in run]
            yield pb.ResolveAudienceResponse(
                frame=pb.FramePage(
                    unit_ids=b"".join(uuid_bytes(unit.id) for unit in units),
                    parents=[place.get(unit.parent, -1) for unit in units],
                    levels=[unit.level for unit in units],
                    starts=[spans[at][0] for at in run],
                    ends=[spans[at][1] for at in run],
                )
            )
