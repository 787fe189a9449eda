"""`chaupal doctor` names what stands in the way, and changes nothing."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.launcher.folder import MIN_FREE_BYTES
from cli.main import main


def _examine(data: Path) -> tuple[int, dict[str, dict[str, str]]]:
    result = CliRunner().invoke(main, ["doctor", "--data", str(data), "-o", "json"])
    findings = json.loads(result.stdout)["findings"]
    return result.exit_code, {one["subject"]: one for one in findings}


def test_every_subject_is_looked_at_and_nothing_is_made(tmp_path: Path) -> None:
    _, findings = _examine(tmp_path / "new")

    assert list(findings) == [
        "python",
        "node",
        "consoles",
        "store program",
        "data folder",
        "disk",
        "ports",
        "platform",
    ]
    assert findings["python"]["grade"] == "ok"
    assert findings["store program"]["grade"] == "ok"
    assert findings["platform"]["told"] == "none runs on the data folder"
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_used_is_a_fault_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    exit_code, findings = _examine(tmp_path / "file")

    assert exit_code == 1
    assert findings["data folder"]["grade"] == "fault"
    assert "--data" in findings["data folder"]["cure"]


def test_a_full_disk_is_a_fault_with_a_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=MIN_FREE_BYTES // 2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    exit_code, findings = _examine(tmp_path)

    assert exit_code == 1
    assert "100 MB" in findings["disk"]["told"]
    assert findings["disk"]["cure"]


def test_every_fault_and_warning_has_a_cure(tmp_path: Path) -> None:
    _, findings = _examine(tmp_path)

    assert all(one["cure"] for one in findings.values() if one["grade"] != "ok")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("unix:///nowhere/x.sock", "no store answers"),
        ("redis://127.0.0.1:1", "store unavailable"),
        ("http://127.0.0.1:1", "not a Redis address"),
    ],
)
def test_a_redis_url_that_up_could_not_use_is_a_fault_with_a_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, told: str
) -> None:
    monkeypatch.setenv("REDIS_URL", url)

    exit_code, findings = _examine(tmp_path)

    assert exit_code == 1
    assert findings["REDIS_URL"]["grade"] == "fault"
    assert told in findings["REDIS_URL"]["told"]
    assert "unset REDIS_URL" in findings["REDIS_URL"]["cure"]
