"""The running platform of a data folder: its health, and how durable its store is."""

from collections.abc import Mapping

from cli.doctor.findings import Finding
from cli.launcher.folder import DataFolder
from cli.platform_file import PlatformFile
from cli.verbs.status import SERVING, ask_health
from kit.errors import ChaupalError


async def health(folder: DataFolder, platform: PlatformFile | None) -> Finding:
    """Ask every process how it is."""
    if platform is None:
        return Finding("platform", "ok", "none runs on the data folder")
    states = await ask_health(platform)
    late = [f"{name} ({state})" for name, state in states.items() if state != SERVING]
    if late:
        return Finding(
            "platform",
            "fault",
            f"not ready: {', '.join(late)}",
            f"Look into the logs in {folder.logs}; a process that dies is started again.",
        )
    return Finding("platform", "ok", f"all {len(states)} processes are ready")


async def durability(platform: PlatformFile, environ: Mapping[str, str]) -> Finding:
    """Ask the store whether an answered write is on its disk."""
    # The driver takes half a second to import, and only this question needs it.
    from kit.redis import check_durability, open_redis  # noqa: PLC0415

    url = platform.redis_url
    if not url.startswith("unix:"):
        # The written one has no password.
        url = environ.get("REDIS_URL", url)
    client = open_redis(url)
    try:
        problems = await check_durability(client)
    except ChaupalError as error:
        return Finding("store", "fault", error.message, "Is the store running? See its log.")
    finally:
        await client.aclose()
    if problems:
        return Finding(
            "store", "fault", "; ".join(problems), "Set these in the store's configuration."
        )
    return Finding("store", "ok", "an answered write is on its disk")
