"""The sample roles of the development issuer and the identities of the services."""

from collections.abc import Mapping

# What each role may do; the capabilities are those that the services ask for.
ROLES: Mapping[str, tuple[str, ...]] = {
    "administrator": ("view", "compose", "approve", "administer", "relay", "monitor"),
    "composer": ("view", "compose"),
    "viewer": ("view",),
    "monitor": ("view", "monitor"),
}
# Whoever operates the platform: in no tenant, and with no other right.
OPERATOR = "operator"
OPERATOR_CAPABILITIES = ("operate",)
SERVICES = ("hierarchy", "groups", "messaging", "gateway")


def service_subject(service: str) -> str:
    """Return the subject (`sub`) that a service calls its peers under."""
    return f"service:{service}"


SERVICE_SUBJECTS = tuple(service_subject(service) for service in SERVICES)
