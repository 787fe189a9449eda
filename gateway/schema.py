"""Prints the composed schema and each subgraph's SDL, sorted: `python -m gateway.schema --write`.

The files are committed; `--check` fails when they are not what the code says. Consoles and other
clients generate their types from `schema.graphql`.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from graphql import lexicographic_sort_schema, print_schema

from gateway.composer import compose
from gateway.config import SUBGRAPHS, load_subgraphs

FOLDER = Path(__file__).parent


def printed() -> Mapping[str, str]:
    """The text of every schema file by its path below the gateway's folder."""
    subgraphs = load_subgraphs(SUBGRAPHS)
    composed = lexicographic_sort_schema(compose(subgraphs).schema)
    files = {"schema.graphql": print_schema(composed)}
    for subgraph in subgraphs:
        files[f"schema/{subgraph.name}.graphql"] = subgraph.schema(in_order=True).as_str()
    return {name: f"{text.rstrip()}\n" for name, text in files.items()}


def drifted(folder: Path = FOLDER) -> list[str]:
    """The files that are missing or differ from what the code says, and those that are too many."""
    expected = printed()
    wrong = [name for name, text in expected.items() if _read(folder / name) != text]
    there = {f"schema/{each.name}" for each in (folder / "schema").glob("*.graphql")}
    return sorted(wrong + list(there - set(expected)))


def write(folder: Path = FOLDER) -> None:
    """Write every schema file."""
    (folder / "schema").mkdir(exist_ok=True)
    for name, text in printed().items():
        (folder / name).write_text(text, encoding="utf-8")


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main() -> int:
    """Write or check; 1 when the check finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m gateway.schema", description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="write the files")
    mode.add_argument("--check", action="store_true", help="fail when a file differs")
    if parser.parse_args().write:
        write()
        return 0
    wrong = drifted()
    for name in wrong:
        sys.stderr.write(f"gateway/{name} is not what the code says; run make schema\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
