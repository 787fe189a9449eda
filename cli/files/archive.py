"""Looks at a ZIP archive before anything of it is unpacked: is it what it seems, and small enough?

Sizes are those that the archive states; Python's zipfile never unpacks more of a member than that.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

# A workbook has some dozen parts. The largest that we write ourselves, 600,000 appointments, has
# a part of 0.35 GiB, packed to a tenth of it.
MAX_MEMBERS = 1_000
MAX_MEMBER_BYTES = 2 * 1024**3
MAX_TOTAL_BYTES = 3 * 1024**3
MAX_RATIO = 100
# Below this a high ratio does no harm, and small parts of few words have one.
_RATIO_FROM_BYTES = 4 * 1024**2
# Held in memory as a whole: the table of texts of a workbook that a spreadsheet has saved.
MAX_HELD_BYTES = 256 * 1024**2
_STREAMED = "xl/worksheets/"
_ARCHIVES = (
    ".zip",
    ".xlsx",
    ".xlsm",
    ".xlsb",
    ".docx",
    ".gz",
    ".bz2",
    ".xz",
    ".7z",
    ".rar",
    ".tar",
)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


def archive_fault(path: Path) -> str:
    """Return why the archive is not to be opened, in words; empty when it may be.

    Raises:
        OSError: The file cannot be read.
        zipfile.BadZipFile: It is no archive.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        return f"has {len(members):,} parts, at most {MAX_MEMBERS:,}"
    for member in members:
        if fault := _member_fault(member):
            return f"the part {member.filename[:80]!r} {fault}"
    return _total_fault(members, path.stat().st_size)


def _member_fault(member: zipfile.ZipInfo) -> str:
    name, size = member.filename, member.file_size
    parts = PurePosixPath(name).parts
    held = not name.startswith(_STREAMED)
    most = MAX_HELD_BYTES if held else MAX_MEMBER_BYTES
    if not name or name.startswith("/") or "\\" in name or ":" in name or ".." in parts:
        return "has a name that leads out of the archive"
    if name.lower().endswith(_ARCHIVES):
        return "is an archive in the archive"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted; save the workbook without a password"
    if member.compress_type not in _METHODS:
        return "is packed in an unusual way"
    if size > most:
        return f"unpacks to {size // 1024**2:,} MiB, at most {most // 1024**2:,}"
    if size > _RATIO_FROM_BYTES and size > MAX_RATIO * member.compress_size:
        return f"unpacks to more than {MAX_RATIO} times its size"
    return ""


def _total_fault(members: Sequence[zipfile.ZipInfo], file_bytes: int) -> str:
    total = sum(member.file_size for member in members)
    names = {member.filename for member in members}
    if total > MAX_TOTAL_BYTES:
        return f"unpacks to {total // 1024**2:,} MiB, at most {MAX_TOTAL_BYTES // 1024**2:,}"
    if len(names) < len(members):
        return "has two parts of one name"
    if sum(member.compress_size for member in members) > file_bytes:
        return "has parts that overlap"
    return ""
