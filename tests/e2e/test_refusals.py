"""What is refused, to whom, and that nothing of another tenant shows."""

import uuid
from typing import Any

import pytest

from tests.e2e import documents
from tests.e2e.platform import Platform
from tests.e2e.test_broadcast import create, draft, start
from tests.timing import wait_until_sync

UNKNOWN_UNIT = "VW5pdDowMTllMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA"


@pytest.fixture(scope="module")
def neem(platform: Platform) -> str:
    return platform.token("neem", "administrator")


@pytest.fixture(scope="module")
def peepal(platform: Platform) -> str:
    return platform.token("peepal", "administrator")


@pytest.fixture(scope="module")
def division(platform: Platform, neem: str) -> Any:
    variables = {"level": "division", "code": "KTA"}
    return platform.data(documents.UNIT, variables, token=neem)["unitByCode"]


def test_the_other_tenant_sees_nothing(
    platform: Platform, neem: str, peepal: str, division: Any
) -> None:
    broadcast_id = create(platform, neem, draft(division["id"]))
    mine = platform.data(documents.BROADCASTS, token=neem)["broadcasts"]["nodes"]
    assert broadcast_id in {each["id"] for each in mine}

    theirs = platform.data(documents.BROADCASTS, token=peepal)["broadcasts"]["nodes"]
    assert broadcast_id not in {each["id"] for each in theirs}
    assert platform.data(documents.BROADCAST, {"id": broadcast_id}, token=peepal) == {
        "broadcast": None
    }
    unit = platform.data(documents.UNIT_BY_ID, {"id": division["id"]}, token=peepal)
    assert unit == {"unit": None, "node": None}
    started = start(platform, peepal, broadcast_id, str(uuid.uuid4()))
    assert started["__typename"] == "BroadcastNotFound"


def test_another_tenants_unit_is_as_unknown_as_one_that_never_was(
    platform: Platform, peepal: str, division: Any
) -> None:
    answers = [
        platform.data(documents.CREATE, {"input": draft(unit_id)}, token=peepal)["createBroadcast"]
        for unit_id in (division["id"], UNKNOWN_UNIT)
    ]
    assert answers[0] == answers[1]
    assert answers[0]["violations"] == [
        {"field": "audience.include[0].unitIds[0]", "reason": "UNKNOWN_UNIT"}
    ]


async def test_the_other_tenant_cannot_watch(
    platform: Platform, neem: str, peepal: str, division: Any
) -> None:
    broadcast_id = create(platform, neem, draft(division["id"]))
    looks = [
        look
        async for look in platform.subscribe(documents.PROGRESS, {"id": broadcast_id}, token=peepal)
    ]
    assert len(looks) == 1
    assert [error["extensions"]["code"] for error in looks[0]["errors"]] == ["NOT_FOUND"]


def test_an_empty_audience_is_refused(platform: Platform, neem: str) -> None:
    given = {**draft(UNKNOWN_UNIT), "audience": {"include": []}}
    answer = platform.data(documents.CREATE, {"input": given}, token=neem)["createBroadcast"]
    assert answer["__typename"] == "InvalidAudience"
    assert [each["reason"] for each in answer["violations"]] == ["EMPTY_AUDIENCE"]


def test_a_viewer_composes_nothing(platform: Platform, neem: str, division: Any) -> None:
    before = platform.data(documents.BROADCASTS, token=neem)
    viewer = platform.token("neem", "viewer")
    answer = platform.graphql(documents.CREATE, {"input": draft(division["id"])}, token=viewer)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert platform.data(documents.BROADCASTS, token=neem) == before


def test_an_expired_token_is_refused(platform: Platform) -> None:
    made = platform.chaupal("token", "--tenant", "neem", "--role", "viewer", "--ttl", "1s")
    token = made.stdout.strip()

    def refused() -> Any:
        answer = platform.http.post(
            platform.graphql_url,
            json={"query": "{ viewer { tenant } }"},
            headers={"authorization": f"Bearer {token}"},
        )
        return answer if answer.status_code == 401 else None

    answer = wait_until_sync(refused, 10, "the token to expire")
    extensions = answer.json()["errors"][0]["extensions"]
    assert (extensions["code"], extensions["reason"]) == ("UNAUTHENTICATED", "TOKEN_EXPIRED")
