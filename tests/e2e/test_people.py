"""The demo's people: what they see by their offices, and their files on the road of imports."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.platform import Platform, chaupal, codes, running

SIGHT = """{
  viewer { capabilities person { name { text } } appointments { position unit { code } } }
  units { nodes { code level subtreeCount groupCounts { groupCount } } }
  groups(first: 1) { totalCount }
}"""
UNIT = """
query ($level: String!, $code: String!) {
  unitByCode(level: $level, code: $code) { code groupCounts { groupCount } }
}"""
LINE = """{
  unitByCode(level: "district", code: "AJM-C") {
    watchLine {
      watches { person { subject } }
      convenors { position }
      centreHeads { position }
      centre { code }
    }
  }
  unwatchedUnits(level: "division", first: 9) { totalCount nodes { code } }
}"""
ADMINS = """
query ($after: String) {
  groups(first: 500, after: $after) {
    nodes { category flags admins { person role } }
    pageInfo { hasNextPage endCursor }
  }
}"""
# Each in the order in which it names what came before.
FILES = ("blueprint", "units", "areas", "persons", "appointments", "teams", "groups")


def token(platform: Platform, subject: str) -> str:
    (found,) = (each for each in platform.ready["people"] if each["subject"] == subject)
    return str(found["token"])


def sight(platform: Platform, subject: str) -> Any:
    return platform.data(SIGHT, token=token(platform, subject))


def group_count(platform: Platform, level: str, code: str) -> int:
    viewer = platform.token("neem", "viewer")
    found = platform.data(UNIT, {"level": level, "code": code}, token=viewer)
    return int(found["unitByCode"]["groupCounts"]["groupCount"])


def test_a_district_convenor_sees_the_district_and_nothing_else(platform: Platform) -> None:
    seen = sight(platform, "district-convenor@neem")
    elsewhere = platform.data(
        UNIT,
        {"level": "district", "code": "JPR-R"},
        token=token(platform, "district-convenor@neem"),
    )

    assert seen["viewer"]["capabilities"] == []
    assert seen["viewer"]["person"]["name"]["text"]
    assert seen["viewer"]["appointments"] == [
        {"position": "district_convenor", "unit": {"code": "JPR-C"}}
    ]
    (unit,) = seen["units"]["nodes"]
    assert (unit["level"], unit["code"]) == ("district", "JPR-C")
    assert seen["groups"]["totalCount"] >= unit["groupCounts"]["groupCount"] > 10
    assert unit["groupCounts"]["groupCount"] == group_count(platform, "district", "JPR-C")
    assert elsewhere["unitByCode"] is None


def test_a_monitor_sees_the_state_and_is_in_the_line_from_a_district_to_the_centre(
    platform: Platform,
) -> None:
    seen = sight(platform, "ajmer-monitor@neem")
    found = platform.data(LINE, token=platform.token("neem", "administrator"))
    line = found["unitByCode"]["watchLine"]

    assert codes(seen["units"]["nodes"]) == ["RJ"]
    assert [each["person"]["subject"] for each in line["watches"]] == ["ajmer-monitor@neem"]
    assert [each["position"] for each in line["convenors"]] == ["state_monitoring_co_convenor"]
    assert [each["position"] for each in line["centreHeads"]] == ["central_coordinator"]
    assert line["centre"]["code"] == "DELHI"
    assert found["unwatchedUnits"]["totalCount"] == 1


def test_a_district_president_and_a_secretary_see_what_is_theirs(platform: Platform) -> None:
    president = sight(platform, "district-president@peepal")
    secretary = sight(platform, "farmers-secretary@peepal")

    assert codes(president["units"]["nodes"]) == ["JPR"]
    assert codes(secretary["units"]["nodes"]) == ["RJ"]
    assert 0 < president["groups"]["totalCount"] < secretary["groups"]["totalCount"]


@pytest.mark.parametrize("tenant", ["neem", "peepal"])
def test_category_groups_without_the_state_executive_are_those_flagged(
    platform: Platform, tenant: str
) -> None:
    viewer = platform.token(tenant, "viewer")
    after, groups = None, []
    while True:
        page = platform.data(ADMINS, {"after": after}, token=viewer)["groups"]
        groups += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    lacking = [
        "INCOMPLETE" in group["flags"]
        for group in groups
        if group["category"]
        and "STATE_EXECUTIVE" not in {admin["role"] for admin in group["admins"]}
    ]
    assert all(lacking)
    assert 0 < len(lacking) < 40


def imported(platform: Platform, what: str, file: Path, tenant: str) -> Mapping[str, Any]:
    run = platform.chaupal("import", what, str(file), "--tenant", tenant, "-o", "json")
    report: Mapping[str, Any] = json.loads(run.stdout)
    assert report["errorCount"] == 0
    return report


def test_the_files_of_a_demo_organisation_import_into_another_and_then_change_nothing(
    platform: Platform, tmp_path: Path
) -> None:
    chaupal("demo-data", "--out", str(tmp_path))
    files = {
        what: tmp_path / "peepal" / ("blueprint.yaml" if what == "blueprint" else f"{what}.csv")
        for what in FILES
    }

    first = {what: imported(platform, what, file, "bodhi") for what, file in files.items()}
    again = {what: imported(platform, what, file, "bodhi") for what, file in files.items()}

    for what in FILES[1:]:
        assert first[what]["createdCount"] == first[what]["rowCount"] > 0
        assert again[what]["unchangedCount"] == again[what]["rowCount"]


@pytest.mark.parametrize("what", ["units", "areas", "persons", "teams", "groups"])
def test_a_demo_tenant_is_filled_with_what_its_files_say(
    platform: Platform, tmp_path: Path, what: str
) -> None:
    chaupal("demo-data", "--out", str(tmp_path))
    file = tmp_path / "neem" / f"{what}.csv"

    run = platform.chaupal("import", what, str(file), "--tenant", "neem", "--dry-run", "-o", "json")

    report = json.loads(run.stdout)
    assert report["unchangedCount"] == report["rowCount"] > 0


def test_a_start_that_was_cut_short_is_taken_up(tmp_path: Path) -> None:
    """Units and persons are there, as if the launcher had died before the appointments."""
    data, files = tmp_path / "data", tmp_path / "files"
    with running(data, "--scale", "none") as first:
        chaupal("demo-data", "--out", str(files))
        for what, name in (("blueprint", "blueprint.yaml"), ("units", "units.csv")):
            imported(first, what, files / "neem" / name, "neem")
        imported(first, "persons", files / "neem" / "persons.csv", "neem")

    with running(data, "--scale", "small") as second:
        seen = sight(second, "district-convenor@neem")
        watches = second.data(
            "{ watches(first: 9) { nodes { unit { code } } } }",
            token=second.token("neem", "administrator"),
        )["watches"]

    assert seen["groups"]["totalCount"] > 10
    assert len(watches["nodes"]) == 6
