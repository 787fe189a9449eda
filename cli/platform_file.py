"""What `chaupal up` writes down for the other verbs while it runs: DATA/platform.json."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class PlatformFile:
    """One running platform.

    Attributes:
        pid: The launcher.
        started_at: When it was ready, RFC 3339.
        data: The data folder.
        scale: Of the demo data that it was started with.
        neo4j: Whether the org graph lives in Neo4j.
        redis_url: The store of groups and messaging; without a password.
        issuer: The development issuer, as in the tokens.
        ports: By name.
    """

    pid: int
    started_at: str
    data: str
    scale: str
    neo4j: bool
    redis_url: str
    issuer: str
    ports: Mapping[str, int]

    @property
    def running(self) -> bool:
        """Whether the launcher is still there."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True

    def write(self, path: Path) -> None:
        """Write the file whole or not at all, readable by its owner only."""
        draft = path.with_name(f"{path.name}.{os.getpid()}.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1)
        draft.replace(path)


def read_platform(path: Path) -> PlatformFile | None:
    """Return what runs, or none when nothing does or the file is of another make."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        platform = PlatformFile(**content)
    except (OSError, ValueError, TypeError):
        return None
    return platform if platform.running else None
