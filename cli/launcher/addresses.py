"""The addresses of a running platform, and its description for programs."""

from collections.abc import Mapping

from cli.launcher.ports import HOST
from cli.platform_file import PlatformFile


def urls(ports: Mapping[str, int]) -> dict[str, str]:
    """Return every address that a person or program may want, by name."""
    gateway = f"http://{HOST}:{ports['gateway']}"
    return {
        "graphql": f"{gateway}/graphql",
        "subscriptions": f"ws://{HOST}:{ports['gateway']}/graphql",
        "party": f"{gateway}/party/",
        "category": f"{gateway}/category/",
        "issuer": f"http://{HOST}:{ports['issuer']}",
        "hierarchy": f"{HOST}:{ports['hierarchy']}",
        "groups": f"{HOST}:{ports['groups']}",
        "messaging": f"{HOST}:{ports['messaging']}",
    }


def described(platform: PlatformFile) -> dict[str, object]:
    """Return what `-o json` of `up` and `status` both say."""
    return {
        "pid": platform.pid,
        "data": platform.data,
        "scale": platform.scale,
        "stores": {
            "hierarchy": "neo4j" if platform.neo4j else "embedded",
            "redisUrl": platform.redis_url,
        },
        "issuer": platform.issuer,
        "urls": urls(platform.ports),
        "ports": dict(platform.ports),
    }
