"""What a task was registered with, in words. Pure."""

from __future__ import annotations

from typing import Any

from flyteidl.core import tasks_pb2
from google.protobuf import json_format
from markupsafe import Markup

from dayfly.console import markup, wording

Pairs = list[tuple[str, Markup | str]]

_WORDS = {"GPU": "GPU", "EPHEMERAL_STORAGE": "disk"}


def main(template: Any) -> Pairs:
    """Return kind, retries, time limit and cache of a core.TaskTemplate."""
    about = template.metadata
    return [
        ("Type", template.type),
        ("Retries", str(about.retries.retries)),
        ("Time limit", wording.duration(about.timeout.seconds) if about.timeout.seconds else "none"),
        ("Interruptible", _interruptible(about)),
        ("Cache", cache(template)),
        ("Deck", "yes" if about.generates_deck.value else "no"),
        ("Made with", f"{about.runtime.flavor} {about.runtime.version}".strip()),
    ]


def container(template: Any) -> Pairs:
    """Return image, resources, command and environment, where it has a container."""
    if not template.HasField("container"):
        return []
    one = template.container
    pairs: Pairs = [
        ("Image", markup.code(one.image)),
        ("Asks for", resources(one.resources.requests) or "what the platform gives"),
        ("At most", resources(one.resources.limits) or "what the platform gives"),
    ]
    if one.env:
        told = Markup("<br>").join(markup.code(f"{pair.key}={pair.value}") for pair in one.env)
        pairs.append(("Environment", told))
    return pairs


def dask(template: Any) -> Pairs:
    """Return the cluster that a Dask task asks for."""
    if template.type != "dask":
        return []
    told = json_format.MessageToDict(template.custom)
    workers, scheduler = told.get("workers", {}), told.get("scheduler", {})
    pairs: Pairs = [("Workers", f"{int(workers.get('numberOfWorkers', 0))}{_limits(workers)}")]
    pairs.append(("Scheduler", _limits(scheduler).removeprefix(" of ") or "as the platform gives"))
    if wishes := told.get("dayfly"):
        pairs.append(("More", Markup("<code>{}</code>").format(wishes)))
    return pairs


def cache(template: Any) -> str:
    """Return whether outputs are cached, and under which version."""
    about = template.metadata
    if not about.discoverable:
        return "no"
    more = [f"version {about.discovery_version}"]
    if about.cache_serializable:
        more.append("one at a time")
    if about.cache_ignore_input_vars:
        more.append(f"whatever {', '.join(about.cache_ignore_input_vars)}")
    return f"yes, {', '.join(more)}"


def resources(entries: Any) -> str:
    """Return resources in a line: `1 cpu, 300Mi mem`."""
    names = tasks_pb2.Resources.ResourceName
    return ", ".join(f"{one.value} {_resource(names.Name(one.name))}" for one in entries)


def brief(template: Any) -> str:
    """Return type and resources in a line."""
    told = resources(template.container.resources.limits) or resources(template.container.resources.requests)
    if template.type == "dask":
        count = json_format.MessageToDict(template.custom).get("workers", {}).get("numberOfWorkers", 0)
        return f"dask, {wording.count(int(count), 'worker')}"
    kind = "python" if template.type == "python-task" else template.type
    return f"{kind}, {told}" if told else kind


def _resource(name: str) -> str:
    return _WORDS.get(name, {"CPU": "cpu", "MEMORY": "mem"}.get(name, name.lower()))


def _limits(part: dict[str, Any]) -> str:
    told = part.get("resources", {})
    entries = told.get("limits") or told.get("requests") or []
    return " of " + ", ".join(f"{one['value']} {_resource(one['name'])}" for one in entries) if entries else ""


def _interruptible(about: Any) -> str:
    if about.WhichOneof("interruptible_value") is None:
        return "as the run says"
    return "yes" if about.interruptible else "no"
