"""blueprint.toml: the shape is checked, and everything wrong is named at once."""

from pathlib import Path

import pytest

from cli.files.blueprint import read_blueprint
from cli.records import BlueprintRecord, KindTerm, Term

GOOD = """
style = "party"
[names]
en = "Test"
hi = "परीक्षा"
[[levels]]
key = "state"
names.en = "State"
[[group_kinds]]
key = "category"
has_category = true
names.en = "Category"
[[categories]]
key = "farmers"
names = { en = "Farmers", hi = "किसान" }
"""


def _read(
    tmp_path: Path, content: str | bytes
) -> tuple[BlueprintRecord | None, list[tuple[str, str]]]:
    path = tmp_path / "blueprint.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    record, problems = read_blueprint(path)
    return record, [(problem.field, problem.reason) for problem in problems]


def test_a_blueprint_is_read_whole(tmp_path: Path) -> None:
    record, problems = _read(tmp_path, GOOD)

    assert problems == []
    assert record == BlueprintRecord(
        "party",
        {"en": "Test", "hi": "परीक्षा"},
        [Term("state", {"en": "State"})],
        [KindTerm("category", {"en": "Category"}, has_category=True)],
        [Term("farmers", {"en": "Farmers", "hi": "किसान"})],
    )


def test_everything_wrong_is_named_by_its_place(tmp_path: Path) -> None:
    content = """
style = 7
levels = "state"
colour = "red"
[[group_kinds]]
key = ""
has_category = "yes"
names.en = "Category"
[[categories]]
key = "farmers"
name = "Farmers"
"""

    record, problems = _read(tmp_path, content)

    assert record is None
    assert sorted(problems) == [
        ("categories[0].name", "UNKNOWN_FIELD"),
        ("categories[0].names", "MISSING"),
        ("colour", "UNKNOWN_FIELD"),
        ("group_kinds[0].has_category", "BAD_SHAPE"),
        ("group_kinds[0].key", "MISSING"),
        ("levels", "BAD_SHAPE"),
        ("names", "MISSING"),
        ("style", "MISSING"),
    ]


@pytest.mark.parametrize(
    ("content", "reason"), [(b"style = \xff", "BAD_UTF8"), (b"style = ", "BAD_TOML")]
)
def test_what_is_no_toml_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    assert _read(tmp_path, content) == (None, [("", reason)])
