"""The demo organisations, made once for all tests that look at them."""

from datetime import date
from functools import cache

from cli.demo.tenants import DemoTenant, demo_tenant

DAY = date(2026, 6, 30)


@cache
def demo(tenant: str, scale: str) -> DemoTenant:
    """One organisation with the usual seed, as of `DAY`."""
    return demo_tenant(tenant, scale, DAY)
