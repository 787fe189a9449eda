"""Errors are their name, reason and fields; a subclass needs no decorator."""

from datetime import UTC, datetime, timedelta
from enum import Enum

import pytest

from kit.errors import (
    KINDS,
    AtLimit,
    ChaupalError,
    Conflict,
    FieldViolation,
    Forbidden,
    Internal,
    InvalidInput,
    LimitExceeded,
    NotFound,
    PreconditionFailed,
    RequestIdReused,
    Violations,
    answer_too_large,
    kind_of,
    raise_violations,
)


class ThingNotFound(NotFound):
    reason = "THING_NOT_FOUND"
    thing_id: str


class Shade(Enum):
    DARK = "d"


class Everything(Forbidden):
    reason = "EVERYTHING"
    text: str
    number: int
    yes: bool
    shade: Shade
    at: datetime
    wait: timedelta
    names: tuple[str, ...]
    nothing: str | None = None
    _secret: str = "hidden"


def test_a_domain_error_takes_its_fields_by_place_or_by_name() -> None:
    assert ThingNotFound("x").fields() == ThingNotFound(thing_id="x").fields() == {"thing_id": "x"}


def test_the_message_is_built_from_reason_and_fields() -> None:
    error = ThingNotFound("x")
    assert error.message == str(error) == "thing not found: thing_id x"
    assert repr(error) == "ThingNotFound(THING_NOT_FOUND: thing not found: thing_id x)"


def test_a_missing_field_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        ThingNotFound()  # type: ignore[call-arg]


def test_fields_are_text_without_the_private_and_the_absent() -> None:
    error = Everything(
        "t",
        3,
        True,
        Shade.DARK,
        datetime(2026, 1, 2, tzinfo=UTC),
        timedelta(seconds=1.5),
        ("a", "b"),
    )
    assert error.fields() == {
        "text": "t",
        "number": "3",
        "yes": "true",
        "shade": "DARK",
        "at": "2026-01-02T00:00:00+00:00",
        "wait": "1.5s",
        "names": "a,b",
    }
    assert "hidden" not in repr(error)


def test_errors_are_compared_by_identity() -> None:
    assert ThingNotFound("x") != ThingNotFound("x")
    assert len({ThingNotFound("x"), ThingNotFound("x")}) == 2


def test_extras_of_kinds_are_no_fields_but_the_etag_is() -> None:
    assert LimitExceeded(retry_after=timedelta(seconds=1)).fields() == {}
    assert InvalidInput.of("a", "B").fields() == {}
    assert Conflict(current_etag="7").fields() == {"current_etag": "7"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_stable_reason_and_needs_nothing(kind: type[ChaupalError]) -> None:
    error = kind()
    assert error.reason.isupper()
    assert kind_of(error) is kind


def test_kind_of_looks_through_subclasses_and_masks_strangers() -> None:
    assert kind_of(ThingNotFound("x")) is NotFound
    assert kind_of(ValueError("x")) is Internal


def test_an_error_from_a_wire_answers_for_its_sender_alone() -> None:
    error = NotFound.from_wire(
        reason="THING_NOT_FOUND", message="no such thing", fields={"thing_id": "x"}, domain="d"
    )
    assert (error.reason, error.message, error.domain) == ("THING_NOT_FOUND", "no such thing", "d")
    assert error.fields() == {"thing_id": "x"}
    assert (NotFound().reason, NotFound().fields(), NotFound().domain) == ("NOT_FOUND", {}, "")


def test_violations_are_told_together() -> None:
    violations = Violations()
    violations.raise_if_any()
    violations.add("name", "TOO_LONG", "at most 80 characters")
    violations.add("code", "MISSING")
    with pytest.raises(InvalidInput) as refused:
        violations.raise_if_any()
    assert refused.value.violations == (
        FieldViolation("name", "TOO_LONG", "at most 80 characters"),
        FieldViolation("code", "MISSING", ""),
    )
    assert refused.value.reason == "INVALID_INPUT"
    assert refused.value.message == "name: at most 80 characters (and 1 more)"


def test_violations_that_agree_lend_their_reason() -> None:
    with pytest.raises(InvalidInput) as refused:
        raise_violations([FieldViolation("a", "MISSING"), FieldViolation("b", "MISSING")])
    assert refused.value.reason == "MISSING"
    assert InvalidInput.of("a", "MISSING").message == "a: missing"


def test_an_error_at_a_limit_tells_the_limit_before_its_own_fields() -> None:
    class TooManyThings(AtLimit):
        reason = "TOO_MANY_THINGS"
        where: str

    error = TooManyThings(3, "shelf", retry_after=timedelta(seconds=1))
    assert error.fields() == {"limit": "3", "where": "shelf"}
    assert error.message == "too many things: limit 3, where shelf"
    assert error.retry_after == timedelta(seconds=1)
    assert kind_of(error) is LimitExceeded


def test_a_reused_request_id_is_a_conflict_that_names_the_id_and_the_cure() -> None:
    error = RequestIdReused("r")
    assert kind_of(error) is Conflict
    assert (error.reason, error.fields()) == ("REQUEST_ID_REUSED", {"request_id": "r"})
    assert error.message == "request id r was used for something else: choose a new one"


def test_an_answer_that_is_too_large_is_a_fault_of_the_field_that_asked_for_it() -> None:
    error = answer_too_large("ids")
    said = "over 4 MiB together: ask for less"
    assert error.reason == "ANSWER_TOO_LARGE"
    assert error.violations == (FieldViolation("ids", "ANSWER_TOO_LARGE", said),)


def test_a_sentence_of_its_own_has_the_fields_put_in() -> None:
    class Shut(PreconditionFailed):
        reason = "SHUT"
        sentence = "the {what} is shut: come back at {opens}"
        what: str
        opens: int

    assert Shut("office", 9).message == "the office is shut: come back at 9"
    assert str(Shut("office", 9)) == "the office is shut: come back at 9"
