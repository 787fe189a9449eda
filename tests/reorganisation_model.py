"""A tree that is re-organised, as plain dictionaries: slow, obvious, sharing no code with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from services.hierarchy.domain.reorganisation import (
    CloseStep,
    CreateStep,
    MergeStep,
    MoveStep,
    SplitStep,
    Step,
    UpdateStep,
)
from tests.builders_hierarchy import LEVELS

Key = tuple[str, str]


class Node(NamedTuple):
    name: str
    parent: Key | None


State = dict[Key, Node]


class Refused(Exception):
    """The step is not allowed."""


@dataclass
class TreeModel:
    """The tree now, and as it was from each instant at which it changed."""

    now: State = field(default_factory=dict)
    states: dict[datetime, State] = field(default_factory=dict)

    @property
    def changed_until(self) -> datetime | None:
        return max(self.states, default=None)

    def apply(self, steps: Sequence[Step], at: datetime) -> None:
        """All steps or none. Raises `Refused`."""
        state = dict(self.now)
        for step in steps:
            apply_step(state, step)
        if state != self.now:
            self.now = self.states[at] = state

    def at(self, instant: datetime) -> State:
        """The tree as it was."""
        begun = [each for each in self.states if each <= instant]
        return self.states[max(begun)] if begun else {}

    def edges(self) -> Iterator[datetime]:
        """Every instant at which it changed."""
        yield from self.states


def depth(key: Key) -> int:
    return LEVELS.index(key[0])


def children(state: State, parent: Key | None) -> list[Key]:
    return [key for key, node in state.items() if node.parent == parent]


def demand(truth: bool) -> None:
    if not truth:
        raise Refused


def begin(state: State, key: Key, name: str, parent: Key | None) -> None:
    demand(key not in state)
    if parent is None:
        demand(depth(key) <= min(map(depth, state), default=depth(key)))
    else:
        demand(parent in state and depth(parent) < depth(key))
    state[key] = Node(name, parent)


def put_under(state: State, key: Key, parent: Key) -> None:
    demand(key in state and parent in state and depth(parent) < depth(key))
    state[key] = state[key]._replace(parent=parent)


def rekey(state: State, old: Key, new: Key) -> None:
    demand(new not in state)
    state[new] = state.pop(old)
    for child in children(state, old):
        state[child] = state[child]._replace(parent=new)


def of(ref: object) -> Key:
    assert isinstance(ref, tuple)
    level, code = ref
    return level, code


def english(step: CreateStep) -> str:
    return step.unit.names.by_language["en"]


def apply_step(state: State, step: Step) -> None:
    match step:
        case CreateStep(unit=new, take=take):
            parent = of(new.parent) if new.parent else None
            begin(state, (new.level, new.code), english(step), parent)
            for ref in take:
                put_under(state, of(ref), (new.level, new.code))
        case UpdateStep():
            update(state, step)
        case MoveStep(unit=ref, parent=parent_ref):
            put_under(state, of(ref), of(parent_ref))
        case MergeStep():
            merge(state, step)
        case SplitStep():
            split(state, step)
        case CloseStep(unit=ref):
            demand(of(ref) in state and not children(state, of(ref)))
            del state[of(ref)]


def update(state: State, step: UpdateStep) -> None:
    key = of(step.unit)
    demand(key in state)
    if step.names:
        state[key] = state[key]._replace(name=step.names.by_language["en"])
    if step.code not in ("", key[1]):
        rekey(state, key, (key[0], step.code))


def merge(state: State, step: MergeStep) -> None:
    keys, into = [of(each) for each in step.units], of(step.into)
    demand(into in state and into not in keys and len(set(keys)) == len(keys))
    for key in keys:
        demand(key in state and key[0] == into[0])
        for child in children(state, key):
            put_under(state, child, into)
        del state[key]


def split(state: State, step: SplitStep) -> None:
    old = of(step.unit)
    demand(old in state)
    if not step.keeps:
        # Out of the way of a part with its code.
        rekey(state, old, (old[0], "the old one"))
        old = (old[0], "the old one")
    parent = state[old].parent
    for part in step.parts:
        new = old[0], part.unit.code
        begin(state, new, english(part), parent)
        for ref in part.take:
            demand(of(ref) in state and state[of(ref)].parent == old)
            put_under(state, of(ref), new)
    if not step.keeps:
        demand(not children(state, old))
        del state[old]
