"""`chaupal demo-data` writes the same files for the same seed."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.files.problems import Problems
from cli.files.transfer_rows import KINDS, messages
from cli.importing import check_file
from cli.main import main
from cli.records import GROUP_COLUMNS, UNIT_COLUMNS
from cli.transferring import Reading
from tests.demo import DAY, demo

# What `chaupal import` calls each file, and how its rows are counted.
FILES = {
    "units": "unitCount",
    "areas": "areaCount",
    "persons": "personCount",
    "appointments": "appointmentCount",
    "teams": "teamRowCount",
    "groups": "groupCount",
}


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


def test_it_writes_the_files_of_each_tenant_and_counts_their_rows(tmp_path: Path) -> None:
    told = json.loads(_run("--out", str(tmp_path), "-o", "json"))

    files = _files(tmp_path)
    assert sorted(files) == sorted(
        f"{tenant}/{name}"
        for tenant in ("neem", "peepal")
        for name in ("README.md", "blueprint.yaml", *(f"{what}.csv" for what in FILES))
    )
    headers = {"units": UNIT_COLUMNS, "groups": GROUP_COLUMNS}
    for one in told["tenants"]:
        for what, count in FILES.items():
            path = tmp_path / one["tenant"] / f"{what}.csv"
            with path.open(encoding="utf-8", newline="") as file:
                header, *rows = csv.reader(file)
            assert tuple(header) == headers.get(what, tuple(header))
            assert len(rows) == one[count] > 0


@pytest.mark.parametrize("tenant", ["neem", "peepal"])
def test_an_import_finds_nothing_wrong_with_any_file(tmp_path: Path, tenant: str) -> None:
    _run("--out", str(tmp_path))

    for what in FILES:
        assert check_file(what, tmp_path / tenant / f"{what}.csv") is None
    assert check_file("blueprint", tmp_path / tenant / "blueprint.yaml") is None


@pytest.mark.parametrize("what", ["areas", "persons", "appointments", "teams"])
@pytest.mark.parametrize("tenant", ["neem", "peepal"])
def test_what_a_platform_is_filled_with_is_what_the_files_say(
    tmp_path: Path, tenant: str, what: str
) -> None:
    _run("--out", str(tmp_path), "--day", str(DAY))
    kind, problems = KINDS[what], Problems()
    reading = Reading(kind, tmp_path / tenant / f"{what}.csv")

    in_files = [row for page in reading.pages() for row in page]
    in_memory = list(messages(kind, getattr(demo(tenant, "small"), what), problems))

    assert in_memory == in_files
    assert reading.problems.count == problems.count == 0


def test_the_same_seed_and_day_give_the_same_bytes(tmp_path: Path) -> None:
    _run("--out", str(tmp_path / "a"), "--seed", "5", "--day", "2026-06-30")
    _run("--out", str(tmp_path / "b"), "--seed", "5", "--day", "2026-06-30")
    _run("--out", str(tmp_path / "c"), "--seed", "6", "--day", "2026-06-30")
    _run("--out", str(tmp_path / "d"), "--seed", "5", "--day", "2026-07-01")

    first, other_seed, other_day = (_files(tmp_path / name) for name in "acd")
    differing = {name for name, content in first.items() if other_day[name] != content}
    assert first == _files(tmp_path / "b")
    assert first != other_seed
    assert differing == {
        f"{tenant}/{name}" for tenant in ("neem", "peepal")
        for name in ("README.md", "appointments.csv")
    }  # fmt: skip


def test_without_a_day_appointments_are_verified_as_of_today(tmp_path: Path) -> None:
    before = datetime.now(UTC).date()
    told = json.loads(_run("--out", str(tmp_path), "-o", "json"))
    after = datetime.now(UTC).date()

    assert str(before) <= told["day"] <= str(after)
    assert f"--day {told['day']}`" in (tmp_path / "neem" / "README.md").read_text("utf-8")


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
