"""Tells the three files of an import apart, for people who name the wrong one."""

import re
from pathlib import Path

from cli.files.blueprint import SECTIONS
from cli.files.sources import is_xlsx
from cli.records import GROUP_COLUMNS, UNIT_COLUMNS

_HEAD_BYTES = 64 * 1024
_SECTION = re.compile(rf"^(?:{'|'.join(SECTIONS)}):", re.MULTILINE)


def looks_like(path: Path) -> str:
    """Return "blueprint", "units" or "groups"; empty when it looks like none of them, or is XLSX.

    Raises:
        OSError: The file cannot be read.
    """
    if is_xlsx(path):
        return ""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).decode("utf-8-sig", "replace")
    header = {cell.strip() for cell in head.partition("\n")[0].split(",")}
    for what, columns in (("units", UNIT_COLUMNS), ("groups", GROUP_COLUMNS)):
        if header >= set(columns):
            return what
    return "blueprint" if _SECTION.search(head) else ""
