"""A blueprint that is exported imports back, whatever it says; the ready ones are right."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cli.clients.blueprints import blueprint_message, blueprint_record, file_path
from cli.demo.tenants import TENANTS, blueprint_file
from cli.files.blueprint import line_in, read_blueprint
from cli.files.blueprint_writing import blueprint_yaml
from cli.records import BlueprintRecord, GrantTerm, KindTerm, PositionTerm, TeamTerm, Term
from kit.errors import InvalidInput
from services.hierarchy.domain.blueprints import blueprint_violations
from services.hierarchy.domain.model import (
    Blueprint,
    Category,
    GroupKind,
    Level,
    Position,
    TeamKind,
)
from services.hierarchy.translate.blueprints import blueprint_to_proto, draft_from_proto
from tests.blueprint_strategies import valid_blueprints

EVERYTHING = BlueprintRecord(
    "party",
    {"hi": "नीम संगठन", "en": "Neem: Sangathan"},
    [Term("centre", {"en": "Centre"}), Term("no", {"en": "No"})],
    [KindTerm("internal", {"en": "Internal"}, False), KindTerm("category", {"en": "C"}, True)],
    [Term("farmers", {"en": "Farmers", "hi": "किसान"})],
    [
        PositionTerm("head", {"en": "Head"}, ["centre"], 1, ["head"], [GrantTerm("view")]),
        PositionTerm(
            "secretary",
            {"en": 'The "secretary"\\'},
            ["centre", "no"],
            0,
            [],
            [GrantTerm("view"), GrantTerm("compose", ["farmers"], ["category"])],
        ),
    ],
    [TeamTerm("core", {"en": "Core"}, ["no"], 7)],
    "centre",
    90,
)


def read_back(content: str) -> BlueprintRecord:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "blueprint.yaml"
        path.write_text(content, encoding="utf-8", newline="")
        record, problems = read_blueprint(path)
    assert problems == []
    assert record is not None
    return record


@given(blueprint=valid_blueprints())
def test_any_blueprint_survives_export_and_import(blueprint: Blueprint) -> None:
    exported = blueprint_yaml(blueprint_record(blueprint_to_proto(blueprint)))

    imported = draft_from_proto(blueprint_message(read_back(exported)), "blueprint")

    assert imported == blueprint
    assert blueprint_yaml(read_back(exported)) == exported


@given(
    text=st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: bool(text.strip()))
)
def test_any_text_is_written_so_that_every_reader_of_yaml_reads_it(text: str) -> None:
    record = BlueprintRecord("party", {"en": text}, [], [])
    exported = blueprint_yaml(record)

    assert read_back(exported).names == {"en": text}
    assert yaml.safe_load(exported)["names"] == {"en": text}


def test_the_file_reads_well() -> None:
    content = "\n".join(
        line for line in blueprint_yaml(EVERYTHING).splitlines() if not line.startswith("#")
    )

    assert (
        content
        == """\
format: 1
style: party
names: { en: "Neem: Sangathan", hi: नीम संगठन }
centre_level: centre
verification_days: 90

levels:
  - { key: centre, names: { en: Centre } }
  - { key: "no", names: { en: "No" } }

group_kinds:
  - { key: internal, names: { en: Internal } }
  - { key: category, has_category: true, names: { en: C } }

categories:
  - { key: farmers, names: { en: Farmers, hi: किसान } }

positions:
  - key: head
    names: { en: Head }
    levels: [centre]
    seats: 1
    roles: [head]
    grants: [view]
  - key: secretary
    names: { en: "The \\"secretary\\"\\\\" }
    levels: [centre, "no"]
    seats: 0
    grants:
      - view
      - { capability: compose, categories: [farmers], group_kinds: [category] }

team_kinds:
  - key: core
    names: { en: Core }
    levels: ["no"]
    max_members: 7"""
    )
    assert read_back(blueprint_yaml(EVERYTHING)) == EVERYTHING


@pytest.mark.parametrize("tenant", TENANTS)
def test_the_ready_blueprints_are_right_and_in_both_languages(tenant: str) -> None:
    record, problems = read_blueprint(blueprint_file(tenant))
    assert problems == []
    assert record is not None

    draft = draft_from_proto(blueprint_message(record), "blueprint")

    named: list[Level | GroupKind | Category | Position | TeamKind] = [*draft.levels]
    named += [*draft.group_kinds, *draft.categories, *draft.positions, *draft.team_kinds]
    names = [draft.names, *(each.names for each in named)]
    assert all({"en", "hi"} == each.by_language.keys() for each in names)
    assert blueprint_violations(draft, "blueprint") == ()
    assert read_back(blueprint_yaml(record)) == record
    # Every level has a head, to whom something can be handed up.
    heads = [level for each in draft.positions if "head" in each.roles for level in each.levels]
    assert sorted(heads) == sorted(draft.level_keys)


def test_the_ready_tree_of_command_has_seven_monitors_under_a_convenor_and_a_centre() -> None:
    record, _ = read_blueprint(blueprint_file("neem"))
    assert record is not None
    positions = {each.key: each for each in record.positions}

    assert [each.key for each in record.levels] == [
        "centre", "state", "division", "district", "mandal", "shakti_kendra", "booth",
    ]  # fmt: skip
    assert record.centre_level == "centre"
    assert (positions["monitor"].seats, positions["monitor"].roles) == (7, ["monitor"])
    convenors = [each for each in record.positions if "convenor" in each.roles]
    assert [each.levels for each in convenors] == [["state"]]
    team_levels = {level for each in record.team_kinds for level in each.levels}
    assert team_levels == {"state", "district", "mandal", "shakti_kendra", "booth"}


def test_the_ready_cross_cut_has_a_secretary_of_the_executive_for_each_category() -> None:
    record, _ = read_blueprint(blueprint_file("peepal"))
    assert record is not None

    composed = {
        category
        for each in record.positions
        if "state_executive" in each.roles
        for grant in each.grants
        if grant.capability == "compose"
        for category in grant.categories
    }
    assert composed == {each.key for each in record.categories}


def test_what_the_service_finds_is_told_by_the_line_of_the_file() -> None:
    record = read_back(blueprint_yaml(EVERYTHING))
    draft = blueprint_message(record)
    draft.positions[1].levels[1] = "ward"
    draft.names.by_language["hi"] = " "

    with pytest.raises(InvalidInput) as refused:
        draft_from_proto(draft, "blueprint")

    lines = blueprint_yaml(EVERYTHING).splitlines()
    paths = [file_path(each.field) for each in refused.value.violations]
    told = [(path, lines[line_in(record.lines, path) - 1]) for path in paths]
    assert told == [
        ("names.hi", 'names: { en: "Neem: Sangathan", hi: नीम संगठन }'),
        ("positions[1].levels[1]", '    levels: [centre, "no"]'),
    ]
