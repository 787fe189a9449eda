"""Key-encryption keys from a file: a mounted secret, or one made beside the embedded database.

Each line that is not empty and not a comment (`#`) has the id of a key, a space, and 32 bytes in
base64. The first key is current. To change keys: add the new one as the last line everywhere, then
make it the first everywhere, rotate the tenants' secrets, and only then take the old one away.
"""

import base64
import binascii
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kit.errors import PreconditionFailed
from services.hierarchy.domain.people_errors import KeyNotHeld, SecretUnreadable
from services.hierarchy.domain.sealing import NONCE_BYTES, SECRET_BYTES
from services.hierarchy.ports import WrappedSecret

MAX_FILE_BYTES = 64 * 1024
_ABOUT = "# Without this file no phone number in the database beside it can be read."
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Read by its group at most, as mounted secrets are; written by its owner alone.
_TOO_OPEN = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO


class KeyFileUnusable(PreconditionFailed):
    """The file with the key-encryption keys cannot be used; says why, never what it holds."""

    reason = "KEY_FILE_UNUSABLE"
    sentence = "cannot use the key-encryption keys of {file}: {problem}"
    file: str
    problem: str


class KeyFile:
    """Wraps under AES-256-GCM with the keys of a file, read once.

    Raises:
        KeyFileUnusable: see there.
    """

    def __init__(self, path: Path) -> None:
        keys = _read(path)
        self._current = next(iter(keys))
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}

    @classmethod
    def open_or_make(cls, path: Path) -> "KeyFile":
        """The keys of the file, made with one key when it is missing, for its owner alone."""
        if not path.exists():
            _make(path)
        return cls(path)

    @property
    def current_key_id(self) -> str:
        return self._current

    async def wrap(self, secret: bytes, context: bytes) -> WrappedSecret:
        nonce = secrets.token_bytes(NONCE_BYTES)
        wrapped = nonce + self._ciphers[self._current].encrypt(nonce, secret, context)
        return WrappedSecret(base64.b64encode(wrapped).decode(), self._current)

    async def unwrap(self, wrapped: WrappedSecret, context: bytes) -> bytes:
        cipher = self._ciphers.get(wrapped.key_id)
        if cipher is None:
            raise KeyNotHeld(wrapped.key_id)
        try:
            sealed = base64.b64decode(wrapped.wrapped, validate=True)
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
        except (InvalidTag, ValueError) as error:
            raise SecretUnreadable("secret of the organisation") from error


def _read(path: Path) -> Mapping[str, bytes]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileUnusable(str(path), error.strerror or "it cannot be read") from error
    if mode & _TOO_OPEN:
        said = f"its mode is {stat.S_IMODE(mode):04o}, others may read or write it: chmod 600 it"
        raise KeyFileUnusable(str(path), said)
    if len(text) > MAX_FILE_BYTES:
        raise KeyFileUnusable(str(path), f"it is over {MAX_FILE_BYTES} bytes")
    return _parsed(path, text)


def _parsed(path: Path, text: bytes) -> Mapping[str, bytes]:
    keys: dict[str, bytes] = {}
    for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if problem := _problem(words, keys):
            raise KeyFileUnusable(str(path), f"line {number}: {problem}")
        keys[words[0]] = base64.b64decode(words[1])
    if not keys:
        raise KeyFileUnusable(str(path), "it has no key")
    return keys


def _problem(words: list[str], keys: Mapping[str, bytes]) -> str:
    if len(words) != 2 or not _KEY_ID.fullmatch(words[0]):
        return "expected the id of a key, a space, and the key in base64"
    if words[0] in keys:
        return "a second key with this id"
    try:
        key = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return "the key is not base64"
    return "" if len(key) == SECRET_BYTES else f"the key has {len(key)} bytes, not {SECRET_BYTES}"


def _make(path: Path) -> None:
    """Make the file whole or not at all; when another process is first, its file stays."""
    key = base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{_ABOUT}\nkey-1 {key}\n")
            file.flush()
            os.fsync(file.fileno())
        _link(draft, path)
    finally:
        draft.unlink()


def _link(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
