"""Documents, parsed, measured and validated once and kept.

Parsing and validating cost more than executing most operations, and consoles send the same few
documents again and again.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    parse,
    validate,
)

from gateway.http.limits import DocumentTooLarge, Limits, check_limits, check_nesting

# 512 documents of at most 32 KB: 16 MB of text and some times that of trees.
_KEPT = 512
_LONGEST_KEPT_CHARS = 32 * 1024
_MAX_ERRORS = 20


@dataclass(frozen=True, slots=True)
class Document:
    """A document that may be executed, or why it may not."""

    node: DocumentNode | None
    errors: Sequence[GraphQLError] = ()

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation of that name, or the only one; None when there is no such thing."""
        found = [
            each
            for each in (self.node.definitions if self.node else ())
            if isinstance(each, OperationDefinitionNode)
            and (name is None or (each.name is not None and each.name.value == name))
        ]
        return found[0] if len(found) == 1 else None

    def type_of(self, name: str | None) -> OperationType | None:
        """Query, mutation or subscription."""
        found = self.operation(name)
        return found.operation if found else None


class Documents:
    """Turns texts into documents, and remembers the latest ones."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._kept: OrderedDict[str, Document] = OrderedDict()

    def get(self, text: str) -> Document:
        """The document of a text. Never raises: what is wrong is in its errors."""
        document = self._kept.get(text)
        if document is not None:
            self._kept.move_to_end(text)
            return document
        document = self._read(text)
        if len(text) <= _LONGEST_KEPT_CHARS:
            self._kept[text] = document
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return document

    def _read(self, text: str) -> Document:
        try:
            check_nesting(text)
            node = parse(text, max_tokens=self._limits.tokens)
            check_limits(node, self._limits)
            errors = validate(self._schema, node, max_errors=_MAX_ERRORS)
        except GraphQLSyntaxError as error:
            return Document(None, (self._named(error),))
        except GraphQLError as error:
            return Document(None, (error,))
        except (ValueError, RecursionError):
            # Such as an integer literal with more digits than Python converts.
            return Document(None, (GraphQLError("The document cannot be read."),))
        return Document(None, errors) if errors else Document(node)

    def _named(self, error: GraphQLSyntaxError) -> GraphQLError:
        if "contains more than" in error.message:  # graphql-core has no type of its own for it
            return DocumentTooLarge(
                "TOO_MANY_TOKENS",
                f"The document has more than {self._limits.tokens} tokens.",
            )
        return error
