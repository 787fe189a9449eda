"""What right rows create and change, for any tree."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kit.ids import SeededIds, is_uuid
from services.hierarchy.domain.imports import Plan, import_fingerprint, plan_import, row_keys
from services.hierarchy.domain.model import Unit, UnitKey, UnitRow
from services.hierarchy.domain.row_checks import Standing
from tests.builders_hierarchy import a_blueprint, a_row, a_small_tree, an_import, numbered, text
from tests.strategies import valid_trees

NOW = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def plan(
    rows: list[UnitRow], *before: Unit, version: int = 4, effective_at: datetime = NOW
) -> Plan:
    units = {unit.key: unit for unit in before}
    standing = Standing(a_blueprint(), version, units, Counter(unit.level for unit in before))
    return plan_import(rows, standing, new_id=SeededIds(1).new, effective_at=effective_at)


def created(made: Plan) -> list[Unit]:
    return [edit.after for edit in made.edits if edit.before is None and edit.after]


def updated(made: Plan) -> list[tuple[Unit, Unit]]:
    return [(edit.before, edit.after) for edit in made.edits if edit.before and edit.after]


def fingerprint(rows: list[UnitRow], effective_at: datetime | None = None) -> str:
    request = an_import(effective_at=effective_at)
    return import_fingerprint(replace(request, rows=rows))


@given(valid_trees())
def test_a_valid_tree_is_created_whole(rows: list[UnitRow]) -> None:
    made = plan(rows)

    assert made.report.errors == ()
    assert (made.report.created_count, made.report.tree_version) == (len(rows), 5)
    by_key = {unit.key: unit for unit in created(made)}
    assert len({unit.id for unit in created(made)}) == len(rows) == len(by_key)
    for row in rows:
        unit = by_key[row.key]
        assert is_uuid(unit.id)
        assert (unit.names, unit.place) == (row.names, row.place)
        assert unit.parent_id == (by_key[row.parent].id if row.has_parent else None)
        assert (unit.valid_from, unit.since, unit.revision) == (NOW, NOW, 5)


@given(valid_trees(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows: list[UnitRow], chance: random.Random) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)

    def parents(made: Plan) -> dict[UnitKey, UnitKey | None]:
        by_id = {unit.id: unit.key for unit in created(made)}
        return {u.key: by_id[u.parent_id] if u.parent_id else None for u in created(made)}

    assert parents(plan(shuffled)) == parents(plan(rows))


@given(valid_trees())
def test_the_same_rows_again_change_nothing(rows: list[UnitRow]) -> None:
    again = plan(rows, *created(plan(rows)))

    assert again.edits == ()
    assert (again.report.unchanged_count, again.report.applied) == (len(rows), False)
    assert again.report.tree_version == 4


@given(valid_trees())
def test_another_name_is_the_only_thing_that_changes(rows: list[UnitRow]) -> None:
    before = created(plan(rows))
    renamed = [replace(row, names=text("Renamed")) for row in rows]

    made = plan(renamed, *before, version=7, effective_at=LATER)

    assert created(made) == []
    changed = {was.id: after for was, after in updated(made)}
    for unit in before:
        if unit.names != text("Renamed"):
            assert changed[unit.id] == replace(unit, names=text("Renamed"), since=LATER, revision=8)
    assert not any(edit.is_move for edit in made.edits)


def test_another_parent_is_a_move() -> None:
    tree = numbered(a_small_tree())
    before = created(plan(tree))

    made = plan(numbered([a_row("mandal", "M1", under=("district", "AJM"))]), *before)

    (edit,) = made.edits
    assert edit.is_move
    ajmer = next(unit for unit in before if unit.code == "AJM")
    assert edit.after
    assert edit.after.parent_id == ajmer.id


def test_a_preview_says_what_would_happen_and_that_nothing_did() -> None:
    tree = numbered(a_small_tree())
    standing = Standing(a_blueprint(), 4, {}, {})

    preview = plan(tree).preview(standing)

    assert (preview.created_count, preview.applied, preview.tree_version) == (7, False, 4)


def test_the_keys_of_rows_are_their_own_and_their_parents() -> None:
    rows = [a_row("state", "RJ"), a_row("booth", "B1", under=("mandal", "M1"))]

    assert row_keys(rows) == {("state", "RJ"), ("booth", "B1"), ("mandal", "M1")}


@given(valid_trees(max_units=5), valid_trees(max_units=5))
def test_fingerprints_tell_rows_apart(some: list[UnitRow], others: list[UnitRow]) -> None:
    assert (fingerprint(some) == fingerprint(others)) == (some == others)
    assert fingerprint(list(some)) == fingerprint(some)


def test_fingerprints_see_every_field_and_the_order() -> None:
    row = numbered([a_row("district", "JPR", under=("state", "RJ"), name="Jaipur")])[0]
    others = [
        replace(row, row=9),
        replace(row, key=UnitKey("district", "AJM")),
        replace(row, names=text("Jaipur", "जयपुर")),
        replace(row, parent=UnitKey("state", "MP")),
        replace(row, place=None if row.place else a_small_tree()[0].place),
    ]

    digests = {fingerprint([each]) for each in [row, *others]}
    assert len(digests) == 6
    assert fingerprint([row, others[0]]) != fingerprint([others[0], row])
    assert fingerprint([row], NOW) not in {*digests, fingerprint([row], LATER)}
