"""The register in Redis or Valkey, standalone or cluster.

Everything of a tenant lies under the hash tag of its id, so in one slot:

    groups:{t}:meta         version, revision, tree_version, count, kinds, categories, layout
    groups:{t}:rows         128 bytes a group by ordinal: all that is counted and selected by
    groups:{t}:record       id and revision -> the whole group as JSON
    groups:{t}:changes      a stream: entry `<version>-0` says which ordinals that version changed
    groups:{t}:request:<id> what a request was told, for seven days

A revision is eight random bytes of one commit. It names the version, so that a version number
that a failover gave twice is not taken for the same; and it is part of the name of every record
that the commit writes, so that records can be laid down before the commit and are seen by nobody
until a row points to them.
"""

from services.groups.adapters.redis.registry import RedisGroupRegistry

__all__ = ["RedisGroupRegistry"]
