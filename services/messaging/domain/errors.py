"""What can go wrong with broadcasts and deliveries, each under its kind."""

from kit.errors import AtLimit, Conflict, NotFound, PreconditionFailed, Unavailable
from services.messaging.domain.broadcasts import BroadcastState


class BroadcastNotFound(NotFound):
    """This tenant has no such broadcast."""

    reason = "BROADCAST_NOT_FOUND"
    broadcast_id: str


class BroadcastAlreadyStarted(PreconditionFailed):
    """Only a draft can be started."""

    reason = "BROADCAST_ALREADY_STARTED"
    broadcast_id: str
    state: BroadcastState


class LeaseLost(Conflict):
    """Somebody else took over what this worker held, or it is done already."""

    reason = "LEASE_LOST"
    entry_id: str


class TooManyWatchers(AtLimit):
    """As many watchers as this process serves are there already."""

    reason = "TOO_MANY_WATCHERS"


class AudienceIncomplete(Unavailable):
    """The register's answer broke off or contradicts itself; asking again may help."""

    reason = "AUDIENCE_INCOMPLETE"
    expected_count: int
    count: int


class RegisterRefusedUs(Unavailable):
    """The register does not accept this service's own credential: ours to mend."""

    reason = "REGISTER_REFUSED_US"
    peer_reason: str


class LedgerMissing(Unavailable):
    """The store has lost a part of a planned broadcast, or a replica lags behind."""

    reason = "LEDGER_MISSING"
    broadcast_id: str
    partition: int | None = None


class Going(Unavailable):
    """This process is going; the same request will be served by another."""

    reason = "GOING"
