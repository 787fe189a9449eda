"""Which of the two media types of GraphQL a client wants its answer in.

After https://graphql.github.io/graphql-over-http/draft/ and RFC 9110 section 12.5.1.
"""

RESPONSE_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
# `*/*` and a missing header mean clients older than the new type.
_BY_PREFERENCE = (PLAIN_JSON, RESPONSE_JSON)


def choose(accept: str | None) -> str | None:
    """The media type of the answer, or None when neither is acceptable."""
    if accept is None or not accept.strip():
        return PLAIN_JSON
    ranges = [_range(part) for part in accept.split(",")]
    weights = {kind: _weight(kind, ranges) for kind in _BY_PREFERENCE}
    best = max(_BY_PREFERENCE, key=lambda kind: weights[kind])
    return best if weights[best] > 0 else None


def _range(part: str) -> tuple[str, float]:
    kind, *parameters = (each.strip().lower() for each in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return kind, _quality(value.strip())
    return kind, 1.0


def _quality(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0.0 <= value <= 1.0 else 0.0  # also refuses NaN


def _weight(kind: str, ranges: list[tuple[str, float]]) -> float:
    """The weight that the most specific range gives a media type."""
    for wanted in (kind, "application/*", "*/*"):
        for given, weight in ranges:
            if given == wanted:
                return weight
    return 0.0
