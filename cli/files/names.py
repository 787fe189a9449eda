"""Names in languages that have no column of their own: one cell of JSON."""

import json
from collections.abc import Mapping

from cli.files.problems import RowProblems

OTHER_NAMES = "other_names"
# These have columns.
COLUMN_LANGUAGES = ("en", "hi")


def other_names(cell: str, column: str, notes: RowProblems) -> Mapping[str, str]:
    """Return the names of a cell such as {"ta": "..."}, by language."""
    if not cell:
        return {}
    try:
        names = json.loads(cell)
    except (ValueError, RecursionError):
        names = None
    right = isinstance(names, dict) and all(
        isinstance(name, str) and language not in COLUMN_LANGUAGES
        for language, name in names.items()
    )
    if not right:
        said = 'is not {"language": "name", ...}, with languages that have no column'
        notes.wrong(column, "BAD_NAMES", said)
        return {}
    return {language: _without_surrogates(name) for language, name in names.items()}


def other_names_cell(names: Mapping[str, str]) -> str:
    """Return the cell that holds the names which have no column."""
    others = {tag: name for tag, name in names.items() if tag not in COLUMN_LANGUAGES}
    return json.dumps(others, ensure_ascii=False, sort_keys=True) if others else ""


def _without_surrogates(text: str) -> str:
    # JSON can spell halves of characters, which no message can hold.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
