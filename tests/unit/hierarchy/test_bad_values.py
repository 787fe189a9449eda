"""Whatever a caller sends, the answer is typed: it names the field, and nothing has changed."""

import asyncio
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from kit.errors import ChaupalError, InvalidInput, kind_of
from kit.status import STATUS_OF_KIND, status_to_error
from tests.timing import wait_until
from tests.unit.hierarchy.bad_values import Bad, Walk, fields_of, spoilt
from tests.unit.hierarchy.every_method import METHODS, OPERATORS_METHODS, call, messages_of
from tests.unit.hierarchy.good_requests import (
    ACCESS,
    PEOPLE,
    REQUESTS,
    TENANTS,
    TRANSFERS,
    UNIT_READS,
    UNIT_WRITES,
    Template,
)
from tests.unit.hierarchy.lawful_values import LAWFUL, Lawful, lawful
from tests.unit.hierarchy.whole_world import ANY_IDS, World, a_whole_world

EVERY_METHOD = {**METHODS, **OPERATORS_METHODS}
EVERY_REQUEST = {**REQUESTS, **TENANTS}
# Each has a world of its own, so that what one changes is in no other's way.
GROUPS: Mapping[str, Mapping[str, Sequence[Template]]] = {
    "unit reads": UNIT_READS,
    "unit writes": UNIT_WRITES,
    "people": PEOPLE,
    "access": ACCESS,
    "transfers": TRANSFERS,
    "tenants": TENANTS,
}


class Outcome(NamedTuple):
    """How a call ended: its status, and the fields that are named."""

    code: str
    fields: Sequence[str] = ()

    def names(self, path: str) -> bool:
        """Whether a field is named, or what is in it."""
        return any(
            each == path or each.startswith((f"{path}.", f"{path}[")) for each in self.fields
        )

    def is_as(self, said: str) -> bool:
        """Whether it is one of some: a status, or INVALID_ARGUMENT which names a field."""
        return any(
            each == self.code or (self.code == "INVALID_ARGUMENT" and self.names(each))
            for each in said.split()
        )


@dataclass
class Trial:
    """One good request, and everything that can be made of it."""

    world: World
    method: MethodDescriptor
    template: Template
    tried: set[tuple[str, str]]
    faults: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Spoil it in every way, then send it as it is."""
        before = await self.world.everything()
        allowed = [each for each in self._spoilt() if not await self._refuse(*each)]
        if await self.world.everything() != before:
            self.faults.append(f"{self.method.name}: a refused call has changed something")
        for index, bad in allowed:
            await self._allow(index, bad)
        outcome = await self._send(self._messages())
        if outcome.code != "OK":
            self.faults.append(f"{self.method.name}: the good request is not: {outcome}")

    def _spoilt(self) -> Iterator[tuple[int, Bad]]:
        for index, message in enumerate(self._messages()):
            for bad in Walk().through(message):
                # Thousands of something take a while, and are counted alike whatever is in them.
                if bad.name != "too many" or (bad.path, bad.name) not in self.tried:
                    self.tried.add((bad.path, bad.name))
                    yield index, bad

    async def _refuse(self, index: int, bad: Bad) -> bool:
        """Send it, unless it is lawful; whether it was sent."""
        if lawful(self.method.name, bad.path, bad.name):
            return False
        before = await self.world.headers()
        outcome = await self._send(spoilt(bad, self._messages(), index))
        if not (outcome.code == "INVALID_ARGUMENT" and outcome.names(bad.path)):
            self._note(bad, f"{outcome}")
        if await self.world.headers() != before:
            self._note(bad, "has changed something")
        return True

    async def _allow(self, index: int, bad: Bad) -> None:
        """Send what is lawful, only as a trial where that can be asked for."""
        reason = lawful(self.method.name, bad.path, bad.name)
        assert reason is not None
        before, messages = await self.world.headers(), self._messages()
        tries = [_only_try(each) for each in messages]
        outcome = await self._send(spoilt(bad, messages, index))
        if not outcome.is_as(reason.outcome):
            self._note(bad, f"{outcome}, but is lawful: {reason.reason}")
        if any(tries) and await self.world.headers() != before:
            self._note(bad, "has changed something, although it was only tried")

    def _messages(self) -> list[Message]:
        """The good request, under a new request id."""
        return messages_of(self.method, self.template, self.world.ids)

    async def _send(self, messages: Sequence[Message | bytes]) -> Outcome:
        world, of = self.world, self.method
        caller = world.caller(of.containing_service.name)
        calling = asyncio.create_task(call(world.operated.channel, of, messages, caller))
        if of.name == "DeleteTenant":
            await _until_peers_were_told(world, calling)
        try:
            return _outcome(await calling, _rows(self._messages()))
        except ChaupalError as error:
            return _told(error)

    def _note(self, bad: Bad, said: str) -> None:
        self.faults.append(f"{self.method.name}: {bad.path!r} {bad.name}: {said}")


@pytest.mark.parametrize("group", GROUPS)
async def test_a_bad_value_is_named_and_changes_nothing(tmp_path: Path, group: str) -> None:
    faults: list[str] = []
    async with a_whole_world(tmp_path) as world:
        for name, templates in GROUPS[group].items():
            tried: set[tuple[str, str]] = set()
            for template in templates:
                trial = Trial(world, EVERY_METHOD[name], template, tried)
                await trial.run()
                faults += trial.faults
    assert not faults, "\n".join(faults)


def test_every_field_of_every_method_is_spoilt() -> None:
    assert set(EVERY_REQUEST) == set(EVERY_METHOD)
    for name, templates in EVERY_REQUEST.items():
        walk, method = Walk(), EVERY_METHOD[name]
        for template in templates:
            for message in messages_of(method, template, ANY_IDS):
                list(walk.through(message))
        assert walk.seen == set(fields_of(method.input_type)), name


def test_what_is_lawful_is_no_more_than_what_is_sent() -> None:
    used: set[Lawful | None] = set()
    for name, templates in EVERY_REQUEST.items():
        for template in templates:
            for message in messages_of(EVERY_METHOD[name], template, ANY_IDS):
                used |= {lawful(name, bad.path, bad.name) for bad in Walk().through(message)}
    assert [each for each in LAWFUL if each not in used] == []


def _outcome(replies: Sequence[Any], rows: str) -> Outcome:
    """What was answered: also to the only one of a batch, and about the only row of a file.

    Args:
        replies: of the call.
        rows: where rows stand in the request, if there are any.
    """
    for reply in replies:
        for result in getattr(reply, "results", ()):
            if result.HasField("status"):
                return _told(status_to_error(result.status))
        if errors := getattr(getattr(reply, "report", None), "errors", ()):
            return Outcome("INVALID_ARGUMENT", [_path(rows, each.field) for each in errors])
    return Outcome("OK")


def _told(error: ChaupalError) -> Outcome:
    violations = error.violations if isinstance(error, InvalidInput) else ()
    return Outcome(STATUS_OF_KIND[kind_of(error)].name, [each.field for each in violations])


def _rows(messages: Sequence[Message]) -> str:
    """Where the rows of an import stand in its page: "page.persons"; empty for another request."""
    for message in messages:
        if "page" in message.DESCRIPTOR.fields_by_name and message.HasField("page"):
            ((of, _),) = message.page.ListFields()  # type: ignore[attr-defined]  # just looked up
            return f"page.{of.name}"
    return ""


def _path(rows: str, of_row: str) -> str:
    """The path in the request of what a report calls a field of a row; empty is the whole file."""
    if not of_row:
        return "page"
    return f"{rows}[0]." + re.sub(r"\bnames\b", "names.by_language", of_row)


def _only_try(message: Any) -> bool:
    """Let the request change nothing, or nothing that is in the way of others; whether it can."""
    fields = message.DESCRIPTOR.fields_by_name
    if "header" in fields and message.HasField("header"):
        return _only_try(message.header)
    if "validate_only" in fields:
        message.validate_only = True
        return True
    if message.DESCRIPTOR.name == "CreateTenantRequest":
        message.tenant.id = f"t{uuid.uuid4().hex[:16]}"
    return False


async def _until_peers_were_told(world: World, calling: "asyncio.Task[Any]") -> None:
    """Do the worker's work, without which no tenant is removed."""

    async def is_done() -> bool:
        await world.operated.relay()
        return calling.done()

    await wait_until(is_done, 30)
