"""`chaupal import` and `chaupal export` of rows, against a running hierarchy."""

import asyncio
import csv
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from tests.builders_hierarchy import a_small_tree
from tests.hierarchy_server import a_caller
from tests.transfers import Transfers, transferring

READY_SECONDS = 30
HEAD = "unit_level,unit_code,position,phone,name,valid_from\n"
TWO = HEAD + (
    "district,JPR,secretary,'+919876500001,Asha,2025-04-01\n"
    "district,JPR,secretary,+91 98765 00002,Bela,2025-04-01\n"
)


class Desk:
    """The command, and a hierarchy that it reaches."""

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop, served: Transfers) -> None:
        self.folder = folder
        self.loop = loop
        self.served = served

    def run(
        self, *arguments: str, capabilities: tuple[str, ...] = ("view", "administer")
    ) -> Result:
        token = a_caller(capabilities=capabilities).token
        options = ("--target", self.served.target, "--token", token)
        return CliRunner().invoke(main, [*arguments, *options])

    def json(self, *arguments: str, exit_code: int = 0) -> Any:
        result = self.run(*arguments, "-o", "json")
        assert result.exit_code == exit_code, result.stderr
        assert result.stdout.count("\n") == 1
        return json.loads(result.stdout)

    def file(self, name: str, content: str) -> str:
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return str(path)

    def appointment_count(self) -> int:
        header = asyncio.run_coroutine_threadsafe(self.served.header(), self.loop).result(60)
        return header.counts.appointments


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose hierarchy lives in a loop of another thread: the command has one of its own."""
    ready, over = Event(), asyncio.Event()
    found: list[Desk] = []

    async def serve() -> None:
        async with transferring(tmp_path) as served:
            await served.hierarchy.import_rows(*a_small_tree())
            found.append(Desk(tmp_path, asyncio.get_running_loop(), served))
            ready.set()
            await over.wait()

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(READY_SECONDS)
        yield found[0]
    finally:
        if found:
            found[0].loop.call_soon_threadsafe(over.set)
        thread.join(READY_SECONDS)


def test_a_dry_run_says_what_would_be_and_the_import_does_it(desk: Desk) -> None:
    file = desk.file("appointments.csv", TWO)

    tried = desk.json("import", "appointments", file, "--dry-run")
    assert (tried["applied"], tried["createdCount"], tried["dryRun"]) == (False, 2, True)
    assert desk.appointment_count() == 0
    done = desk.json("import", "appointments", file)
    assert (done["applied"], done["createdCount"], done["rowCount"]) == (True, 2, 2)
    assert desk.appointment_count() == 2
    again = desk.run("import", "appointments", file)

    assert again.exit_code == 0
    assert again.stdout == "2 rows read, all as they were: nothing had to change\n"


def test_everything_that_is_wrong_is_told_and_reported_and_nothing_is_changed(desk: Desk) -> None:
    file = desk.file(
        "appointments.csv",
        TWO + "district,JPR,gardener,+919876500003,Charu,\nmandal,XX,secretary,1,@D,soon\n",
    )
    report = desk.folder / "problems.csv"

    told = desk.json("import", "appointments", file, "--report", str(report), exit_code=1)

    problems = [(x["row"], x["field"], x["reason"]) for x in told["errors"]]
    assert problems == [
        (4, "position", "UNKNOWN_POSITION"),
        (5, "phone", "BAD_PHONE"),
        (5, "valid_from", "BAD_DATE"),
    ]
    assert (told["applied"], told["errorCount"]) == (False, 3)
    assert desk.appointment_count() == 0
    with report.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    assert rows[0] == ["row", "field", "reason", "description"]
    assert [(int(row), field, reason) for row, field, reason, _ in rows[1:]] == problems
    assert desk.run("import", "appointments", file).exit_code == 1


def test_an_import_goes_on_under_its_request_id(desk: Desk) -> None:
    file = desk.file("appointments.csv", TWO)
    request_id = "00000000-0000-4000-8000-000000000001"

    first = desk.json("import", "appointments", file, "--request-id", request_id)
    again = desk.json("import", "appointments", file, "--request-id", request_id)

    # The first is checked against nothing, the second against what it made; both are answered by
    # what was applied.
    assert first == again
    assert desk.appointment_count() == 2


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_what_is_exported_is_imported_again(desk: Desk, suffix: str) -> None:
    desk.json("import", "appointments", desk.file("appointments.csv", TWO))
    for what, count in (("units", 7), ("areas", 0), ("persons", 2), ("appointments", 2)):
        file = desk.folder / f"out-{what}{suffix}"
        told = desk.json("export", what, str(file))
        assert told == {
            "file": str(file),
            "what": what,
            "rowCount": count,
            "partial": False,
            "phonesLeftOut": False,
        }
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        if count:
            report = desk.json("import", what, str(file))
            assert (report["unchangedCount"], report["applied"]) == (count, False)


def test_an_export_goes_to_the_standard_output_and_says_aside_what_is_left_out(desk: Desk) -> None:
    desk.json("import", "appointments", desk.file("appointments.csv", TWO))

    whole = desk.run("export", "appointments", "-", "--within", "district:JPR")
    part = desk.run("export", "appointments", "-", capabilities=("view",))

    assert whole.stdout.splitlines()[1].startswith("district,JPR,secretary,")
    assert "'+919876500001" in whole.stdout
    assert "only a part" in whole.stderr
    assert "+91" not in part.stdout
    assert len(part.stdout.splitlines()) == 3
    assert "phone numbers and logins are left out" in part.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "units", "FILE", "--request-id", "x"), "is for areas, persons"),
        (("import", "persons", "FILE", "--request-id", "x"), "is no UUID"),
        (("export", "units", "FILE", "--within", "JPR"), "is no unit, such as district:JPR"),
        (("export", "units", "FILE", "--ready", "party"), "--ready is for blueprints"),
        (("export", "blueprint", "FILE", "--with-ended"), "are not for blueprints"),
    ],
)
def test_wrong_usage_is_refused(desk: Desk, arguments: tuple[str, ...], said: str) -> None:
    named = [str(desk.folder / "x.csv") if each == "FILE" else each for each in arguments]

    result = desk.run(*named)

    assert result.exit_code == 2
    assert said in result.stderr


def test_a_refusal_leaves_no_file(desk: Desk) -> None:
    for arguments, reason in (
        (("units", str(desk.folder / "no" / "x.csv")), "FILE_UNWRITABLE"),
        (("units", str(desk.folder / "x.csv"), "--within", "district:XX"), "UNIT_NOT_FOUND"),
    ):
        result = desk.run("export", *arguments, "-o", "json")
        assert result.exit_code == 1
        assert json.loads(result.stderr)["error"]["reason"] == reason
    assert not list(desk.folder.glob("*x.csv*"))


def test_a_file_of_another_kind_is_named(desk: Desk) -> None:
    file = desk.file(
        "units.csv", "level,code,name,name_hi,parent_level,parent_code,latitude,longitude\n"
    )

    error = json.loads(desk.run("import", "persons", file, "-o", "json").stderr)["error"]

    assert (error["reason"], error["cure"]) == ("WRONG_FILE", f"chaupal import units {file}")


def test_a_file_is_checked_where_no_service_can_be_asked(tmp_path: Path) -> None:
    file = tmp_path / "persons.csv"
    file.write_text("id,phone\n", encoding="utf-8")

    result = CliRunner().invoke(
        main, ["import", "persons", str(file), "--tenant", "neem", "--data", str(tmp_path)]
    )

    assert result.exit_code == 1
    assert "the header has no column name (MISSING_COLUMN)" in result.stdout
