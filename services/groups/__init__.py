"""The register of messaging groups, and what an audience means.

`groups` owns every tenant's groups: kind, category, unit, admins, size, life cycle. It answers
who is selected by an audience, how many, who is left out and why. It promises that a group's code
is unique in its tenant, that an import is applied whole or not at all, that a write is seen by
every sibling from its answer on, and that whatever it says was read from one state of the
register and one state of the tree.
"""
