"""Reads blueprint.toml. Its shape is checked here; whether it may replace the one that stands is
for the service to say.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.files.problems import Problem
from cli.records import BlueprintRecord, KindTerm, Term

SECTIONS = ("style", "names", "levels", "group_kinds", "categories")


def read_blueprint(path: Path) -> tuple[BlueprintRecord | None, list[Problem]]:
    """Return the blueprint, or none and everything that is wrong with the file.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        content = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return None, [Problem(0, "", "BAD_UTF8", f"not UTF-8 at byte {error.start}")]
    except tomllib.TOMLDecodeError as error:
        return None, [Problem(0, "", "BAD_TOML", f"not TOML: {error}")]
    reader = _Reader()
    record = reader.blueprint(content)
    return (None if reader.problems else record), reader.problems


class _Reader:
    """Reads values of the shape that they should have, and notes those that have not."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def blueprint(self, content: Mapping[str, Any]) -> BlueprintRecord:
        self._unknown("", content, SECTIONS)
        kinds = self._tables(content, "group_kinds", ("key", "names", "has_category"))
        return BlueprintRecord(
            self._text("style", content.get("style")),
            self._names("names", content.get("names")),
            [self._term(at, table) for at, table in self._tables(content, "levels")],
            [self._kind(at, table) for at, table in kinds],
            [self._term(at, table) for at, table in self._tables(content, "categories")],
        )

    def _tables(
        self, content: Mapping[str, Any], section: str, known: tuple[str, ...] = ("key", "names")
    ) -> list[tuple[str, Mapping[str, Any]]]:
        value = content.get(section, [])
        if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
            self._wrong(section, "BAD_SHAPE", f"must be a list of tables, written [[{section}]]")
            return []
        tables = [(f"{section}[{index}]", table) for index, table in enumerate(value)]
        for at, table in tables:
            self._unknown(f"{at}.", table, known)
        return tables

    def _term(self, at: str, table: Mapping[str, Any]) -> Term:
        key = self._text(f"{at}.key", table.get("key"))
        return Term(key, self._names(f"{at}.names", table.get("names")))

    def _kind(self, at: str, table: Mapping[str, Any]) -> KindTerm:
        term = self._term(at, table)
        has_category = table.get("has_category", False)
        if not isinstance(has_category, bool):
            self._wrong(f"{at}.has_category", "BAD_SHAPE", "must be true or false")
        return KindTerm(term.key, term.names, bool(has_category))

    def _names(self, at: str, value: object) -> Mapping[str, str]:
        if not isinstance(value, dict) or not value:
            self._wrong(at, "MISSING", 'must be a table of names by language, with "en"')
            return {}
        return {language: self._text(f"{at}.{language}", text) for language, text in value.items()}

    def _text(self, at: str, value: object) -> str:
        if isinstance(value, str) and value.strip():
            return value.strip()
        self._wrong(at, "MISSING", "must be a text in quotes")
        return ""

    def _unknown(self, at: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for name in table:
            if name not in known:
                told = f"is not part of a blueprint; known are {', '.join(known)}"
                self._wrong(f"{at}{name}", "UNKNOWN_FIELD", told)

    def _wrong(self, field: str, reason: str, description: str) -> None:
        self.problems.append(Problem(0, field, reason, description))
