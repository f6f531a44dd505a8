"""Whether the next attempt should ask for more memory: how often the node has run out of it.

Only counts; how much more that is, and whether at all, is a setting of the platform (flyte#2234 asks for it).
"""

from __future__ import annotations

from dayfly.model.run import NodeState

OUT_OF_MEMORY = frozenset({"OOMKilled", "DaskWorkerOutOfMemory", "DaskSchedulerOutOfMemory"})
"""Codes of attempts that were ended because they held more memory than their limit: as Kubernetes calls it, and where
it was not the task's own process, those of its cluster."""


def count(node: NodeState) -> int:
    """Return how many of the node's attempts ran out of memory."""
    return sum(
        attempt.failure is not None and attempt.failure.code in OUT_OF_MEMORY and attempt.stopping is None
        for attempt in node.attempts
    )
