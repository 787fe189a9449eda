"""Decides a re-organisation: applies its steps in order, and says what is to be written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from kit.errors import FieldViolation, raise_violations
from services.hierarchy.domain.errors import BlueprintNotFound, TreeChangedMeanwhile, UnitNotFound
from services.hierarchy.domain.model import Unit, UnitId
from services.hierarchy.domain.operations import Decision, Moment, Steps
from services.hierarchy.domain.reorganisation.ahead import look_ahead
from services.hierarchy.domain.reorganisation.attempt import Attempt
from services.hierarchy.domain.reorganisation.doubts import Doubts, InDoubt
from services.hierarchy.domain.reorganisation.ends import Ends, end_with
from services.hierarchy.domain.reorganisation.overlay import Asking, Overlay
from services.hierarchy.domain.reorganisation.request import (
    MAX_REPORTED_CHANGES,
    MAX_VIOLATIONS,
    CreateStep,
    MergeStep,
    Reorganisation,
    ReorganisationReport,
    Rights,
    SplitStep,
    Step,
    UnitChange,
    What,
    first_violations,
)
from services.hierarchy.domain.reorganisation.rules import Levels
from services.hierarchy.domain.reorganisation.steps import try_step
from services.hierarchy.domain.text import Fault
from services.hierarchy.domain.unit_changes import UnitEdit, change_units, effective_time


def decide_reorganisation(
    request: Reorganisation, rights: Rights, moment: Moment
) -> Steps[ReorganisationReport]:
    """Apply the steps, each on what those before it came to.

    Raises:
        BlueprintNotFound: the tenant has no levels yet.
        TreeChangedMeanwhile: the tree is not the one that the caller saw.
        UnitNotFound: the unit of a request of its own is not there, or not for the caller.
        InvalidInput: with what is wrong with each step that can be judged.
        NotAllowed: the caller sees a unit that a step names, but may not administer it.
        UnitChangedMeanwhile: an etag does not fit.
        QuotaExceeded: there would be more units than the tenant may have.
    """
    header = moment.header
    if header.blueprint is None:
        raise BlueprintNotFound
    if request.tree_version not in (0, header.tree_version):
        version = header.tree_version
        raise TreeChangedMeanwhile(version, current_etag=str(version))
    at = effective_time(moment, request.effective_at, "effective_at")
    overlay, levels = Overlay(header, at), Levels.of(header.blueprint)
    yield from look_ahead(request.steps, overlay, levels)
    run = _Run(request, rights, moment, levels, overlay)
    yield from run.all_steps()
    edits = overlay.edits()
    closed = [edit.before for edit in edits if edit.before and not edit.after]
    ends = (yield from end_with(closed, at, header.blueprint)) if closed else Ends()
    report = _with_sums(ReorganisationReport(False, header.tree_version, at), edits, ends)
    report = replace(report, changes=tuple(run.changes[:MAX_REPORTED_CHANGES]))
    if edits and not request.validate_only:
        report = replace(report, applied=True, tree_version=header.tree_version + 1)
    if not edits:
        return Decision(report)
    changed = change_units(header, edits, at)
    tree, *access = changed.changes
    return Decision(
        report,
        puts=(*changed.puts, *ends.puts),
        drops=(*changed.drops, *ends.forgotten),
        header=ends.counted(changed.header),
        changes=(tree, *ends.changes, *access),
    )


@dataclass(slots=True)
class _Run:
    """The steps of one request, one after the other."""

    request: Reorganisation
    rights: Rights
    moment: Moment
    levels: Levels
    overlay: Overlay
    changes: list[UnitChange] = field(default_factory=list)
    _violations: list[FieldViolation] = field(default_factory=list)
    _doubts: Doubts = field(default_factory=Doubts)

    def all_steps(self) -> Asking[None]:
        """Apply all steps. Raises `InvalidInput` with the first hundred things that are wrong."""
        for index, step in enumerate(self.request.steps):
            self.overlay.begin()
            faults = yield from self._try(step)
            if faults is None or faults:
                self.overlay.undo()
                self._doubts.spread(step, self.overlay)
                self._note(index, faults or ())
            elif len(self.changes) < MAX_REPORTED_CHANGES:
                self.changes += _changes(index, self.overlay.touched())
            if len(self._violations) > MAX_VIOLATIONS:
                break
        if self._violations:
            self._require_subject()
            raise_violations(first_violations(self._violations))

    def _require_subject(self) -> None:
        """Raise `UnitNotFound` where a request of its own speaks of a unit that is not there."""
        step = self.request.steps[0]
        if not self.request.is_single or isinstance(step, CreateStep | MergeStep | SplitStep):
            return
        subject = self.request.path(0, "unit")
        if any((each.field, each.reason) == (subject, "UNKNOWN_UNIT") for each in self._violations):
            raise UnitNotFound(str(step.unit))

    def _try(self, step: Step) -> Asking[Sequence[Fault] | None]:
        """What is wrong with a step; None when that cannot be said."""
        attempt = Attempt(self.overlay, self.levels, self.rights, self._doubts, self.moment.new_id)
        try:
            yield from try_step(attempt, step)
        except InDoubt:
            return None
        return attempt.faults

    def _note(self, index: int, faults: Iterable[Fault]) -> None:
        for each in faults:
            path = self.request.path(index, each.field)
            self._violations.append(FieldViolation(path, each.reason, each.description))


def _changes(step: int, touched: Iterable[tuple[Unit | None, Unit | None]]) -> Iterable[UnitChange]:
    for before, after in touched:
        if before is None:
            what = What.CREATED
        elif after is None:
            what = What.CLOSED
        else:
            what = What.UPDATED if before.parent_id == after.parent_id else What.MOVED
        yield UnitChange(step, what, before, after)


def _with_sums(
    report: ReorganisationReport, edits: Sequence[UnitEdit], ends: Ends
) -> ReorganisationReport:
    moved = _moved(edits)
    return replace(
        report,
        created_count=sum(edit.before is None for edit in edits),
        updated_count=sum(map(_is_update, edits)),
        moved_count=len(moved),
        closed_count=sum(edit.after is None for edit in edits),
        appointment_ended_count=len(ends.appointments),
        team_ended_count=len(ends.teams),
        watch_ended_count=len(ends.watches),
        moved=moved,
    )


def _moved(edits: Iterable[UnitEdit]) -> tuple[UnitId, ...]:
    return tuple(edit.before.id for edit in edits if edit.before and edit.is_move)


def _is_update(edit: UnitEdit) -> bool:
    if edit.before is None or edit.after is None:
        return False
    moved = replace(edit.before, parent_id=edit.after.parent_id)
    stamped = replace(moved, since=edit.after.since, revision=edit.after.revision)
    return stamped != edit.after
