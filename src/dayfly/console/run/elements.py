"""What has become of a map task's elements, in a letter each: ten thousand are ten kilobytes.

The API tells them as external resources of the array's one task execution, one for each attempt of an element.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from flyteidl.core import catalog_pb2

from dayfly.client.connecting import Client
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.model.phases import AttemptPhase

LETTERS = {
    AttemptPhase.UNDEFINED: ".",
    AttemptPhase.QUEUED: "Q",
    AttemptPhase.INITIALIZING: "Q",
    AttemptPhase.WAITING_FOR_RESOURCES: "Q",
    AttemptPhase.RUNNING: "R",
    AttemptPhase.SUCCEEDED: "S",
    AttemptPhase.FAILED: "F",
    AttemptPhase.RETRYABLE_FAILED: "R",
    AttemptPhase.ABORTED: "A",
}
"""Of an element's last attempt. `H` is one whose outputs came from the cache, `.` one that nothing is known of."""

HIT = "H"


class Elements(NamedTuple):
    """All elements of an array."""

    letters: str
    """By index."""
    again: dict[int, int]
    """Number of the last attempt, from 0, of those that were tried again."""


def summed(resources: Any) -> Elements:
    """Return what event.ExternalResourceInfo messages come to."""
    last: dict[int, tuple[int, str]] = {}
    for one in resources:
        if one.index not in last or last[one.index][0] <= one.retry_attempt:
            hit = one.cache_status == catalog_pb2.CACHE_HIT
            last[one.index] = one.retry_attempt, HIT if hit else LETTERS.get(AttemptPhase(one.phase), ".")
    letters = ["."] * (1 + max(last, default=-1))
    for index, (_, letter) in last.items():
        letters[index] = letter
    return Elements("".join(letters), {index: attempt for index, (attempt, _) in last.items() if attempt})


async def read(client: Client, execution: ExecutionId, array: str) -> Elements:
    """Return the elements of an array; none where it has not begun."""
    found = await client.list_attempts(execution, NodeId(array))
    return summed(found[-1].closure.metadata.external_resources if found else ())
