"""The org graph and its outbox in Neo4j (5.26 LTS or newer, Community features only).

    (:Tenant {id, blueprint, tree_version, event_sequence, relayed_through})   the tenant's lock
    (:Unit {tenant, id, level, code, names, parent_id, …})-[:CHILD_OF {valid_from}]->(:Unit)
    (:Unit)-[:WAS_CHILD_OF {valid_from, valid_to}]->(:Unit)                    former parents
    (:Event {tenant, sequence, …})   (:Answer {tenant, request_id, …})   (:Migration {number, …})

Instants are whole microseconds since 1970 (UTC). A unit's `parent_id`, empty at a root, says the
same as its CHILD_OF: an index over it gives siblings in order, which no traversal does.
"""

from services.hierarchy.adapters.neo4j.graph import Neo4jOrgGraph
from services.hierarchy.adapters.neo4j.outbox import Neo4jOutbox
from services.hierarchy.adapters.neo4j.store import Neo4jStore

__all__ = ["Neo4jOrgGraph", "Neo4jOutbox", "Neo4jStore"]
