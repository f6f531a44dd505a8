"""The tab of the cache: whether outputs were taken from it or kept in it, by which key, and from which run they are."""

from __future__ import annotations

from typing import Any

from flyteidl.core import catalog_pb2
from markupsafe import Markup

from dayfly.base import errors
from dayfly.console import addresses, markup
from dayfly.console.run import about_run, declared
from dayfly.console.run.panel import Refresh, Tab
from dayfly.console.run.subject import Subject

TOLD = {
    "CACHE_DISABLED": ("Not cached", "The task says nothing of a cache: each run of it computes its outputs anew."),
    "CACHE_MISS": ("Not found", "No run had left outputs for these inputs."),
    "CACHE_HIT": ("Hit", "Its outputs were taken from an earlier run, and nothing was computed."),
    "CACHE_POPULATED": ("Kept", "Its outputs were computed, and are kept for the next who asks for the same."),
    "CACHE_LOOKUP_FAILURE": ("Lookup failed", "The cache could not be asked, so the outputs were computed."),
    "CACHE_PUT_FAILURE": ("Not kept", "Its outputs were computed, but could not be kept."),
    "CACHE_SKIPPED": ("Passed by", "The run was told to compute anew: `overwrite_cache`."),
    "CACHE_EVICTED": ("Removed", "What was kept has been removed from the cache since."),
}


def _metadata(subject: Subject) -> Any:
    return subject.node.closure.task_node_metadata


def _applies(subject: Subject) -> bool:
    return subject.node is not None and subject.node.closure.HasField("task_node_metadata")


async def build(subject: Subject) -> Refresh:
    """Show the tab."""
    try:
        template = await declared.find_task(subject)
    except errors.NotFound:
        template = None
    shown = markup.show(_content(subject, template))

    async def refresh(later: Subject) -> None:
        shown.set_content(str(_content(later, template)))

    return refresh


def _content(subject: Subject, template: Any) -> Markup:
    metadata = _metadata(subject)
    label, told = TOLD.get(catalog_pb2.CatalogCacheStatus.Name(metadata.cache_status), ("Not told", ""))
    key = metadata.catalog_key
    pairs: list[tuple[str, Markup | str]] = []
    if template is not None and template.metadata.discoverable:
        pairs.append(("Cache version", markup.code(template.metadata.discovery_version)))
        waits = "yes: of runs of the same at once, one computes" if template.metadata.cache_serializable else "no"
        pairs.append(("Serialized", waits))
        ignored = template.metadata.cache_ignore_input_vars
        if ignored:
            pairs.append(("Inputs ignored", Markup(" ").join(markup.code(one) for one in ignored)))
    if key.artifact_tag.name:
        pairs.append(("Key of the inputs", markup.code(key.artifact_tag.name)))
    if key.dataset_id.name:
        pairs.append(("Dataset", markup.code(f"{key.dataset_id.name} {key.dataset_id.version}")))
    if key.artifact_tag.artifact_id:
        pairs.append(("Artifact", markup.code(key.artifact_tag.artifact_id)))
    source = key.source_task_execution
    if source.node_execution_id.execution_id.name:
        pairs.append(("Computed by", _source(source)))
    return Markup('<div class="standing standing-{}"><b>{}</b> {}</div>{}').format(
        "SUCCEEDED" if label in ("Hit", "Kept") else "", label, told, markup.facts(pairs)
    ) + _other(subject)


def _source(source: Any) -> Markup:
    node = source.node_execution_id
    href = addresses.run(about_run.execution_of(node), {"node": node.node_id, "attempt": str(source.retry_attempt)})
    return markup.link(f"{node.execution_id.name} › {node.node_id}, attempt {source.retry_attempt}", href)


def _other(subject: Subject) -> Markup:
    place = addresses.Place(subject.id.project, subject.id.domain)
    task = subject.attempt.id.task_id.name if subject.attempt is not None else ""
    link = markup.link("All that is cached", addresses.below(place, "cache", {"task": task}))
    return Markup('<p class="below">{}</p>').format(link)


TAB = Tab("cache", "Cache", _applies, build)
