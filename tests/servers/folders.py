"""A data folder for a server of the tests."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


def new_folder(server: str) -> Path:
    """Make an empty folder; short, because a Unix socket's path may have about 100 bytes."""
    return Path(tempfile.mkdtemp(prefix=f"chaupal-{server}-"))


def remove_folder(folder: Path) -> None:
    """Remove it with all that a killed server left."""
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def own_folder(server: str) -> Iterator[Path]:
    """Make a folder and remove it in the end."""
    folder = new_folder(server)
    try:
        yield folder
    finally:
        remove_folder(folder)
