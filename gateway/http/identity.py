"""Who is calling, from a header or from a socket's first message."""

import re

from kit.ids import Ids
from kit.tokens import Caller, TokenVerifier

_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,128}")


async def verify(verifier: TokenVerifier, authorization: str) -> Caller:
    """The caller of an `Authorization: Bearer` value, who must act in a tenant.

    Raises:
        Unauthenticated: when there is no good token, or it names no tenant.
        Unavailable: when the keys to check it with cannot be had.
    """
    scheme, _, token = authorization.strip().partition(" ")
    caller = await verifier.verify(token.strip() if scheme.lower() == "bearer" else "")
    _ = caller.tenant_id  # raises when the credential names none
    return caller


def request_id(given: str | None, ids: Ids) -> str:
    """The client's name for the request where it is fit for logs and headers, or a new one."""
    return given if given and _REQUEST_ID.fullmatch(given) else ids.new()
