"""The `chaupal` command: runs the platform on one machine, fills it, sends and watches.

It talks to the services as any other client would, over their public gRPC contracts and the
gateway's GraphQL, and never imports a service or the gateway.
"""
