"""Where a platform would run: the disk, the data folder, the ports."""

import os
from pathlib import Path

from cli.doctor.findings import Finding, fault
from cli.errors import Refusal
from cli.launcher.folder import DataFolder, check_free_space
from cli.launcher.ports import DEFAULT_PORTS, check_free
from cli.launcher.store import check_store_url
from cli.platform_file import PlatformFile
from kit.errors import ChaupalError


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


async def named_store(url: str) -> Finding:
    """Look whether `up` could use the store that REDIS_URL names."""
    # The driver takes half a second to import, and only this question needs it.
    from kit.redis import check_durability, open_redis  # noqa: PLC0415

    try:
        check_store_url(url)
        client = open_redis(url)
    except Refusal as refusal:
        return fault("REDIS_URL", refusal)
    except ValueError as error:
        return Finding("REDIS_URL", "fault", str(error), "Correct it, or unset REDIS_URL.")
    try:
        problems = await check_durability(client)
    except ChaupalError as error:
        return Finding("REDIS_URL", "fault", error.message, "Start that store, or unset REDIS_URL.")
    finally:
        await client.aclose()
    if problems:
        told, cure = "; ".join(problems), "Set these in its configuration, or unset REDIS_URL."
        return Finding("REDIS_URL", "warning", told, cure)
    return Finding("REDIS_URL", "ok", "its store answers; `chaupal up` uses it")


def _nearest(path: Path) -> Path:
    """Return the path itself, or the first of its parents that is there."""
    return next(place for place in (path, *path.parents) if place.exists())
