"""What an audience means: how many groups, or which."""

import asyncio
from functools import partial

from kit.errors import FieldViolation, raise_violations
from services.groups.domain.answers import Preview, Resolved
from services.groups.domain.audience import Audience, audience_violations, is_unknown
from services.groups.use_cases.access import Access, Sight
from services.groups.use_cases.call import Call


async def preview_audience(
    access: Access, call: Call, audience: Audience, split_level: str
) -> tuple[str, Preview]:
    """The snapshot that was read, and what the audience means in it to the caller.

    Args:
        access: what the caller sees.
        call: who asks.
        audience: the rule.
        split_level: level to split by; empty for no split by unit.

    Raises:
        InvalidInput: naming everything that is wrong with the rule and the level.
    """
    sight = await _valid_sight(access, call, audience, split_level)
    view = sight.view
    preview = partial(sight.index.preview, audience, view.organisation.blueprint, split_level)
    if split_level:
        # 50,000 booths take some 70 ms: not in the loop that serves everybody else.
        return view.snapshot_id, await asyncio.to_thread(preview)
    return view.snapshot_id, preview()


async def resolve_audience(access: Access, call: Call, audience: Audience) -> tuple[str, Resolved]:
    """The snapshot that was read, and the groups that the audience means in it to the caller.

    Raises:
        InvalidInput: naming everything that is wrong with the rule.
    """
    sight = await _valid_sight(access, call, audience, "")
    view = sight.view
    resolve = partial(sight.index.resolve, audience, view.organisation.blueprint)
    return view.snapshot_id, await asyncio.to_thread(resolve)


async def _valid_sight(access: Access, call: Call, audience: Audience, split_level: str) -> Sight:
    """A sight in which the rule holds: the present one, or one for which the peer was asked."""
    sight = await access.sight(call)
    found = _violations(sight, audience, split_level)
    if any(map(is_unknown, found)):
        sight = await access.sight(call, ask=True)
        found = _violations(sight, audience, split_level)
    if found:
        raise_violations(found)
    return sight


def _violations(sight: Sight, audience: Audience, split_level: str) -> list[FieldViolation]:
    organisation = sight.view.organisation
    found = audience_violations(audience, organisation.blueprint, sight.has_unit)
    if split_level and split_level not in organisation.tree.levels:
        found.append(
            FieldViolation("split_level", "UNKNOWN_LEVEL", "the blueprint has no such level")
        )
    return found
