"""Pure functions between the messages of `chaupal.hierarchy.v1` and domain values.

What leaves here inwards is valid: a request that can never work is refused here, with every fault
that was found. The rows of an import are the exception: their faults are a report, not an error.
"""
