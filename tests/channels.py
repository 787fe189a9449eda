"""A client's channel with nothing of ours in it, for tests that look at a server from outside."""

import grpc.aio


def plain_channel(target: str) -> grpc.aio.Channel:
    """A channel with gRPC's defaults, but a connection of its own.

    By default channels of one process share a connection to one address, and with it the back-off
    after a refusal. Ports come round again in a long run of tests, so a server just started would
    be refused for what its predecessor did.
    """
    return grpc.aio.insecure_channel(target, options=(("grpc.use_local_subchannel_pool", 1),))
