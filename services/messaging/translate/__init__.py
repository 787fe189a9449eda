"""Between protobuf messages and values: pure functions, side by side."""
