"""How large the demo organisations are, and how a total is spread over parts."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NeemSizes:
    """Counts of Neem Sangathan below its districts, and of its groups in all.

    Attributes:
        committees: Booths with a committee, be it on paper.
        pages: Most page in-charges in one of them.
    """

    mandals: int
    shakti_kendras: int
    booths: int
    groups: int
    committees: int
    pages: int


@dataclass(frozen=True, slots=True)
class PeepalSizes:
    """Counts of Peepal Manch: its mandals, and how many categories have a group in each."""

    mandals: int
    categories_per_mandal: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of both organisations."""

    neem: NeemSizes
    peepal: PeepalSizes


SCALES = {
    # About 700 units and 1,500 groups in all: every screen has something to show.
    "small": Sizes(NeemSizes(60, 110, 280, 1_000, 200, 3), PeepalSizes(166, 2)),
    # The reference organisation of the load figures; Peepal Manch stays moderate. Few committees,
    # so that there are about as many people as offices that groups need.
    "state": Sizes(NeemSizes(1_000, 7_000, 52_000, 100_000, 16_000, 1), PeepalSizes(400, 5)),
}
# The scale of a platform without demo tenants.
NO_DEMO = "none"


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Spread `total` over parts by weight, at least one each, by largest remainders.

    Args:
        total: Not less than the number of parts.
        weights: Positive, one for each part.

    Returns:
        One count for each part; they add up to `total`.
    """
    spare = total - len(weights)
    whole = sum(weights)
    shares = [spare * weight / whole for weight in weights]
    counts = [1 + int(share) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda part: int(shares[part]) - shares[part])
    for part in by_remainder[: total - sum(counts)]:
        counts[part] += 1
    return counts
