"""Blueprints."""

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from kit.errors import raise_violations
from services.hierarchy.domain.blueprints import BlueprintPut, blueprint_violations
from services.hierarchy.domain.model import (
    Blueprint,
    Category,
    Grant,
    GroupKind,
    Level,
    Position,
    TeamKind,
)
from services.hierarchy.translate.values import names_from_proto, names_to_proto

DEFAULT_VERIFICATION_DAYS = 180


def draft_from_proto(message: pb.Blueprint, path: str) -> Blueprint:
    """The draft of a blueprint; its version is ignored.

    Args:
        message: what was sent.
        path: the field that held it, for the violations.

    Raises:
        InvalidInput: with everything that is wrong.
    """
    draft = blueprint_from_proto(message, version=0)
    if violations := blueprint_violations(draft, path):
        raise_violations(violations)
    return draft


def blueprint_from_proto(message: pb.Blueprint, version: int) -> Blueprint:
    """The blueprint, unchecked, under that version."""
    return Blueprint(
        version=version,
        style=message.style,
        names=names_from_proto(message.names),
        levels=tuple(Level(each.key, names_from_proto(each.names)) for each in message.levels),
        group_kinds=tuple(
            GroupKind(each.key, names_from_proto(each.names), each.has_category)
            for each in message.group_kinds
        ),
        categories=tuple(
            Category(each.key, names_from_proto(each.names)) for each in message.categories
        ),
        positions=tuple(map(position_from_proto, message.positions)),
        team_kinds=tuple(
            TeamKind(each.key, names_from_proto(each.names), tuple(each.levels), each.max_members)
            for each in message.team_kinds
        ),
        centre_level=message.centre_level,
        verification_days=message.verification_days or DEFAULT_VERIFICATION_DAYS,
    )


def blueprint_to_proto(blueprint: Blueprint) -> pb.Blueprint:
    """The whole blueprint."""
    return pb.Blueprint(
        version=blueprint.version,
        style=blueprint.style,
        names=names_to_proto(blueprint.names),
        levels=[
            pb.Level(key=each.key, names=names_to_proto(each.names)) for each in blueprint.levels
        ],
        group_kinds=[
            pb.GroupKind(
                key=each.key, names=names_to_proto(each.names), has_category=each.has_category
            )
            for each in blueprint.group_kinds
        ],
        categories=[
            pb.Category(key=each.key, names=names_to_proto(each.names))
            for each in blueprint.categories
        ],
        positions=map(position_to_proto, blueprint.positions),
        team_kinds=[
            pb.TeamKind(
                key=each.key,
                names=names_to_proto(each.names),
                levels=each.levels,
                max_members=each.max_members,
            )
            for each in blueprint.team_kinds
        ],
        centre_level=blueprint.centre_level,
        verification_days=blueprint.verification_days,
    )


def put_to_proto(put: BlueprintPut) -> pb.PutBlueprintResponse:
    """The blueprint as it stands, with its differences."""
    return pb.PutBlueprintResponse(
        blueprint=blueprint_to_proto(put.blueprint),
        differences=[
            pb.BlueprintDifference(
                path=each.path,
                before=each.before,
                after=each.after,
                affected_count=each.affected_count,
            )
            for each in put.differences
        ],
    )


def position_from_proto(message: pb.Position) -> Position:
    """The office, unchecked."""
    return Position(
        key=message.key,
        names=names_from_proto(message.names),
        levels=tuple(message.levels),
        seats=message.seats,
        roles=tuple(message.roles),
        grants=tuple(
            Grant(each.capability, tuple(each.categories), tuple(each.group_kinds))
            for each in message.grants
        ),
    )


def position_to_proto(position: Position) -> pb.Position:
    """The office with what it gives."""
    return pb.Position(
        key=position.key,
        names=names_to_proto(position.names),
        levels=position.levels,
        seats=position.seats,
        roles=position.roles,
        grants=[
            pb.Grant(
                capability=each.capability,
                categories=each.categories,
                group_kinds=each.group_kinds,
            )
            for each in position.grants
        ],
    )
