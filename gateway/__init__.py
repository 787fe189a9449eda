"""The GraphQL edge: one graph over the three services, for consoles and other clients.

Owns no domain data. Promises: every field is resolved through a service's public contract with the
caller's own token; a service that is down takes its own fields and nothing else; what a client
sends is bounded before it is looked at.
"""
