"""Texts as cells of a file: no spreadsheet takes one for a formula, and each comes back as it was.

A cell that begins with = + - @ or a control character is a formula to a spreadsheet, wherever it
came from (OWASP, "CSV Injection"). An apostrophe before it says that it is text. The same sign
keeps spaces at the ends of a text, which are otherwise taken for slips of the finger.
"""

import re

_FORMULA_SIGNS = tuple("=+-@\t\r")
# ECMA-376 Part 1, 22.9.2.19 (ST_Xstring): a character that XML cannot hold, by its number.
_ESCAPED = re.compile("_x((?![Dd][89A-Fa-f])[0-9A-Fa-f]{4})_")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def to_csv_cell(text: str) -> str:
    """Return the text as a cell of CSV."""
    return f"'{text}" if _needs_sign(text) else text


def to_xlsx_cell(text: str) -> str:
    """Return the text as a string cell of XLSX, which no spreadsheet takes for a formula."""
    if _needs_sign(text) and (text.startswith("'") or text != text.strip()):
        text = f"'{text}"
    return _NOT_IN_XML.sub(lambda found: f"_x{ord(found.group()):04X}_", text)


def from_cell(cell: str) -> str:
    """Return the text of a cell: trimmed, or as it stands behind an apostrophe."""
    if cell.startswith("'") and _needs_sign(cell[1:]):
        return cell[1:]
    return cell.strip()


def from_xlsx(cell: str) -> str:
    """Return the characters of a string cell of XLSX."""
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), cell)


def _needs_sign(text: str) -> bool:
    # Behind the apostrophes of its own that it begins with, so that one more can be told apart.
    rest = text.lstrip("'")
    trimmed = rest.strip()
    return rest != trimmed or trimmed.startswith(_FORMULA_SIGNS)
