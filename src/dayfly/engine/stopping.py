"""Telling an attempt to end: once, whatever reasons come after the first."""

from __future__ import annotations

from dayfly.engine.drafting import Draft
from dayfly.model.commands import StopAttempt
from dayfly.model.identifiers import NodeId
from dayfly.model.run import Failure


def tell(draft: Draft, node: NodeId, why: Failure) -> None:
    """Note why the node's live attempt must end, and have it stopped unless it was told before.

    A later, stronger reason (node deadline over attempt timeout, abort over both) takes the place of the earlier one.
    """
    attempt = draft.state.nodes[node].attempts[-1]
    if attempt.stopping is None:
        draft.command(StopAttempt(node, attempt.number, why=why.message))
    draft.edit_attempt(node, stopping=why)
