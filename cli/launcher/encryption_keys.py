"""The key-encryption key of a graph in Neo4j, for development: hierarchy makes only its own."""

import base64
import os
import secrets

from cli.launcher.folder import DataFolder


def make_encryption_keys(folder: DataFolder) -> None:
    """Write one key, as hierarchy reads it, unless there is one.

    Without this file, no phone number that the database holds can be read again.
    """
    path = folder.encryption_keys
    if path.exists():
        return
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"key-1 {key}\n")
    draft.replace(path)
