"""Small functions that make messages of the contract, with good defaults."""

import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from chaupal.groups.v1 import audience_pb2
from chaupal.groups.v1 import groups_pb2 as pb

from tests.unit.groups.builders import unit_id

M = TypeVar("M", pb.Group, pb.GroupRow)


def a_request_id() -> str:
    return str(uuid.uuid4())


def a_group(code: str = "g-1", unit: str = "b-1", **said: object) -> pb.Group:
    """A group to register that nothing is wrong with."""
    message = pb.Group(
        code=code,
        names={"en": f"Group {code}"},
        kind="booth_voters",
        unit_id=unit_id(unit),
        admins=[pb.Admin(person="p-1", role=pb.ADMIN_ROLE_OWNER)],
        language="hi",
        member_count=900,
        capacity=1024,
        state=pb.GROUP_STATE_ACTIVE,
    )
    return changed(message, said)


def a_row(
    row: int, code: str, unit: str = "b-1", level: str = "booth", **said: object
) -> pb.GroupRow:
    """A row that nothing is wrong with."""
    message = pb.GroupRow(
        row=row,
        code=code,
        names={"en": f"Group {code}"},
        kind="booth_voters",
        unit_level=level,
        unit_code=unit,
        admins=[pb.Admin(person="p-1", role=pb.ADMIN_ROLE_OWNER)],
        member_count=900,
        state=pb.GROUP_STATE_ACTIVE,
    )
    return changed(message, said)


def changed(message: M, said: Mapping[str, Any]) -> M:
    """The message with other fields; a list or map replaces what was there."""
    for name in said:
        message.ClearField(name)  # type: ignore[arg-type]  # a test names its fields
    message.MergeFrom(type(message)(**said))
    return message


def an_import(
    rows: Sequence[pb.GroupRow],
    request_id: str | None = None,
    *,
    validate_only: bool = False,
    page: int = 5_000,
) -> AsyncIterator[pb.ImportGroupsRequest]:
    """The stream of an import: a header and pages."""
    header = pb.ImportGroupsHeader(
        request_id=request_id or a_request_id(), validate_only=validate_only
    )
    pages = [
        pb.ImportGroupsRequest(page=pb.ImportGroupsPage(rows=rows[start : start + page]))
        for start in range(0, len(rows), page)
    ]
    return as_stream([pb.ImportGroupsRequest(header=header), *pages])


async def as_stream(
    messages: Iterable[pb.ImportGroupsRequest],
) -> AsyncIterator[pb.ImportGroupsRequest]:
    for each in messages:
        yield each


def an_audience(
    *include: audience_pb2.AudienceTerm, exclude: Sequence[audience_pb2.AudienceTerm] = ()
) -> audience_pb2.Audience:
    return audience_pb2.Audience(include=include, exclude=exclude)


def a_term(
    *units: str, kinds: Sequence[str] = (), categories: Sequence[str] = ()
) -> audience_pb2.AudienceTerm:
    """A term about units that a test calls by name."""
    return audience_pb2.AudienceTerm(
        unit_ids=[unit_id(name) for name in units], kinds=kinds, categories=categories
    )
