"""Addresses of pages. Clients print some of them, so they are Flyte's: flyteadmin and flytekit's `Config.console_url`.

Pure: the one place that puts names into addresses, quoted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote, urlencode

from dayfly.model.identifiers import EntityId, ExecutionId

ROOT = "/console"
"""Where the console is mounted; all routes in `pages` are below it."""


class Place(NamedTuple):
    """A project and one of its domains."""

    project: str
    domain: str


def read_place(told: str) -> Place | None:
    """Return the place that `PROJECT/DOMAIN` names, quoted as in addresses; None for anything else."""
    project, slash, domain = told.partition("/")
    return Place(unquote(project), unquote(domain)) if slash and project and domain else None


def home() -> str:
    """Return the address of the first page."""
    return f"{ROOT}/"


def home_of(place: Place) -> str:
    """Return the address of the first page about one place alone."""
    return with_query(home(), place._asdict())


def below(place: Place, rest: str = "", query: Mapping[str, str] | None = None) -> str:
    """Return the address of a page about a place; `rest` has no slash before it and is quoted already."""
    path = f"{ROOT}/projects/{_part(place.project)}/domains/{_part(place.domain)}/{rest}"
    return with_query(path.rstrip("/"), query or {})


def with_query(path: str, query: Mapping[str, str]) -> str:
    """Return the path with what is not empty in the query."""
    told = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{told}" if told else path


def setting(changed: Mapping[str, str]) -> str:
    """Return JavaScript that sets names of the query in the browser's own address, which may have more than is known.

    Names without a value are taken out of it.
    """
    told = json.dumps(dict(changed)).replace("<", r"\u003c")
    return (
        "const to = new URL(location.href);"
        f"for (const [name, value] of Object.entries({told}))"
        " value ? to.searchParams.set(name, value) : to.searchParams.delete(name);"
        'history.replaceState(history.state, "", to);'
    )


def runs(place: Place, query: Mapping[str, str] | None = None) -> str:
    """Return the address of the list of runs."""
    return below(place, "executions", query)


def run(execution: ExecutionId, query: Mapping[str, str] | None = None) -> str:
    """Return the address of one run."""
    return below(Place(execution.project, execution.domain), f"executions/{_part(execution.name)}", query)


def compare(place: Place, first: str, second: str) -> str:
    """Return the address of the page that compares two runs of a place."""
    return below(place, "compare", {"a": first, "b": second})


def health() -> str:
    """Return the address of the page about projects and the platform itself."""
    return f"{ROOT}/health"


def cache(place: Place, query: Mapping[str, str] | None = None) -> str:
    """Return the address of the list of cached outputs."""
    return below(place, "cache", query)


def workflows(place: Place) -> str:
    """Return the address of the list of workflows."""
    return below(place, "workflows")


def workflow(place: Place, name: str, query: Mapping[str, str] | None = None) -> str:
    """Return the address of one workflow: its runs, versions and launch plans."""
    return below(place, f"workflows/{_part(name)}", query)


def tasks(place: Place) -> str:
    """Return the address of the list of tasks."""
    return below(place, "tasks")


def task(place: Place, name: str, query: Mapping[str, str] | None = None) -> str:
    """Return the address of one task, with its versions."""
    return below(place, f"tasks/{_part(name)}", query)


def launch(place: Place, query: Mapping[str, str]) -> str:
    """Return the address of the launch form; the query says of what: `launch_plan`, `task` or `execution`."""
    return below(place, "launch", query)


def version(kind: str, entity: EntityId) -> str:
    """Return the address of one version, as clients print it. `kind` is `task`, `workflow` or `launch_plan`."""
    place = Place(entity.project, entity.domain)
    return below(place, f"{kind}/{_part(entity.name)}/version/{_part(entity.version)}")


def clusters(place: Place | None, query: Mapping[str, str] | None = None) -> str:
    """Return the address of the list of Dask clusters of a place; of all places for None."""
    if place is None:
        return with_query(f"{ROOT}/clusters", query or {})
    return below(place, "clusters", query)


def cluster(execution: ExecutionId, node: str, attempt: int) -> str:
    """Return the address of the Dask cluster of one attempt: a tab of its run's page."""
    return run(execution, {"node": node, "attempt": str(attempt), "tab": "dask"})


def _part(text: str) -> str:
    return quote(text, safe="")
