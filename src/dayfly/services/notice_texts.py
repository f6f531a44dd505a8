"""Whom an execution's end concerns, and what they are told. Pure.

Flyte sends all three kinds as mail (flyteadmin/pkg/async/notifications in flyteorg/flyte); here a Slack notification
goes to Slack where there is a webhook for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from flyteidl.admin import execution_pb2
from flyteidl.core import execution_pb2 as core_execution_pb2

from dayfly.ports.notices import EndedRun, NewNotice

MAX_REASON = 2_000
"""Characters of an error that are told; the rest is behind the link."""

MAX_NOTICES = 100
"""Of one execution; a list of more addresses is a slip."""


def build(ended: EndedRun, *, public_url: str, slack: bool, webhooks: Mapping[str, str]) -> list[NewNotice]:
    """Return the notices of an execution's end.

    `slack` says whether there is a webhook for Slack. `webhooks` are addresses that are told of every end, with the
    phases they want, separated by commas; none is all.
    """
    spec = execution_pb2.ExecutionSpec.FromString(ended.spec)
    closure = execution_pb2.ExecutionClosure.FromString(ended.closure)
    subject = f"{ended.id.project}/{ended.id.domain}: {closure.workflow_id.name} {ended.phase}"
    url = f"{public_url}/console/projects/{ended.id.project}/domains/{ended.id.domain}/executions/{ended.id.name}"
    text = "\n".join(_lines(ended, closure, url))
    found = [
        NewNotice(ended.id, kind, target, subject, text)
        for kind, target in dict.fromkeys(_asked(spec, closure.phase, slack=slack))
    ]
    payload = json.dumps(_payload(ended, spec, closure, url))
    found += [
        NewNotice(ended.id, "webhook", address, subject, payload)
        for address, phases in webhooks.items()
        if not phases.strip() or ended.phase in {phase.strip().upper() for phase in phases.split(",")}
    ]
    return found[:MAX_NOTICES]


def _asked(spec: execution_pb2.ExecutionSpec, phase: int, *, slack: bool) -> Iterator[tuple[str, str]]:
    for one in spec.notifications.notifications:
        if phase not in one.phases:
            continue
        kind = one.WhichOneof("type")
        if kind == "slack" and slack:
            yield "slack", ""
        elif kind is not None:
            yield from (("email", address) for address in getattr(one, kind).recipients_email)


def _lines(ended: EndedRun, closure: execution_pb2.ExecutionClosure, url: str) -> Iterator[str]:
    yield f"Execution {ended.id.name} of workflow {closure.workflow_id.name} (version {closure.workflow_id.version})"
    yield f"in {ended.id.project}/{ended.id.domain} ended {ended.phase} after {closure.duration.ToTimedelta()}."
    reason = _reason(closure)
    if reason:
        yield ""
        yield reason
    yield ""
    yield url


def _reason(closure: execution_pb2.ExecutionClosure) -> str:
    if closure.HasField("error"):
        return f"{closure.error.code}: {closure.error.message}"[:MAX_REASON]
    if closure.HasField("abort_metadata"):
        by = f" by {closure.abort_metadata.principal}" if closure.abort_metadata.principal else ""
        return f"Aborted{by}: {closure.abort_metadata.cause}"[:MAX_REASON]
    return ""


def _payload(
    ended: EndedRun, spec: execution_pb2.ExecutionSpec, closure: execution_pb2.ExecutionClosure, url: str
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "execution": {"project": ended.id.project, "domain": ended.id.domain, "name": ended.id.name},
        "phase": ended.phase,
        "workflow": {"name": closure.workflow_id.name, "version": closure.workflow_id.version},
        "launched": {"name": spec.launch_plan.name, "version": spec.launch_plan.version},
        "labels": dict(spec.labels.values),
        "created_at": closure.created_at.ToJsonString(),
        "ended_at": closure.updated_at.ToJsonString(),
        "duration_seconds": closure.duration.ToMicroseconds() / 1e6,
        "url": url,
    }
    if closure.HasField("error"):
        kind = core_execution_pb2.ExecutionError.ErrorKind.Name(closure.error.kind)
        told["error"] = {"code": closure.error.code, "message": closure.error.message[:MAX_REASON], "kind": kind}
    if closure.HasField("abort_metadata"):
        told["abort"] = {"cause": closure.abort_metadata.cause, "principal": closure.abort_metadata.principal}
    return told
