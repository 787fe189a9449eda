"""The demo's people with a login: what they see and may do is what their office gives them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """Somebody to look at the platform as.

    Attributes:
        tenant: Whose.
        subject: Of their tokens.
        position: The office, the first seat of it.
        unit: Level and code of the unit in which they hold it.
        told: The office in words.
    """

    tenant: str
    subject: str
    position: str
    unit: tuple[str, str]
    told: str

    @property
    def office(self) -> tuple[str, tuple[str, str]]:
        """The position in the unit."""
        return self.position, self.unit


SAMPLE_PEOPLE = (
    SamplePerson(
        "neem",
        "district-convenor@neem",
        "district_convenor",
        ("district", "JPR-C"),
        "convenor of the district Jaipur City",
    ),
    SamplePerson(
        "neem",
        "ajmer-monitor@neem",
        "monitor",
        ("state", "RJ"),
        "monitor of the state, who watches the division Ajmer",
    ),
    SamplePerson(
        "peepal",
        "district-president@peepal",
        "district_president",
        ("district", "JPR"),
        "president of the district Jaipur",
    ),
    SamplePerson(
        "peepal",
        "farmers-secretary@peepal",
        "farmers_secretary",
        ("state", "RJ"),
        "state secretary for the farmers",
    ),
)


def sample_people(tenant: str) -> Mapping[tuple[str, tuple[str, str]], SamplePerson]:
    """Return those of one tenant, by their office."""
    return {one.office: one for one in SAMPLE_PEOPLE if one.tenant == tenant}
