"""Says where in an execution something failed, as people read it: `outer > n1 (train) > n1-0-n0 (fit)`.

Asked once, when the execution ends. What clients know no node of is part of the way too: an array's element, and the
execution that a launch plan's node launched, with the way inside of that.
"""

from __future__ import annotations

import re

from msgspec import structs

from dayfly.engine.drafting import Draft
from dayfly.model.identifiers import ROOT, NodeId
from dayfly.model.run import Failure

STEP = " > "

_MAPPED = re.compile(r"map_(?P<task>.+)_[0-9a-f]{32}(?:-arraynode)?")
"""What flytekit calls the nodes of map tasks."""


def located(draft: Draft, failure: Failure) -> Failure:
    """Return the execution's failure with the whole way to it."""
    steps: list[str] = []
    node = failure.node or ROOT
    while node != ROOT:
        steps.append(_describe(draft, node))
        node = draft.state.nodes[node].parent
    way = join(_short(draft.plan.workflow.name), *reversed(steps), failure.where)
    return structs.replace(failure, where=way)


def join(*steps: str) -> str:
    """Return steps of a way as one; empty ones are none."""
    return STEP.join(step for step in steps if step)


def _describe(draft: Draft, node: NodeId) -> str:
    rules = draft.rules(node)
    name = _short(rules.name or rules.target.name)
    if mapped := _MAPPED.fullmatch(name):
        name = mapped["task"]
    return f"{node} ({name})" if name and name != node else node


def _short(name: str) -> str:
    """Return a registered name without its module."""
    return name.rpartition(".")[2]
