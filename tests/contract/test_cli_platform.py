"""The command against the real platform that it starts itself."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.platform import Platform, chaupal, running
from tests.timing import wait_until_sync

PROCESSES = {
    "store",
    "hierarchy",
    "groups",
    "messaging",
    "hierarchy-worker",
    "messaging-worker",
    "gateway",
}
QUICK = {"SIMULATOR_MEDIAN_DELAY_SECONDS": "0.05"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("platform")
    with running(folder, "--scale", "small", environ=QUICK) as one:
        yield one


def _json(platform: Platform, *arguments: str, check: bool = True) -> Any:
    return json.loads(platform.chaupal(*arguments, "-o", "json", check=check).stdout)


def _error(platform: Platform, *arguments: str) -> Mapping[str, Any]:
    done = platform.chaupal(*arguments, "-o", "json", check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    error: Mapping[str, Any] = json.loads(done.stderr)["error"]
    return error


def _pid_listening(port: int) -> int | None:
    for connection in psutil.net_connections("tcp"):
        address = connection.laddr
        if connection.status == psutil.CONN_LISTEN and address and address.port == port:
            return connection.pid
    return None


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_up_says_everything_that_a_program_needs(platform: Platform) -> None:
    ready = platform.ready

    assert ready["ready"] is True
    assert set(ready["processes"]) == PROCESSES
    assert ready["scale"] == "small"
    assert ready["stores"]["hierarchy"] == "embedded"
    for tenant, console in (("neem", "party"), ("peepal", "category")):
        assert set(ready["tokens"][tenant]) == {"administrator", "composer", "viewer", "monitor"}
        token = ready["tokens"][tenant]["viewer"]
        link = f"{ready['urls'][console]}#token={token}"
        assert ready["consoles"][tenant]["viewer"] == link
    assert oct((platform.folder / "issuer-key.pem").stat().st_mode)[-3:] == "600"


def test_up_says_as_whom_of_the_demo_s_people_one_may_look(platform: Platform) -> None:
    people = platform.ready["people"]

    assert {one["subject"] for one in people} >= {"district-convenor@neem", "ajmer-monitor@neem"}
    assert {one["tenant"] for one in people} == {"neem", "peepal"}
    for one in people:
        console = "party" if one["tenant"] == "neem" else "category"
        assert one["console"] == f"{platform.ready['urls'][console]}#token={one['token']}"
        assert one["office"]


def test_a_tenant_comes_and_goes_for_ever(platform: Platform, tmp_path: Path) -> None:
    """With the real worker: a removal waits until it has told the others."""
    made = _json(platform, "tenants", "create", "mango")
    _json(platform, "export", "blueprint", str(tmp_path / "b.yaml"), "--tenant", "neem")
    _json(platform, "import", "blueprint", str(tmp_path / "b.yaml"), "--tenant", "mango")
    _json(platform, "tenants", "suspend", "mango")
    suspended = _error(platform, "export", "blueprint", "-", "--tenant", "mango")

    gone = _json(platform, "tenants", "delete", "mango", "--yes", "mango")

    again = _error(platform, "tenants", "create", "mango")
    listed = _json(platform, "tenants", "list", "--token", platform.ready["operatorToken"])
    assert made["status"] == "active"
    assert suspended["reason"] == "TENANT_SUSPENDED"
    assert gone["proof"]["remainingCount"] == 0
    assert again["reason"] == "TENANT_EXISTS"
    assert {one["id"]: one["status"] for one in listed["tenants"]} == {
        "mango": "deleted",
        "neem": "active",
        "peepal": "active",
    }


def test_an_operator_opens_nothing_of_a_tenant(platform: Platform) -> None:
    operator = platform.ready["operatorToken"]
    message = ("broadcast", "--title", "T", "--text-hi", "नमस्ते", "--unit", "division:JPR")

    of_hierarchy = _error(platform, "export", "blueprint", "-", "--token", operator)
    of_the_graph = _error(platform, *message, "--token", operator)

    assert of_hierarchy["reason"] == of_the_graph["reason"] == "TENANT_REQUIRED"


def test_status_says_that_all_is_ready_and_where(platform: Platform) -> None:
    status = _json(platform, "status")

    assert status["ready"] is True
    assert status["urls"] == platform.ready["urls"]
    assert status["health"] == dict.fromkeys(PROCESSES, "serving")
    assert "store" in platform.chaupal("status").stdout


def test_status_as_environment_is_readable_by_a_shell(platform: Platform) -> None:
    lines = shlex.split(platform.chaupal("status", "-o", "env").stdout)

    values = dict(line.split("=", 1) for line in lines)
    assert values["CHAUPAL_GRAPHQL_URL"] == platform.ready["urls"]["graphql"]
    assert values["HIERARCHY_TARGET"] == platform.ready["urls"]["hierarchy"]
    assert values["CHAUPAL_REDIS_URL"].startswith("unix://")
    # Names that `up` takes its stores and settings from; CHAUPAL_DATA only names the same folder.
    assert not [name for name in values if name.startswith(("REDIS_", "NEO4J_", "SIMULATOR_"))]


def test_doctor_finds_the_running_platform_whole_and_durable(platform: Platform) -> None:
    findings = {one["subject"]: one for one in _json(platform, "doctor", check=False)["findings"]}

    assert findings["platform"]["told"] == "all 6 processes are ready"
    assert findings["store"]["grade"] == "ok"
    assert findings["data folder"]["grade"] == "ok"


def test_a_second_up_on_the_folder_is_refused_naming_the_first(platform: Platform) -> None:
    error = _error(platform, "up", "--port-base", "0")

    assert error["reason"] == "DATA_IN_USE"
    assert error["pid"] == platform.ready["pid"]
    assert _json(platform, "status")["ready"] is True


def test_a_broadcast_reaches_what_its_preview_promised(platform: Platform) -> None:
    message = ["broadcast", "--tenant", "neem", "--unit", "district:ALW-N", "--title", "Meeting"]
    message += ["--text-hi", "रविवार को बैठक है", "--text-en", "We meet on Sunday"]

    preview = _json(platform, *message, "--dry-run")
    sent = _json(platform, *message, "--watch")

    counts = sent["counts"]
    assert preview["groupCount"] > 0
    assert sent["state"] == "COMPLETED"
    assert counts["total"] == preview["groupCount"]
    settled = sum(counts[state] for state in ("delivered", "read", "skipped", "failed"))
    assert settled == counts["total"]


def test_what_a_broadcast_cannot_be_is_refused_with_the_reason(platform: Platform) -> None:
    message = ("broadcast", "--tenant", "neem", "--title", "T", "--text-hi", "नमस्ते")

    unknown_unit = _error(platform, *message, "--unit", "division:NOWHERE")
    unknown_kind = _error(platform, *message, "--unit", "division:JPR", "--kind", "choir")
    viewer = platform.ready["tokens"]["neem"]["viewer"]
    forbidden = _error(platform, *message, "--unit", "division:JPR", "--token", viewer)

    assert unknown_unit["reason"] == "UNKNOWN_UNIT"
    assert unknown_kind["reason"] == "INVALID_AUDIENCE"
    assert "UNKNOWN_KIND" in unknown_kind["cure"]
    assert unknown_kind["cure"].startswith('there is no kind "choir", there are ')
    assert "booth_voters" in unknown_kind["cure"]
    assert forbidden["reason"] == "CAPABILITY_MISSING"
    assert "role composer or administrator" in forbidden["cure"]


def test_an_unknown_unit_is_refused_with_what_is_near_to_it(platform: Platform) -> None:
    message = ("broadcast", "--tenant", "neem", "--title", "T", "--text-hi", "नमस्ते")

    near = _error(platform, *message, "--unit", "division:JPRR")
    far = _error(platform, *message, "--unit", "division:NOWHERE")
    deep = _error(platform, *message, "--unit", "booth:NOWHERE")
    level = _error(platform, *message, "--unit", "divison:JPR")

    assert "division:JPR" in near["cure"]
    assert far["cure"].startswith("There are division:")
    assert deep["reason"] == "UNKNOWN_UNIT"
    assert "units.csv" in deep["cure"]
    assert level["message"] == "there is no level divison"
    assert "division" in level["cure"]


def test_a_tenant_that_nobody_set_up_is_told_the_command_that_does(
    platform: Platform, tmp_path: Path
) -> None:
    units, groups = tmp_path / "units.csv", tmp_path / "groups.csv"
    units.write_text(
        "level,code,name,name_hi,parent_level,parent_code,latitude,longitude\nstate,RJ,R,,,,,\n"
    )
    groups.write_text(
        "code,name,name_hi,kind,category,unit_level,unit_code,language,member_count,capacity,state,"
        "owner,admins,backup,state_executive\nG1,Team,,internal,,state,RJ,hi,1,3,,p1,,,\n"
    )
    message = ("--unit", "state:RJ", "--title", "T", "--text-en", "x")

    errors = [
        _error(platform, "broadcast", "--tenant", "nope", *message),
        _error(platform, "import", "units", str(units), "--tenant", "nope"),
        _error(platform, "import", "groups", str(groups), "--tenant", "nope"),
    ]

    for error in errors:
        assert error["message"] == "the tenant nope has no blueprint yet"
        assert "chaupal import blueprint FILE --tenant nope" in error["cure"]


def test_a_token_of_a_viewer_may_not_import(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    file.write_text(
        "level,code,name,name_hi,parent_level,parent_code,latitude,longitude\n"
        "division,XX,X,,state,RJ,,\n"
    )

    viewer = platform.ready["tokens"]["neem"]["viewer"]
    error = _error(platform, "import", "units", str(file), "--token", viewer)

    assert error["reason"] == "CAPABILITY_MISSING"
    assert "role administrator" in error["cure"]


def test_findings_of_the_reader_and_of_the_service_stand_in_one_report(
    platform: Platform, tmp_path: Path
) -> None:
    file = tmp_path / "units.csv"
    file.write_text(
        "level,code,name,name_hi,parent_level,parent_code,latitude,longitude\n"
        "division,X1,One,,state,NOWHERE,,\n"
        "division,X2,Two,,state,RJ,north,75.79\n"
    )

    done = platform.chaupal(
        "import", "units", str(file), "--tenant", "neem", "-o", "json", check=False
    )

    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["applied"] is False
    assert [(one["row"], one["field"], one["reason"]) for one in report["errors"]] == [
        (2, "parent_code", "UNKNOWN_PARENT"),
        (3, "latitude", "BAD_PLACE"),
    ]


def test_a_process_that_is_killed_comes_back(platform: Platform) -> None:
    port = platform.ready["ports"]["groups"]
    before = _pid_listening(port)
    assert before is not None

    os.kill(before, signal.SIGKILL)

    wait_until_sync(lambda: _pid_listening(port) not in {None, before}, 30)
    wait_until_sync(lambda: _json(platform, "status", check=False)["ready"], 30)


def test_a_killed_launcher_leaves_nothing_and_the_next_finds_its_data(tmp_path: Path) -> None:
    with running(tmp_path, "--scale", "small", environ=QUICK) as first:
        pids = dict(first.pids)
        key = (tmp_path / "issuer-key.pem").read_bytes()
        launcher = first.ready["pid"]
        os.kill(launcher, signal.SIGKILL)
        wait_until_sync(lambda: all(_gone(pid) for pid in (launcher, *pids.values())), 30)
    status = chaupal("status", "--data", str(tmp_path), check=False)
    assert status.returncode == 1

    with running(tmp_path, "--scale", "small", environ=QUICK) as second:
        preview = _json(
            second, "broadcast", "--tenant", "peepal", "--unit", "state:RJ", "--title", "T",
            "--text-hi", "नमस्ते", "--dry-run",
        )  # fmt: skip
        pids = dict(second.pids)

    assert preview["groupCount"] > 400
    assert (tmp_path / "issuer-key.pem").read_bytes() == key
    assert all(_gone(pid) for pid in pids.values())
    assert not (tmp_path / "platform.json").exists()


def test_people_are_told_that_deliveries_are_simulated_and_when_all_has_stopped(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "cli", "up", "--data", str(tmp_path / "d"), "--port-base", "0"]
    environ = {name: text for name, text in os.environ.items() if name != "REDIS_URL"}
    with subprocess.Popen(
        [*command, "--scale", "none"],
        env=environ | {"SIMULATOR_FAILURE_RATE": "0.25"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("ready in"):
                break
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()

    assert process.returncode == 0
    assert [line for line in lines if "about 25 % fail on purpose" in line]
    # Without demo tenants there is nobody to look as.
    assert not [line for line in lines if "as one of its people" in line]
    assert said.splitlines()[-1] == "stopped"
