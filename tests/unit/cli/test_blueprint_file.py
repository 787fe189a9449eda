"""blueprint.yaml: the shape is checked, and everything wrong is named at once, with its line."""

from pathlib import Path

import pytest

from cli.files.blueprint import line_in, read_blueprint
from cli.files.yaml_nodes import MAX_BYTES
from cli.records import BlueprintRecord, GrantTerm, KindTerm, PositionTerm, TeamTerm, Term

GOOD = """\
# A comment.
format: 1
style: party
names: { en: Test, hi: परीक्षा }
centre_level: state
verification_days: 90
levels:
  - { key: state, names: { en: State } }
group_kinds:
  - key: category
    has_category: true
    names:
      en: Category
categories:
  - { key: farmers, names: { en: Farmers, hi: किसान } }
positions:
  - key: member
    names: { en: Member }
    levels: [state]
  - key: secretary
    names: { en: "Secretary, farmers" }
    levels:
      - state
    seats: 0
    roles: [state_executive]
    grants:
      - view
      - { capability: compose, categories: [farmers], group_kinds: [category] }
team_kinds:
  - { key: core, names: { en: Core }, levels: [state], max_members: 7 }
"""
LEAST = """\
format: 1
style: party
names: { en: Test }
levels: [{ key: state, names: { en: State } }]
group_kinds: [{ key: internal, names: { en: Internal } }]
"""


def _read(
    tmp_path: Path, content: str | bytes
) -> tuple[BlueprintRecord | None, list[tuple[int, str, str]]]:
    path = tmp_path / "blueprint.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    record, problems = read_blueprint(path)
    return record, [(problem.row, problem.field, problem.reason) for problem in problems]


def test_a_blueprint_is_read_whole(tmp_path: Path) -> None:
    record, problems = _read(tmp_path, GOOD)

    assert problems == []
    assert record == BlueprintRecord(
        "party",
        {"en": "Test", "hi": "परीक्षा"},
        [Term("state", {"en": "State"})],
        [KindTerm("category", {"en": "Category"}, has_category=True)],
        [Term("farmers", {"en": "Farmers", "hi": "किसान"})],
        [
            PositionTerm("member", {"en": "Member"}, ["state"], 1, [], []),
            PositionTerm(
                "secretary",
                {"en": "Secretary, farmers"},
                ["state"],
                0,
                ["state_executive"],
                [GrantTerm("view"), GrantTerm("compose", ["farmers"], ["category"])],
            ),
        ],
        [TeamTerm("core", {"en": "Core"}, ["state"], 7)],
        "state",
        90,
    )


def test_what_may_be_left_out_is_left_out(tmp_path: Path) -> None:
    record, problems = _read(tmp_path, LEAST + "categories:\npositions: []\n")

    assert problems == []
    assert record == BlueprintRecord(
        "party",
        {"en": "Test"},
        [Term("state", {"en": "State"})],
        [KindTerm("internal", {"en": "Internal"}, has_category=False)],
        [],
        [],
        [],
    )


def test_the_line_of_each_thing_is_known_and_of_others_that_around_it(tmp_path: Path) -> None:
    record, _ = _read(tmp_path, GOOD)
    assert record is not None

    def line(path: str) -> int:
        return line_in(record.lines, path)

    assert line("style") == 3
    assert line("positions[1].levels[0]") == 23
    assert line("positions[1].grants[1].categories[0]") == 28
    assert line("positions[1].grants[0].capability") == 27
    assert line("positions[1].names.hi") == 21
    assert line("positions[0].seats") == 17
    assert line("positions[7]") == 16
    assert line("team_kinds[0].max_members") == 30
    assert line("nowhere") == 0


def test_a_text_stays_a_text_whatever_yaml_would_make_of_it(tmp_path: Path) -> None:
    content = LEAST.replace("{ en: Test }", '{ en: 2024, no: yes, hi: " x " }')

    record, problems = _read(tmp_path, content)

    assert problems == []
    assert record is not None
    assert record.names == {"en": "2024", "no": "yes", "hi": " x "}


def test_everything_wrong_is_named_by_its_line_and_place(tmp_path: Path) -> None:
    content = """\
format: 1
style:
levels: state
colour: red
names: Test
group_kinds:
  - key: ""
    has_category: yes
    names: { en: Category, en: Kind }
categories:
  - key: farmers
    name: Farmers
positions:
  - member
  - key: [a]
    names: { en: ~ }
    levels: [state, { key: state }]
    seats: 010
    grants: [{ capability: view, kinds: [a] }]
verification_days: 1_0
"""

    record, problems = _read(tmp_path, content)

    assert record is None
    assert problems == [
        (2, "style", "MISSING"),
        (3, "levels", "BAD_SHAPE"),
        (4, "colour", "UNKNOWN_FIELD"),
        (5, "names", "BAD_SHAPE"),
        (7, "group_kinds[0].key", "MISSING"),
        (8, "group_kinds[0].has_category", "BAD_SHAPE"),
        (9, "group_kinds[0].names.en", "DUPLICATE_FIELD"),
        (11, "categories[0].names", "MISSING"),
        (12, "categories[0].name", "UNKNOWN_FIELD"),
        (14, "positions[0]", "BAD_SHAPE"),
        (14, "positions[0].key", "MISSING"),
        (14, "positions[0].names", "MISSING"),
        (15, "positions[1].key", "BAD_SHAPE"),
        (16, "positions[1].names.en", "MISSING"),
        (17, "positions[1].levels[1]", "BAD_SHAPE"),
        (18, "positions[1].seats", "BAD_SHAPE"),
        (19, "positions[1].grants[0].kinds", "UNKNOWN_FIELD"),
        (20, "verification_days", "BAD_SHAPE"),
    ]


@pytest.mark.parametrize(
    ("first_line", "problem"),
    [
        ("", (0, "format", "MISSING")),
        ("format:\n", (1, "format", "MISSING")),
        ("format: 2\n", (1, "format", "UNKNOWN_FORMAT")),
        ("format: one\n", (1, "format", "BAD_SHAPE")),
    ],
)
def test_the_format_is_said_and_is_one_that_can_be_read(
    tmp_path: Path, first_line: str, problem: tuple[int, str, str]
) -> None:
    assert _read(tmp_path, LEAST.replace("format: 1\n", first_line)) == (None, [problem])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"format: 1\nstyle: \xff", (2, "", "BAD_UTF8")),
        (b"format: 1\nstyle: [a", (2, "", "BAD_YAML")),
        (b"format: 1\n---\nformat: 1\n", (2, "", "BAD_YAML")),
        (b"format: 1\nstyle: a\x07b", (0, "", "BAD_YAML")),
        (b"format: 1\nstyle: &a x\nnames: *a", (3, "", "BAD_SHAPE")),
        (b"format: 1\nlevels: " + b"[" * 5_000, (2, "", "BAD_SHAPE")),
        (b"#" * (MAX_BYTES + 1), (0, "", "TOO_LARGE")),
        (b"- a\n- b\n", (0, "", "BAD_SHAPE")),
    ],
)
def test_what_is_no_such_file_is_refused(
    tmp_path: Path, content: bytes, problem: tuple[int, str, str]
) -> None:
    record, problems = _read(tmp_path, content)
    assert record is None
    assert problems[0] == problem


def test_an_empty_file_says_what_it_needs(tmp_path: Path) -> None:
    _, problems = _read(tmp_path, "# nothing\n")
    assert [(field, reason) for _, field, reason in problems] == [
        ("format", "MISSING"),
        ("style", "MISSING"),
        ("names", "MISSING"),
    ]


def test_a_file_that_another_program_began_with_a_mark_is_read(tmp_path: Path) -> None:
    assert _read(tmp_path, b"\xef\xbb\xbf" + LEAST.encode())[1] == []
