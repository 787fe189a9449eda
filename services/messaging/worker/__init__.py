"""The background edge of messaging, a process of its own."""

from services.messaging.worker.loops import Duties, Worker

__all__ = ["Duties", "Worker"]
