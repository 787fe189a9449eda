"""Owns the organisational graph of every tenant: its blueprint, its units and the tree they form.

Promises that the tree is never broken, at any moment and for any number of writers: every parent
exists and stands above its child, codes are unique within a level, a refused change changes
nothing, and an applied one is in the tenant's numbered events exactly once.
"""
