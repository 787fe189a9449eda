"""Owns the broadcasts of every tenant and what became of each of their deliveries.

Promises: a broadcast goes once to each group that its audience meant when it was planned; what
was acknowledged survives the death of any process; a delivery never moves backwards; progress is
read from the ledger of deliveries itself, so no two numbers can disagree; and no tenant ever sees
or changes what is another's.
"""
