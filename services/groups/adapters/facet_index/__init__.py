"""The audience engine: bitmaps and sorted runs over groups numbered in tree order.

A group's rank is its place in tree order, then by code. A subtree is then a range of ranks, a
facet a bitmap of ranks (roaringbitmap.org), and a count over a subtree two binary searches.
"""

from services.groups.adapters.facet_index.index import FacetIndex

__all__ = ["FacetIndex"]
