"""Between the messages of `chaupal.groups.v1` and the values of the domain; pure functions."""
