"""A new organisation from three files, and files that are wrong."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import documents
from tests.e2e.platform import Platform

BLUEPRINT = """
format: 1
style: category
names: { en: Banyan Union, hi: बरगद संघ }
levels:
  - { key: state, names: { en: State, hi: राज्य } }
  - { key: district, names: { en: District, hi: ज़िला } }
group_kinds:
  - { key: category, has_category: true, names: { en: Category, hi: वर्ग } }
categories:
  - { key: farmers, names: { en: Farmers, hi: किसान } }
"""
UNITS = """level,code,name,name_hi,parent_level,parent_code,latitude,longitude
district,D1,First,पहला,state,S,26.9,75.8
state,S,The state,राज्य,,,,
district,D2,Second,दूसरा,state,S,,
"""
GROUP_HEADER = (
    "code,name,name_hi,kind,category,unit_level,unit_code,language,member_count,capacity,state,"
    "owner,admins,backup,state_executive\n"
)
GROUPS = (
    GROUP_HEADER
    + "g1,Farmers one,किसान एक,category,farmers,district,D1,hi,200,1024,active,p1,,,p9\n"
    + "g2,Farmers two,किसान दो,category,farmers,district,D2,hi,300,1024,active,p2,p3;p4,p5,p9\n"
    + "g3,No executive,बिना,category,farmers,district,D2,hi,50,1024,active,p2,,,\n"
)


def refused(platform: Platform, kind: str, file: Path, tenant: str) -> Sequence[Any]:
    """Imports a file that must be refused; row, field and reason of each problem."""
    run = platform.chaupal("import", kind, str(file), "--tenant", tenant, "-o", "json", check=False)
    assert run.returncode == 1, run.stdout + run.stderr
    report = json.loads(run.stdout)
    assert report["applied"] is False
    return [(each["row"], each["field"], each["reason"]) for each in report["errors"]]


@pytest.fixture(scope="module")
def banyan(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("banyan")
    (folder / "blueprint.yaml").write_text(BLUEPRINT)
    (folder / "units.csv").write_text(UNITS)
    (folder / "groups.csv").write_text(GROUPS)
    for kind, name in (
        ("blueprint", "blueprint.yaml"),
        ("units", "units.csv"),
        ("groups", "groups.csv"),
    ):
        platform.chaupal("import", kind, str(folder / name), "--tenant", "banyan")
    return folder


def token(platform: Platform) -> str:
    return platform.chaupal("token", "--tenant", "banyan", "--role", "composer").stdout.strip()


def counts(platform: Platform) -> tuple[int, int]:
    variables = {"level": "state", "code": "S"}
    unit = platform.data(documents.UNIT, variables, token=token(platform))["unitByCode"]
    return unit["childCount"], unit["groupCounts"]["groupCount"]


def test_what_was_imported_can_be_previewed(platform: Platform, banyan: Path) -> None:
    unit = platform.data(documents.UNIT, {"level": "state", "code": "S"}, token=token(platform))[
        "unitByCode"
    ]
    audience = {"include": [{"unitIds": [unit["id"]], "categories": ["farmers"]}]}

    preview = platform.data(
        documents.PREVIEW, {"audience": audience, "split": "district"}, token=token(platform)
    )["previewAudience"]

    assert (unit["name"]["hi"], unit["childCount"]) == ("राज्य", 2)
    assert (preview["groupCount"], preview["memberCount"]) == (2, 500)
    assert preview["exclusions"] == [{"reason": "INCOMPLETE", "groupCount": 1}]
    assert [each["unit"]["code"] for each in preview["byUnit"]] == ["D1", "D2"]


def test_a_second_import_changes_nothing(platform: Platform, banyan: Path) -> None:
    run = platform.chaupal(
        "import", "units", str(banyan / "units.csv"), "--tenant", "banyan", "-o", "json"
    )
    report = json.loads(run.stdout)
    assert (report["createdCount"], report["updatedCount"], report["unchangedCount"]) == (
        0,
        0,
        3,
    )


@pytest.mark.parametrize("what", ["units", "groups"])
@pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["import", "dry run"])
def test_a_second_import_says_that_nothing_had_to_change(
    platform: Platform, banyan: Path, what: str, more: tuple[str, ...]
) -> None:
    run = platform.chaupal("import", what, str(banyan / f"{what}.csv"), "--tenant", "banyan", *more)
    assert run.stdout == "3 rows read, all as they were: nothing had to change\n"


def test_a_dry_run_reports_and_changes_nothing(
    platform: Platform, banyan: Path, tmp_path: Path
) -> None:
    file = tmp_path / "more.csv"
    file.write_text(UNITS + "district,D3,Third,तीसरा,state,S,,\n")
    run = platform.chaupal(
        "import", "units", str(file), "--tenant", "banyan", "--dry-run", "-o", "json"
    )
    report = json.loads(run.stdout)
    assert (report["createdCount"], report["applied"]) == (1, False)
    assert counts(platform) == (2, 3)


BAD_UNITS = {
    "unknown parent": ("district,D3,Third,,state,X,,\n", [(5, "parent_code", "UNKNOWN_PARENT")]),
    "unknown level": ("village,V,Village,,state,S,,\n", [(5, "level", "UNKNOWN_LEVEL")]),
    "duplicate code": ("district,D1,Again,,state,S,,\n", [(5, "code", "DUPLICATE_CODE")]),
    "level order": ("state,S2,Second state,,district,D1,,\n", [(5, "parent_level", "LEVEL_ORDER")]),
    "bad number": ("district,D3,Third,,state,S,north,74\n", [(5, "latitude", "BAD_PLACE")]),
    "two problems": (
        "district,D3,,,state,S,,\ndistrict,D4,Fourth,,state,Y,,\n",
        [(5, "name", "MISSING"), (6, "parent_code", "UNKNOWN_PARENT")],
    ),
}


@pytest.mark.parametrize("name", BAD_UNITS)
def test_a_wrong_row_of_units_refuses_the_whole_file(
    platform: Platform, banyan: Path, tmp_path: Path, name: str
) -> None:
    rows, expected = BAD_UNITS[name]
    file = tmp_path / "units.csv"
    file.write_text(UNITS + rows)

    found = refused(platform, "units", file, "banyan")

    assert [each for each in found if each[0] >= 5] == expected
    assert counts(platform) == (2, 3)


BAD_GROUPS = {
    "bad category": (
        "g4,Four,,category,poets,district,D1,hi,1,10,active,p1,,,p9\n",
        [(5, "category", "UNKNOWN_CATEGORY")],
    ),
    "unknown unit": (
        "g4,Four,,category,farmers,district,D9,hi,1,10,active,p1,,,p9\n",
        [(5, "unit_code", "UNKNOWN_UNIT")],
    ),
    "duplicate code": (
        "g1,Four,,category,farmers,district,D1,hi,1,10,active,p1,,,p9\n",
        [(5, "code", "DUPLICATE_CODE")],
    ),
}


@pytest.mark.parametrize("name", BAD_GROUPS)
def test_a_wrong_row_of_groups_refuses_the_whole_file(
    platform: Platform, banyan: Path, tmp_path: Path, name: str
) -> None:
    rows, expected = BAD_GROUPS[name]
    file = tmp_path / "groups.csv"
    file.write_text(GROUPS + rows)

    found = refused(platform, "groups", file, "banyan")

    assert [each for each in found if each[0] >= 5] == expected
    assert counts(platform) == (2, 3)


def test_a_missing_column_is_named(platform: Platform, banyan: Path, tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    file.write_text("level,code,name\nstate,S,The state\n")
    found = refused(platform, "units", file, "banyan")
    assert ("parent_code", "MISSING_COLUMN") in {(field, reason) for _, field, reason in found}


def test_bytes_that_are_no_utf8_are_named_with_their_row(
    platform: Platform, banyan: Path, tmp_path: Path
) -> None:
    file = tmp_path / "units.csv"
    file.write_bytes(UNITS.encode() + b"district,D3,Th\xefrd,,state,S,,\n")
    found = refused(platform, "units", file, "banyan")
    assert [(row, reason) for row, _, reason in found] == [(5, "BAD_UTF8")]


def test_a_blueprint_that_is_exported_imports_back_and_changes_nothing(
    platform: Platform, banyan: Path, tmp_path: Path
) -> None:
    file = tmp_path / "blueprint.yaml"
    platform.chaupal("export", "blueprint", str(file), "--tenant", "banyan")
    shown = platform.chaupal("export", "blueprint", "-", "--tenant", "banyan").stdout

    run = platform.chaupal("import", "blueprint", str(file), "--tenant", "banyan")

    assert file.read_text(encoding="utf-8") == shown
    assert "verification_days: 180" in shown
    assert run.stdout == "the blueprint stands as it was: nothing had to change\n"


def test_a_dry_run_of_a_blueprint_tells_what_would_change(
    platform: Platform, banyan: Path, tmp_path: Path
) -> None:
    file = tmp_path / "blueprint.yaml"
    file.write_text(BLUEPRINT.replace("en: District,", "en: Zone,"), encoding="utf-8")
    command = ("import", "blueprint", str(file), "--tenant", "banyan", "--dry-run")

    for _ in range(2):  # the first one changed nothing
        lines = platform.chaupal(*command).stdout.splitlines()
        assert lines == [
            "levels[district].names.en: District -> Zone (2 affected)",
            "the blueprint can be put",
        ]
    (difference,) = json.loads(platform.chaupal(*command, "-o", "json").stdout)["differences"]
    assert difference == {
        "path": "levels[district].names.en",
        "before": "District",
        "after": "Zone",
        "affectedCount": 2,
    }


def test_a_wrong_blueprint_is_told_by_its_lines(
    platform: Platform, banyan: Path, tmp_path: Path
) -> None:
    file = tmp_path / "blueprint.yaml"
    positions = "positions:\n  - key: member\n    names: { en: Member }\n    levels: [ward]\n"
    file.write_text(BLUEPRINT + positions, encoding="utf-8")

    assert refused(platform, "blueprint", file, "banyan") == [
        (15, "positions[0].levels[0]", "UNKNOWN_LEVEL")
    ]


def test_a_blueprint_without_a_level_in_use_is_refused_with_what_stands_on_it(
    platform: Platform, banyan: Path, tmp_path: Path
) -> None:
    file = tmp_path / "blueprint.yaml"
    lines = [line for line in BLUEPRINT.splitlines() if "key: district" not in line]
    file.write_text("\n".join(lines), encoding="utf-8")

    run = platform.chaupal("import", "blueprint", str(file), "--tenant", "banyan", check=False)

    assert run.returncode == 1
    assert "the blueprint is in use: the level district has 2 units" in run.stderr


@pytest.mark.parametrize("ready", ["party", "category"])
def test_a_ready_blueprint_can_be_put_as_it_is(
    platform: Platform, tmp_path: Path, ready: str
) -> None:
    file = tmp_path / "blueprint.yaml"
    platform.chaupal("export", "blueprint", str(file), "--ready", ready)
    run = platform.chaupal("import", "blueprint", str(file), "--tenant", f"ready-{ready}")
    assert run.stdout.endswith("the blueprint was put\n")
