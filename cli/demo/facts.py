"""Reads the facts of `data/rajasthan` that the demo organisations are drawn over."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "data" / "rajasthan"


@dataclass(frozen=True, slots=True)
class Name:
    """A name in both languages of the demo."""

    en: str
    hi: str

    def __add__(self, other: "Name") -> "Name":
        """Join two names by a space."""
        return Name(f"{self.en} {other.en}", f"{self.hi} {other.hi}")


@dataclass(frozen=True, slots=True)
class Place:
    """Degrees, WGS 84."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Area:
    """A division or a district: its code, its name and the place of its seat."""

    code: str
    name: Name
    place: Place
    parent: str


@dataclass(frozen=True, slots=True)
class Constituency:
    """An assembly constituency."""

    number: int
    name: Name
    district: str


@dataclass(frozen=True, slots=True)
class OrganisationalDistrict:
    """A district as an organisation draws it: some constituencies of one district."""

    code: str
    name: Name
    district: str
    constituencies: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is real, and the organisational districts; areas by code, in file order."""

    divisions: Mapping[str, Area]
    districts: Mapping[str, Area]
    constituencies: Mapping[int, Constituency]
    organisational_districts: Sequence[OrganisationalDistrict]


def read_facts(folder: Path = FOLDER) -> Facts:
    """Read the four files; districts name their division by code."""
    divisions = {row["code"]: _area(row, "") for row in _rows(folder, "divisions")}
    division_codes = {area.name.en: code for code, area in divisions.items()}
    districts = {
        row["code"]: _area(row, division_codes[row["division"]])
        for row in _rows(folder, "districts")
    }
    district_codes = {area.name.en: code for code, area in districts.items()}
    return Facts(
        divisions,
        districts,
        {
            int(row["ac_number"]): Constituency(
                int(row["ac_number"]), _name(row), district_codes[row["district"]]
            )
            for row in _rows(folder, "constituencies")
        },
        [
            OrganisationalDistrict(
                row["code"],
                _name(row),
                row["district"],
                tuple(int(number) for number in row["constituencies"].split(";")),
            )
            for row in _rows(folder, "organisational_districts")
        ],
    )


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _name(row: Mapping[str, str]) -> Name:
    return Name(row["name"], row["name_hi"])


def _area(row: Mapping[str, str], parent: str) -> Area:
    place = Place(float(row["latitude"]), float(row["longitude"]))
    return Area(row["code"], _name(row), place, parent)
