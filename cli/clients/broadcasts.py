"""Broadcasts over the gateway's GraphQL, as a console sends them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.clients.graphql import GraphQLClient
from cli.errors import Refusal

PREVIEW = """
query Preview($audience: AudienceInput!) {
  previewAudience(audience: $audience) {
    groupCount memberCount exclusions { reason groupCount }
  }
}
"""
CREATE = """
mutation Create($input: CreateBroadcastInput!) {
  createBroadcast(input: $input) {
    __typename
    ... on CreateBroadcastSuccess { broadcast { id } }
    ... on InvalidAudience { message violations { field reason description } }
  }
}
"""
START = """
mutation Start($input: StartBroadcastInput!) {
  startBroadcast(input: $input) {
    __typename
    ... on StartBroadcastSuccess { broadcast { id state } }
    ... on BroadcastNotFound { message }
    ... on BroadcastAlreadyStarted { message }
  }
}
"""
PROGRESS = """
query Progress($id: ID!) {
  broadcast(id: $id) {
    state failureReason
    progress { counts { total planned dispatched accepted delivered read skipped failed } }
  }
}
"""


OUTCOMES = """
query Outcomes($id: ID!, $after: String) {
  broadcast(id: $id) {
    deliveries(states: [FAILED, SKIPPED], first: 1000, after: $after) {
      nodes { state reason }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
# As many thousands of deliveries are asked for their reasons.
_MAX_PAGES = 20


@dataclass(frozen=True, slots=True)
class Preview:
    """What an audience means now."""

    group_count: int
    member_count: int
    excluded: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BroadcastProgress:
    """Where a broadcast stands.

    Attributes:
        state: Such as RUNNING.
        failure_reason: Why it could not be planned; empty otherwise.
        counts: Deliveries by state, in lower case, and `total`.
    """

    state: str
    failure_reason: str
    counts: Mapping[str, int]

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in {"COMPLETED", "FAILED"}

    @property
    def settled_count(self) -> int:
        """How many deliveries have come to an end, in the group or not."""
        return sum(self.counts[state] for state in ("delivered", "read", "skipped", "failed"))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Why deliveries did not reach their groups: how many for each reason, the commonest first.

    Attributes:
        failed: Refused for good.
        skipped: Not sent, on purpose.
        complete: Whether all were counted, or the first 20,000 only.
    """

    failed: Mapping[str, int]
    skipped: Mapping[str, int]
    complete: bool


class Broadcasts:
    """The broadcasts of the token's tenant."""

    def __init__(self, client: GraphQLClient) -> None:
        self._client = client

    def preview(self, audience: Mapping[str, object]) -> Preview:
        """Return what an audience means now."""
        answer = self._client.execute(PREVIEW, {"audience": audience})["previewAudience"]
        excluded = {one["reason"]: one["groupCount"] for one in answer["exclusions"]}
        return Preview(answer["groupCount"], answer["memberCount"], excluded)

    def create(
        self,
        request_id: str,
        title: str,
        texts: Mapping[str, str],
        audience: Mapping[str, object],
    ) -> str:
        """Make a draft and return its id."""
        content = {
            "requestId": request_id,
            "title": title,
            "texts": [{"language": language, "text": text} for language, text in texts.items()],
            "audience": audience,
        }
        result = self._client.execute(CREATE, {"input": content})["createBroadcast"]
        if result["__typename"] != "CreateBroadcastSuccess":
            raise _refused(result)
        return str(result["broadcast"]["id"])

    def start(self, request_id: str, broadcast_id: str) -> None:
        """Start a draft."""
        content = {"requestId": request_id, "broadcastId": broadcast_id}
        result = self._client.execute(START, {"input": content})["startBroadcast"]
        if result["__typename"] != "StartBroadcastSuccess":
            raise _refused(result)

    def progress(self, broadcast_id: str) -> BroadcastProgress:
        """Return where a broadcast stands."""
        broadcast = self._broadcast(PROGRESS, {"id": broadcast_id})
        return BroadcastProgress(
            broadcast["state"],
            broadcast["failureReason"] or "",
            broadcast["progress"]["counts"],
        )

    def outcomes(self, broadcast_id: str) -> Outcomes:
        """Count why deliveries failed or were skipped."""
        counters: dict[str, Counter[str]] = {"FAILED": Counter(), "SKIPPED": Counter()}
        after = None
        for _ in range(_MAX_PAGES):
            variables = {"id": broadcast_id, "after": after}
            page = self._broadcast(OUTCOMES, variables)["deliveries"]
            for one in page["nodes"]:
                counters[one["state"]][one["reason"] or "no reason told"] += 1
            after = page["pageInfo"]["endCursor"]
            complete = not page["pageInfo"]["hasNextPage"]
            if complete:
                break
        failed, skipped = (dict(counter.most_common()) for counter in counters.values())
        return Outcomes(failed, skipped, complete)

    def _broadcast(self, query: str, variables: Mapping[str, object]) -> Mapping[str, Any]:
        broadcast: Mapping[str, Any] | None = self._client.execute(query, variables)["broadcast"]
        if broadcast is None:
            raise Refusal("BROADCAST_NOT_FOUND", "the broadcast is gone")
        return broadcast


def _refused(result: Mapping[str, Any]) -> Refusal:
    violations: Sequence[Mapping[str, str]] = result.get("violations") or ()
    lines = [f"{one['field']}: {one['description']} ({one['reason']})" for one in violations]
    # InvalidAudience -> INVALID_AUDIENCE, as a reason is written.
    name = str(result["__typename"])
    reason = "".join(f"_{letter}" if letter.isupper() else letter for letter in name).upper()
    return Refusal(reason.removeprefix("_"), str(result["message"]), "\n".join(lines))
