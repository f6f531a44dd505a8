"""What tasks say of their Dask cluster beyond Flyte's own plugin: `task_config=DaskCluster(...)`.

For users' modules. Importing it brings flytekit's Dask plugin and nothing of the platform. What is registered stays a
task of Flyte's: Flyte runs it with the default group of workers and passes over the rest.
"""

from __future__ import annotations

from dayfly.dask.config import DaskCluster, Workers
from dayfly.model.cluster_wishes import Adapt, Reuse

__all__ = ["Adapt", "DaskCluster", "Reuse", "Workers"]
