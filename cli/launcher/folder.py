"""The data folder of one platform: what lies where, and whether it can be used."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cli.errors import Refusal

MIN_FREE_BYTES = 200 * 1024 * 1024
# sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero included.
_MAX_SOCKET_BYTES = 100
# The private store's socket, and how a folder begins that is made for it alone.
SOCKET = "valkey.sock"
SHORT_FOLDER = "chaupal-"
WHERE_DATA_IS = "cd to the folder where you ran make run, or give --data / CHAUPAL_DATA"


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths under one folder; everything in it is readable for its owner only."""

    root: Path

    @property
    def lock(self) -> Path:
        """Held while a platform runs on the folder."""
        return self.root / "lock"

    @property
    def key(self) -> Path:
        """The development issuer's private key."""
        return self.root / "issuer-key.pem"

    @property
    def platform(self) -> Path:
        """What runs, for the other verbs; there while a platform is ready."""
        return self.root / "platform.json"

    @property
    def database(self) -> Path:
        """The org graph of the embedded store."""
        return self.root / "hierarchy" / "graph.sqlite"

    @property
    def encryption_keys(self) -> Path:
        """The key that wraps the secrets of a graph in Neo4j; there after a run with one."""
        return self.root / "key-encryption-keys"

    @property
    def store(self) -> Path:
        """The private store's files."""
        return self.root / "store"

    @property
    def logs(self) -> Path:
        """One log for each process."""
        return self.root / "logs"

    def service_token(self, service: str) -> Path:
        """Return where a service's own token lies."""
        return self.root / "tokens" / service

    def log(self, process: str) -> Path:
        """Return the log of a process."""
        return self.logs / f"{process}.log"


def prepare(root: Path) -> DataFolder:
    """Make the folder and what it needs inside.

    Raises:
        Refusal: It cannot be used; names it and the cure.
    """
    folder = DataFolder(root.resolve())
    is_new = not folder.root.exists()
    if not is_new and not folder.root.is_dir():
        raise Refusal(
            "DATA_UNUSABLE",
            f"the data folder {folder.root} is a file",
            "Choose a folder, or one that is not there yet, with --data.",
            path=str(folder.root),
        )
    try:
        folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_space(folder.root, is_new=is_new)
        for inner in (folder.database.parent, folder.store, folder.logs, folder.root / "tokens"):
            inner.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder.root) as probe:
            probe.write(b"writable")
        next(folder.root.iterdir())
    except OSError as error:
        raise Refusal(
            "DATA_UNUSABLE",
            f"cannot read and write the data folder {folder.root}: {error.strerror}",
            f"Make it yours (chown, chmod u+rwx {folder.root}), or choose another with --data.",
            path=str(folder.root),
        ) from error
    return folder


def no_data(root: Path) -> Refusal:
    """Return the refusal of a folder in which no platform ever ran; most often the wrong one."""
    return Refusal(
        "KEY_MISSING",
        f"no platform's data in {root}: {WHERE_DATA_IS}",
        "A new platform there: `chaupal up` with this --data.",
        path=str(root),
    )


def check_free_space(root: Path) -> int:
    """Return the free bytes on the disk of a folder.

    Raises:
        Refusal: They are too few to run on.
    """
    free = shutil.disk_usage(root).free
    if free < MIN_FREE_BYTES:
        raise Refusal(
            "DISK_FULL",
            f"only {free // 1024 // 1024} MB are free on the disk of {root};"
            f" the platform needs {MIN_FREE_BYTES // 1024 // 1024} MB",
            "Free some space, or choose a folder on another disk with --data.",
            freeBytes=free,
        )
    return free


def _check_space(root: Path, *, is_new: bool) -> None:
    try:
        check_free_space(root)
    except Refusal:
        if is_new:
            root.rmdir()
        raise


def socket_folder(folder: DataFolder) -> Path:
    """Return where the private store's socket fits: its own folder, or a short one of this run."""
    if _fits(folder.store):
        return folder.store
    temporary = Path(tempfile.gettempdir())
    # On macOS that is a long path; /tmp is there on both systems.
    base = temporary if _fits(temporary / f"{SHORT_FOLDER}12345678") else Path("/tmp")  # noqa: S108
    return Path(tempfile.mkdtemp(prefix=SHORT_FOLDER, dir=base))


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET)) <= _MAX_SOCKET_BYTES
