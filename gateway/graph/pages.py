"""Relay connections over the services' pages.

A service hands out one token a page; Relay wants a cursor an edge. So a cursor is a page's token
and how many of its items are behind it. The cursor of a page's last item is the next page's token
with nothing behind it: paging with `endCursor` never reads an item twice.

After https://relay.dev/graphql/connections.htm and https://google.aip.dev/158.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Generic, Protocol, TypeVar

import strawberry

from kit.errors import InvalidInput

MAX_PAGE_SIZE = 1_000
_MAX_CURSOR_CHARS = 4_096
# A service may answer fewer items than asked, down to none, and still say that more follows.
_MAX_SHORT_PAGES = 10
T = TypeVar("T")

First = Annotated[int | None, strawberry.argument(description="How many at most: 1 to 1,000.")]
After = Annotated[str | None, strawberry.argument(description="Cursor of the edge to go on from.")]


@strawberry.federation.type(shareable=True, description="Where a page of a connection lies.")
class PageInfo:
    """Relay's page information; paging goes forward only."""

    has_next_page: bool = strawberry.field(description="Whether more follows.")
    has_previous_page: bool = strawberry.field(description="Whether the page began after a cursor.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first edge.")
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last edge; pass it as `after` for the next page."
    )


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What to ask of a service for `first` and `after`."""

    page_size: int
    page_token: str
    skip: int
    after: bool


class Reply(Protocol):
    """A service's page."""

    @property
    def next_page_token(self) -> str:
        """Where to go on; empty on the last page."""
        ...


R = TypeVar("R", bound=Reply)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a connection: its items, a cursor for each, and what lies around it."""

    items: Sequence[T]
    cursors: Sequence[str]
    info: PageInfo


def page_request(
    first: int | None, after: str | None, *, default: int, maximum: int = MAX_PAGE_SIZE
) -> PageRequest:
    """The service's page that holds the `first` items after a cursor.

    A cursor in the middle of a page makes its beginning be read again and skipped. When that and
    `first` together pass the maximum, the page comes out shorter, and says that more follows.

    Raises:
        InvalidInput: OUT_OF_RANGE on `first`, BAD_CURSOR on `after`.
    """
    size = default if first is None else first
    if not 1 <= size <= maximum:
        raise InvalidInput.of("first", "OUT_OF_RANGE", f"must be 1 to {maximum}")
    if after is None or after is strawberry.UNSET:
        return PageRequest(size, "", 0, after=False)
    skip, token = _decode_cursor(after)
    if skip >= maximum:
        raise _bad_cursor()
    return PageRequest(min(size + skip, maximum), token, skip, after=True)


async def read_page(
    request: PageRequest,
    ask: Callable[[PageRequest], Awaitable[R]],
    items: Callable[[R], Sequence[Any]],
) -> tuple[PageRequest, R]:
    """The service's answer that holds the first item after the cursor, and the request for it.

    An answer that ends before that item is followed by the next one: a page without an edge has
    no cursor, so that nobody could go on from it.
    """
    reply = await ask(request)
    for _ in range(_MAX_SHORT_PAGES):
        count = len(items(reply))
        if count > request.skip or not reply.next_page_token:
            break
        request = replace(
            request,
            page_size=request.page_size - count,
            page_token=reply.next_page_token,
            skip=request.skip - count,
        )
        reply = await ask(request)
    return request, reply


def cut_page(request: PageRequest, items: Sequence[T], next_token: str) -> Page[T]:
    """The page that was asked for, from the service's answer.

    Raises:
        InvalidInput: ANSWER_TOO_LARGE on `first` when more follows but not one item did fit.
    """
    total = len(items)
    if next_token and total <= request.skip:
        raise InvalidInput.of("first", "ANSWER_TOO_LARGE", "not one item fits: ask for less")
    cursors = [
        _encode_cursor(position, request.page_token)
        for position in range(request.skip + 1, total + 1)
    ]
    if cursors and next_token:
        cursors[-1] = _encode_cursor(0, next_token)
    info = PageInfo(
        has_next_page=bool(next_token),
        has_previous_page=request.after,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )
    return Page(items[request.skip :] if request.skip else items, cursors, info)


def _encode_cursor(skip: int, token: str) -> str:
    return base64.urlsafe_b64encode(f"{skip}:{token}".encode()).decode().rstrip("=")


def _decode_cursor(cursor: str) -> tuple[int, str]:
    if len(cursor) > _MAX_CURSOR_CHARS:
        raise _bad_cursor()
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        number, colon, token = raw.decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        raise _bad_cursor() from None
    if not colon or not number.isdecimal() or len(number) > 6:
        raise _bad_cursor()
    return int(number), token


def _bad_cursor() -> InvalidInput:
    return InvalidInput.of("after", "BAD_CURSOR", "must be a cursor of this connection")
