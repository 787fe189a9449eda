"""One good request for every method that belongs to a tenant, and a way to call each."""

from collections.abc import Mapping
from typing import Any

import grpc
from chaupal.hierarchy.v1 import access_pb2, hierarchy_pb2, people_pb2, transfers_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass

from kit.channel import outgoing
from kit.deadline import Deadline
from kit.errors import ChaupalError
from services.hierarchy.translate.blueprints import blueprint_to_proto
from tests.builders_hierarchy import a_blueprint
from tests.hierarchy_server import Caller

ID = "00000000-0000-4000-8000-000000000001"
NAMES = {"by_language": {"en": "Somewhere"}}
KEY = {"level": "state", "code": "RJ"}
REF = {"id": ID}
ASKED = {"capability": "view", "unit_id": ID}

REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "GetBlueprint": {},
    "GetUnit": {"key": KEY},
    "BatchGetUnits": {"ids": [ID]},
    "ListChildren": {},
    "BatchListChildren": {"parent_ids": [ID]},
    "ListAncestors": {"unit_id": ID},
    "BatchListAncestors": {"unit_ids": [ID]},
    "ListDescendants": {"unit_id": ID},
    "CountUnits": {},
    "SearchUnits": {"query": "jaipur"},
    "ListUnitHistory": {"unit_id": ID},
    "CreateUnit": {"unit": {**KEY, "names": NAMES}, "request_id": ID},
    "UpdateUnit": {"id": ID, "names": NAMES, "request_id": ID},
    "MoveUnit": {"id": ID, "parent_id": ID, "request_id": ID},
    "CloseUnit": {"id": ID, "request_id": ID},
    "Reorganise": {"steps": [{"close": {"unit": REF}}], "request_id": ID},
    "PutAreas": {
        "areas": [{"area": {"kind": "seat", "code": "1", "names": NAMES}}],
        "request_id": ID,
    },
    "ListAreas": {},
    "BatchListUnitAreas": {"unit_ids": [ID]},
    "StreamTree": {},
    "ImportUnits": {"header": {"request_id": ID}},
    "PutPerson": {"names": NAMES, "request_id": ID},
    "BatchGetPersons": {"ids": [ID]},
    "FindPersonByPhone": {"phone": "+919800000000"},
    "ErasePerson": {"id": ID, "request_id": ID},
    "Appoint": {"unit_id": ID, "position": "president", "person_id": ID, "request_id": ID},
    "EndAppointments": {"ids": [ID], "request_id": ID},
    "VerifyAppointments": {"ids": [ID], "request_id": ID},
    "BatchListUnitAppointments": {"unit_ids": [ID]},
    "BatchListPersonAppointments": {"person_ids": [ID]},
    "ListVacancies": {"position": "president", "level": "booth"},
    "ListVerificationQueue": {"state": "VERIFICATION_STATE_STALE"},
    "CountAppointments": {},
    "PutTeam": {"team": {"unit_id": ID, "kind": "it_cell", "names": NAMES}, "request_id": ID},
    "BatchListTeams": {"unit_ids": [ID]},
    "AssignWatch": {"unit_id": ID, "person_id": ID, "request_id": ID},
    "EndWatch": {"id": ID, "request_id": ID},
    "BatchGetWatchLines": {"unit_ids": [ID]},
    "ListWatches": {"person_id": ID},
    "ListUnwatched": {"level": "booth"},
    "GetViewer": {},
    "GetAccessVersion": {},
    "CheckAccess": {"question": ASKED},
    "BatchCheckAccess": {"questions": [ASKED]},
    "ImportRows": {"header": {"request_id": ID, "kind": "ROW_KIND_PERSONS"}},
    "ExportRows": {"kind": "ROW_KIND_PERSONS"},
}

METHODS: Mapping[str, MethodDescriptor] = {
    method.name: method
    for file in (hierarchy_pb2, people_pb2, access_pb2, transfers_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


def a_request(name: str) -> Any:
    if name == "PutBlueprint":
        return hierarchy_pb2.PutBlueprintRequest(blueprint=blueprint_to_proto(a_blueprint()))
    return ParseDict(dict(REQUESTS[name]), GetMessageClass(METHODS[name].input_type)())


async def outcomes(channel: grpc.aio.Channel, caller: Caller) -> dict[str, str]:
    """The reason for which each method refuses a caller; "OK" where it does not."""
    return {name: await _outcome(channel, name, caller) for name in METHODS}


async def _outcome(channel: grpc.aio.Channel, name: str, caller: Caller) -> str:
    path = f"{METHODS[name].containing_service.full_name}/{name}"
    try:
        async with outgoing(
            path, deadline=Deadline.after(30), token=caller.token, tenant=caller.named_tenant
        ) as options:
            await _call(channel, f"/{path}", METHODS[name], a_request(name), options)
    except ChaupalError as error:
        return error.reason
    return "OK"


async def _call(
    channel: Any, path: str, method: MethodDescriptor, request: Any, options: Any
) -> None:
    coders = {
        "request_serializer": type(request).SerializeToString,
        "response_deserializer": GetMessageClass(method.output_type).FromString,
    }
    if method.client_streaming and method.server_streaming:
        async for _ in channel.stream_stream(path, **coders)(iter([request]), **options):
            pass
    elif method.client_streaming:
        await channel.stream_unary(path, **coders)(iter([request]), **options)
    elif method.server_streaming:
        async for _ in channel.unary_stream(path, **coders)(request, **options):
            pass
    else:
        await channel.unary_unary(path, **coders)(request, **options)
