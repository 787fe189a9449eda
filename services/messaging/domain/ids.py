"""Identifiers, each a type of its own, so that one cannot be passed for another."""

from typing import NewType

TenantId = NewType("TenantId", str)
BroadcastId = NewType("BroadcastId", str)
GroupId = NewType("GroupId", str)
UnitId = NewType("UnitId", str)
