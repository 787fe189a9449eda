"""The name of a request, under which its answer is kept."""

from uuid import UUID

from kit.ids import SystemIds

_IDS = SystemIds()


def request_id(given: str | None) -> str:
    """The client's own, in the one spelling that services take; a new one when it gave none."""
    if not given:
        return _IDS.new()
    try:
        return str(UUID(given))
    except ValueError:
        return given  # the service says what is wrong with it
