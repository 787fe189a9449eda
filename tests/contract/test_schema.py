"""The committed schema is what the code says, and keeps its house rules."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    parse,
)

from gateway import schema

ROOT = Path(schema.__file__).parent


def test_the_committed_files_are_what_the_code_says() -> None:
    assert schema.drifted() == [], "run make schema"


def test_a_file_that_differs_or_is_too_many_is_named(tmp_path: Path) -> None:
    schema.write(tmp_path)
    assert schema.drifted(tmp_path) == []
    (tmp_path / "schema.graphql").write_text("type Query { other: Int }\n")
    (tmp_path / "schema" / "old.graphql").write_text("")
    (tmp_path / "schema" / "groups.graphql").unlink()
    assert schema.drifted(tmp_path) == [
        "schema.graphql",
        "schema/groups.graphql",
        "schema/old.graphql",
    ]


def test_everything_has_a_description() -> None:
    composed = build_schema((ROOT / "schema.graphql").read_text())
    bare: list[str] = []
    for name, named in composed.type_map.items():
        if name.startswith("__") or name in ("Query", "Mutation", "Subscription"):
            members = getattr(named, "fields", {}) if not name.startswith("__") else {}
        else:
            bare += [] if named.description else [name]
            members = _members(named)
        bare += [f"{name}.{member}" for member, each in members.items() if not each.description]
        bare += [
            f"{name}.{member}({argument})"
            for member, each in members.items()
            for argument, arg in getattr(each, "args", {}).items()
            if not arg.description
        ]
    assert bare == []


def _members(named: object) -> dict[str, object]:
    if isinstance(named, GraphQLEnumType):
        return dict(named.values)
    if isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        return dict(named.fields)
    return {}


def test_mutations_are_verb_noun_with_one_input_and_a_result_union() -> None:
    mutations = build_schema((ROOT / "schema.graphql").read_text()).mutation_type
    assert mutations is not None
    for name, field in mutations.fields.items():
        pascal = name[0].upper() + name[1:]
        assert [str(arg.type) for arg in field.args.values()] == [f"{pascal}Input!"], name
        assert str(field.type) == f"{pascal}Result!", name


@pytest.mark.parametrize("name", ["hierarchy", "groups", "messaging", "platform"])
def test_each_subgraph_prints_federation_sdl(name: str) -> None:
    text = (ROOT / "schema" / f"{name}.graphql").read_text()
    parse(text)
    links = '@link(url: "https://specs.apollo.dev/federation/v2.9"'
    assert (links in text) == ("@key" in text or "@shareable" in text)


def test_an_entity_has_one_home_and_stubs_that_no_router_resolves() -> None:
    sdl = {
        name: (ROOT / "schema" / f"{name}.graphql").read_text()
        for name in ("hierarchy", "groups", "messaging")
    }
    assert 'type Unit implements Node @key(fields: "id") {' in sdl["hierarchy"]
    assert 'extend type Unit @key(fields: "id") {' in sdl["groups"]
    assert 'extend type Unit @key(fields: "id", resolvable: false) {' in sdl["messaging"]
    assert 'extend type Group @key(fields: "id", resolvable: false) {' in sdl["messaging"]
