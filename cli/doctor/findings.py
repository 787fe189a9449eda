"""What an examination finds."""

from dataclasses import dataclass
from typing import Literal

from cli.errors import Refusal


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: Such as "disk".
        grade: "ok", "warning" (the platform runs all the same) or "fault".
        told: What was found.
        cure: What to do; empty when nothing is to be done.
    """

    subject: str
    grade: Literal["ok", "warning", "fault"]
    told: str
    cure: str = ""

    def as_json(self) -> dict[str, str]:
        """Return what `-o json` says."""
        return {
            "subject": self.subject,
            "grade": self.grade,
            "told": self.told,
            "cure": self.cure,
        }


def fault(subject: str, refusal: Refusal) -> Finding:
    """Return a refusal as a finding."""
    return Finding(subject, "fault", refusal.message, refusal.cure)
