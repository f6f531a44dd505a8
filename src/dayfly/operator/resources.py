"""A `FlyteWorkflow` as it was read, and the changes that are made to one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dayfly.base import errors
from dayfly.model import flyte_workflows
from dayfly.model.phases import TERMINAL_EXECUTION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.model.identifiers import ExecutionId
    from dayfly.operator.cluster import Manifest

REFUSED = "REFUSED"
"""Phase of a resource from which no execution can be started. Phases of executions are Flyte's."""

WAITING = "WAITING"
"""Phase of a resource whose launch plan has as many executions under way as it allows."""

_ENDED = frozenset(phase.name for phase in TERMINAL_EXECUTION)


class Resource:
    """One resource, as it was read last."""

    def __init__(self, manifest: Manifest) -> None:
        # Who wrote which field is longer than all the rest, and nobody here asks.
        metadata = {name: told for name, told in manifest["metadata"].items() if name != "managedFields"}
        self.manifest = {**manifest, "metadata": metadata}
        self.key: tuple[str, str] = (metadata["namespace"], metadata["name"])
        self.uid: str = metadata["uid"]
        self.version: str = metadata["resourceVersion"]
        self.generation: int = metadata.get("generation") or 0
        self.deleting = bool(metadata.get("deletionTimestamp"))
        self.finalizers: list[str] = metadata.get("finalizers") or []
        self.platform: str = (metadata.get("labels") or {}).get(flyte_workflows.PLATFORM, "")
        self.spec: Mapping[str, Any] = manifest.get("spec") or {}
        self.status: Mapping[str, Any] = manifest.get("status") or {}
        self.execution = flyte_workflows.execution_of(manifest)
        """Whom it stands for; None if that is yet to be started."""

    def __str__(self) -> str:
        return "/".join(self.key)

    @property
    def is_users(self) -> bool:
        """Say whether a user made it, to start an execution."""
        return "executionId" not in self.spec

    @property
    def held(self) -> bool:
        """Say whether it cannot go before we let it."""
        return flyte_workflows.FINALIZER in self.finalizers

    @property
    def unseen(self) -> bool:
        """Say whether it is a user's whose execution nobody has seen yet."""
        return self.is_users and "executionId" not in self.status

    @property
    def ended(self) -> bool:
        """Say whether its status tells how the execution has ended, so that nothing will change any more."""
        return self.status.get("phase") in _ENDED

    @property
    def refused(self) -> bool:
        """Say whether what it asks for was refused, and has not been changed since."""
        return self.status.get("phase") == REFUSED and self.status.get("observedGeneration") == self.generation

    @property
    def lacked(self) -> bool:
        """Say whether it was refused for something that was not there, and may be since."""
        return (self.status.get("error") or {}).get("code") == errors.NotFound.__name__


def claim(resource: Resource, execution: ExecutionId, platform: str) -> Manifest:
    """Return the change by which a user's resource becomes that of an execution."""
    return {
        "metadata": {
            "labels": {
                flyte_workflows.PLATFORM: platform,
                flyte_workflows.EXECUTION: flyte_workflows.mark(execution),
            },
            "annotations": {flyte_workflows.EXECUTION: str(execution)},
            "finalizers": [*resource.finalizers, *([] if resource.held else [flyte_workflows.FINALIZER])],
        }
    }


def hold(resource: Resource) -> Manifest:
    """Return the change that keeps it from going before its execution has ended."""
    return {"metadata": {"finalizers": [*resource.finalizers, flyte_workflows.FINALIZER]}}


def release(resource: Resource) -> Manifest:
    """Return the change that lets it go."""
    return {"metadata": {"finalizers": [one for one in resource.finalizers if one != flyte_workflows.FINALIZER]}}


def restate(before: Mapping[str, Any], after: Mapping[str, Any]) -> Manifest:
    """Return the change of a status, empty for none: what is no longer said goes."""
    changed: Manifest = {}
    for name in {*before, *after}:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        # Inside of a field too a merge keeps what it is not told of.
        if isinstance(old, dict) and isinstance(new, dict):
            new = {**dict.fromkeys(set(old) - set(new)), **new}
        changed[name] = new
    return changed
