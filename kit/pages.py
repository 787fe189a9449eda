"""Page tokens and page sizes in the manner of https://google.aip.dev/158."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import TypedDict

from kit.errors import InvalidInput

Scalar = str | int | float | bool | None
MAX_TOKEN_CHARS = 2048


def fingerprint(*parts: object) -> str:
    """A short digest of a query (tenant, filter, order), so that a token fits only its query."""
    text = json.dumps([str(part) for part in parts], ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=9).hexdigest()


def encode_page_token(state: Mapping[str, Scalar], expect: str) -> str:
    """The opaque token of the next page: where to go on, and the fingerprint of the query.

    Not signed: it holds nothing that its bearer could not ask for, and the tenant and the rights
    are taken from the credential on every page.
    """
    body = json.dumps({"q": expect, "s": dict(state)}, separators=(",", ":"))
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def decode_page_token(token: str, expect: str) -> dict[str, Scalar] | None:
    """The state of a token made for the same query; None for the empty token of the first page.

    Raises:
        InvalidInput: PAGE_TOKEN_INVALID on `page_token` when it is damaged or of another query.
    """
    if not token:
        return None
    body = _parsed(token)
    if body is None or body["q"] != expect:
        raise InvalidInput.of(
            "page_token", "PAGE_TOKEN_INVALID", "not a page token of this query; start again"
        )
    return body["s"]


def clamp_page_size(size: int, default: int, maximum: int) -> int:
    """The page size to use: the default for zero, at most the maximum.

    Raises:
        InvalidInput: PAGE_SIZE_INVALID on `page_size` when it is negative.
    """
    if size < 0:
        raise InvalidInput.of("page_size", "PAGE_SIZE_INVALID", "must not be negative")
    return min(size or default, maximum)


class _Body(TypedDict):
    q: str
    s: dict[str, Scalar]


def _parsed(token: str) -> _Body | None:
    if len(token) > MAX_TOKEN_CHARS:
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        body = json.loads(raw)
        # JSON can spell half of a pair of UTF-16, which is no text for any store.
        json.dumps(body, ensure_ascii=False).encode()
    except (binascii.Error, ValueError, RecursionError):
        return None
    match body:
        case {"q": str(query), "s": dict(state)} if all(map(_is_scalar, state.values())):
            return {"q": query, "s": state}
        case _:
            return None


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)
