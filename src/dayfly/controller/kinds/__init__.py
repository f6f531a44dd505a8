"""What the platform does for each kind of node that is no task's attempt, one file a kind.

Knows: the resolver, definitions, the ports it is given. Never knows: other kinds, or what follows from what it did:
that is told in an event.
"""
