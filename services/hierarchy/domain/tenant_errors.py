"""What can be wrong with a tenant as a whole."""

from kit.errors import AlreadyExists, Forbidden, NotFound, PreconditionFailed, Unavailable


class OperatorRequired(Forbidden):
    """Only those who operate the platform may do this."""

    reason = "CAPABILITY_MISSING"
    sentence = "this needs a token with the capability {capability} and without a tenant"
    capability: str = "operate"


class TenantUnknown(Forbidden):
    """The caller's tenant was never created, or is no more."""

    reason = "TENANT_UNKNOWN"
    sentence = "there is no organisation {tenant_id}: those who operate the platform create it"
    tenant_id: str


class TenantNotFound(NotFound):
    """There is no such tenant; told to those who operate the platform."""

    reason = "TENANT_NOT_FOUND"
    sentence = "there is no tenant {tenant_id}"
    tenant_id: str


class TenantExists(AlreadyExists):
    """The id is taken, perhaps by a tenant that was deleted: ids are given once."""

    reason = "TENANT_EXISTS"
    sentence = "the id {tenant_id} is taken (the tenant is {status}): ids are given once"
    tenant_id: str
    status: str


class TenantNotSuspended(PreconditionFailed):
    """The tenant works: it is suspended first, so that nobody is cut off by a slip."""

    reason = "TENANT_NOT_SUSPENDED"
    sentence = "tenant {tenant_id} is at work: suspend it first"
    tenant_id: str


class TenantDeleting(PreconditionFailed):
    """The tenant is being removed, or was: nothing of it can be changed or read any more."""

    reason = "TENANT_DELETING"
    sentence = "tenant {tenant_id} was removed, or is just being removed ({status})"
    tenant_id: str
    status: str


class PeersNotTold(Unavailable):
    """Other services wait to hear of the removal: until then nothing but the keys is removed."""

    reason = "PEERS_NOT_TOLD"
    sentence = "other services were not told of the removal of {tenant_id} yet: is the worker up?"
    tenant_id: str
