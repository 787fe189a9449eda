"""Every method, with good requests for each and a way to call it."""

import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import grpc
from chaupal.hierarchy.v1 import (
    access_pb2,
    hierarchy_pb2,
    people_pb2,
    tenants_pb2,
    transfers_pb2,
)
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from kit.channel import outgoing
from kit.deadline import Deadline
from kit.errors import ChaupalError
from services.hierarchy.translate.blueprints import blueprint_to_proto
from tests.builders_hierarchy import a_blueprint
from tests.hierarchy_server import Caller
from tests.unit.hierarchy.good_requests import REQUESTS, Template


def methods_of(*files: Any) -> Mapping[str, MethodDescriptor]:
    """Every method of the services in files of the contract."""
    return {
        method.name: method
        for file in files
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }


# Those of a tenant, and those of whoever operates the platform.
METHODS = methods_of(hierarchy_pb2, people_pb2, access_pb2, transfers_pb2)
OPERATORS_METHODS = methods_of(tenants_pb2)


def as_template(message: Message) -> Mapping[str, Any]:
    """A message as a part of a template."""
    template: Mapping[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return template


def messages_of(
    method: MethodDescriptor, template: Template, ids: Mapping[str, Any]
) -> list[Message]:
    """The messages of a request; unless its method takes a stream there is one."""
    parts = [template] if isinstance(template, Mapping) else template
    of = GetMessageClass(method.input_type)
    return [ParseDict(_filled(part, ids), of()) for part in parts]


def _filled(template: Any, ids: Mapping[str, Any]) -> Any:
    """The template with ids for names, as JSON; what is None is left out."""
    match template:
        case "@request":
            return str(uuid.uuid4())
        case str() if template.startswith("@"):
            return ids[template[1:]]
        case Mapping():
            given = {name: each for name, each in template.items() if each is not None}
            return {name: _filled(each, ids) for name, each in given.items()}
        case list() | tuple():
            return [_filled(each, ids) for each in template]
        case _:
            return template


# For whoever is turned away at the door, whatever they ask about.
_ANYTHING = defaultdict(
    lambda: "00000000-0000-4000-8000-000000000001",
    {"subject": "", "blueprint": as_template(blueprint_to_proto(a_blueprint()))},
)


async def outcomes(channel: grpc.aio.Channel, caller: Caller) -> dict[str, str]:
    """The reason for which each method of a tenant refuses a caller; "OK" where it does not."""
    return {name: await _outcome(channel, name, caller) for name in METHODS}


async def _outcome(channel: grpc.aio.Channel, name: str, caller: Caller) -> str:
    method = METHODS[name]
    try:
        await call(channel, method, messages_of(method, REQUESTS[name][0], _ANYTHING), caller)
    except ChaupalError as error:
        return error.reason
    return "OK"


async def call(
    channel: Any, method: MethodDescriptor, messages: Sequence[Message | bytes], caller: Caller
) -> list[Any]:
    """The replies of a method, to messages or to what somebody sends for such."""
    path = f"{method.containing_service.full_name}/{method.name}"
    coders = {
        "request_serializer": _bytes_of,
        "response_deserializer": GetMessageClass(method.output_type).FromString,
    }
    async with outgoing(
        path, deadline=Deadline.after(30), token=caller.token, tenant=caller.named_tenant
    ) as options:
        if method.client_streaming and method.server_streaming:
            stream = channel.stream_stream(f"/{path}", **coders)(_sending(messages), **options)
            return [reply async for reply in stream]
        if method.client_streaming:
            send = channel.stream_unary(f"/{path}", **coders)
            return [await send(_sending(messages), **options)]
        if method.server_streaming:
            stream = channel.unary_stream(f"/{path}", **coders)(messages[0], **options)
            return [reply async for reply in stream]
        return [await channel.unary_unary(f"/{path}", **coders)(messages[0], **options)]


async def _sending(messages: Sequence[Message | bytes]) -> AsyncIterator[Message | bytes]:
    for each in messages:
        yield each


def _bytes_of(message: Message | bytes) -> bytes:
    return message if isinstance(message, bytes) else message.SerializeToString()
