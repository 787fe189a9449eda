"""Files that are wrong, too large, or made to do harm are refused before they can."""

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from cli.errors import Refusal
from cli.files import archive, sources, table
from cli.files.escaping import from_cell, from_xlsx, to_csv_cell, to_xlsx_cell
from cli.files.problems import Problem
from cli.files.row_writing import row_writer
from cli.files.transfer_rows import APPOINTMENTS, AREAS, PERSONS, TEAMS, Kind
from cli.transferring import LIMITS, Reading
from tests.transfers import NASTY

PERSON_COLUMNS = ("id", "phone", "name", "name_hi", "other_names", "subject")


def read(kind: Kind, path: Path) -> tuple[list[Any], list[tuple[int, str, str]]]:
    """The rows of a file as messages, and what is wrong: row, column, reason."""
    reading = Reading(kind, path)
    rows = [row for page in reading.pages() for row in page]
    assert reading.problems.count == len(reading.problems.told)
    return rows, [(each.row, each.field, each.reason) for each in reading.problems.told]


def wrong(kind: Kind, path: Path) -> list[tuple[int, str, str]]:
    found = read(kind, path)[1]
    assert found
    return found


def a_csv(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "rows.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def a_workbook(tmp_path: Path, *rows: Sequence[object]) -> Path:
    path = tmp_path / "rows.xlsx"
    workbook = Workbook()
    for row in rows:
        workbook.active.append(row)
    workbook.save(path)
    return path


class TestEscaping:
    TEXTS = (
        st.text(st.characters(exclude_categories=["Cs"]))
        | st.text(st.sampled_from("'=+-@ \t_x04"))
        | st.sampled_from(NASTY)
    )

    @given(TEXTS)
    def test_every_text_comes_back(self, text: str) -> None:
        assert from_cell(to_csv_cell(text)) == text
        assert from_cell(from_xlsx(to_xlsx_cell(text))) == text

    @given(st.sampled_from("=+-@\t\r"), st.sampled_from(("", " ", "  ", "\u00a0", "\t", "\n")))
    def test_nothing_that_is_written_is_a_formula(self, sign: str, before: str) -> None:
        cell = to_csv_cell(f"{before}{sign}1+1")
        assert cell[0] == "'"

    @given(TEXTS)
    def test_a_cell_of_csv_begins_with_no_sign(self, text: str) -> None:
        assert not to_csv_cell(text).lstrip().startswith(("=", "+", "-", "@"))

    @pytest.mark.parametrize("text", ["007", "a - b", "it's", "'tis", "जयपुर", "", "#N/A"])
    def test_what_is_harmless_stays_as_it_is(self, text: str) -> None:
        assert to_csv_cell(text) == to_xlsx_cell(text) == text

    def test_texts_in_a_workbook_are_texts(self, tmp_path: Path) -> None:
        path = tmp_path / "out.xlsx"
        with path.open("wb") as to, row_writer(path, to, ("a", "b")) as write:
            for text in ("=1+1", "#N/A", "+91 98", "TRUE", "007"):
                write((text, text))

        with zipfile.ZipFile(path) as found:
            sheet = found.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert sheet.count('t="inlineStr"') == 12


class TestArchives:
    @pytest.fixture
    def make(self, tmp_path: Path) -> Callable[..., Path]:
        def make(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
            path = tmp_path / "rows.xlsx"
            with zipfile.ZipFile(path, "w", method) as to:
                for name, content in members:
                    to.writestr(name, content)
            return path

        return make

    def refused(self, path: Path) -> str:
        reading = Reading(PERSONS, path)
        assert list(reading.pages()) == []
        assert not reading.complete
        (problem,) = reading.problems.told
        assert (problem.row, problem.field, problem.reason) == (0, "", "UNSAFE_ARCHIVE")
        return problem.description

    def test_a_bomb_is_not_unpacked(self, make: Callable[..., Path]) -> None:
        path = make(("xl/worksheets/sheet1.xml", bytes(8 * 1024**2)))

        assert path.stat().st_size < 100_000
        assert self.refused(path).endswith("unpacks to more than 100 times its size")

    @pytest.mark.parametrize(
        ("name", "bound", "said"),
        [
            ("xl/worksheets/sheet1.xml", "MAX_MEMBER_BYTES", "unpacks to 0 MiB, at most 0"),
            ("xl/sharedStrings.xml", "MAX_HELD_BYTES", "unpacks to 0 MiB, at most 0"),
            ("xl/worksheets/sheet1.xml", "MAX_TOTAL_BYTES", "unpacks to 0 MiB, at most 0"),
        ],
    )
    def test_sizes_are_bounded(
        self,
        make: Callable[..., Path],
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        bound: str,
        said: str,
    ) -> None:
        path = make((name, bytes(1_000)))
        monkeypatch.setattr(archive, bound, 1_000)
        assert archive.archive_fault(path) == ""

        monkeypatch.setattr(archive, bound, 999)
        assert self.refused(path).endswith(said)

    def test_parts_are_counted(self, make: Callable[..., Path]) -> None:
        path = make(*((f"xl/{number}.xml", b"") for number in range(archive.MAX_MEMBERS)))
        assert archive.archive_fault(path) == ""

        path = make(*((f"xl/{number}.xml", b"") for number in range(archive.MAX_MEMBERS + 1)))
        assert self.refused(path) == "not opened, as it has 1,001 parts, at most 1,000"

    @pytest.mark.parametrize(
        "name", ["/etc/passwd", "../x.xml", "xl/../../x.xml", "xl\\..\\x.xml", "C:/x.xml"]
    )
    def test_names_stay_inside(self, make: Callable[..., Path], name: str) -> None:
        assert self.refused(make((name, b""))).endswith("a name that leads out of the archive")

    @pytest.mark.parametrize("name", ["xl/more.zip", "xl/embeddings/Book.XLSX", "a.tar.gz"])
    def test_no_archive_in_an_archive(self, make: Callable[..., Path], name: str) -> None:
        assert self.refused(make((name, b""))).endswith("is an archive in the archive")

    def test_unusual_packing_is_refused(self, make: Callable[..., Path]) -> None:
        path = make(("xl/x.xml", b"x"), method=zipfile.ZIP_LZMA)
        assert self.refused(path).endswith("is packed in an unusual way")

    def test_encryption_is_named(self, make: Callable[..., Path]) -> None:
        path = make(("xl/x.xml", b"x"), method=zipfile.ZIP_STORED)
        raw = bytearray(path.read_bytes())
        raw[raw.index(b"PK\x01\x02") + 8] |= 1
        path.write_bytes(raw)
        assert "without a password" in self.refused(path)

    def test_parts_that_share_bytes_are_refused(self, make: Callable[..., Path]) -> None:
        """As in the bombs of David Fifield: many entries of one compressed part."""
        content = bytes(range(256)) * 16
        path = make(("xl/a.xml", content), method=zipfile.ZIP_STORED)
        with zipfile.ZipFile(path) as source:
            (member,) = source.infolist()
        raw = path.read_bytes()
        at = raw.index(b"PK\x01\x02")
        end = raw.index(b"PK\x05\x06")
        entry, tail = raw[at:end], bytearray(raw[end:])
        entries = b"".join(entry.replace(b"a.xml", b"%c.xml" % each) for each in b"abcd")
        tail[8:10] = tail[10:12] = (4).to_bytes(2, "little")
        tail[12:16] = len(entries).to_bytes(4, "little")
        path.write_bytes(raw[:at] + entries + bytes(tail))

        assert member.compress_size == len(content)
        assert self.refused(path) == "not opened, as it has parts that overlap"

    @pytest.mark.parametrize("content", [b"", b"id,phone,name\n", b"PK\x03\x04 and nothing more"])
    def test_what_is_no_workbook_is_said_to_be_none(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "rows.xlsx"
        path.write_bytes(content)
        assert wrong(PERSONS, path) == [(0, "", "BAD_WORKBOOK")]

    def test_a_workbook_without_its_parts_is_none(self, make: Callable[..., Path]) -> None:
        assert wrong(PERSONS, make(("hello.txt", b"hi"))) == [(0, "", "BAD_WORKBOOK")]

    def test_entities_are_not_expanded(self, tmp_path: Path) -> None:
        """Ten lines that would be a gigabyte: the parser refuses their definitions."""
        path = a_workbook(tmp_path, PERSON_COLUMNS)
        laughs = "".join(
            f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha" * 50}">' for n in range(8)
        )
        with zipfile.ZipFile(path) as source:
            parts = {each: source.read(each) for each in source.namelist()}
        sheet = parts["xl/worksheets/sheet1.xml"].decode()
        parts["xl/worksheets/sheet1.xml"] = f"<!DOCTYPE x [{laughs}]>{sheet}".encode()
        with zipfile.ZipFile(path, "w") as to:
            for name, part in parts.items():
                to.writestr(name, part)

        assert wrong(PERSONS, path) == [(0, "", "BAD_WORKBOOK")]

    def test_a_sheet_that_states_a_million_columns_is_read_as_it_is(self, tmp_path: Path) -> None:
        path = a_workbook(tmp_path, PERSON_COLUMNS, ("", "", "Asha", "", "", ""))
        with zipfile.ZipFile(path) as source:
            parts = {each: source.read(each) for each in source.namelist()}
        sheet = parts["xl/worksheets/sheet1.xml"]
        assert b'ref="A1:F2"' in sheet
        parts["xl/worksheets/sheet1.xml"] = sheet.replace(b"A1:F2", b"A1:XFD1048576")
        with zipfile.ZipFile(path, "w") as to:
            for name, part in parts.items():
                to.writestr(name, part)

        rows, problems = read(PERSONS, path)

        assert problems == []
        assert [row.names.by_language["en"] for row in rows] == ["Asha"]


class TestWorkbooks:
    def test_cells_of_every_kind(self, tmp_path: Path) -> None:
        path = a_workbook(
            tmp_path,
            ("unit_level", "unit_code", "position", "name", "valid_from", "valid_to"),
            ("district", 12, "secretary", True, datetime(2026, 1, 31), "2026-03-01"),  # noqa: DTZ001
            (),
            ("district", 12.0, "secretary", " Asha ", datetime(2026, 1, 31, 10, 30), None),  # noqa: DTZ001
        )

        rows, problems = read(APPOINTMENTS, path)

        assert problems == []
        first, second = rows
        assert (first.row, first.unit.code, first.person.names.by_language["en"]) == (
            2, "12", "TRUE",
        )  # fmt: skip
        assert first.valid_from.ToJsonString() == "2026-01-31T00:00:00Z"
        assert first.valid_to.ToJsonString() == "2026-03-01T00:00:00Z"
        assert (second.row, second.unit.code) == (4, "12")
        assert second.person.names.by_language["en"] == "Asha"
        assert second.valid_from.ToJsonString() == "2026-01-31T10:30:00Z"

    def test_formulas_errors_and_dates_out_of_place_are_refused_with_their_row(
        self, tmp_path: Path
    ) -> None:
        path = a_workbook(
            tmp_path,
            PERSON_COLUMNS,
            ("", "=1+1", "Asha", "", "", ""),
            ("", "", "#REF!", "", "", ""),
            ("", "", datetime(2026, 1, 1), "", "", ""),  # noqa: DTZ001
            ("", "", time(10, 30), "", "", ""),
        )

        assert wrong(PERSONS, path) == [
            (2, "phone", "FORMULA"),
            (3, "name", "BAD_CELL"),
            (4, "name", "BAD_CELL"),
            (5, "name", "BAD_CELL"),
        ]

    def test_a_text_that_looks_like_a_formula_is_a_text(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.xlsx"
        workbook: Any = Workbook(write_only=True)
        sheet = workbook.create_sheet()
        cell = WriteOnlyCell(sheet, "=1+1")
        cell.data_type = "s"
        sheet.append(PERSON_COLUMNS)
        sheet.append(("", "", cell, "", "", ""))
        workbook.save(path)

        rows, problems = read(PERSONS, path)

        assert problems == []
        assert rows[0].names.by_language["en"] == "=1+1"

    def test_too_many_columns_and_rows(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = a_workbook(tmp_path, [f"c{number}" for number in range(16_000)])
        assert wrong(PERSONS, path) == [(1, "", "TOO_MANY_CELLS")]

        rows = [("", "", "Asha", "", "", "")] * 4
        path = a_workbook(tmp_path, PERSON_COLUMNS, *rows)
        monkeypatch.setattr("cli.transferring.LIMITS", sources.Limits(3, LIMITS.file_bytes))
        reading = Reading(PERSONS, path)
        assert len([row for page in reading.pages() for row in page]) == 3
        assert [each.reason for each in reading.problems.told] == ["TOO_MANY_ROWS"]
        assert not reading.complete

    def test_what_a_cell_cannot_hold_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "out.xlsx"

        def write(count: int) -> None:
            with row_writer(path, io.BytesIO(), ("a",)) as write_row:
                write_row(("x" * count,))

        write(32_767)
        with pytest.raises(Refusal) as refused:
            write(32_768)

        assert refused.value.reason == "CELL_TOO_LONG"


class TestCsv:
    def test_a_byte_order_mark_and_missing_columns_that_need_not_be_there(
        self, tmp_path: Path
    ) -> None:
        path = a_csv(tmp_path, "\ufeffphone,id,name\r\n'+919876500001,,'=Asha\r\n")

        rows, problems = read(PERSONS, path)

        assert problems == []
        assert (rows[0].phone, rows[0].names.by_language["en"]) == ("+919876500001", "=Asha")

    @pytest.mark.parametrize(
        ("content", "found"),
        [
            ("id,phone,name\n".encode("utf-16"), [(0, "", "BAD_UTF8")]),
            (b"id,phone,name\n,,Andr\xe9\n", [(2, "name", "BAD_UTF8")]),
            (b"id,phone,name\n,,A\x00sha\n", [(2, "name", "BAD_CHARACTER")]),
            (b"", [(1, "", "EMPTY_FILE")]),
            (b"id,phone,name\n", [(0, "", "MISSING")]),
            (b"id;phone;name\n", [(1, "", "BAD_SEPARATOR")]),
            (b"id,phone\n,1\n", [(1, "name", "MISSING_COLUMN")]),
            (b"id,phone,name,age\n,,A,7\n", [(1, "age", "UNKNOWN_COLUMN")]),
            (b"id,phone,name,name\n,,A,B\n", [(1, "name", "DUPLICATE_COLUMN")]),
            (b"id,phone,name\n,A\n,,A,B\n", [(2, "", "TOO_FEW_CELLS"), (3, "", "TOO_MANY_CELLS")]),
            (b'id,phone,name\n,,A\n,,"B\n', [(3, "", "BAD_QUOTES")]),
            (b"PK\x03\x04 a workbook by another name", [(0, "", "WRONG_FILE")]),
            (b",".join([b"x"] * 65), [(1, "", "TOO_MANY_CELLS")]),
        ],
    )
    def test_what_is_wrong_is_told(
        self, tmp_path: Path, content: bytes, found: list[tuple[int, str, str]]
    ) -> None:
        told = wrong(PERSONS, a_csv(tmp_path, content))
        if found == [(1, "", "BAD_SEPARATOR")]:
            told = told[:1]
        assert told == found

    def test_a_cell_has_a_bound(self, tmp_path: Path) -> None:
        most = sources.MAX_CELL_CHARS
        assert read(PERSONS, a_csv(tmp_path, f"id,phone,name\n,,{'x' * most}\n"))[1] == []
        path = a_csv(tmp_path, f"id,phone,name\n,,{'x' * (most + 1)}\n")
        assert wrong(PERSONS, path) == [(2, "", "CELL_TOO_LONG")]

    def test_a_file_has_a_bound(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = a_csv(tmp_path, "id,phone,name\n,,A\n")
        size = path.stat().st_size
        monkeypatch.setattr("cli.transferring.LIMITS", sources.Limits(9, size))
        assert read(PERSONS, path)[1] == []
        monkeypatch.setattr("cli.transferring.LIMITS", sources.Limits(9, size - 1))
        assert wrong(PERSONS, path) == [(0, "", "FILE_TOO_LARGE")]

    def test_what_a_row_cannot_carry_is_told(self, tmp_path: Path) -> None:
        content = "unit_level,unit_code,position,name,other_names,valid_from\n"
        content += 'd,1,p,A,"{""ta"": ""x""}",2026-01-31T10:00:00+05:30\n'
        content += 'd,1,p,A,"{""hi"": ""x""}",31.1.2026\n'
        content += "d,1,p,A,[],2026-02-30\n"
        content += "d,1,p,A,x,0001-01-01T00:00:00+05:30\n"

        rows, problems = read(APPOINTMENTS, a_csv(tmp_path, content))

        assert rows[0].valid_from.ToJsonString() == "2026-01-31T04:30:00Z"
        assert rows[0].person.names.by_language == {"en": "A", "ta": "x"}
        assert problems == [
            (row, column, reason)
            for row in (3, 4, 5)
            for column, reason in (("other_names", "BAD_NAMES"), ("valid_from", "BAD_DATE"))
        ]

    def test_units_of_an_area(self, tmp_path: Path) -> None:
        content = "kind,code,name,units\nac,1,A,district:JPR; district:AJM ;\nac,2,B,\nac,3,C,JPR\n"

        rows, problems = read(AREAS, a_csv(tmp_path, content))

        assert problems == [(4, "units", "BAD_UNITS")]
        assert [each.sets_units for each in rows] == [True, True, True]
        assert [unit.code for unit in rows[0].units] == ["JPR", "AJM"]
        rows, problems = read(AREAS, a_csv(tmp_path, "kind,code,name\nac,1,A\n"))
        assert problems == []
        assert not rows[0].sets_units

    def test_problems_are_counted_all_and_kept_in_part(self, tmp_path: Path) -> None:
        path = a_csv(tmp_path, "id,phone,name\n" + ",,a,b\n" * 1_500)
        reading = Reading(PERSONS, path)
        for _ in reading.pages():
            pass
        assert (reading.problems.count, len(reading.problems.told)) == (1_500, 1_000)


class TestTeams:
    HEAD = "unit_level,unit_code,kind,team_name,person_id,role\n"

    def pages(self, tmp_path: Path, content: str) -> tuple[list[int], list[Problem]]:
        reading = Reading(TEAMS, a_csv(tmp_path, self.HEAD + content))
        sizes = [len(page) for page in reading.pages()]
        return sizes, reading.problems.told

    def test_the_rows_of_a_team_are_in_one_page(self, tmp_path: Path) -> None:
        teams = "".join(f"d,1,k,Team {n},p,lead\n" * 4_000 for n in range(4))

        sizes, problems = self.pages(tmp_path, teams)

        assert sizes == [8_000, 8_000]
        assert problems == []

    def test_rows_of_a_team_that_are_scattered_are_told(self, tmp_path: Path) -> None:
        _, problems = self.pages(tmp_path, "d,1,k,A,p,l\nd,1,k,B,p,l\nd,1,k,A,q,l\n")
        assert [(each.row, each.reason) for each in problems] == [(4, "TEAM_SCATTERED")]

    def test_a_team_has_a_bound(self, tmp_path: Path) -> None:
        sizes, problems = self.pages(tmp_path, "d,1,k,A,p,l\n" * 10_000)
        assert (sizes, problems) == ([10_000], [])
        sizes, problems = self.pages(tmp_path, "d,1,k,A,p,l\n" * 10_001 + "d,1,k,B,p,l\n")
        assert sizes == [1]
        assert [(each.row, each.reason) for each in problems] == [(2, "TEAM_TOO_LARGE")]


def test_units_have_the_bounds_that_their_import_has() -> None:
    assert (table.MAX_ROWS, LIMITS.rows) == (200_000, 2_000_000)
