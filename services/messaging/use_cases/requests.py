"""Names that callers give their writes, checked and tied to what was asked."""

import hashlib
import json
from typing import Any

from kit.errors import InvalidInput
from kit.ids import is_uuid
from services.messaging.domain.broadcasts import AudienceTerm, Draft
from services.messaging.ports import Request


def request_of(request_id: str, *asked: Any) -> Request:
    """The request under its id and the digest of what it asks.

    Args:
        request_id: As the caller wrote it.
        asked: Everything that makes this request another than the next, as JSON values.

    Raises:
        InvalidInput: REQUEST_ID_INVALID when the id is no UUID.
    """
    name = request_id.lower()
    if not is_uuid(name):
        raise InvalidInput.of("request_id", "REQUEST_ID_INVALID", "must be a UUID")
    content = json.dumps(asked, sort_keys=True, ensure_ascii=False).encode()
    return Request(name, hashlib.sha256(content).hexdigest())


def content_of(draft: Draft) -> dict[str, Any]:
    """A draft as JSON values."""
    include, exclude = draft.audience.include, draft.audience.exclude
    return {
        "title": draft.title,
        "texts": dict(draft.texts),
        "transport": draft.transport,
        "audience": [[_term(term) for term in terms] for terms in (include, exclude)],
    }


def _term(term: AudienceTerm) -> list[list[str]]:
    return [list(term.unit_ids), list(term.kinds), list(term.categories)]
