"""Server and channel over real loopback: identity, deadlines, errors, limits."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import grpc.aio
import jwt
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from kit import calls, errors
from kit.channel import call_metadata, outgoing, translate_rpc_errors
from kit.deadline import Deadline
from kit.errors import KINDS, ChaupalError, FieldViolation
from kit.ids import is_uuid
from kit.issuer import SigningKey
from kit.logs import JsonFormatter
from tests.channels import plain_channel
from tests.timing import wait_until
from tests.unit.kit.things import (
    DOMAIN,
    KEY,
    SERVICE,
    Gate,
    Running,
    Stub,
    a_token,
    echo,
    running,
    use,
)

ASK = StringValue(value="hello")
PAST = datetime.now(UTC) - timedelta(seconds=1)


class ThingGone(errors.PreconditionFailed):
    reason = "THING_GONE"
    thing_id: str
    count: int


def failing(error: Exception) -> Any:
    async def behave(_text: str) -> str:
        raise error

    return behave


class TestShapes:
    async def test_all_four_answer(self) -> None:
        async with running(echo) as on:
            assert await use(on, "Ask") == ["hello"]
            assert await use(on, "Tell") == ["one", "two", "hello"]
            assert await use(on, "Gather") == ["a+b"]
            assert await use(on, "Chat") == ["a", "b"]

    async def test_a_method_that_is_not_there(self) -> None:
        async with running(echo) as on:
            with pytest.raises(errors.Internal) as refused:
                await use(on, "Missing")
        assert refused.value.reason == "UNIMPLEMENTED"

    async def test_a_blocking_method_is_a_fault_at_its_first_call(self) -> None:
        async with running(echo) as on:
            with pytest.raises(errors.Internal):
                await use(on, "Sync")


class TestErrors:
    @pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not errors.Internal])
    async def test_every_kind_arrives_as_it_was_raised(self, kind: type[ChaupalError]) -> None:
        sent = kind.from_wire(reason="A_REASON", message="in words", fields={"a": "1", "क": "ख"})
        async with running(failing(sent)) as on:
            with pytest.raises(kind) as arrived:
                await use(on, "Ask")
        error = arrived.value
        assert type(error) is kind
        assert (error.reason, error.message, error.domain) == ("A_REASON", "in words", DOMAIN)
        assert error.fields() == {"a": "1", "क": "ख"}
        assert isinstance(error.__cause__, grpc.aio.AioRpcError)

    async def test_extras_of_kinds_arrive(self) -> None:
        violations = (
            FieldViolation("audience.include[0].unit_ids[2]", "UNKNOWN_UNIT", "इकाई नहीं मिली"),
            FieldViolation("name", "TOO_LONG"),
        )
        invalid = await self.arrived(errors.InvalidInput(violations=violations))
        limited = await self.arrived(errors.LimitExceeded(retry_after=timedelta(seconds=2.5)))
        conflict = await self.arrived(errors.Conflict(current_etag="v2"))
        domain = await self.arrived(ThingGone("x", 3))
        assert isinstance(invalid, errors.InvalidInput)
        assert invalid.violations == violations
        assert isinstance(limited, errors.LimitExceeded)
        assert limited.retry_after == timedelta(seconds=2.5)
        assert isinstance(conflict, errors.Conflict)
        assert conflict.current_etag == "v2"
        assert domain.fields() == {"thing_id": "x", "count": "3"}
        assert domain.message == "thing gone: thing_id x, count 3"

    async def arrived(self, error: Exception) -> ChaupalError:
        async with running(failing(error)) as on:
            with pytest.raises(ChaupalError) as arrived:
                await use(on, "Ask")
        return arrived.value

    async def test_five_thousand_violations_pass_a_client_with_default_limits(self) -> None:
        violations = tuple(
            FieldViolation(f"rows[{row}]", "BAD_NAME", "नाम ठीक नहीं " * 9) for row in range(5000)
        )
        async with (
            running(failing(errors.InvalidInput(violations=violations))) as on,
            plain_channel(on.target) as channel,
        ):
            with pytest.raises(errors.InvalidInput) as refused, translate_rpc_errors():
                await Stub(channel).Ask(ASK, metadata=on.auth)
        assert refused.value.violations[0].field == "rows[0]"
        assert refused.value.violations[-1].reason == "MORE_VIOLATIONS"

    @pytest.mark.parametrize("shape", ["Tell", "Gather", "Chat"])
    async def test_streams_fail_typed_after_what_was_sent(self, shape: str) -> None:
        got: list[str] = []
        async with running(failing(ThingGone("x", 1))) as on:
            with pytest.raises(errors.PreconditionFailed) as refused:
                await use(on, shape, got)
        assert refused.value.reason == "THING_GONE"
        assert got == (["one", "two"] if shape == "Tell" else [])

    @pytest.mark.parametrize("shape", ["Ask", "Tell"])
    async def test_anything_else_is_masked_and_logged_with_its_stack(
        self, shape: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with running(failing(ValueError("secret 9876543210"))) as on:
            with pytest.raises(errors.Internal) as refused:
                await use(on, shape)
            assert (refused.value.message, refused.value.reason) == ("internal error", "INTERNAL")
            assert "secret" not in str(refused.value.__cause__)
            (record,) = [each for each in caplog.records if each.name == "kit.calls"]
            assert record.levelno == logging.ERROR
            line = json.loads(JsonFormatter("things").format(record))
            assert line["event"] == "call failed"
            assert line["method"] == f"/{SERVICE}/{shape}"
            assert "in behave" in line["exception"]
            assert "9876543210" not in line["exception"]

    async def test_an_answer_of_the_wrong_type_is_masked(self) -> None:
        async with running(echo) as on:
            with pytest.raises(errors.Internal) as refused:
                await use(on, "Wrong")
        assert refused.value.message == "internal error"

    async def test_bytes_that_are_no_message_are_invalid_input(self) -> None:
        async with running(echo) as on:
            raw: Any = on.stub.channel.unary_unary(f"/{SERVICE}/Ask")
            with pytest.raises(errors.InvalidInput) as refused, translate_rpc_errors():
                await raw(b"\xff\xff\xff", metadata=on.auth)
            assert refused.value.reason == "MALFORMED_REQUEST"
            assert on.things.calls == []
            # Who may not call does not get to send garbage either.
            with pytest.raises(errors.Unauthenticated), translate_rpc_errors():
                await raw(b"\xff\xff\xff")

    async def test_a_servicer_s_own_abort_passes(self) -> None:
        async with running(echo) as on:
            with pytest.raises(errors.InvalidInput) as refused:
                await use(on, "Abort")
        assert (refused.value.reason, refused.value.message) == ("OUT_OF_RANGE", "by hand")

    async def test_an_error_of_a_peer_s_peer_keeps_its_teller(self) -> None:
        async with running(failing(ThingGone("x", 1))) as behind:

            async def ask_behind(text: str) -> str:
                return (await use(behind, "Ask"))[0] + text

            async with running(ask_behind, domain="front.chaupal") as on:
                with pytest.raises(errors.PreconditionFailed) as refused:
                    await use(on, "Ask")
        assert refused.value.domain == DOMAIN
        assert refused.value.fields() == {"thing_id": "x", "count": "1"}


class TestUploads:
    """The answer to an upload arrives also when the server stops reading: grpc/grpc#36066."""

    async def upload(self, on: Running, method: str, token: str = "") -> str:
        async def chunks() -> AsyncIterator[StringValue]:
            for _ in range(200):
                yield StringValue(value="chunk" * 10_000)

        async with outgoing(
            f"{SERVICE}/{method}", deadline=Deadline.after(30), token=token or a_token()
        ) as options:
            reply: StringValue = await getattr(on.stub, method)(chunks(), **options)
        return reply.value

    async def test_an_early_answer(self) -> None:
        async with running(echo) as on:
            assert await self.upload(on, "First") == "chunk"

    async def test_an_early_error(self) -> None:
        async with running(failing(ThingGone("x", 1))) as on:
            with pytest.raises(errors.PreconditionFailed) as refused:
                await self.upload(on, "First")
        assert refused.value.fields() == {"thing_id": "x", "count": "1"}

    async def test_a_caller_who_is_refused(self) -> None:
        async with running(echo) as on:
            with pytest.raises(errors.Unauthenticated) as refused:
                await self.upload(on, "Gather", a_token(expires_at=PAST))
            assert on.things.calls == []
        assert refused.value.reason == "TOKEN_EXPIRED"

    async def test_a_client_that_pauses_is_not_waited_for(self) -> None:
        async with running(echo) as on:
            upload = on.stub.First(metadata=on.auth)
            await upload.write(ASK)
            # It never says that it is done; the deadline would be 15 s.
            async with asyncio.timeout(5):
                assert (await upload).value == "hello"

    async def test_a_client_without_an_end_is_cut_off(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(calls, "_HEAR_OUT_BYTES", 100_000)

        async def endless() -> AsyncIterator[StringValue]:
            while True:
                yield StringValue(value="x" * 1000)

        async with running(echo) as on:
            upload = on.stub.Gather(endless())
            async with asyncio.timeout(5):
                assert await upload.code() in {
                    grpc.StatusCode.UNAUTHENTICATED,
                    grpc.StatusCode.INTERNAL,  # how its own failed write tells it
                }
            assert on.things.calls == []


def signed_otherwise(algorithm: str) -> str:
    claims = jwt.decode(a_token(), options={"verify_signature": False})
    secret = "" if algorithm == "none" else KEY.jwks()["keys"][0]["x"]
    return jwt.encode(claims, secret, algorithm, headers={"kid": KEY.kid})


class TestIdentity:
    @pytest.mark.parametrize(
        ("token", "reason"),
        [
            (a_token(expires_at=PAST), "TOKEN_EXPIRED"),
            (a_token(audience="elsewhere"), "TOKEN_INVALID"),
            (a_token(issuer="http://evil.test"), "TOKEN_INVALID"),
            (a_token(key=SigningKey.generate()), "TOKEN_INVALID"),
            (signed_otherwise("none"), "TOKEN_INVALID"),
            (signed_otherwise("HS256"), "TOKEN_INVALID"),
            (a_token()[:-4] + "AAAA", "TOKEN_INVALID"),
            ("", "TOKEN_MISSING"),
        ],
        ids=["expired", "audience", "issuer", "kid", "none", "HS256", "signature", "empty"],
    )
    @pytest.mark.parametrize("shape", ["Ask", "Tell"])
    async def test_a_bad_token_is_refused_and_nothing_happens(
        self, token: str, reason: str, shape: str
    ) -> None:
        async with running(echo) as on:
            with pytest.raises(errors.Unauthenticated) as refused:
                await use(on, shape, token=token)
            assert refused.value.reason == reason
            assert on.things.calls == []

    @pytest.mark.parametrize(
        "metadata", [(), (("authorization", "Basic YTpi"),), (("authorization", a_token()),)]
    )
    async def test_no_bearer_token_is_missing(self, metadata: tuple[tuple[str, str], ...]) -> None:
        async with running(echo) as on:
            with pytest.raises(errors.Unauthenticated) as refused, translate_rpc_errors():
                await on.stub.Ask(ASK, metadata=metadata)
            assert refused.value.reason == "TOKEN_MISSING"
            assert on.things.calls == []

    async def test_a_user_s_tenant_is_the_token_s_and_a_service_s_is_the_named(self) -> None:
        service = a_token(subject="service:groups", tenant="neem")
        async with running(echo) as on:
            for token, named in [
                (a_token(), None),
                (a_token(), "peepal"),
                (service, None),
                (service, "peepal"),
            ]:
                await use(on, "Ask", token=token, tenant=named)
            callers = [each.caller for each in on.things.calls]
        assert [caller.kind for caller in callers] == ["user", "user", "service", "service"]
        assert [caller.tenant for caller in callers] == ["neem", "neem", None, "peepal"]

    async def test_a_service_that_names_nonsense_is_refused(self) -> None:
        async with running(echo) as on:
            with pytest.raises(errors.Unauthenticated) as refused:
                await use(on, "Ask", token=a_token(subject="service:groups"), tenant="A/B")
        assert refused.value.reason == "TENANT_INVALID"

    async def test_the_request_id_is_handed_on_or_made(self) -> None:
        async with running(echo) as on:
            for given in ("req-7", "", "no spaces allowed", "x" * 129):
                await on.stub.Ask(ASK, metadata=call_metadata(a_token(), given))
            ids = [each.request_id for each in on.things.calls]
        assert ids[0] == "req-7"
        assert all(is_uuid(made) for made in ids[1:])
        assert len(set(ids)) == 4


class TestDeadlines:
    async def test_the_caller_s_deadline_is_the_servicer_s(self) -> None:
        async with running(echo) as on:
            await use(on, "Ask", deadline=Deadline.after(7))
            (seen,) = on.things.calls
        # gRPC rounds a time-out up on its way over the wire.
        assert 5 < seen.deadline.remaining() <= 7.1

    async def test_without_one_there_is_a_default(self) -> None:
        async with running(echo) as on:
            await use(on, "Ask", deadline=None)
            await use(on, "Tell", deadline=None)
            unary, stream = on.things.calls
        assert 13 < unary.deadline.remaining() <= 15
        assert 598 < stream.deadline.remaining() <= 600

    @pytest.mark.parametrize("shape", ["Ask", "Tell"])
    async def test_the_default_ends_a_call_that_hangs(
        self, shape: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(calls, "UNARY_SECONDS", 0.05)
        monkeypatch.setattr(calls, "STREAM_SECONDS", 0.05)
        async with running(Gate()) as on:
            with pytest.raises(errors.DeadlineExceeded):
                await use(on, shape, deadline=None)
            assert [type(error) for error in on.things.ended] == [asyncio.CancelledError]

    async def test_the_caller_s_ends_both_sides(self) -> None:
        async with running(Gate()) as on:
            with pytest.raises(errors.DeadlineExceeded):
                await use(on, "Ask", deadline=Deadline.after(0.1))
            await wait_until(lambda: on.things.ended, 10)
            assert [type(error) for error in on.things.ended] == [asyncio.CancelledError]

    async def test_a_spent_deadline_makes_no_call(self) -> None:
        async with running(echo) as on:
            with pytest.raises(errors.DeadlineExceeded):
                await use(on, "Ask", deadline=Deadline.after(0))
            assert on.things.calls == []

    async def test_a_reader_who_stops_reading_does_not_hold_a_stream_for_ever(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(calls, "STREAM_SECONDS", 0.2)
        monkeypatch.setattr(calls, "_BACKSTOP_SECONDS", 0.1)

        async def again(_text: str) -> str:
            return "again"

        async with running(again) as on:
            stream = on.stub.Tell(ASK, metadata=on.auth)
            assert (await stream.read()).value == "one"
            await wait_until(lambda: on.things.ended, 10)
            stream.cancel()

    async def test_a_caller_who_hangs_up_cancels_the_servicer(self) -> None:
        gate = Gate()
        async with running(gate) as on:
            asking = asyncio.ensure_future(on.stub.Ask(ASK, metadata=on.auth))
            await gate.entered.wait()
            asking.cancel()
            await wait_until(lambda: on.things.ended, 10)
            assert [type(error) for error in on.things.ended] == [asyncio.CancelledError]


class TestLimits:
    async def test_more_calls_than_allowed_are_refused_and_health_is_not(self) -> None:
        gate = Gate()
        async with running(gate, max_concurrent_rpcs=1) as on:
            first = asyncio.ensure_future(on.stub.Ask(ASK, metadata=on.auth))
            await gate.entered.wait()
            with pytest.raises(errors.LimitExceeded) as refused:
                await use(on, "Ask")
            assert refused.value.reason == "TOO_MANY_CALLS"
            assert refused.value.retry_after == timedelta(seconds=1)
            gate.opened.set()
            assert (await first).value == "hello"
            await use(on, "Ask")

    async def test_a_message_over_four_mebibytes_is_refused(self) -> None:
        async with running(echo) as on:
            with pytest.raises(errors.LimitExceeded):
                await self.send(on, 4 * 1024 * 1024 + 1)
            assert on.things.calls == []

    async def send(self, on: Running, size: int) -> None:
        with translate_rpc_errors():
            await on.stub.Ask(StringValue(value="x" * size), metadata=on.auth)


class TestChannel:
    async def test_nobody_there_is_unavailable(self) -> None:
        async with running(echo) as on:
            await on.server.drain(timedelta(0))
            with pytest.raises(errors.Unavailable):
                await use(on, "Ask")

    @pytest.mark.parametrize(("method", "times"), [("Read", 3), ("Ask", 1)])
    async def test_only_methods_that_say_so_are_sent_again(self, method: str, times: int) -> None:
        tries = 0

        async def third_time(text: str) -> str:
            nonlocal tries
            tries += 1
            if tries < 3:
                raise errors.Unavailable
            return text

        async with running(third_time) as on:
            if times == 3:
                await use(on, method)
            else:
                with pytest.raises(errors.Unavailable):
                    await use(on, method)
        assert tries == times

    @pytest.mark.parametrize("kind", [errors.Conflict, errors.LimitExceeded, errors.NotFound])
    async def test_other_errors_are_final(self, kind: type[ChaupalError]) -> None:
        async with running(failing(kind())) as on:
            with pytest.raises(kind):
                await use(on, "Read")
            assert len(on.things.calls) == 1

    def test_metadata_holds_what_services_read_and_no_line_breaks(self) -> None:
        assert call_metadata("t", "r\r\nx: y", "neem") == (
            ("authorization", "Bearer t"),
            ("x-request-id", "rx: y"),
            ("chaupal-tenant", "neem"),
        )
        assert call_metadata("t") == (("authorization", "Bearer t"),)


class TestTokenEnd:
    """A stream goes on no longer than the token that opened it."""

    async def test_a_stream_ends_with_its_user_s_token(self) -> None:
        gate = Gate()
        soon = datetime.now(UTC) + timedelta(seconds=2)
        async with running(gate) as on:
            began = asyncio.get_running_loop().time()
            with pytest.raises(errors.Unauthenticated) as refused:
                await use(on, "Tell", token=a_token(expires_at=soon))
            assert asyncio.get_running_loop().time() - began < 10
        assert refused.value.reason == "TOKEN_EXPIRED"

    async def test_a_stream_that_ends_sooner_is_whole(self) -> None:
        async with running(echo) as on:
            assert await use(on, "Tell") == ["one", "two", "hello"]
