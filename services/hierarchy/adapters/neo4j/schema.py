"""What the database holds to: one constraint or index for every way in which records are found.

Uniqueness constraints and range indexes only, as Neo4j Community has no others. A node is found
by its tenant first, so every index begins with that. A node that lacks one of the properties is
not in the index: a person without a login is no double of another such.
"""

from typing import LiteralString

# By name, so that the index of a constraint that was never made can be told from one of ours.
CONSTRAINTS: dict[str, LiteralString] = {
    "migration_number": """CREATE CONSTRAINT migration_number IF NOT EXISTS
        FOR (m:Migration) REQUIRE m.number IS UNIQUE""",
    "tenant_id": """CREATE CONSTRAINT tenant_id IF NOT EXISTS
        FOR (t:Tenant) REQUIRE t.id IS UNIQUE""",
    "settled_tenant": """CREATE CONSTRAINT settled_tenant IF NOT EXISTS
        FOR (s:Settled) REQUIRE s.tenant IS UNIQUE""",
    "unit_id": """CREATE CONSTRAINT unit_id IF NOT EXISTS
        FOR (n:Unit) REQUIRE (n.tenant, n.id) IS UNIQUE""",
    "unit_key": """CREATE CONSTRAINT unit_key IF NOT EXISTS
        FOR (n:Unit) REQUIRE (n.tenant, n.key) IS UNIQUE""",
    "past_unit_id": """CREATE CONSTRAINT past_unit_id IF NOT EXISTS
        FOR (n:PastUnit) REQUIRE (n.tenant, n.id) IS UNIQUE""",
    "area_id": """CREATE CONSTRAINT area_id IF NOT EXISTS
        FOR (n:Area) REQUIRE (n.tenant, n.id) IS UNIQUE""",
    "area_link_id": """CREATE CONSTRAINT area_link_id IF NOT EXISTS
        FOR (n:AreaLink) REQUIRE (n.tenant, n.id) IS UNIQUE""",
    "person_id": """CREATE CONSTRAINT person_id IF NOT EXISTS
        FOR (n:Person) REQUIRE (n.tenant, n.id) IS UNIQUE""",
    "person_phone": """CREATE CONSTRAINT person_phone IF NOT EXISTS
        FOR (n:Person) REQUIRE (n.tenant, n.phone_hash) IS UNIQUE""",
    "person_subject": """CREATE CONSTRAINT person_subject IF NOT EXISTS
        FOR (n:Person) REQUIRE (n.tenant, n.subject) IS UNIQUE""",
    "appointment_id": """CREATE CONSTRAINT appointment_id IF NOT EXISTS
        FOR (n:Appointment) REQUIRE (n.tenant, n.id) IS UNIQUE""",
    "team_id": """CREATE CONSTRAINT team_id IF NOT EXISTS
        FOR (n:Team) REQUIRE (n.tenant, n.id) IS UNIQUE""",
    "membership_id": """CREATE CONSTRAINT membership_id IF NOT EXISTS
        FOR (n:Membership) REQUIRE (n.tenant, n.id) IS UNIQUE""",
    "watch_id": """CREATE CONSTRAINT watch_id IF NOT EXISTS
        FOR (n:Watch) REQUIRE (n.tenant, n.id) IS UNIQUE""",
    "event_sequence": """CREATE CONSTRAINT event_sequence IF NOT EXISTS
        FOR (e:Event) REQUIRE (e.tenant, e.sequence) IS UNIQUE""",
    "answer_request": """CREATE CONSTRAINT answer_request IF NOT EXISTS
        FOR (a:Answer) REQUIRE (a.tenant, a.request_id) IS UNIQUE""",
}

INDEXES: tuple[LiteralString, ...] = (
    # In the order of siblings: a page of children is read as it stands in the index.
    """CREATE INDEX unit_siblings IF NOT EXISTS
    FOR (n:Unit) ON (n.tenant, n.parent_id, n.code, n.level)""",
    "CREATE INDEX unit_revision IF NOT EXISTS FOR (n:Unit) ON (n.tenant, n.revision)",
    "CREATE INDEX past_unit_unit IF NOT EXISTS FOR (n:PastUnit) ON (n.tenant, n.unit_id)",
    "CREATE INDEX past_unit_key IF NOT EXISTS FOR (n:PastUnit) ON (n.tenant, n.key)",
    "CREATE INDEX past_unit_parent IF NOT EXISTS FOR (n:PastUnit) ON (n.tenant, n.parent_id)",
    "CREATE INDEX past_unit_end IF NOT EXISTS FOR (n:PastUnit) ON (n.tenant, n.ended_by)",
    "CREATE INDEX area_key IF NOT EXISTS FOR (n:Area) ON (n.tenant, n.key)",
    "CREATE INDEX area_link_unit IF NOT EXISTS FOR (n:AreaLink) ON (n.tenant, n.unit_id)",
    "CREATE INDEX area_link_area IF NOT EXISTS FOR (n:AreaLink) ON (n.tenant, n.area_id)",
    "CREATE INDEX appointment_unit IF NOT EXISTS FOR (n:Appointment) ON (n.tenant, n.unit_id)",
    "CREATE INDEX appointment_person IF NOT EXISTS FOR (n:Appointment) ON (n.tenant, n.person_id)",
    "CREATE INDEX appointment_position IF NOT EXISTS FOR (n:Appointment) ON (n.tenant, n.position)",
    "CREATE INDEX team_unit IF NOT EXISTS FOR (n:Team) ON (n.tenant, n.unit_id)",
    "CREATE INDEX membership_team IF NOT EXISTS FOR (n:Membership) ON (n.tenant, n.team_id)",
    "CREATE INDEX membership_person IF NOT EXISTS FOR (n:Membership) ON (n.tenant, n.person_id)",
    "CREATE INDEX watch_unit IF NOT EXISTS FOR (n:Watch) ON (n.tenant, n.unit_id)",
    "CREATE INDEX watch_person IF NOT EXISTS FOR (n:Watch) ON (n.tenant, n.person_id)",
    "CREATE INDEX answer_age IF NOT EXISTS FOR (a:Answer) ON (a.tenant, a.answered_at)",
)
