"""How many faults of a request a client is told of."""

# The services' own word, where theirs are too many for the trailers of a call.
MORE_VIOLATIONS = "MORE_VIOLATIONS"
