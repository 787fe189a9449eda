"""`chaupal status` and `chaupal import` where nothing runs."""

import json
import subprocess
from pathlib import Path

from click.testing import CliRunner, Result

from cli.identity.issuer import load_or_make_key
from cli.launcher.folder import DataFolder, prepare
from cli.launcher.ports import DEFAULT_PORTS, choose_ports
from cli.main import main
from cli.platform_file import PlatformFile, read_platform


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def _platform(pid: int, folder: DataFolder) -> PlatformFile:
    ports = choose_ports(0, {})
    return PlatformFile(
        pid, "2026-11-01T00:00:00+00:00", str(folder.root), "small", False, "", "http://i", ports
    )


def test_nothing_runs_is_said_in_each_format_with_exit_code_1(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))

    for_people, for_programs, for_shells = (
        _run("status", *data),
        _run("status", *data, "-o", "json"),
        _run("status", *data, "-o", "env"),
    )

    assert "`chaupal up`" in for_people.stdout
    assert json.loads(for_programs.stdout) == {
        "running": False,
        "ready": False,
        "data": str(tmp_path),
    }
    assert for_shells.stdout == ""
    assert {one.exit_code for one in (for_people, for_programs, for_shells)} == {1}


def test_what_a_launcher_that_is_gone_wrote_does_not_count(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    gone = subprocess.Popen(["/bin/true"])
    gone.wait(5)
    _platform(gone.pid, folder).write(folder.platform)

    assert read_platform(folder.platform) is None
    assert json.loads(_run("status", "--data", str(tmp_path), "-o", "json").stdout)["running"] is (
        False
    )


def test_a_launcher_whose_processes_do_not_answer_is_running_but_not_ready(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    # Stands in for a launcher; nothing listens on its ports.
    sleeper = subprocess.Popen(["/bin/sleep", "60"])
    try:
        _platform(sleeper.pid, folder).write(folder.platform)
        result = _run("status", "--data", str(tmp_path), "-o", "json")
    finally:
        sleeper.kill()
        sleeper.wait(5)

    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (told["running"], told["ready"]) == (True, False)
    assert set(told["health"].values()) == {"not reachable"}


def test_a_platform_file_is_private_and_reads_back_as_written(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    sleeper = subprocess.Popen(["/bin/sleep", "60"])
    try:
        written = _platform(sleeper.pid, folder)
        written.write(folder.platform)
        assert read_platform(folder.platform) == written
    finally:
        sleeper.kill()
        sleeper.wait(5)
    assert folder.platform.stat().st_mode & 0o777 == 0o600


def test_a_verb_that_needs_a_platform_says_how_to_get_one(tmp_path: Path) -> None:
    load_or_make_key(prepare(tmp_path).key)
    file = tmp_path / "units.csv"
    file.write_text("level\n")

    result = _run(
        "import", "units", str(file), "--tenant", "neem", "--data", str(tmp_path), "-o", "json"
    )

    assert result.exit_code == 1
    error = json.loads(result.stderr)["error"]
    assert error["reason"] == "NOT_RUNNING"
    assert "chaupal up" in error["cure"]


def test_a_verb_without_tenant_and_token_is_wrong_usage(tmp_path: Path) -> None:
    result = _run("import", "units", "x.csv", "--data", str(tmp_path))

    assert result.exit_code == 2
    assert "--tenant" in result.stderr


def test_problems_of_the_file_are_told_also_when_the_service_cannot_be_asked(
    tmp_path: Path,
) -> None:
    file = tmp_path / "units.csv"
    file.write_text(
        "level,code,name,name_hi,parent_level,parent_code,latitude,longitude\n"
        "state,RJ,Rajasthan,,,,north,75.79\n"
    )
    port = choose_ports(0, {})["hierarchy"]

    result = _run(
        "import",
        "units",
        str(file),
        "--token",
        "any",
        "--target",
        f"127.0.0.1:{port}",
        "-o",
        "json",
    )

    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [one["reason"] for one in report["errors"]] == ["BAD_PLACE"]
    assert "could not be asked" in report["note"]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    target = f"127.0.0.1:{DEFAULT_PORTS['hierarchy']}"
    result = _run(
        "import", "groups", str(tmp_path / "no.csv"), "--token", "any", "--target", target
    )

    assert result.exit_code == 1
    assert "no.csv: No such file or directory" in result.stderr


def test_a_wrong_folder_is_told_by_every_verb_that_needs_a_platforms_data(tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    file.write_text("level,code,name,name_hi,parent_level,parent_code,latitude,longitude\n")
    data = ("--data", str(tmp_path / "elsewhere"))
    message = ("--unit", "state:RJ", "--title", "T", "--text-en", "x")

    results = [
        _run("status", *data),
        _run("token", "--tenant", "neem", "--role", "viewer", *data),
        _run("import", "units", str(file), "--tenant", "neem", *data),
        _run("import", "units", str(file), "--token", "any", *data),
        _run("broadcast", "--tenant", "neem", *message, *data),
        _run("broadcast", "--token", "any", *message, *data),
    ]

    told = (
        f"no platform's data in {tmp_path / 'elsewhere'}: cd to the folder where you ran make run,"
        " or give --data / CHAUPAL_DATA"
    )
    assert [told in result.output for result in results] == [True] * len(results)
    assert {result.exit_code for result in results} == {1}
    assert not (tmp_path / "elsewhere").exists()


def test_a_missing_key_does_not_hide_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    file.write_text(
        "level,code,name,name_hi,parent_level,parent_code,latitude,longitude\n"
        "state,RJ,Rajasthan,,,,north,75.79\n"
    )
    arguments = ("--tenant", "neem", "--data", str(tmp_path), "-o", "json")

    wrong = _run("import", "units", str(file), *arguments)
    missing = _run("import", "units", str(tmp_path / "no.csv"), *arguments)

    assert [one["reason"] for one in json.loads(wrong.stdout)["errors"]] == ["BAD_PLACE"]
    assert json.loads(wrong.stderr)["error"]["reason"] == "KEY_MISSING"
    assert json.loads(missing.stderr)["error"]["reason"] == "FILE_UNREADABLE"
    assert wrong.exit_code == missing.exit_code == 1
