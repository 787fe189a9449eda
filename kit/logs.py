"""Structured logs: one JSON object a line, with trace and request ids, and no personal data.

Modules log with `logging.getLogger(__name__).info("event in words", extra={"count": 3})`.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from opentelemetry import trace

from kit import context

# Phone numbers: E.164 with its plus or a leading 00, and Indian mobiles with or without the
# country's 91 or a trunk 0; single spaces, dots, hyphens and brackets inside; Devanagari digits
# too. Not inside longer runs of letters and digits, nor the last group of a UUID.
_DIGIT = "[0-9०-९]"
_GAP = r"[ .\-()]{0,2}"
_TRUNK = rf"(?:(?:91|९१){_GAP}|[0०][ \-]?)?"  # no dot after the 0, or fractions look like it
_PHONE = re.compile(
    r"(?<![\w+])(?<!\d\.)(?<![0-9a-f]{4}-)(?:"
    rf"(?:\+{_GAP}|00[ \-]?)[1-9१-९](?:{_GAP}{_DIGIT}){{6,14}}"
    rf"|{_TRUNK}[6-9६-९]{_DIGIT}{{4}}{_GAP}{_DIGIT}{{5}}"
    rf"|{_TRUNK}[6-9६-९]{_DIGIT}{{2}}{_GAP}{_DIGIT}{{3}}{_GAP}{_DIGIT}{{4}}"
    r")(?!\w)"
)
_JWT = re.compile(r"eyJ[\w\-]{5,}\.[\w\-]+(?:\.[\w\-]*)?")

_PLAIN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
MAX_TEXT_CHARS = 8 * 1024
_MAX_DEPTH = 6


def redact(text: str) -> str:
    """The text without what looks like a phone number or a token."""
    return _PHONE.sub("[phone]", _JWT.sub("[token]", text))


def set_up(
    level: str = "INFO",
    *,
    service_name: str,
    log_format: Literal["json", "text"] = "json",
    stream: TextIO | None = None,
) -> None:
    """Send the process's log lines to standard error; once, at start."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(TextFormatter() if log_format == "text" else JsonFormatter(service_name))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


class JsonFormatter(logging.Formatter):
    """One JSON object: time, level, service, logger, event, ids, then the event's own fields."""

    def __init__(self, service_name: str) -> None:
        super().__init__()
        self._service_name = service_name

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "service": self._service_name,
            "logger": record.name,
            "event": _text(record.getMessage()),
        }
        line |= _ids()
        # Fields may not displace the names above.
        line |= {name: value for name, value in _fields(record).items() if name not in line}
        if record.exc_info:
            line["exception"] = _text(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """For people: time, level, logger, event, fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, and its stack below."""
        fields = {**_fields(record), **_ids()}
        told = "".join(f" {name}={value}" for name, value in fields.items())
        line = (
            f"{_time(record)} {record.levelname:7} {record.name}: "
            f"{_text(record.getMessage())}{told}"
        )
        if record.exc_info:
            line += "\n" + _text(self.formatException(record.exc_info))
        return line


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _ids() -> dict[str, str]:
    ids: dict[str, str] = {}
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        ids["trace_id"] = trace.format_trace_id(span.trace_id)
        ids["span_id"] = trace.format_span_id(span.span_id)
    if request := context.request_id():
        ids["request_id"] = request
    return ids


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {
        name: _value(value) for name, value in vars(record).items() if name not in _PLAIN_ATTRIBUTES
    }


def _value(value: object, depth: int = 0) -> Any:
    match value:
        case None | bool() | float():
            return value
        case int():  # a phone number may come as a number
            text = str(value)
            return value if redact(text) == text else "[phone]"
        case Mapping() if depth < _MAX_DEPTH:
            return {_text(str(name)): _value(item, depth + 1) for name, item in value.items()}
        case list() | tuple() | set() | frozenset() if depth < _MAX_DEPTH:
            return [_value(item, depth + 1) for item in value]
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    # Cut after redacting, with room for a number that stands across the cut.
    safe = redact(text[: MAX_TEXT_CHARS + 64])
    return safe if len(safe) <= MAX_TEXT_CHARS else safe[:MAX_TEXT_CHARS] + "…"
