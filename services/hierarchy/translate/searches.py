"""What is searched for, and what was found."""

from collections.abc import Sequence
from dataclasses import dataclass

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.errors import InvalidInput, Violations
from kit.ids import is_uuid
from kit.pages import clamp_page_size, decode_page_token, encode_page_token, fingerprint
from services.hierarchy.domain.model import UnitId
from services.hierarchy.domain.name_index import MAX_QUERY_CHARS
from services.hierarchy.domain.text import is_key, quoted
from services.hierarchy.translate.values import unit_to_proto
from services.hierarchy.use_cases.search import MAX_MATCHES, UnitFound

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
MAX_LEVELS = 16


@dataclass(frozen=True, slots=True)
class SearchAsked:
    """A query and which run of its matches.

    `list_id` tells its list of matches from all others, so that a token fits only its own.
    """

    query: str
    levels: Sequence[str]
    within: UnitId | None
    offset: int
    limit: int
    list_id: str

    def token(self, *, has_more: bool) -> str:
        """The token of the next run; empty when there is none."""
        following = self.offset + self.limit
        if not has_more or following >= MAX_MATCHES:
            return ""
        return encode_page_token({"o": following}, self.list_id)


def search_from_proto(message: pb.SearchUnitsRequest, tenant: str) -> SearchAsked:
    """The query. Raises `InvalidInput` naming every field that is wrong."""
    faults = Violations()
    query = message.query.strip()
    if not query:
        faults.add("query", "MISSING", "type at least a letter of a name or a code")
    elif len(query) > MAX_QUERY_CHARS:
        said = f"has {len(query)} characters, at most {MAX_QUERY_CHARS}"
        faults.add("query", "TOO_LONG", said)
    if len(message.levels) > MAX_LEVELS:
        said = f"has {len(message.levels)}, at most {MAX_LEVELS}"
        faults.add("levels", "TOO_MANY", said)
    else:
        for index, level in enumerate(message.levels):
            if not is_key(level):
                faults.add(f"levels[{index}]", "BAD_KEY", f"{quoted(level)} is no key of a level")
    within = message.within_unit_id
    if within and not is_uuid(within):
        said = f"{quoted(within)} is not a UUID in lower case with hyphens"
        faults.add("within_unit_id", "BAD_ID", said)
    faults.raise_if_any()
    levels = sorted(message.levels)
    list_id = fingerprint("search", tenant, query, within, *levels)
    return SearchAsked(
        query,
        levels,
        UnitId(within) if within else None,
        _offset(message.page_token, list_id),
        clamp_page_size(message.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE),
        list_id,
    )


def matches_to_proto(found: Sequence[UnitFound], next_page_token: str) -> pb.SearchUnitsResponse:
    """The units and how well each fits."""
    matches = [
        pb.UnitMatch(
            unit=unit_to_proto(each.unit), score=each.match.score, language=each.match.language
        )
        for each in found
    ]
    return pb.SearchUnitsResponse(matches=matches, next_page_token=next_page_token)


def _offset(page_token: str, list_id: str) -> int:
    state = decode_page_token(page_token, list_id)
    offset = state.get("o") if state else 0
    if not isinstance(offset, int) or not 0 <= offset < MAX_MATCHES:
        raise InvalidInput.of("page_token", "PAGE_TOKEN_INVALID", "not a page token of this query")
    return offset
