"""Tell callers, and peers about their callers, who they are and what they may do where."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kit.clock import Clock
from services.hierarchy.domain.access import Viewer
from services.hierarchy.domain.errors import AccessBehind, OthersSubject
from services.hierarchy.domain.questions import Question, answers
from services.hierarchy.domain.tenants import TenantHeader
from services.hierarchy.ports import Caller
from services.hierarchy.use_cases.access import Access, own_grants
from services.hierarchy.use_cases.appointments import ShownAppointment, shown_appointment
from services.hierarchy.use_cases.trees import Trees


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose rights are asked for, and how new the answer must be.

    Attributes:
        subject: the `sub` of somebody's tokens; None for the caller's own.
        at_least: an access version that the asker has seen.
    """

    subject: str | None = None
    at_least: int = 0


@dataclass(frozen=True, slots=True)
class ShownViewer:
    """Somebody, and their appointments with what the last verification of each means now."""

    viewer: Viewer
    appointments: Sequence[ShownAppointment]


@dataclass(frozen=True, slots=True)
class Answered:
    """May they? One answer for each question, true at this access version."""

    access_version: int
    allowed: Sequence[bool]


class Rights:
    """Who may do what, as it stands now.

    Of a subject that a service names only what the appointments give is told: the service has
    verified that subject's token itself, and adds what the token gives.
    """

    def __init__(self, access: Access, trees: Trees, clock: Clock) -> None:
        self._access = access
        self._trees = trees
        self._clock = clock

    async def version(self, caller: Caller) -> int:
        """The tenant's access version."""
        return (await self._access.header(caller)).access_version

    async def viewer(self, caller: Caller, whose: Whose, known: int = 0) -> ShownViewer | None:
        """Who they are; None when the answer for the version `known` is still true.

        Raises:
            OthersSubject, AccessBehind: see there.
        """
        header = await self._header(caller, whose)
        if known and known == header.access_version:
            return None
        viewer = await self._viewer(header, caller, whose, afresh=True)
        now = self._clock.now()
        blueprint = viewer.header.blueprint
        shown = [shown_appointment(blueprint, each, now) for each in viewer.appointments]
        return ShownViewer(viewer, shown)

    async def answer(self, caller: Caller, whose: Whose, questions: Sequence[Question]) -> Answered:
        """Whether they may.

        Raises:
            OthersSubject, AccessBehind: see there.
        """
        header = await self._header(caller, whose)
        viewer = await self._viewer(header, caller, whose, afresh=False)
        tree = await self._trees.seen(viewer.header)
        # A thousand questions, or somebody with thousands of offices, take some milliseconds.
        allowed = await asyncio.to_thread(list, answers(viewer.grants, tree, questions))
        return Answered(viewer.header.access_version, allowed)

    async def _header(self, caller: Caller, whose: Whose) -> TenantHeader:
        if not caller.is_service and whose.subject not in (None, caller.subject):
            raise OthersSubject
        header = await self._access.header(caller)
        if header.access_version < whose.at_least:
            raise AccessBehind(header.access_version)
        return header

    async def _viewer(
        self, header: TenantHeader, caller: Caller, whose: Whose, *, afresh: bool
    ) -> Viewer:
        if caller.is_service and whose.subject is None:
            return Viewer(header, caller.subject, None, (), own_grants(caller), None)
        look_up = self._access.look_up if afresh else self._access.holder
        held = await look_up(header, whose.subject or caller.subject)
        own = () if caller.is_service else own_grants(caller)
        return replace(held, grants=(*own, *held.grants))
