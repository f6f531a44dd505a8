"""Puts the controller's parts together: what carries out commands, and what reads the world.

Called by `assembly`. Everything here is built once and shares one resolver and one set of templates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dayfly.controller import attempts, caching, performing, recovering, resolving, templates, unsaid
from dayfly.controller.kinds import array, branch, dynamic, gate, launch_plan, subworkflow
from dayfly.model.plan import NodeKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from dayfly.base.clock import Clock
    from dayfly.controller.preparing import Sizing
    from dayfly.ports.blobs import Blobs
    from dayfly.ports.children import Children
    from dayfly.ports.executors import Executor
    from dayfly.ports.stores import Stores


class Parts(NamedTuple):
    """The controller's parts that others start or ask."""

    performer: performing.Performer
    caching: caching.Caching
    templates: templates.Templates
    unsaid: unsaid.Unsaid


def build(
    stores: Stores,
    blobs: Blobs,
    by_name: Mapping[str, Executor],
    by_type: Mapping[str, str],
    children: Children,
    clock: Clock,
    *,
    public_url: str,
    grace_seconds: float,
    platform_env: Mapping[str, str],
    sizing: Sizing | None = None,
    claims: Mapping[str, Callable[[str], Awaitable[bool]]] | None = None,
    makes_pods: bool = False,
) -> Parts:
    """Return the parts. `by_type` maps task types to names of executors, `ANY_TYPE` for all others.

    `makes_pods`: executors make pods, so that nothing of a task's pod is left out.
    """
    runs = stores.runs
    resolver = resolving.Resolver(blobs)
    known = templates.Templates(stores.definitions)
    over = unsaid.Unsaid()
    launch_plans = launch_plan.LaunchPlans(resolver, runs, children, clock)
    cached = caching.Caching(stores.catalog, runs, blobs, resolver, known, clock)
    performer = performing.Performer(
        runs,
        resolver,
        attempts.Attempts(
            runs,
            blobs,
            resolver,
            known,
            over,
            by_name,
            by_type,
            clock,
            public_url=public_url,
            grace_seconds=grace_seconds,
            platform_env=platform_env,
            sizing=sizing,
            attributes=stores.attributes,
            claims=claims,
            makes_pods=makes_pods,
        ),
        {
            NodeKind.SUB_WORKFLOW: subworkflow.SubWorkflows(resolver, clock),
            NodeKind.BRANCH: branch.Branches(resolver, clock),
            NodeKind.LAUNCH_PLAN: launch_plans,
            NodeKind.GATE: gate.Gates(resolver, stores.signals, clock),
            NodeKind.ARRAY: array.Arrays(resolver, known, runs, clock),
        },
        launch_plans,
        dynamic.Growing(blobs, known),
        cached,
        recovering.Recovering(runs, blobs, clock),
        clock,
    )
    return Parts(performer, cached, known, over)
