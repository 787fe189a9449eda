"""The GraphQL operations of the scenarios."""

UNIT = """
query Unit($level: String!, $code: String!) {
  unitByCode(level: $level, code: $code) {
    id name { text hi: text(language: "hi") } childCount
    groupCounts { groupCount memberCount }
    children(first: 500) {
      totalCount nodes { id code level groupCounts { groupCount memberCount } }
    }
  }
}"""

UNIT_BY_ID = "query ($id: ID!) { unit(id: $id) { id code } node(id: $id) { id } }"

GROUPS = """
query Groups($filter: GroupFilterInput!, $after: String) {
  groups(filter: $filter, first: 500, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id code kind state flags memberCount }
  }
}"""

PREVIEW = """
query Preview($audience: AudienceInput!, $split: String) {
  previewAudience(audience: $audience, splitLevel: $split) {
    groupCount memberCount exclusions { reason groupCount }
    byUnit { unit { id code } groupCount memberCount }
    byKind { key groupCount }
  }
}"""

CREATE = """
mutation Create($input: CreateBroadcastInput!) {
  createBroadcast(input: $input) {
    __typename
    ... on CreateBroadcastSuccess { broadcast { id state } }
    ... on InvalidAudience { violations { field reason } }
  }
}"""

START = """
mutation Start($input: StartBroadcastInput!) {
  startBroadcast(input: $input) {
    __typename
    ... on StartBroadcastSuccess { broadcast { id state } }
    ... on BroadcastAlreadyStarted { broadcast { id state } }
    ... on BroadcastNotFound { broadcastId }
  }
}"""

COUNTS = "total planned dispatched accepted delivered read skipped failed"
COUNT_FIELDS = f" fragment Counts on DeliveryCounts {{ {COUNTS} }}"

PROGRESS = (
    """
subscription Progress($id: ID!, $level: String) {
  broadcastProgress(id: $id, splitLevel: $level) {
    state version
    counts { ...Counts }
    byUnit { unit { id code } level counts { ...Counts } }
  }
}"""
    + COUNT_FIELDS
)

BROADCAST = (
    """
query Broadcast($id: ID!, $level: String) {
  broadcast(id: $id) {
    id state deliveryCount
    progress(splitLevel: $level) {
      counts { ...Counts }
      byUnit { unit { code } counts { ...Counts } }
    }
  }
}"""
    + COUNT_FIELDS
)

BROADCASTS = "{ broadcasts { nodes { id } } }"

DELIVERIES = """
query Deliveries($id: ID!, $after: String) {
  broadcast(id: $id) {
    deliveries(first: 500, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { group { id } state attemptCount reason }
    }
  }
}"""
