"""Every way in which a file can be wrong is found, with the row and what to do."""

from pathlib import Path

import pytest

from cli.errors import Refusal
from cli.files import table
from cli.files.problems import Problem, joined
from cli.files.report import ImportOutcome
from cli.files.rows import Parsed, read_groups, read_units
from cli.files.writing import write_groups, write_units
from cli.importing import check_file
from cli.records import GROUP_COLUMNS, UnitRecord
from tests.demo import demo

UNITS = "level,code,name,name_hi,parent_level,parent_code,latitude,longitude"
GROUPS = (
    "code,name,name_hi,kind,category,unit_level,unit_code,language,member_count,capacity,state,"
    "owner,admins,backup,state_executive"
)


def _units(tmp_path: Path, content: str | bytes) -> Parsed[UnitRecord]:
    path = tmp_path / "units.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_units(path)


def _found(parsed: Parsed[UnitRecord]) -> list[tuple[int, str, str]]:
    return [(one.row, one.field, one.reason) for one in parsed.problems]


def test_what_the_generator_writes_is_read_back(tmp_path: Path) -> None:
    tenant = demo("neem", "small")
    write_units(tmp_path / "units.csv", tenant.units)
    write_groups(tmp_path / "groups.csv", tenant.groups)

    units, groups = read_units(tmp_path / "units.csv"), read_groups(tmp_path / "groups.csv")

    assert units.rows == list(enumerate(tenant.units, start=2))
    assert groups.rows == list(enumerate(tenant.groups, start=2))
    assert not units.problems
    assert not groups.problems
    assert units.complete
    assert groups.complete


def test_a_byte_order_mark_any_column_order_and_blank_rows_are_taken(tmp_path: Path) -> None:
    content = (
        "\ufeffcode,level,name,name_hi,parent_code,parent_level,longitude,latitude\r\n"
        'RJ,state, "Raja, sthan" ,राजस्थान,,,75.79,26.91\r\n'
        "\r\n"
        "JPR,division,Jaipur,,RJ,state,,\r\n"
    )

    parsed = _units(tmp_path, content.replace(', "', ',"').replace('" ,', '",'))

    assert parsed.rows == [
        (2, UnitRecord("state", "RJ", "Raja, sthan", "राजस्थान", "", "", 26.91, 75.79)),
        (4, UnitRecord("division", "JPR", "Jaipur", "", "state", "RJ", None, None)),
    ]
    assert not parsed.problems


def test_a_row_after_a_cell_with_line_breaks_keeps_the_spreadsheets_number(tmp_path: Path) -> None:
    parsed = _units(tmp_path, f'{UNITS}\nstate,RJ,"Raja\nsthan",,,,,\nstate,X,X,,,,north,1\n')

    assert _found(parsed) == [(3, "latitude", "BAD_PLACE")]


def test_missing_unknown_and_repeated_columns_are_named_together(tmp_path: Path) -> None:
    header = "level,code,code,name,name_hindi,parent_level,latitude,longitude"

    parsed = _units(tmp_path, f"{header}\nstate,RJ,RJ,Rajasthan,,,,\n")

    assert _found(parsed) == [
        (1, "name_hi", "MISSING_COLUMN"),
        (1, "parent_code", "MISSING_COLUMN"),
        (1, "code", "DUPLICATE_COLUMN"),
        (1, "name_hindi", "UNKNOWN_COLUMN"),
    ]
    assert parsed.rows == []
    assert not parsed.complete


def test_bytes_that_are_not_utf8_are_named_by_row_column_and_value(tmp_path: Path) -> None:
    content = (
        f"{UNITS}\nstate,RJ,Rajasthan,,,,,\n".encode()
        + b"division,JPR,Jaip\xfcr,,state,RJ,,\n"
        + b"division,AJM,Ajmer,\xed\xa0\x80,state,RJ,,\n"
    )

    parsed = _units(tmp_path, content)

    assert _found(parsed) == [(3, "name", "BAD_UTF8"), (4, "name_hi", "BAD_UTF8")]
    assert "0xFC" in parsed.problems[0].description
    assert "0xED" in parsed.problems[1].description
    assert [record.code for _, record in parsed.rows] == ["RJ", "JPR", "AJM"]
    assert parsed.complete


def test_utf16_is_named_as_such(tmp_path: Path) -> None:
    parsed = _units(tmp_path, f"{UNITS}\nstate,RJ,Rajasthan,,,,,\n".encode("utf-16"))

    assert _found(parsed) == [(0, "", "BAD_UTF8")]
    assert "UTF-16" in parsed.problems[0].description


def test_rows_with_too_many_or_too_few_cells_are_named(tmp_path: Path) -> None:
    parsed = _units(tmp_path, f"{UNITS}\nstate,RJ,Raja,sthan,,,,,\ndivision,JPR,Jaipur\n")

    assert _found(parsed) == [(2, "", "TOO_MANY_CELLS"), (3, "", "TOO_FEW_CELLS")]
    assert "9 cells under 8 columns; put texts with commas" in parsed.problems[0].description
    assert "3 cells under 8 columns; write a comma for" in parsed.problems[1].description


def test_a_quote_that_never_closes_is_named_by_its_row(tmp_path: Path) -> None:
    parsed = _units(tmp_path, f'{UNITS}\nstate,RJ,R,,,,,\ndivision,JPR,"Jaipur,,state,RJ,,\n')

    assert _found(parsed) == [(3, "", "BAD_QUOTES")]
    assert not parsed.complete


def test_control_characters_are_named(tmp_path: Path) -> None:
    parsed = _units(tmp_path, f"{UNITS}\nstate,R\x00J,Rajasthan,,,,,\n")

    assert _found(parsed) == [(2, "code", "BAD_CHARACTER")]


@pytest.mark.parametrize(
    "content", ["", "\n\n", "\ufeff"], ids=["nothing", "blank lines", "only a byte order mark"]
)
def test_an_empty_file_is_told_which_header_it_needs(tmp_path: Path, content: str) -> None:
    parsed = _units(tmp_path, content)

    assert _found(parsed) == [(1, "", "EMPTY_FILE")]
    assert UNITS in parsed.problems[0].description


@pytest.mark.parametrize("separator", [";", "\t"])
def test_another_separator_is_named_as_the_cause(tmp_path: Path, separator: str) -> None:
    parsed = _units(tmp_path, UNITS.replace(",", separator) + "\n")

    assert _found(parsed) == [(1, "", "BAD_SEPARATOR")]


@pytest.mark.parametrize("cell", ["north", "nan", "1_0.5", "26,9", "१२.५", "1e9", "inf"])
def test_a_latitude_that_is_no_decimal_number_is_refused(tmp_path: Path, cell: str) -> None:
    parsed = _units(tmp_path, f'{UNITS}\nstate,RJ,Rajasthan,,,,"{cell}",75.79\n')

    assert _found(parsed) == [(2, "latitude", "BAD_PLACE")]


@pytest.mark.parametrize(
    ("latitude", "longitude"), [("north", "east"), ("90.1", "-181"), ("north", "999"), ("-91", "x")]
)
def test_both_halves_of_a_place_are_refused_when_both_are_wrong(
    tmp_path: Path, latitude: str, longitude: str
) -> None:
    parsed = _units(tmp_path, f"{UNITS}\nstate,RJ,Rajasthan,,,,{latitude},{longitude}\n")

    assert _found(parsed) == [(2, "latitude", "BAD_PLACE"), (2, "longitude", "BAD_PLACE")]


def test_half_a_place_is_refused(tmp_path: Path) -> None:
    parsed = _units(tmp_path, f"{UNITS}\nstate,RJ,Rajasthan,,,,26.91,\n")

    assert _found(parsed) == [(2, "longitude", "BAD_PLACE")]


def test_a_group_with_bad_numbers_and_state_is_refused_cell_by_cell(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    row = "G1,Team,,internal,,state,RJ,hi,1_0,many,sleeping,p1,p2; ;p3,,"
    path.write_text(f"{GROUPS}\n{row}\n", encoding="utf-8")

    parsed = read_groups(path)

    assert [(one.row, one.field, one.reason) for one in parsed.problems] == [
        (2, "member_count", "BAD_NUMBER"),
        (2, "capacity", "BAD_NUMBER"),
        (2, "state", "BAD_STATE"),
    ]
    assert parsed.rows[0][1].admins == ("p2", "p3")


def test_more_rows_than_an_import_takes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MAX_ROWS", 2)
    rows = "".join(f"state,R{number},R,,,,,\n" for number in range(3))

    parsed = _units(tmp_path, f"{UNITS}\n{rows}")

    assert _found(parsed) == [(4, "", "TOO_MANY_ROWS")]
    assert not parsed.complete


def test_a_file_larger_than_the_limit_is_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MAX_FILE_BYTES", 10)

    assert _found(_units(tmp_path, f"{UNITS}\n")) == [(0, "", "FILE_TOO_LARGE")]


def test_one_report_holds_our_findings_and_the_services_but_no_cell_twice() -> None:
    ours = [
        Problem(3, "latitude", "BAD_PLACE", "no number"),
        Problem(7, "", "TOO_FEW_CELLS", "3 cells"),
    ]
    theirs = [
        Problem(2, "parent_code", "UNKNOWN_PARENT", "no such unit"),
        Problem(3, "latitude", "BAD_PLACE", "empty"),
        Problem(3, "code", "BAD_CODE", "holds a space"),
        Problem(7, "name", "MISSING", "needs a name"),
    ]

    report = joined(ours, theirs)

    assert [(one.row, one.field, one.reason) for one in report] == [
        (2, "parent_code", "UNKNOWN_PARENT"),
        (3, "latitude", "BAD_PLACE"),
        (3, "code", "BAD_CODE"),
        (7, "", "TOO_FEW_CELLS"),
    ]


def test_problems_of_a_row_stand_in_the_order_of_the_columns() -> None:
    ours = [Problem(3, "state", "BAD_STATE", ""), Problem(1, "zone", "UNKNOWN_COLUMN", "")]
    theirs = [
        Problem(3, "admins[1]", "BAD_PERSON", ""),
        Problem(3, "code", "BAD_CODE", ""),
        Problem(3, "elsewhere", "ODD", ""),
        Problem(1, "code", "MISSING_COLUMN", ""),
    ]

    report = joined(ours, theirs, GROUP_COLUMNS)

    assert [(one.row, one.field) for one in report] == [
        (1, "zone"),
        (1, "code"),
        (3, "code"),
        (3, "state"),
        (3, "admins[1]"),
        (3, "elsewhere"),
    ]


@pytest.mark.parametrize("what", ["blueprint", "units", "groups"])
def test_a_file_of_another_kind_is_one_line_that_names_the_command(
    tmp_path: Path, what: str
) -> None:
    tenant = demo("neem", "small")
    files = {name: tmp_path / name for name in ("blueprint", "units", "groups")}
    files["blueprint"].write_bytes(tenant.blueprint.read_bytes())
    write_units(files["units"], tenant.units)
    write_groups(files["groups"], tenant.groups)

    for found in files.keys() - {what}:
        with pytest.raises(Refusal) as refused:
            check_file(what, files[found])
        told = f"{files[found]}: this looks like a {found} file, not a {what} file"
        assert refused.value.message == told
        assert refused.value.cure == f"chaupal import {found} {files[found]}"
    assert check_file(what, files[what]) is None


@pytest.mark.parametrize(("count", "told"), [(1, "1 row imported"), (2, "2 rows imported")])
def test_one_row_is_one_row(count: int, told: str) -> None:
    outcome = ImportOutcome(count, count, 0, 0, 0, (), applied=True)

    assert outcome.lines()[0].startswith(f"{told}: ")


@pytest.mark.parametrize("applied", [True, False], ids=["sent", "tried"])
def test_a_file_that_changes_nothing_says_so(applied: bool) -> None:
    outcome = ImportOutcome(3, 0, 0, 3, 0, (), applied=applied)

    assert outcome.lines() == ["3 rows read, all as they were: nothing had to change"]


@pytest.mark.parametrize(
    ("created", "updated", "told"),
    [(1, 0, "1 new, 0 changed, 1 as they were"), (0, 1, "0 new, 1 changed, 1 as they were")],
)
def test_a_dry_run_that_finds_one_change_says_what_can_be_imported(
    created: int, updated: int, told: str
) -> None:
    outcome = ImportOutcome(2, created, updated, 1, 0, (), applied=False)

    assert outcome.lines() == [f"2 rows can be imported: {told}"]
