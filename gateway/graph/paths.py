"""Where a fault lies, in the caller's words: proto paths to GraphQL paths."""

import re
from collections.abc import Mapping

from gateway.graph.violations import MORE_VIOLATIONS
from kit.errors import FieldViolation, InvalidInput

_SNAKE = re.compile(r"_([a-z0-9])")
# In a message: `page_size:`, and `broadcast.audience.include[0].unit_ids[2]` wherever it stands.
# A word alone is a path only where it is named as one: "id: must be the id of a unit".
_STEP = r"\w+(?:\[\d+\])?"
_PATH = re.compile(rf"{_STEP}(?:\.{_STEP})+|{_STEP}(?=:)")
PAGING: Mapping[str, str] = {"page_size": "first", "page_token": "after"}


def camel_case(path: str) -> str:
    """`include[0].unit_ids[2]` as `include[0].unitIds[2]`."""
    return _SNAKE.sub(lambda found: found[1].upper(), path)


def graphql_path(path: str, prefixes: Mapping[str, str]) -> str:
    """A proto path as the GraphQL argument that it came from.

    Args:
        path: as the service says it.
        prefixes: first segments that have another name in GraphQL.
    """
    first, dot, rest = path.partition(".")
    head, bracket, index = first.partition("[")
    return f"{prefixes.get(head, camel_case(head))}{bracket}{index}{dot}{camel_case(rest)}"


def in_graphql_words(error: InvalidInput, prefixes: Mapping[str, str]) -> InvalidInput:
    """The same refusal with its violations, and what its message says of them, at GraphQL paths."""
    paths = {each.field: graphql_path(each.field, prefixes) for each in error.violations}

    def reworded(found: re.Match[str]) -> str:
        path = found[0]
        if path in paths:
            return paths[path]
        return graphql_path(path, prefixes) if path.partition(".")[0] in prefixes else path

    told = InvalidInput.from_wire(
        reason=error.reason,
        message=_PATH.sub(reworded, error.message),
        fields=error.fields(),
        domain=error.domain,
    )
    told.violations = tuple(
        # What says that there are more is about no field, whatever was put before its path.
        FieldViolation(
            "" if each.reason == MORE_VIOLATIONS else paths[each.field],
            each.reason,
            each.description,
        )
        for each in error.violations
    )
    return told
