"""Log lines are JSON, joined to their trace and request, and free of personal data."""

import io
import json
import logging
import uuid
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry import context as otel_context
from opentelemetry import trace

from kit import logs
from kit.context import bind_request_id
from kit.issuer import SigningKey
from kit.logs import redact


@pytest.fixture
def stream() -> io.StringIO:
    """Where the log lines go."""
    return io.StringIO()


def written(
    stream: io.StringIO,
    event: str,
    fields: dict[str, Any] | None = None,
    log_format: Literal["json", "text"] = "json",
) -> str:
    logs.set_up("INFO", service_name="things", log_format=log_format, stream=stream)
    logging.getLogger("services.things").info(event, extra=fields)
    return stream.getvalue()


def line(stream: io.StringIO, event: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    text = written(stream, event, fields)
    assert text.count("\n") == 1
    parsed: dict[str, Any] = json.loads(text)
    return parsed


PHONES = [
    "9876543210",
    "98765 43210",
    "98765-43210",
    "987-654-3210",
    "987 654 3210",
    "09876543210",
    "0 98765 43210",
    "919876543210",
    "91-98765-43210",
    "+919876543210",
    "+91 98765 43210",
    "+91-98765-43210",
    "+91 (98765) 43210",
    "00919876543210",
    "0091 98765 43210",
    "+14155552671",
    "+44 20 7946 0958",
    "९८७६५४३२१०",
    "+९१ ९८७६५ ४३२१०",
]


@pytest.mark.parametrize("phone", PHONES)
@pytest.mark.parametrize(
    "around", ["{}", "call {} now", "tel:{}", "phone={},", "('{}')", "x\n{}", '"{}"', "{}.", "<{}>"]
)
def test_phone_numbers_are_redacted_wherever_they_stand(phone: str, around: str) -> None:
    assert redact(around.format(phone)) == around.format("[phone]")


@given(
    st.from_regex(r"[6-9][0-9]{9}", fullmatch=True), st.sampled_from(["", "+91", "91", "0", "+91 "])
)
@example("6000000000", "")
def test_no_indian_mobile_number_passes(number: str, prefix: str) -> None:
    assert redact(f"to {prefix}{number}: sent") == "to [phone]: sent"


@pytest.mark.parametrize(
    "text",
    [
        "1767225600000-0",  # a stream entry
        "1767225600",  # seconds
        "2026-11-23T19:30:00.123456+00:00",
        "2026-11-23T19:30:00+05:30",
        "0af7651916cd43dd8448eb211c80319c",
        "127.0.0.1:50051",
        "51600000 voters in 100000 groups",
        "12345678",
        "5.16e7",
        "0.9876543210",
        "id9876543210",
        "98765432101234",
    ],
)
def test_what_is_no_phone_number_stays(text: str) -> None:
    assert redact(text) == text


@given(st.uuids(version=4))
@example(uuid.UUID("aaaaaaaa-bbbb-4ccc-8ddd-919876543210"))
@example(uuid.UUID("aaaaaaaa-bbbb-4ccc-8ddd-009876543210"))
def test_ids_stay(value: uuid.UUID) -> None:
    assert redact(str(value)) == str(value)


def test_tokens_are_redacted() -> None:
    token = SigningKey.generate().sign({"sub": "asha"})
    assert redact(f"Bearer {token} x") == "Bearer [token] x"
    head, body, _ = token.split(".")
    assert redact(f"{head}.{body}.") == "[token]"


class TestJson:
    def test_a_line_has_its_names_and_the_event_s_fields(self, stream: io.StringIO) -> None:
        told = line(
            stream,
            "chunk done",
            {"count": 500, "seconds": 0.25, "ok": True, "none": None, "tags": ["a"]},
        )
        when = told.pop("time")
        assert when.endswith("+00:00")
        assert told == {
            "level": "INFO",
            "service": "things",
            "logger": "services.things",
            "event": "chunk done",
            "count": 500,
            "seconds": 0.25,
            "ok": True,
            "none": None,
            "tags": ["a"],
        }

    def test_every_field_is_redacted_however_deep_and_of_any_type(
        self, stream: io.StringIO
    ) -> None:
        class Opaque:
            def __str__(self) -> str:
                return "of 9876543210"

        text = written(
            stream,
            "told 9876543210",
            {
                "number": 9876543210,
                "long": 919876543210,
                "deep": {"a": [{"9876543210": ("+919876543210", {9876543210})}]},
                "deeper": [[[[[[[[["9876543210"]]]]]]]]],
                "raw": b"9876543210",
                "opaque": Opaque(),
                "error": ValueError("9876543210"),
            },
        )
        assert "9876543210" not in text
        assert text.count("[phone]") == 10

    def test_an_exception_comes_with_its_stack_and_without_numbers(
        self, stream: io.StringIO
    ) -> None:
        def fail() -> None:
            raise ValueError("no group of +91 98765 43210")

        logs.set_up("INFO", service_name="things", stream=stream)
        try:
            fail()
        except ValueError:
            logging.getLogger("x").exception("failed")
        told = json.loads(stream.getvalue())
        assert "test_logs.py" in told["exception"]
        assert "ValueError: no group of [phone]" in told["exception"]

    def test_fields_cannot_displace_the_names(self, stream: io.StringIO) -> None:
        forged = {"level": "FAKE", "service": "fake", "event": "fake", "trace_id": "own"}
        told = line(stream, "x", forged)
        assert (told["level"], told["service"], told["event"]) == ("INFO", "things", "x")
        assert told["trace_id"] == "own"  # there is no trace

    def test_a_line_break_cannot_forge_a_line(self, stream: io.StringIO) -> None:
        assert line(stream, 'x\n{"event": "forged"}')["event"] == 'x\n{"event": "forged"}'

    def test_very_long_texts_are_cut_and_still_redacted_at_the_cut(
        self, stream: io.StringIO
    ) -> None:
        text = "x" * (logs.MAX_TEXT_CHARS - 5) + " 9876543210 " + "y" * 100_000
        told = line(stream, "long", {"text": text})
        assert len(told["text"]) == logs.MAX_TEXT_CHARS + 1
        assert "98" not in told["text"]

    def test_hindi_stays_readable(self, stream: io.StringIO) -> None:
        assert "चौपाल" in written(stream, "चौपाल")

    def test_trace_and_request_are_named(self, stream: io.StringIO) -> None:
        span = trace.NonRecordingSpan(
            trace.SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=False)
        )
        token = otel_context.attach(trace.set_span_in_context(span))
        bind_request_id("req-1")
        try:
            told = line(stream, "x")
        finally:
            bind_request_id("")
            otel_context.detach(token)
        assert told["trace_id"] == f"{0xABC:032x}"
        assert told["span_id"] == f"{0xDEF:016x}"
        assert told["request_id"] == "req-1"

    def test_the_level_is_kept(self, stream: io.StringIO) -> None:
        logs.set_up("WARNING", service_name="things", stream=stream)
        logging.getLogger("x").info("quiet")
        logging.getLogger("x").warning("loud")
        assert [json.loads(each)["event"] for each in stream.getvalue().splitlines()] == ["loud"]


def test_text_is_for_people(stream: io.StringIO) -> None:
    text = written(stream, "chunk done", {"count": 5, "to": "9876543210"}, "text")
    assert text.endswith("INFO    services.things: chunk done count=5 to=[phone]\n")


def test_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO", service_name="things")
    logging.getLogger("x").info("hello")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["event"] == "hello"
