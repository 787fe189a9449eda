"""Rajasthan as it stood until August 2023, and its two re-organisations, from `data/rajasthan`."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chaupal.hierarchy.v1 import hierarchy_pb2 as pb

from services.hierarchy.domain.model import Place, UnitRow
from tests.builders_hierarchy import a_row

FOLDER = Path(__file__).parents[3] / "data" / "rajasthan"
LEVELS = ("state", "division", "district", "constituency", "booth")
BOOTHS = 3

Key = tuple[str, str]
RJ: Key = ("state", "RJ")


def rows_of_2023() -> Iterator[UnitRow]:
    """The state, its divisions and districts, constituencies, and some booths in each."""
    yield a_row(*RJ, name="Rajasthan", hindi="राजस्थान")
    division_codes = {each["name"]: each["code"] for each in read("divisions")}
    for each in read("divisions"):
        yield _territory("division", each, RJ)
    district_codes = {each["name"]: each["code"] for each in read("districts")}
    for each in read("districts"):
        yield _territory("district", each, ("division", division_codes[each["division"]]))
    for each in read("constituencies"):
        number = each["ac_number"]
        above = ("district", district_codes[each["district"]])
        yield a_row("constituency", number, above, name=each["name"], hindi=each["name_hi"])
        for booth in range(1, BOOTHS + 1):
            yield a_row("booth", f"{number}-{booth}", ("constituency", number))


@dataclass(frozen=True)
class Change:
    """One row of the file of re-organisations."""

    effective_at: datetime
    operation: str
    key: Key
    parent: Key
    into: Key
    taken: tuple[Key, ...]
    row: dict[str, str]

    @property
    def step(self) -> pb.ReorganisationStep:
        match self.operation:
            case "create":
                unit = pb.NewUnit(
                    level=self.key[0],
                    code=self.key[1],
                    names=pb.LocalizedText(
                        by_language={"en": self.row["name"], "hi": self.row["name_hi"]}
                    ),
                    parent=ref(self.parent),
                    place=pb.Place(
                        latitude=float(self.row["latitude"]),
                        longitude=float(self.row["longitude"]),
                    ),
                )
                return pb.ReorganisationStep(
                    create=pb.CreateStep(unit=unit, take=map(ref, self.taken))
                )
            case "move":
                return pb.ReorganisationStep(
                    move=pb.MoveStep(unit=ref(self.key), parent=ref(self.parent))
                )
            case "merge":
                return pb.ReorganisationStep(
                    merge=pb.MergeStep(units=[ref(self.key)], into=ref(self.into))
                )
            case "close":
                return pb.ReorganisationStep(close=pb.CloseStep(unit=ref(self.key)))
        raise ValueError(self.operation)

    def apply(self, parents: dict[Key, Key | None]) -> None:
        """The same, on who is under whom."""
        match self.operation:
            case "create":
                parents[self.key] = self.parent
                parents.update(dict.fromkeys(self.taken, self.key))
            case "move":
                parents[self.key] = self.parent
            case "merge":
                below = [each for each, above in parents.items() if above == self.key]
                parents.update(dict.fromkeys(below, self.into))
                del parents[self.key]
            case "close":
                del parents[self.key]


def changes() -> list[Change]:
    """All rows, in the order in which they took effect."""
    return [_change(row) for row in sorted(read("reorganisations"), key=lambda it: int(it["seq"]))]


def ref(key: Key) -> pb.UnitRef:
    return pb.UnitRef(key=pb.UnitKey(level=key[0], code=key[1]))


def read(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _change(row: dict[str, str]) -> Change:
    level = row["level"]
    numbers = row["constituencies"].split(";") if row["constituencies"] else ()
    return Change(
        datetime.fromisoformat(row["effective_on"]).replace(tzinfo=UTC),
        row["operation"],
        (level, row["code"]),
        (LEVELS[LEVELS.index(level) - 1], row["parent_code"]),
        (level, row["into_code"]),
        tuple(("constituency", number) for number in numbers),
        row,
    )


def _territory(level: str, row: dict[str, str], above: Key) -> UnitRow:
    place = Place(float(row["latitude"]), float(row["longitude"]))
    return a_row(level, row["code"], above, name=row["name"], hindi=row["name_hi"], place=place)
