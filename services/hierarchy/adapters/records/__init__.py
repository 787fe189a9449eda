"""The shapes in which stores keep values: flat rows, JSON text, whole microseconds.

Shared by the stores, so that what one has written means the same in another.
"""

from services.hierarchy.adapters.records.documents import (
    answer_from_json,
    answer_to_json,
    change_from_record,
    change_to_record,
    header_from_json,
    header_to_json,
)
from services.hierarchy.adapters.records.rows import SHAPES, Shape, from_row, to_row
from services.hierarchy.adapters.records.values import (
    Row,
    Scalar,
    instant_of,
    microseconds,
    names_from_json,
    names_to_json,
)

__all__ = [
    "SHAPES",
    "Row",
    "Scalar",
    "Shape",
    "answer_from_json",
    "answer_to_json",
    "change_from_record",
    "change_to_record",
    "from_row",
    "header_from_json",
    "header_to_json",
    "instant_of",
    "microseconds",
    "names_from_json",
    "names_to_json",
    "to_row",
]
