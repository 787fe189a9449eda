"""How GraphQL travels here: what is accepted, how much of it, and how errors look."""
