"""Tasks that run somewhere else: flytekit's connectors, in a process of their own, or at endpoints that are named.

Knows: the connectors' gRPC protocol. Never knows: retries, phases, what any connector does.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from dayfly.executors.connector import endpoints, executor, hosting
from dayfly.ports import executor_parts

if TYPE_CHECKING:
    from dayfly.ports.executor_parts import ExecutorParts, Plugged


def plug(parts: ExecutorParts) -> Plugged:
    """Return the executor of every task type that a connector knows, of ours or at an endpoint."""
    told = parts.settings.connectors
    host = hosting.Host(
        sys.executable,
        tuple(filter(None, told.modules.split(","))),
        parts.data / "logs" / "connectors.log",
        # Connectors look for secrets where flytekit does: among those that are everybody's.
        {**os.environ, "FLYTE_SECRETS_DEFAULT_DIR": str(parts.data / "secrets" / "everywhere")},
    )
    known = endpoints.Endpoints(host, tuple(filter(None, told.endpoints.split(","))), call_seconds=told.call_seconds)
    made = executor.ConnectorExecutor(
        known,
        parts.blobs,
        parts.clock,
        poll_seconds=told.poll_seconds,
        slowest_poll_seconds=told.slowest_poll_seconds,
        call_seconds=told.call_seconds,
        sync_seconds=told.sync_seconds,
    )
    return executor_parts.Plugged(made, (), known.knows)
