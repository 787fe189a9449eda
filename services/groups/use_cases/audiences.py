"""What an audience means: how many groups, or which."""

import asyncio
from functools import partial

from kit.errors import FieldViolation, raise_violations
from services.groups.domain.answers import Preview, Resolved
from services.groups.domain.audience import Audience, audience_violations, is_unknown
from services.groups.domain.model import UnitId
from services.groups.ports import Organisation
from services.groups.use_cases.call import Call
from services.groups.use_cases.views import View, Views


async def preview_audience(
    views: Views, call: Call, audience: Audience, split_level: str
) -> tuple[str, Preview]:
    """The snapshot that was read, and what the audience means in it.

    Args:
        views: the present states.
        call: who asks.
        audience: the rule.
        split_level: level to split by; empty for no split by unit.

    Raises:
        InvalidInput: naming everything that is wrong with the rule and the level.
    """
    view = await _valid_view(views, call, audience, split_level)
    preview = partial(view.index.preview, audience, view.organisation.blueprint, split_level)
    if split_level:
        # 50,000 booths take some 70 ms: not in the loop that serves everybody else.
        return view.snapshot_id, await asyncio.to_thread(preview)
    return view.snapshot_id, preview()


async def resolve_audience(views: Views, call: Call, audience: Audience) -> tuple[str, Resolved]:
    """The snapshot that was read, and the groups that the audience means in it.

    Raises:
        InvalidInput: naming everything that is wrong with the rule.
    """
    view = await _valid_view(views, call, audience, "")
    resolve = partial(view.index.resolve, audience, view.organisation.blueprint)
    return view.snapshot_id, await asyncio.to_thread(resolve)


async def _valid_view(views: Views, call: Call, audience: Audience, split_level: str) -> View:
    """A view in which the rule holds: the present one, or else one for which the peer was asked."""
    tenant = call.may_read()
    view = await views.current(tenant, call.deadline)
    found = _violations(view.organisation, audience, split_level)
    if any(map(is_unknown, found)):
        view = await views.asked(tenant, call.deadline)
        found = _violations(view.organisation, audience, split_level)
    if found:
        raise_violations(found)
    return view


def _violations(
    organisation: Organisation, audience: Audience, split_level: str
) -> list[FieldViolation]:
    tree = organisation.tree

    def has_unit(unit_id: UnitId) -> bool:
        return tree.find(unit_id) is not None

    found = audience_violations(audience, organisation.blueprint, has_unit)
    if split_level and split_level not in tree.levels:
        found.append(
            FieldViolation("split_level", "UNKNOWN_LEVEL", "the blueprint has no such level")
        )
    return found
