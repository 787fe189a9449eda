"""The org graph and its outbox in Neo4j (5.26 LTS or newer, Community features only).

    (:Tenant {id, header, tree_version, write_count, event_sequence, relayed_through})   the lock
    (:Unit)-[:CHILD_OF {valid_from}]->(:Unit)               (:PastUnit)-[:PAST_OF]->(:Unit)
    (:Appointment)-[:OF]->(:Person), -[:IN]->(:Unit)        (:Watch)-[:BY]->(:Person), -[:OVER]->(:Unit)
    (:Membership)-[:OF]->(:Person), -[:IN]->(:Team)         (:Team)-[:IN]->(:Unit)
    (:AreaLink)-[:OF]->(:Unit), -[:IN]->(:Area)
    (:Event {tenant, sequence, …})   (:Answer {tenant, request_id, …})   (:Migration {number, …})

Every record is one node, with the columns of its row and `tenant` as properties; instants are
whole microseconds since 1970 (UTC). What a record says of another (`unit_id`, `person_id`) is both
a property and a relationship, written together. The relationships are the graph: what operators
query, and how ancestors are found. The other reads go by the properties: each key is one seek in
an index, however many relationships its node has and whether or not the other end still stands (a
closed unit's node is gone), and an index over `parent_id` gives siblings in order, which no
traversal does. A root's `parent_id` is empty here, as no index holds what is absent.
"""  # noqa: E501  # a line for each kind of relationship

from services.hierarchy.adapters.neo4j.graph import Neo4jOrgGraph
from services.hierarchy.adapters.neo4j.outbox import Neo4jOutbox
from services.hierarchy.adapters.neo4j.store import Neo4jStore

__all__ = ["Neo4jOrgGraph", "Neo4jOutbox", "Neo4jStore"]
