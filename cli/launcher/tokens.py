"""The services' own tokens, as files that are replaced before they expire."""

import asyncio
import os
from pathlib import Path

from cli.identity.issuer import SERVICE_LIFETIME, DevelopmentIssuer
from cli.identity.roles import SERVICES
from cli.launcher.folder import DataFolder


def write_service_tokens(folder: DataFolder, issuer: DevelopmentIssuer) -> None:
    """Write a fresh token for each service."""
    for service in SERVICES:
        _write(folder.service_token(service), issuer.service_token(service))


async def keep_service_tokens(folder: DataFolder, issuer: DevelopmentIssuer) -> None:
    """Replace the tokens at half of their life, until cancelled."""
    while True:
        await asyncio.sleep(SERVICE_LIFETIME.total_seconds() / 2)
        write_service_tokens(folder, issuer)


def _write(path: Path, token: str) -> None:
    # By a rename, as Kubernetes rotates them: a reader sees the old one or the new one, whole.
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token)
    draft.replace(path)
