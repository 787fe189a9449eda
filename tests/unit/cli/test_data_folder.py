"""The data folder: private, and refused with the cure when it cannot be used."""

import base64
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.errors import Refusal
from cli.launcher.encryption_keys import make_encryption_keys
from cli.launcher.folder import MIN_FREE_BYTES, DataFolder, prepare, socket_folder


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_with_everything_inside_for_its_owner_only(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "new" / "data")

    assert _mode(folder.root) == 0o700
    for inner in (folder.store, folder.logs, folder.database.parent):
        assert _mode(inner) == 0o700
    assert prepare(folder.root) == folder


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")

    with pytest.raises(Refusal) as refused:
        prepare(tmp_path / "file")

    assert refused.value.reason == "DATA_UNUSABLE"
    assert refused.value.message == f"the data folder {tmp_path / 'file'} is a file"
    assert "--data" in refused.value.cure
    assert (tmp_path / "file").read_text() == "kept"


@pytest.fixture
def nobodys_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that may be read and not be written, also where the tests run as root."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o555)
        was_root = os.geteuid() == 0
        if was_root:
            os.seteuid(65_534)
        yield folder
        if was_root:
            os.seteuid(0)
        folder.chmod(0o700)


def test_a_folder_that_may_not_be_written_is_refused(nobodys_folder: Path) -> None:
    with pytest.raises(Refusal) as refused:
        prepare(nobodys_folder)

    assert refused.value.reason == "DATA_UNUSABLE"
    assert str(nobodys_folder) in refused.value.message
    assert "Permission denied" in refused.value.message


def test_a_folder_where_no_folder_can_be_made_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        prepare(Path("/dev/null/data"))

    assert refused.value.reason == "DATA_UNUSABLE"
    assert "/dev/null/data" in refused.value.message


def test_a_full_disk_is_refused_with_both_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=MIN_FREE_BYTES - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    with pytest.raises(Refusal) as refused:
        prepare(tmp_path)

    assert refused.value.reason == "DISK_FULL"
    assert "199 MB" in refused.value.message
    assert "200 MB" in refused.value.message
    assert "--data" in refused.value.cure


def test_a_new_folder_on_a_full_disk_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    with pytest.raises(Refusal, match="only 0 MB are free"):
        prepare(tmp_path / "new")

    assert list(tmp_path.iterdir()) == []


def test_a_socket_lies_in_the_folder_when_its_path_fits(tmp_path: Path) -> None:
    short = DataFolder(Path("/tmp/c"))
    deep = DataFolder(tmp_path / ("d" * 100))

    assert socket_folder(short) == short.store
    place = socket_folder(deep)
    try:
        assert len(str(place / "valkey.sock")) < 100
        assert _mode(place) == 0o700
    finally:
        place.rmdir()


def test_the_key_of_a_graph_in_neo4j_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    folder = prepare(tmp_path)

    make_encryption_keys(folder)
    first = folder.encryption_keys.read_text()
    make_encryption_keys(folder)

    assert folder.encryption_keys.read_text() == first
    assert stat.S_IMODE(folder.encryption_keys.stat().st_mode) == 0o600
    name, key = first.split()
    assert (name, len(base64.b64decode(key, validate=True))) == ("key-1", 32)
