"""What messaging's processes read from the environment."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from kit.redis import SCHEMES
from kit.settings import Port, Problem, ProcessSettings, Seconds


def _is_redis(url: str) -> str:
    if urlsplit(url).scheme not in SCHEMES:
        raise ValueError(f"must begin with one of {', '.join(sorted(SCHEMES))} and ://")
    return url


RedisUrl = Annotated[str, AfterValidator(_is_redis)]


class Settings(ProcessSettings):
    """The server."""

    service_name: ClassVar[str] = "messaging"

    port: Port = Field(50053, description="Port of the gRPC server; 0 lets the system choose.")
    redis_url: RedisUrl = Field(
        description="Redis of broadcasts and ledgers: `redis://store:6379`."
    )
    groups_target: str = Field(description="gRPC target of groups, such as `groups:50051`.")
    simulator_seed: Annotated[int, Field(ge=0)] = Field(
        0, description="What the simulated transport draws its fates from."
    )
    simulator_median_delay: Seconds = Field(
        timedelta(seconds=2),
        alias="SIMULATOR_MEDIAN_DELAY_SECONDS",
        description="Half of the simulated receipts come sooner; 0: all at once.",
    )
    simulator_failure_rate: Annotated[float, Field(ge=0, le=1)] = Field(
        0.02, description="How many of the simulated deliveries fail, from 0 to 1."
    )

    @classmethod
    def problems_between(cls, given: Mapping[str, str]) -> Iterator[Problem]:
        """Also: a process that asks a peer needs a token of its own."""
        yield from super().problems_between(given)
        if "SERVICE_TOKEN_FILE" not in given:
            yield Problem("SERVICE_TOKEN_FILE", "is required, to ask groups")


class WorkerSettings(Settings):
    """The worker."""

    port: Port = Field(0, description="Port of the gRPC health server; 0 lets the system choose.")
    # A chunk takes milliseconds and is kept alive while it takes longer: three missed beats mean
    # a dead worker. Shorter would take chunks from workers that a busy machine holds up.
    lease: Annotated[Seconds, Field(ge=timedelta(seconds=1))] = Field(
        timedelta(seconds=15),
        alias="LEASE_SECONDS",
        description="After how long without life a worker's chunks and jobs are taken over.",
    )
    chunks_at_once: Annotated[int, Field(ge=1, le=32)] = Field(
        4, description="How many chunks one worker has in hand."
    )
