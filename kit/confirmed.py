"""A peer's answers about subjects, used only while the peer has lately confirmed their version.

For answers that must not outlive their truth, such as who may do what. Events alone do not do: when
they stop flowing, an answer would live for ever. Here silence ends it.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

from kit.clock import Clock
from kit.deadline import Deadline
from kit.errors import DeadlineExceeded, Unavailable

V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)

BOUND = timedelta(seconds=1)
# A version that moves each time we look is no better than one that nobody confirms.
_ATTEMPTS = 4


class Unconfirmed(Unavailable):
    """The peer does not say in time whether what we hold is still so."""

    reason = "ACCESS_UNCONFIRMED"
    sentence = "what you may do cannot be confirmed at the moment: try again"


@dataclass(frozen=True, slots=True)
class Dated(Generic[V_co]):
    """An answer, the version of its tenant that it is true for, and when it ends by itself."""

    version: int
    value: V_co
    valid_until: datetime | None = None


class Source(Protocol[V_co]):
    """The peer. Both methods end by the deadline, and answer nothing older than their beginning."""

    async def load(self, tenant: str, subject: str, *, deadline: Deadline) -> Dated[V_co]:
        """The answer about a subject as it stands."""
        ...

    async def version(self, tenant: str, *, deadline: Deadline) -> int:
        """The tenant's version as it stands."""
        ...


class ConfirmedValues(Generic[V]):
    """Keeps answers, each as long as it is known to be true.

    A value is handed out only when

    * the peer said less than `bound` ago, counted from the question, that its version stands;
    * no newer version of the tenant was heard of since, from the peer or from an event;
    * it has not ended by itself.

    Otherwise the peer is asked, once for all who wait: for the version when that may be enough, or
    for the value. When the peer does not answer within the bound, `Unconfirmed` is raised: no value
    is better than an old one. A peer whose versions went back, because it was restored from a
    backup, is not believed until it has passed what was known; restart the process then.

    Args:
        source: the peer.
        clock: `now` is compared with the ends that the peer tells.
        bound: how long a confirmation is good for.
        max_values: the values that were used longest ago are forgotten when there are more.
    """

    def __init__(
        self, source: Source[V], clock: Clock, *, bound: timedelta = BOUND, max_values: int = 10_000
    ) -> None:
        self._source = source
        self._clock = clock
        self._bound = bound.total_seconds()
        self._max_values = max_values
        self._held: OrderedDict[tuple[str, str], _Held[V]] = OrderedDict()
        # Held by the values and by who waits, so a tenant without either costs nothing.
        self._tenants: WeakValueDictionary[str, _Tenant] = WeakValueDictionary()
        self._loading: WeakValueDictionary[tuple[str, str], _Turns] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._held)

    def at_least(self, tenant: str, version: int) -> None:
        """Take note that the tenant has reached a version: what is older is useless at once."""
        if known := self._tenants.get(tenant):
            known.learn(version, -math.inf)

    async def get(self, tenant: str, subject: str) -> V:
        """The answer about a subject.

        Raises:
            Unconfirmed: the peer is away, or too slow, or its version does not stand still.
            ChaupalError: what else the peer says.
        """
        known = self._tenants.setdefault(tenant, _Tenant())
        for _ in range(_ATTEMPTS):
            held = self._find(known, tenant, subject)
            if held is None:
                loaded = await self._load(known, tenant, subject)
                # Also one that has ended by our clock, which may be ahead of the peer's.
                if loaded and self._is_confirmed(known):
                    return loaded.value
            elif self._is_confirmed(known):
                return held.value
            else:
                await self._confirm(known, tenant)
        raise Unconfirmed

    def _is_confirmed(self, known: "_Tenant") -> bool:
        return self._clock.monotonic() - known.confirmed_at < self._bound

    def _find(self, known: "_Tenant", tenant: str, subject: str) -> Dated[V] | None:
        """The value that is held, if a confirmation is all that it may lack."""
        held = self._held.get((tenant, subject))
        if held is None or not held.is_of(known):
            return None
        ends_at = held.dated.valid_until
        if ends_at is not None and ends_at <= self._clock.now():
            return None
        self._held.move_to_end((tenant, subject))
        return held.dated

    async def _load(self, known: "_Tenant", tenant: str, subject: str) -> Dated[V] | None:
        """The value as the peer tells it now; None for one to look at again.

        It is kept then, because somebody else has just loaded it, or it is outdated already.
        """
        turns = self._loading.setdefault((tenant, subject), _Turns())
        async with turns.take():
            if self._find(known, tenant, subject):
                return None
            asked = self._ask(known)
            with _told_as_unconfirmed():
                dated = await self._source.load(tenant, subject, deadline=asked.deadline)
            if not self._take(known, dated.version, asked):
                return None
            self._keep(tenant, subject, _Held(known, known.epoch, dated))
            return dated

    async def _confirm(self, known: "_Tenant", tenant: str) -> None:
        async with known.turns.take():
            if self._is_confirmed(known):
                return
            asked = self._ask(known)
            with _told_as_unconfirmed():
                version = await self._source.version(tenant, deadline=asked.deadline)
            self._take(known, version, asked)

    def _ask(self, known: "_Tenant") -> "_Asked":
        deadline = Deadline.after(self._bound, self._clock)
        return _Asked(self._clock.monotonic(), known.version, known.epoch, deadline)

    def _take(self, known: "_Tenant", version: int, asked: "_Asked") -> bool:
        """Learn from an answer; whether it is of the newest version known."""
        if asked.epoch != known.epoch:
            return False
        if version < asked.version:
            # Its next versions are not the ones that we knew under these numbers.
            known.epoch += 1
            raise Unconfirmed
        known.learn(version, asked.at)
        return version == known.version

    def _keep(self, tenant: str, subject: str, held: "_Held[V]") -> None:
        self._held[tenant, subject] = held
        self._held.move_to_end((tenant, subject))
        if len(self._held) > self._max_values:
            self._held.popitem(last=False)


class _Turns:
    """One attempt at a time. Whoever waited while one failed is told so and makes none.

    A cancelled attempt has not failed: the next in line makes another.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._failures = 0
        self._error: Exception | None = None

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        failures = self._failures
        async with self._lock:
            if self._error is not None and failures != self._failures:
                raise self._error
            try:
                yield
                self._error = None
            except Exception as error:
                self._failures += 1
                self._error = error
                raise


@dataclass(eq=False)
class _Tenant:
    """What is known of one tenant.

    Attributes:
        version: the newest that was heard of.
        confirmed_at: when the question was asked to which the peer last answered this version.
        epoch: counts how often the peer's versions went back.
    """

    version: int = 0
    confirmed_at: float = -math.inf
    epoch: int = 0
    turns: _Turns = field(default_factory=_Turns)

    def learn(self, version: int, at: float) -> None:
        if version > self.version:
            self.version, self.confirmed_at = version, at
        elif version == self.version:
            self.confirmed_at = max(self.confirmed_at, at)


@dataclass(frozen=True, slots=True)
class _Held(Generic[V_co]):
    tenant: _Tenant
    epoch: int
    dated: Dated[V_co]

    def is_of(self, known: _Tenant) -> bool:
        """Whether its version is the newest known."""
        return (self.tenant, self.epoch, self.dated.version) == (known, known.epoch, known.version)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What stood when the peer was asked."""

    at: float
    version: int
    epoch: int
    deadline: Deadline


@contextmanager
def _told_as_unconfirmed() -> Iterator[None]:
    """Say of a peer that is away or slow what it means here."""
    try:
        yield
    except (Unavailable, DeadlineExceeded) as error:
        raise Unconfirmed from error
