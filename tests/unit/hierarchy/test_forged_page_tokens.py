"""A page token is not signed, so callers may put into it what they like: the answer is typed."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chaupal.hierarchy.v1 import hierarchy_pb2, people_pb2, tenants_pb2
from google.protobuf.message import Message

from kit.errors import InvalidInput
from services.hierarchy.translate.values import names_to_proto
from tests.builders_hierarchy import a_request_id, text
from tests.unit.hierarchy.every_method import METHODS, OPERATORS_METHODS, call
from tests.unit.hierarchy.whole_world import World, a_whole_world

PAGED = {
    name: method
    for name, method in {**METHODS, **OPERATORS_METHODS}.items()
    if "page_token" in method.input_type.fields_by_name
}
VALUES: Mapping[str, Any] = {
    "half of a pair": "\ud800",
    "nothing": None,
    "empty": "",
    "control": "\0",
    "long": "x" * 1_000,
    "true": True,
    "negative": -1,
    "as large as 64 bits": 2**63,
    "larger than any": 10**40,
    "a fraction": 1.5,
    "infinite": float("inf"),
    "no number": float("nan"),
}


def first_pages(world: World) -> list[Message]:
    """A request of each such method for a first page of one, behind which another follows."""
    units, asha = world.ids, world.ids["asha"]
    return [
        hierarchy_pb2.ListChildrenRequest(parent_id=units["RJ"], page_size=1),
        hierarchy_pb2.SearchUnitsRequest(query="booth", page_size=1),
        hierarchy_pb2.ListUnitHistoryRequest(unit_id=units["M1"], page_size=1),
        hierarchy_pb2.ListAreasRequest(page_size=1),
        people_pb2.ListVacanciesRequest(position="secretary", level="mandal", page_size=1),
        people_pb2.ListVerificationQueueRequest(page_size=1),
        people_pb2.ListWatchesRequest(person_id=asha, page_size=1),
        people_pb2.ListUnwatchedRequest(level="district", page_size=1),
        tenants_pb2.ListTenantsRequest(page_size=1),
    ]


async def test_whatever_is_put_into_a_token_the_answer_is_typed(tmp_path: Path) -> None:
    faults: list[str] = []
    async with a_whole_world(tmp_path) as world:
        await lengthen(world)
        before = await world.everything()
        requests = first_pages(world)
        assert {_method_of(each) for each in requests} == set(PAGED)
        for request in requests:
            token = (await answer(world, request)).next_page_token
            assert token, request
            for name, forged in forgeries(token).items():
                request.page_token = forged  # type: ignore[attr-defined]  # each has one
                said = await outcome(world, request)
                # It may as well name a place in the list, which the caller could ask for anyway.
                if said not in ("OK", "page_token"):
                    faults.append(f"{_method_of(request)}, {name}: {said}")
        assert await world.everything() == before
    assert not faults, "\n".join(faults)


def forgeries(token: str) -> dict[str, str]:
    """What can be made of a token: each value of its state in turn, and other shapes."""
    body = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    forged = {
        f"{key} {name}": _encoded({**body, "s": {**body["s"], key: value}})
        for key in body["s"]
        for name, value in VALUES.items()
    }
    return forged | {
        "no state": _encoded({**body, "s": {}}),
        "a list of state": _encoded({**body, "s": [1]}),
        "state in state": _encoded({**body, "s": {key: {} for key in body["s"]}}),
        "no query": _encoded({"s": body["s"]}),
        "a list": _encoded([]),
        "half of a pair for a key": _encoded({**body, "s": {**body["s"], "\ud800": 1}}),
        "deeply nested": base64.urlsafe_b64encode(b"[" * 1_500).decode(),
    }


async def lengthen(world: World) -> None:
    """Let every list have two items at least."""
    people = world.people
    await world.operated.create("mango")
    for name in ("One", "Two"):
        request = hierarchy_pb2.UpdateUnitRequest(
            id=world.ids["M1"], names=names_to_proto(text(name)), request_id=a_request_id()
        )
        await people.hierarchy.call("UpdateUnit", request)
        people.clock.advance(1)
    await people.call(
        people_pb2.AssignWatchRequest(
            unit_id=world.ids["M2"], person_id=world.ids["asha"], request_id=a_request_id()
        )
    )
    (watch,) = (
        each
        for each in (await people.call(people_pb2.ListWatchesRequest())).watches
        if each.unit_id == world.ids["JPR"]
    )
    await people.call(
        people_pb2.AssignWatchRequest(
            unit_id=world.ids["B1"], person_id=watch.person_id, request_id=a_request_id()
        )
    )
    await people.call(people_pb2.EndWatchRequest(id=watch.id, request_id=a_request_id()))


async def answer(world: World, request: Message) -> Any:
    method = PAGED[_method_of(request)]
    caller = world.caller(method.containing_service.name)
    (reply,) = await call(world.operated.channel, method, [request], caller)
    return reply


async def outcome(world: World, request: Message) -> str:
    """The field that is at fault, or the error if it is another; "OK" where there is none."""
    try:
        await answer(world, request)
    except InvalidInput as error:
        return ", ".join(each.field for each in error.violations)
    except Exception as error:  # noqa: BLE001  # to be named among others
        return repr(error)
    return "OK"


def _method_of(request: Message) -> str:
    return request.DESCRIPTOR.name.removesuffix("Request")


def _encoded(body: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")
