"""What groups reads from the environment."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field

from kit.settings import Port, Problem, ProcessSettings, Seconds


class Settings(ProcessSettings):
    """The server."""

    service_name: ClassVar[str] = "groups"

    port: Port = Field(50052, description="Port of the gRPC server; 0 lets the system choose.")
    redis_url: str = Field(
        description="Redis or Valkey of the register, such as `redis://register:6379`."
    )
    hierarchy_target: str = Field(
        description="gRPC target of hierarchy, such as `hierarchy:50051`."
    )
    # Events say at once what changed; this bounds what a lost event can do.
    organisation_oldest: Seconds = Field(
        timedelta(seconds=5),
        alias="ORGANISATION_OLDEST_SECONDS",
        description="After so long hierarchy is asked again, even if it announced no change.",
    )
    # A tenant of 100,000 groups and 60,000 units takes some 80 MB.
    most_tenants: Annotated[int, Field(ge=1)] = Field(
        64, description="How many tenants are kept in memory; the longest unused one goes first."
    )

    @classmethod
    def problems_between(cls, given: Mapping[str, str]) -> Iterator[Problem]:
        """Also: what groups calls hierarchy with."""
        yield from super().problems_between(given)
        if "SERVICE_TOKEN_FILE" not in given:
            yield Problem("SERVICE_TOKEN_FILE", "is required: groups calls hierarchy with it")
