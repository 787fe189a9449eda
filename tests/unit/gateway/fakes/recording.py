"""What every fake does first: note the call, misbehave when told to, look at the tenant."""

from google.protobuf.message import Message

from kit.context import current

from .world import TENANT, World


def entered(world: World, method: str, keys: int = 1, request: Message | None = None) -> bool:
    """Whether the caller is of the tenant that has data here."""
    call = current()
    world.calls.log.append((method, keys))
    world.calls.tokens.append(call.caller.token)
    world.calls.request_ids.append(call.request_id)
    world.calls.seconds_left.append(call.deadline.remaining())
    if request is not None:
        world.asked[method] = request
    if method in world.raising:
        raise world.raising[method]
    return call.caller.tenant_id == TENANT
