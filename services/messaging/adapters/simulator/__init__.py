"""A transport that behaves like a real one, for demos, tests and load: it takes idempotency keys,
refuses some deliveries at once and some later, delivers after a while, and tells by receipts.
"""

from services.messaging.adapters.simulator.transport import Simulator, open_simulator
from services.messaging.adapters.simulator.world import World

__all__ = ["Simulator", "World", "open_simulator"]
