"""`chaupal demo-data` writes the same files for the same seed."""

import csv
import json
from pathlib import Path

from click.testing import CliRunner

from cli.main import main
from cli.records import GROUP_COLUMNS, UNIT_COLUMNS


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _run(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["demo-data", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_it_writes_four_files_for_each_tenant_and_counts_their_rows(tmp_path: Path) -> None:
    told = json.loads(_run("--out", str(tmp_path), "-o", "json"))

    files = _files(tmp_path)
    assert sorted(files) == sorted(
        f"{tenant}/{name}"
        for tenant in ("neem", "peepal")
        for name in ("README.md", "blueprint.yaml", "groups.csv", "units.csv")
    )
    for one in told["tenants"]:
        with (tmp_path / one["tenant"] / "units.csv").open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert tuple(header) == UNIT_COLUMNS
        assert len(rows) == one["unitCount"]
        with (tmp_path / one["tenant"] / "groups.csv").open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert tuple(header) == GROUP_COLUMNS
        assert len(rows) == one["groupCount"]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    _run("--out", str(tmp_path / "a"), "--seed", "5")
    _run("--out", str(tmp_path / "b"), "--seed", "5")
    _run("--out", str(tmp_path / "c"), "--seed", "6")

    assert _files(tmp_path / "a") == _files(tmp_path / "b")
    assert _files(tmp_path / "a") != _files(tmp_path / "c")


def test_a_folder_that_cannot_be_written_is_refused_with_the_cure(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")

    result = CliRunner().invoke(
        main, ["demo-data", "--out", str(blocked / "demo"), "--seed", "5", "-o", "json"]
    )

    assert result.exit_code == 1
    assert result.stdout == ""
    error = json.loads(result.stderr)["error"]
    assert error["reason"] == "OUT_UNWRITABLE"
    assert "--out" in error["cure"]
    assert blocked.read_text() == "in the way"
