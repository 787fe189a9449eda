"""Where a fault lies, in the caller's words: proto paths to GraphQL paths."""

import re
from collections.abc import Mapping

from kit.errors import FieldViolation, InvalidInput

_SNAKE = re.compile(r"_([a-z0-9])")
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
    message = error.message
    violations: list[FieldViolation] = []
    for each in error.violations:
        path = graphql_path(each.field, prefixes)
        violations.append(FieldViolation(path, each.reason, each.description))
        message = message.replace(f"{each.field}:", f"{path}:")
    told = InvalidInput.from_wire(
        reason=error.reason, message=message, fields=error.fields(), domain=error.domain
    )
    told.violations = tuple(violations)
    return told
