"""Where a platform would run: the disk, the data folder, the ports."""

import os
from pathlib import Path

from cli.doctor.findings import Finding, fault
from cli.errors import Refusal
from cli.launcher.folder import DataFolder, check_free_space
from cli.launcher.ports import DEFAULT_PORTS, check_free
from cli.platform_file import PlatformFile


def data_folder(folder: DataFolder) -> Finding:
    """Look whether the folder can be used, or made; nothing is made here."""
    nearest = _nearest(folder.root)
    wanted = os.R_OK | os.W_OK | os.X_OK
    if not nearest.is_dir() or not os.access(nearest, wanted):
        told = f"{folder.root} cannot be used: {nearest} is no folder that you may write to"
        return Finding(
            "data folder", "fault", told, "Make it yours, or choose another with --data."
        )
    if nearest != folder.root:
        return Finding("data folder", "ok", f"{folder.root} is not there yet, and can be made")
    return Finding("data folder", "ok", str(folder.root))


def disk(folder: DataFolder) -> Finding:
    """Look at the free space."""
    try:
        free = check_free_space(_nearest(folder.root))
    except Refusal as refusal:
        return fault("disk", refusal)
    return Finding("disk", "ok", f"{free // 1024 // 1024:,} MB are free")


def ports(platform: PlatformFile | None) -> Finding:
    """Look whether the usual ports are free, unless the platform itself holds them."""
    if platform is not None:
        return Finding("ports", "ok", "held by the running platform")
    try:
        check_free(DEFAULT_PORTS)
    except Refusal as refusal:
        return fault("ports", refusal)
    return Finding("ports", "ok", "the usual ones are free")


def _nearest(path: Path) -> Path:
    """Return the path itself, or the first of its parents that is there."""
    return next(place for place in (path, *path.parents) if place.exists())
