"""The pages that clients print links to, of one execution or one version of something; and what ran last.

Plain HTML, rendered on the server from the public API, reloading itself while something runs. Everything that comes
from users is escaped in one place, `_text`.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import fastapi
from flyteidl.admin import common_pb2, execution_pb2, project_pb2
from flyteidl.core import execution_pb2 as phases_pb2
from flyteidl.core import identifier_pb2
from google.protobuf import json_format

from dayfly.base import clock, errors
from dayfly.client.connecting import Client
from dayfly.client.watching import AttemptView, ErrorView, NodeView, Snapshot, snapshot
from dayfly.model.identifiers import ExecutionId

RELOAD_SECONDS = 2

HOME_EXECUTIONS = 50
"""Listed on the home page, newest first."""

KINDS = {
    "task": (identifier_pb2.TASK, "GetTask"),
    "workflow": (identifier_pb2.WORKFLOW, "GetWorkflow"),
    "launch_plan": (identifier_pb2.LAUNCH_PLAN, "GetLaunchPlan"),
}

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color-scheme:light dark}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884}
td{vertical-align:top}td:nth-child(-n+4){white-space:nowrap}pre{white-space:pre-wrap;background:#8881;padding:.6rem;overflow-wrap:anywhere}
.SUCCEEDED{color:#18794e}.FAILED,.TIMED_OUT{color:#cd2b31}.RUNNING,.SUCCEEDING{color:#0b68cb}
.ABORTED,.ABORTING,.FAILING,.QUEUED{color:#946800}small{opacity:.7}
"""


def router(connect: Callable[[], Client]) -> fastapi.APIRouter:
    """Return the routes. `connect` gives the client to ask; it is the router's to use, not to close."""
    routes = fastapi.APIRouter()
    below = "/console/projects/{project}/domains/{domain}"

    @routes.get("/")
    @routes.get("/console")
    async def home() -> fastapi.Response:
        client = connect()
        try:
            projects = (await client.call(client.admin.ListProjects, project_pb2.ProjectListRequest())).projects
            lists = [
                await client.list_executions(project.id, domain.id, limit=HOME_EXECUTIONS)
                for project in projects
                for domain in project.domains
            ]
        except errors.DayflyError as error:
            return _refused(error)
        newest = sorted(
            (one for some in lists for one in some),
            key=lambda one: one.closure.created_at.ToMicroseconds(),
            reverse=True,
        )
        return _page("Dayfly", _home(newest[:HOME_EXECUTIONS]), reload=True)

    @routes.get(below + "/executions/{name}")
    async def execution(project: str, domain: str, name: str) -> fastapi.Response:
        try:
            seen = await snapshot(connect(), ExecutionId(project, domain, name))
        except errors.DayflyError as error:
            return _refused(error)
        return _page(f"{name} {seen.phase.name}", _execution(seen), reload=not seen.ended)

    @routes.get(below + "/{kind}/{name}/version/{version:path}")
    async def entity(project: str, domain: str, kind: str, name: str, version: str) -> fastapi.Response:
        if kind not in KINDS:
            return _refused(errors.NotFound(f"There are no pages about {kind!r}."))
        number, rpc = KINDS[kind]
        wanted = identifier_pb2.Identifier(
            resource_type=number, project=project, domain=domain, name=name, version=version
        )
        client = connect()
        try:
            found = await client.call(getattr(client.admin, rpc), common_pb2.ObjectGetRequest(id=wanted))
        except errors.DayflyError as error:
            return _refused(error)
        return _page(f"{kind} {name}", _entity(kind, found), reload=False)

    return routes


def _home(newest: Sequence[execution_pb2.Execution]) -> str:
    rows = "".join(_listed(one) for one in newest)
    table = f"<table><tr><th>Execution<th>Workflow<th>Phase<th>Created<th>Project</tr>{rows}</table>"
    nothing = "<p>Nothing has run yet: <code>dayfly run FILE WORKFLOW</code>, or <code>pyflyte run --remote</code>.</p>"
    return f"<h1>Dayfly</h1>{table if rows else nothing}"


def _listed(one: execution_pb2.Execution) -> str:
    place = f"/console/projects/{one.id.project}/domains/{one.id.domain}/executions/{one.id.name}"
    phase = phases_pb2.WorkflowExecution.Phase.Name(one.closure.phase)
    created = clock.Micros(one.closure.created_at.ToMicroseconds())
    return (
        f'<tr><td><a href="{_text(place)}">{_text(one.id.name)}</a><td>{_text(one.closure.workflow_id.name)}'
        f"<td>{_phase(phase)}<td>{_time(created)}<td>{_text(one.id.project)}/{_text(one.id.domain)}</tr>"
    )


def _execution(seen: Snapshot) -> str:
    rows = "".join(_node(node) for node in seen.nodes)
    waiting = "" if rows else "<p>No node has started yet.</p>"
    aborted = f"<p>Aborted: {_text(seen.abort_cause)}</p>" if seen.abort_cause else ""
    return f"""<h1>{_text(seen.id.name)} {_phase(seen.phase.name)}</h1>
<p>{_text(seen.workflow)}<br><small>version {_text(seen.version)} in {_text(seen.id.project)}/{_text(seen.id.domain)},
created {_time(seen.created_at)}, {_took(seen.started_at, seen.ended_at)}</small></p>{aborted}{_error(seen.error)}
<table><tr><th>Node<th>Phase<th>Started<th>Time<th>Attempts</tr>{rows}</table>{waiting}"""


def _node(node: NodeView) -> str:
    attempts = "".join(_attempt(one) for one in node.attempts)
    return (
        f"<tr><td>{_text(node.name)}<br><small>{_text(node.id)}</small><td>{_phase(node.phase.name)}"
        f"<td>{_time(node.started_at)}<td>{_took(node.started_at, node.ended_at)}"
        f"<td>{attempts}{_error(node.error)}</tr>"
    )


def _attempt(attempt: AttemptView) -> str:
    links = " ".join(
        f'<a href="{_text(log.uri)}">{_text(log.name)}</a>'
        for log in attempt.logs
        if log.uri.startswith(("http://", "https://", "/"))
    )
    info = f"<br><small>{_text(_dask(attempt.info['dask']))}</small>" if "dask" in attempt.info else ""
    reason = f"<br><small>{_text(attempt.reason)}</small>" if attempt.reason else ""
    return f"<div>#{attempt.number} {_phase(attempt.phase.name)} {links}{reason}{info}</div>"


def _dask(progress: Mapping[str, float]) -> str:
    workers = f"{progress.get('workers', 0):.0f} of {progress.get('wanted', 0):.0f} workers"
    tasks = f"{progress.get('tasksDone', 0):.0f} of {progress.get('tasksTotal', 0):.0f} Dask tasks done"
    return f"{workers}, {tasks}, {progress.get('memoryBytes', 0) / 1e6:.0f} MB held"


def _entity(kind: str, found: Any) -> str:
    document = json_format.MessageToJson(found.closure, sort_keys=True)
    return f"""<h1>{_text(kind.replace("_", " "))} {_text(found.id.name)}</h1>
<p>version {_text(found.id.version)} in {_text(found.id.project)}/{_text(found.id.domain)}</p>
<pre>{_text(document)}</pre>"""


def _error(error: ErrorView | None) -> str:
    return f"<pre>{_text(error.code)} ({_text(error.kind)})\n{_text(error.message)}</pre>" if error else ""


def _phase(name: str) -> str:
    return f'<b class="{_text(name)}">{_text(name)}</b>'


def _time(at: clock.Micros | None) -> str:
    return f"{clock.to_datetime(at):%Y-%m-%d %H:%M:%S} UTC" if at else ""


def _took(started: clock.Micros | None, ended: clock.Micros | None) -> str:
    if started is None:
        return "not started" if ended is None else "ended without a start"
    return "still running" if ended is None else f"took {(ended - started) / clock.SECOND:.1f} s"


def _text(value: str) -> str:
    return html.escape(value, quote=True)


def _refused(error: errors.DayflyError) -> fastapi.Response:
    status = 404 if isinstance(error, errors.NotFound) else 400 if isinstance(error, errors.UserError) else 503
    return _page("Dayfly", f"<h1>{status}</h1><p>{_text(str(error))}</p>", reload=False, status=status)


def _page(title: str, body: str, *, reload: bool, status: int = 200) -> fastapi.Response:
    again = f'<meta http-equiv="refresh" content="{RELOAD_SECONDS}">' if reload else ""
    text = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_text(title)}</title>{again}
<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>{body}</body></html>"""
    return fastapi.responses.HTMLResponse(text, status_code=status, headers=HEADERS)
