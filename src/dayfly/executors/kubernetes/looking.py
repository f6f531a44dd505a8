"""How it is with the cluster, for whoever keeps the platform up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.base.clock import SECOND
from dayfly.model import flyte_workflows
from dayfly.ports.executor_parts import Condition

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.ports.pod_groups import PodGroups

SLOW_SECONDS = 1.0
"""An answer that takes longer is told as slow: each attempt waits for dozens of them."""


class Look:
    """Looks at one cluster; `operates` says whether executions are to be seen in it as `FlyteWorkflow`s."""

    def __init__(self, groups: PodGroups, clock: Clock, *, operates: bool) -> None:
        self._groups, self._clock, self._operates = groups, clock, operates

    async def now(self) -> Condition:
        """Return how it is. Raise `ExecutorAway` where the cluster does not answer, `ExecutorUnavailable` where there
        is none."""
        began = self._clock.now()
        name = await self._groups.look()
        took = (self._clock.now() - began) / SECOND
        told = f"{name} answered in {took * 1000:.0f} ms."
        if took > SLOW_SECONDS:
            return Condition("warning", told, "It is slow; look at its load, and at the network.")
        if self._operates and not await self._groups.serves(flyte_workflows.KIND):
            return Condition(
                "warning",
                f"{told} It does not know FlyteWorkflows: executions run, and kubectl shows none of them.",
                f"Have it know them ({flyte_workflows.GET_IT}), or say DAYFLY_KUBERNETES__WORKFLOW_OPERATOR=false.",
            )
        return Condition("well", told)
