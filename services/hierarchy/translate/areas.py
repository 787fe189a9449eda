"""Areas, and the units in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb
from chaupal.hierarchy.v1 import transfers_pb2

from kit.errors import ChaupalError, InvalidInput, Violations, raise_violations
from kit.pages import clamp_page_size, decode_page_token, encode_page_token, fingerprint
from kit.status import error_to_status
from services.hierarchy.domain.area_changes import AreaEntry, PutAreas
from services.hierarchy.domain.areas import Area
from services.hierarchy.domain.model import RequestId
from services.hierarchy.domain.reorganisation import first_violations
from services.hierarchy.domain.text import is_key, quoted
from services.hierarchy.translate.answers import DOMAIN, checked
from services.hierarchy.translate.people_requests import check_id
from services.hierarchy.translate.requests import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from services.hierarchy.translate.unit_refs import ref_from_proto
from services.hierarchy.translate.values import (
    instant_or_none,
    names_from_proto,
    names_to_proto,
)

MAX_ENTRIES = 1_000
MAX_UNITS = 10_000


@dataclass(frozen=True, slots=True)
class AreasPage:
    """Which run of which areas; `after` is the kind and code that it begins behind."""

    kind: str
    limit: int
    after: tuple[str, str] | None


def put_areas_from_proto(message: pb.PutAreasRequest) -> PutAreas:
    """The request. Raises `InvalidInput` with all that is wrong with its shape."""
    faults = Violations()
    check_id(faults, "request_id", message.request_id)
    count = len(message.areas)
    if not count:
        faults.add("areas", "MISSING", "at least one is needed")
    elif count > MAX_ENTRIES:
        faults.add("areas", "TOO_MANY", f"has {count}, at most {MAX_ENTRIES}")
    elif (over := first_over(MAX_UNITS, message.areas)) is not None:
        said = f"has more than {MAX_UNITS} units, with those before"
        faults.add(f"areas[{over}].units", "TOO_MANY", said)
    faults.raise_if_any()
    entries = tuple(
        _entry(faults, f"areas[{index}]", each) for index, each in enumerate(message.areas)
    )
    if faults.found:
        raise_violations(first_violations(faults.found))
    at = instant_or_none(message, "effective_at")
    return PutAreas(RequestId(message.request_id), entries, message.validate_only, at)


def first_over(most: int, areas: Iterable[pb.AreaEntry | transfers_pb2.AreaRow]) -> int | None:
    """The index of the area with whose units there are more than so many; None if there are not."""
    counts = accumulate(len(each.units) for each in areas)
    return next((index for index, count in enumerate(counts) if count > most), None)


def areas_page_from_proto(message: pb.ListAreasRequest, tenant: str) -> AreasPage:
    """Which page. Raises `InvalidInput` on `kind`, `page_size` or `page_token`."""
    if message.kind and not is_key(message.kind):
        raise InvalidInput.of("kind", "BAD_KEY", f"{quoted(message.kind)} is no key of a kind")
    limit = clamp_page_size(message.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    state = decode_page_token(message.page_token, _query(tenant, message.kind))
    if state is None:
        return AreasPage(message.kind, limit, None)
    kind, code = state.get("kind"), state.get("code")
    if not isinstance(kind, str) or not isinstance(code, str):
        raise InvalidInput.of("page_token", "PAGE_TOKEN_INVALID", "not a page token of this query")
    return AreasPage(message.kind, limit, (kind, code))


def areas_page_to_proto(
    areas: Sequence[Area], page: AreasPage, tenant: str, *, has_more: bool
) -> pb.ListAreasResponse:
    """A page of areas; a thousand go into a message, but for the longest of names."""
    answer = pb.ListAreasResponse(areas=map(area_to_proto, areas))
    if has_more:
        last = {"kind": areas[-1].kind, "code": areas[-1].code}
        answer.next_page_token = encode_page_token(last, _query(tenant, page.kind))
    return checked(answer, "page_size")


def areas_put_to_proto(areas: Sequence[Area]) -> pb.PutAreasResponse:
    """The areas that were put. As large as what was sent, and so goes into a message."""
    return pb.PutAreasResponse(areas=map(area_to_proto, areas))


def unit_areas_to_proto(
    found: Iterable[Sequence[Area] | ChaupalError],
) -> pb.BatchListUnitAreasResponse:
    """A batch of areas, one answer for each unit. Raises `InvalidInput` (ANSWER_TOO_LARGE)."""
    return checked(pb.BatchListUnitAreasResponse(results=map(_result, found)), "unit_ids")


def area_to_proto(area: Area) -> pb.Area:
    """The area."""
    return pb.Area(id=area.id, kind=area.kind, code=area.code, names=names_to_proto(area.names))


def _entry(faults: Violations, path: str, message: pb.AreaEntry) -> AreaEntry:
    units = tuple(
        ref_from_proto(faults, f"{path}.units[{index}]", each)
        for index, each in enumerate(message.units)
    )
    if units and not message.sets_units:
        faults.add(f"{path}.sets_units", "MISSING", "names units: say that they are to be set")
    area = message.area
    return AreaEntry(
        area.kind,
        area.code,
        names_from_proto(area.names),
        units if message.sets_units else None,
        message.closed,
    )


def _result(answer: Sequence[Area] | ChaupalError) -> pb.UnitAreasResult:
    if isinstance(answer, ChaupalError):
        return pb.UnitAreasResult(status=error_to_status(answer, DOMAIN))
    return pb.UnitAreasResult(areas=pb.UnitAreas(areas=map(area_to_proto, answer)))


def _query(tenant: str, kind: str) -> str:
    return fingerprint("areas", tenant, kind)
