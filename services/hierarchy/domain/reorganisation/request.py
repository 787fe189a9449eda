"""What a re-organisation asks for, steps in order, and what it did."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kit.errors import FieldViolation
from services.hierarchy.domain.access import Scope
from services.hierarchy.domain.errors import NotAllowed
from services.hierarchy.domain.model import LocalizedText, Place, RequestId, Unit, UnitId, UnitKey

MAX_STEPS = 10_000
MAX_REPORTED_CHANGES = 1_000

# A unit by its id, or by level and code; a key may also mean a unit that an earlier step made.
UnitRef = UnitId | UnitKey


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit to be created, unchecked; `parent` is None for a root."""

    level: str
    code: str
    names: LocalizedText
    parent: UnitRef | None
    place: Place | None


@dataclass(frozen=True, slots=True)
class CreateStep:
    """Creates a unit and puts others under it."""

    unit: NewUnit
    take: tuple[UnitRef, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateStep:
    """Changes a unit; what is None or empty stays. `etag` is checked unless it is empty."""

    unit: UnitRef
    names: LocalizedText | None = None
    code: str = ""
    place: Place | None = None
    clear_place: bool = False
    etag: str = ""


@dataclass(frozen=True, slots=True)
class MoveStep:
    """Puts a unit, with its subtree, under another parent."""

    unit: UnitRef
    parent: UnitRef
    etag: str = ""


@dataclass(frozen=True, slots=True)
class MergeStep:
    """Closes units; their children go to another of the same level."""

    units: tuple[UnitRef, ...]
    into: UnitRef


@dataclass(frozen=True, slots=True)
class SplitStep:
    """Creates several units of a unit's level, which take its children.

    `keeps` says whether the unit stays with what is left; otherwise nothing may be, and it ends.
    """

    unit: UnitRef
    parts: tuple[CreateStep, ...]
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class CloseStep:
    """Ends a unit without children."""

    unit: UnitRef
    etag: str = ""


Step = CreateStep | UpdateStep | MoveStep | MergeStep | SplitStep | CloseStep

_WORDS: dict[type[Step], str] = {
    CreateStep: "create",
    UpdateStep: "update",
    MoveStep: "move",
    MergeStep: "merge",
    SplitStep: "split",
    CloseStep: "close",
}
# What the requests with one step call the fields that name units.
_SINGLE = {"unit": "id", "parent": "parent_id"}


@dataclass(frozen=True, slots=True)
class Reorganisation:
    """A request to change units in one go.

    Attributes:
        effective_at: from when it is so; None for as soon as may be.
        tree_version: the one that the caller has seen; 0 to not check.
        is_single: it came as a request of its own, whose fields are those of its only step.
    """

    request_id: RequestId
    steps: tuple[Step, ...] = field(repr=False)
    validate_only: bool = False
    effective_at: datetime | None = None
    tree_version: int = 0
    is_single: bool = False

    def path(self, index: int, within: str) -> str:
        """The path in the request of a field of a step."""
        step = self.steps[index]
        if not self.is_single:
            return f"steps[{index}].{_WORDS[type(step)]}.{within}"
        return within if isinstance(step, CreateStep) else _SINGLE.get(within, within)


class What(StrEnum):
    """What happened to a unit in one step."""

    CREATED = "created"
    UPDATED = "updated"
    MOVED = "moved"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class UnitChange:
    """A unit before and after one step; None where it was not yet, or is no more."""

    step: int
    what: What
    before: Unit | None
    after: Unit | None


@dataclass(frozen=True, slots=True)
class ReorganisationReport:
    """What a re-organisation did, or would do.

    The first four counts compare the end with the beginning, so that a unit which came and went in
    between is in none of them; `changes` tells of each step by itself.

    Attributes:
        applied: whether anything was written.
        tree_version: the tree's, afterwards.
        carried_count: units under those that moved.
        appointment_carried_count: in force, in units that moved or were carried along.
        watch_carried_count: likewise.
        changes: the first `MAX_REPORTED_CHANGES`, in the order of the steps.
        moved: the units that got another parent, all of them.
    """

    applied: bool
    tree_version: int
    effective_at: datetime
    created_count: int = 0
    updated_count: int = 0
    moved_count: int = 0
    closed_count: int = 0
    carried_count: int = 0
    appointment_ended_count: int = 0
    team_ended_count: int = 0
    watch_ended_count: int = 0
    appointment_carried_count: int = 0
    watch_carried_count: int = 0
    changes: tuple[UnitChange, ...] = ()
    moved: tuple[UnitId, ...] = ()


@dataclass(frozen=True, slots=True)
class Rights:
    """Where somebody may look and where they may administer; None is the whole tenant."""

    view: Scope | None = None
    administer: Scope | None = None

    def sees(self, unit_id: UnitId) -> bool:
        """Whether the unit, if it stands, is there for them at all."""
        return (
            self.view is None
            or self.administer is None
            or unit_id in self.view
            or unit_id in self.administer
        )

    def require(self, unit_id: UnitId | None) -> None:
        """Raise `NotAllowed` unless they may administer the unit, or everything for None."""
        if self.administer is not None and (unit_id is None or unit_id not in self.administer):
            raise NotAllowed("administer", unit_id or "")


MAX_VIOLATIONS = 100


def first_violations(found: Sequence[FieldViolation]) -> Sequence[FieldViolation]:
    """The first hundred; a last one without a field says when there are more."""
    if len(found) <= MAX_VIOLATIONS:
        return found
    said = f"these are the first {MAX_VIOLATIONS}; there are more"
    return (*found[:MAX_VIOLATIONS], FieldViolation("", "MORE_VIOLATIONS", said))
