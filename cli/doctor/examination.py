"""Everything that `chaupal doctor` looks at, in the order in which it matters."""

from collections.abc import Mapping

from cli.doctor import machine, place, platform
from cli.doctor.findings import Finding
from cli.launcher.folder import DataFolder
from cli.platform_file import read_platform


async def examine(folder: DataFolder, environ: Mapping[str, str]) -> list[Finding]:
    """Look at everything; changes nothing."""
    running = read_platform(folder.platform)
    findings = [
        machine.python(),
        machine.node(),
        machine.consoles(),
        machine.store(),
        place.data_folder(folder),
        place.disk(folder),
        place.ports(running),
        await platform.health(folder, running),
    ]
    if environ.get("REDIS_URL"):
        findings.append(await place.named_store(environ["REDIS_URL"]))
    if running is not None:
        findings.append(await platform.durability(running, environ))
    return findings
