"""The org graph and its outbox in one SQLite file: nothing to install, nothing to run beside."""

from services.hierarchy.adapters.embedded.graph import EmbeddedOrgGraph
from services.hierarchy.adapters.embedded.outbox import EmbeddedOutbox
from services.hierarchy.adapters.embedded.store import EmbeddedStore

__all__ = ["EmbeddedOrgGraph", "EmbeddedOutbox", "EmbeddedStore"]
