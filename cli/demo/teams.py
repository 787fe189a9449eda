"""Teams of a demo organisation as rows, those of a team one after the other."""

from collections.abc import Iterator, Mapping, Sequence

from cli.demo.facts import Name
from cli.demo.sites import Site
from cli.records import TeamRecord


def team_rows(
    site: Site, kind: str, name: Name, members: Mapping[str, str]
) -> Iterator[TeamRecord]:
    """Give a row for each member, or one row without anybody for a team on paper.

    Args:
        site: The unit.
        kind: Of the blueprint.
        name: The team's.
        members: What each does, by their ids.
    """
    for person, role in (members or {"": ""}).items():
        yield TeamRecord(site.level, site.code, kind, name.en, name.hi, person, role)


def led_by(leads: Sequence[str], others: Sequence[str]) -> Mapping[str, str]:
    """Return the members of a team that some lead."""
    return dict.fromkeys(leads, "lead") | dict.fromkeys(others, "member")
