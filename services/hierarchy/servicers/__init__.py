"""The gRPC edge of hierarchy: message to value, one use case, value to message.

One file for each part of a contract; where a contract has several, one class joins them.
"""
