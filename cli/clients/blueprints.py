"""Blueprints as the messages of the contract, and back; pure functions."""

from collections.abc import Mapping

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from cli.records import (
    BlueprintRecord,
    Difference,
    GrantTerm,
    KindTerm,
    PositionTerm,
    TeamTerm,
    Term,
)


def blueprint_message(record: BlueprintRecord) -> pb.Blueprint:
    """Return a blueprint to put."""
    return pb.Blueprint(
        style=record.style,
        names=_localized(record.names),
        levels=[pb.Level(key=each.key, names=_localized(each.names)) for each in record.levels],
        group_kinds=[
            pb.GroupKind(key=each.key, names=_localized(each.names), has_category=each.has_category)
            for each in record.group_kinds
        ],
        categories=[
            pb.Category(key=each.key, names=_localized(each.names)) for each in record.categories
        ],
        positions=map(_position_message, record.positions),
        team_kinds=[
            pb.TeamKind(
                key=each.key,
                names=_localized(each.names),
                levels=each.levels,
                max_members=each.max_members,
            )
            for each in record.team_kinds
        ],
        centre_level=record.centre_level,
        verification_days=record.verification_days,
    )


def blueprint_record(message: pb.Blueprint) -> BlueprintRecord:
    """Return a blueprint as its file says it."""
    return BlueprintRecord(
        message.style,
        _names(message.names),
        [Term(each.key, _names(each.names)) for each in message.levels],
        [KindTerm(each.key, _names(each.names), each.has_category) for each in message.group_kinds],
        [Term(each.key, _names(each.names)) for each in message.categories],
        [_position_term(each) for each in message.positions],
        [
            TeamTerm(each.key, _names(each.names), list(each.levels), each.max_members)
            for each in message.team_kinds
        ],
        message.centre_level,
        message.verification_days,
    )


def difference(message: pb.BlueprintDifference) -> Difference:
    """Return one thing in which a blueprint differs."""
    return Difference(message.path, message.before, message.after, message.affected_count)


def file_path(path: str) -> str:
    """Return the place in the file of a field that the service names."""
    return path.removeprefix("blueprint.").replace(".by_language", "")


def _position_message(position: PositionTerm) -> pb.Position:
    return pb.Position(
        key=position.key,
        names=_localized(position.names),
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


def _position_term(message: pb.Position) -> PositionTerm:
    return PositionTerm(
        message.key,
        _names(message.names),
        list(message.levels),
        message.seats,
        list(message.roles),
        [
            GrantTerm(each.capability, list(each.categories), list(each.group_kinds))
            for each in message.grants
        ],
    )


def _localized(names: Mapping[str, str]) -> pb.LocalizedText:
    return pb.LocalizedText(by_language=names)


def _names(names: pb.LocalizedText) -> Mapping[str, str]:
    return dict(names.by_language)
