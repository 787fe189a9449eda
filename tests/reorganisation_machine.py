"""Random re-organisations against a plain model: now, and as of every instant there was."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kit.errors import InvalidInput
from services.hierarchy.domain.model import UnitKey
from services.hierarchy.domain.reorganisation import (
    CloseStep,
    CreateStep,
    MergeStep,
    MoveStep,
    NewUnit,
    Reorganisation,
    ReorganisationReport,
    SplitStep,
    Step,
    UpdateStep,
)
from services.hierarchy.domain.tenants import TenantHeader
from tests.builders_hierarchy import LEVELS, a_request_id, text
from tests.reorganisation_model import Key, Node, Refused, State, TreeModel, children, depth

NAMES = ("one", "two")
CODES = ("A", "B", "C", "D")
INSTANT = timedelta(microseconds=1)


class ReorganisationMachine(RuleBasedStateMachine):
    """Does the same to a tenant and to the model, and compares all that can be read."""

    def __init__(self) -> None:
        super().__init__()
        self.model = TreeModel()

    def reorganise(self, request: Reorganisation) -> ReorganisationReport:
        raise NotImplementedError

    def header(self) -> TenantHeader:
        raise NotImplementedError

    def tree(self, at: datetime | None) -> State:
        """Every unit by its key. Fails when two have one, or a parent is not there."""
        raise NotImplementedError

    def now(self) -> datetime:
        raise NotImplementedError

    def advance(self, seconds: int) -> None:
        raise NotImplementedError

    @initialize()
    def grow(self) -> None:
        """Two of each level under each of the level above."""
        for place, level in enumerate(LEVELS[:3]):
            above = [key for key in self.model.now if depth(key) == place - 1]
            for index, parent in enumerate(above or [None]):
                codes = CODES[2 * index : 2 * index + 2]
                self.change([_create((level, code), parent, "one", ()) for code in codes], None)

    @rule(data=st.data(), seconds=st.integers(0, 2), late=st.booleans())
    def several_steps(self, data: st.DataObject, seconds: int, late: bool) -> None:
        self.advance(seconds)
        count = data.draw(st.integers(1, 4))
        steps = [data.draw(steps_over(self.model.now)) for _ in range(count)]
        self.change(steps, self.some_instant(data) if late else None)

    @rule(data=st.data(), seconds=st.integers(0, 2))
    def one_step(self, data: st.DataObject, seconds: int) -> None:
        self.advance(seconds)
        self.change([data.draw(steps_over(self.model.now))], None)

    @precondition(lambda self: self.model.now)
    @rule(data=st.data())
    def a_split_that_is_right(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.now)))
        below = children(self.model.now, key)
        half = data.draw(st.integers(0, len(below)))
        free = [code for code in CODES if code == key[1] or (key[0], code) not in self.model.now]
        if len(free) > 1:
            parts = [
                _part((key[0], code), taken)
                for code, taken in zip(free, (below[:half], below[half:]), strict=False)
            ]
            self.change([SplitStep(UnitKey(*key), tuple(parts))], None)

    @precondition(lambda self: self.model.now)
    @rule(data=st.data())
    def a_merge_that_is_right(self, data: st.DataObject) -> None:
        into = data.draw(st.sampled_from(sorted(self.model.now)))
        others = [key for key in sorted(self.model.now) if key[0] == into[0] and key != into]
        if others:
            units = data.draw(st.lists(st.sampled_from(others), min_size=1, unique=True))
            step = MergeStep(tuple(UnitKey(*key) for key in units), UnitKey(*into))
            self.change([step], None)

    def some_instant(self, data: st.DataObject) -> datetime:
        last, now = self.model.changed_until, self.now()
        earliest = max(last, now - timedelta(seconds=5)) if last else now - timedelta(seconds=5)
        between = data.draw(st.floats(0, 1))
        return earliest + (now - earliest) * between

    def change(self, steps: list[Step], effective_at: datetime | None) -> None:
        before, version = dict(self.model.now), self.header().tree_version
        request = Reorganisation(a_request_id(), tuple(steps), effective_at=effective_at)
        at = effective_at or max(self.now(), self.model.changed_until or self.now())
        try:
            self.model.apply(steps, at)
        except Refused:
            with pytest.raises(InvalidInput) as refused:
                self.reorganise(request)
            assert refused.value.violations
            assert self.header().tree_version == version
            return
        report = self.reorganise(request)
        changed = before != self.model.now
        replaced = len(steps) > 1 or any(isinstance(step, SplitStep) for step in steps)
        assert report.applied == changed or replaced
        assert report.tree_version == version + report.applied == self.header().tree_version
        assert report.effective_at == at
        created, closed = report.created_count, report.closed_count
        assert created - closed == len(self.model.now) - len(before)
        if report.applied and not changed:
            # One unit took the place of another just like it.
            self.model.states[at] = dict(self.model.now)

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        assert self.tree(None) == self.model.now
        header = self.header()
        levels = [key[0] for key in self.model.now]
        assert header.used_levels == {level: levels.count(level) for level in sorted(set(levels))}
        assert header.counts.units == len(levels)
        assert header.changed_until == self.model.changed_until

    @invariant()
    def the_past_is_as_in_the_model(self) -> None:
        for edge in self.model.edges():
            for instant in (edge - INSTANT, edge, edge + INSTANT):
                assert self.tree(instant) == self.model.at(instant)


def state_of(rows: Any, names: dict[str, str]) -> State:
    """Units by key, from rows with an id, a parent's id, a level and a code."""
    keys: dict[str, Key] = {row.id: (row.level, row.code) for row in rows}
    assert len(set(keys.values())) == len(rows), "a code stands twice"
    return {
        keys[row.id]: Node(names[row.id], keys[row.parent_id] if row.parent_id else None)
        for row in rows
    }


@st.composite
def steps_over(draw: st.DrawFn, state: State) -> Step:
    """A step over the units that stand; about half of them are right."""
    keys = st.sampled_from(sorted(state) or [("state", "A")]) | st.tuples(
        st.sampled_from(LEVELS), st.sampled_from(CODES)
    )
    key = draw(keys)
    match draw(st.sampled_from(("create", "update", "move", "merge", "split", "close"))):
        case "create":
            new = (draw(st.sampled_from(LEVELS)), draw(st.sampled_from(CODES)))
            take = draw(st.lists(keys, max_size=2))
            return _create(new, draw(st.none() | keys), draw(st.sampled_from(NAMES)), take)
        case "update":
            names = draw(st.none() | st.sampled_from(NAMES).map(text))
            return UpdateStep(UnitKey(*key), names, draw(st.sampled_from(("", *CODES))))
        case "move":
            return MoveStep(UnitKey(*key), UnitKey(*draw(keys)))
        case "merge":
            units = draw(st.lists(keys, min_size=1, max_size=2))
            return MergeStep(tuple(UnitKey(*each) for each in units), UnitKey(*key))
        case "split":
            parts = draw(
                st.lists(
                    st.builds(
                        lambda code, take: _part((key[0], code), take),
                        st.sampled_from(CODES),
                        st.lists(keys, max_size=2),
                    ),
                    min_size=1,
                    max_size=2,
                )
            )
            return SplitStep(UnitKey(*key), tuple(parts), draw(st.booleans()))
        case _:
            return CloseStep(UnitKey(*key))


def _create(key: Key, parent: Key | None, name: str, take: Any) -> CreateStep:
    above = UnitKey(*parent) if parent else None
    unit = NewUnit(*key, text(name), above, None)
    return CreateStep(unit, tuple(UnitKey(*each) for each in take))


def _part(key: Key, take: Any) -> CreateStep:
    return _create(key, None, "one", take)
