"""Finds results in the cache, keeps new ones there, and holds the right to make one that others wait for.

What the answers mean to the node is for `engine.caching`. An entry whose files are gone is no entry: what it stood for
is made anew and takes its place (flyteorg/flyte#4672 asks for it).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from flyteidl.core import literals_pb2

from dayfly.base import errors, logs
from dayfly.controller import checking
from dayfly.model import caching, events, identifiers, layout, placing
from dayfly.model.phases import CacheStatus
from dayfly.ports.catalog import MAX_HEARTBEAT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flyteidl.core import tasks_pb2

    from dayfly.base.clock import Clock
    from dayfly.controller.resolving import Resolver
    from dayfly.controller.templates import Templates
    from dayfly.model.caching import CacheKey
    from dayfly.model.identifiers import ExecutionId, NodeId
    from dayfly.ports.blobs import Blobs
    from dayfly.ports.catalog import Catalog, Entry
    from dayfly.ports.runs import Run, Runs

_log = logs.get("controller.caching")


class _Held(NamedTuple):
    """The right of a node to make a result."""

    key: CacheKey
    execution: ExecutionId
    node: NodeId


class Caching:
    """The cache, as nodes use it."""

    def __init__(
        self, catalog: Catalog, runs: Runs, blobs: Blobs, resolver: Resolver, templates: Templates, clock: Clock
    ) -> None:
        self._catalog, self._runs, self._blobs, self._resolver = catalog, runs, blobs, resolver
        self._templates, self._clock = templates, clock
        self._held: dict[str, _Held] = {}

    async def look_up(self, run: Run, node: NodeId, look: int) -> events.Event:
        """Return `CacheHit` after storing the result as the node's outputs, `CacheMissed`, or `CacheBusy`.

        Raises `paths.BadPromise` where the inputs cannot be put together. A cache that does not answer is a miss.
        """
        rules = placing.rules_of(run, node)
        assert rules.cache is not None, f"node {node} is not cached"
        template = await self._templates.of(run, node)
        key = await self._key(run, node, template)
        try:
            entry = await self._find(key, node, template)
            if entry is None and rules.cache.serializable:
                owner = _owner(run, node)
                reservation = await self._catalog.reserve(key, owner, MAX_HEARTBEAT_SECONDS)
                if reservation.owner != owner:
                    return events.CacheBusy(self._clock.now(), node, look)
                # Whoever held it before may have made the result in between.
                entry = await self._find(key, node, template)
                self._held[owner] = _Held(key, run.id, node)
        except errors.PlatformError as error:
            _log.warning("the cache does not answer", execution=str(run.id), node=node, error=str(error))
            return events.CacheMissed(self._clock.now(), node, CacheStatus.LOOKUP_FAILURE)
        if entry is None:
            told = caching.to_catalog_metadata(key, "")
            return events.CacheMissed(self._clock.now(), node, CacheStatus.MISS, told.SerializeToString())
        await self._blobs.put(layout.outputs_uri(run.storage, run.id, node), entry.outputs)
        await self._release(key, _owner(run, node))
        return events.CacheHit(self._clock.now(), node, _tell(entry))

    async def fill(self, run: Run, node: NodeId) -> events.Event:
        """Keep the node's outputs and give up the right to make them. A cache that cannot keep them is no failure."""
        state = run.state.nodes[node]
        template = await self._templates.of(run, node)
        key = await self._key(run, node, template)
        at = self._clock.now()
        source = caching.Source(placing.rules_of(run, node).target.version, run.id, node, state.round)
        try:
            outputs = (await self._resolver.outputs(run, node)).SerializeToString(deterministic=True)
            if state.cache is CacheStatus.SKIPPED:
                entry = await self._catalog.overwrite(key, outputs, source, at)
            else:
                entry = await self._catalog.put(key, outputs, source, at)
                if entry.source != source and not await self._is_sound(entry, node, template):
                    entry = await self._catalog.overwrite(key, outputs, source, at)
            await self._release(key, _owner(run, node))
        except errors.PlatformError as error:
            _log.warning("a result could not be kept", execution=str(run.id), node=node, error=str(error))
            return events.CacheFilled(self._clock.now(), node, CacheStatus.PUT_FAILURE)
        told = caching.to_catalog_metadata(key, entry.artifact_id).SerializeToString()
        return events.CacheFilled(self._clock.now(), node, CacheStatus.POPULATED, told)

    async def leave(self, run: Run, node: NodeId) -> None:
        """Give up the right to make a result, if the node has it."""
        held = self._held.pop(_owner(run, node), None)
        if held is not None:
            await self._catalog.release(held.key, _owner(run, node))
        elif node in run.state.nodes:  # It may be held by a platform that is gone.
            key = await self._key(run, node, await self._templates.of(run, node))
            await self._catalog.release(key, _owner(run, node))

    async def hold(self) -> None:
        """Keep up the rights that nodes have, until cancelled. After a crash they lapse: others may make the same."""
        while True:
            await asyncio.sleep(MAX_HEARTBEAT_SECONDS)
            for owner, held in tuple(self._held.items()):
                try:
                    await self._hold_one(owner, held)
                except errors.PlatformError as error:
                    _log.warning("a reservation could not be kept up", owner=owner, error=str(error))

    async def _hold_one(self, owner: str, held: _Held) -> None:
        run, _ = await self._runs.load(held.execution)
        state = run.state.nodes.get(held.node)
        if state is not None and not state.ended:
            await self._catalog.reserve(held.key, owner, MAX_HEARTBEAT_SECONDS)
        else:  # Another platform ended it, which did not know of the right; nobody waits for it any longer.
            await self._release(held.key, owner)

    async def _key(self, run: Run, node: NodeId, template: tasks_pb2.TaskTemplate) -> CacheKey:
        rules = placing.rules_of(run, node)
        assert rules.cache is not None, f"node {node} is not cached"
        inputs = await self._inputs(run, node)
        return caching.build_key(rules.target, rules.cache.version, template.interface, inputs, rules.cache.ignored)

    async def _inputs(self, run: Run, node: NodeId) -> literals_pb2.LiteralMap:
        element = identifiers.parse_element(node)
        if element is not None:
            return await self._resolver.element_inputs(run, *element)
        if run.state.nodes[node].attempts:
            return await self._resolver.stored_inputs(run, node)
        return await self._resolver.store_inputs(run, node)

    async def _find(self, key: CacheKey, node: NodeId, template: tasks_pb2.TaskTemplate) -> Entry | None:
        entry = await self._catalog.find(key)
        return entry if entry is not None and await self._is_sound(entry, node, template) else None

    async def _is_sound(self, entry: Entry, node: NodeId, template: tasks_pb2.TaskTemplate) -> bool:
        """Say whether an entry is what the task declares, and the files that it points to are all there."""
        # Clients of the catalog may have written anything under the key.
        declared, of_element = template.interface.outputs.variables, identifiers.parse_element(node) is not None
        fault = checking.find_fault(entry.outputs, declared, of_element=of_element)
        if fault is not None:
            _log.warning("a cached result is not what its task declares", key=str(entry.key), fault=fault[1])
        return fault is None and await self._is_whole(entry)

    async def _is_whole(self, entry: Entry) -> bool:
        """Say whether the files that an entry points to are all there."""
        values = literals_pb2.LiteralMap.FromString(entry.outputs).literals.values()
        uris = sorted({uri for literal in values for uri in _files(literal)})
        found = await asyncio.gather(*(self._exists(uri) for uri in uris))
        return all(found)

    async def _exists(self, uri: str) -> bool:
        try:
            return await self._blobs.stat(uri) is not None or bool(await self._blobs.list(uri.rstrip("/") + "/"))
        except errors.InvalidArgument:
            return True  # Not in a store of ours: whoever takes it will see.

    async def _release(self, key: CacheKey, owner: str) -> None:
        if self._held.pop(owner, None) is not None:
            await self._catalog.release(key, owner)


def _owner(run: Run, node: NodeId) -> str:
    return f"{run.id}/{node}"


def _tell(entry: Entry) -> bytes:
    told: bytes = caching.to_catalog_metadata(entry.key, entry.artifact_id, entry.source).SerializeToString()
    return told


def _files(literal: literals_pb2.Literal) -> Iterator[str]:
    """Yield the addresses of files and folders in a literal."""
    kind = literal.WhichOneof("value")
    if kind == "collection":
        for part in literal.collection.literals:
            yield from _files(part)
    elif kind == "map":
        for part in literal.map.literals.values():
            yield from _files(part)
    elif kind == "offloaded_metadata":
        yield literal.offloaded_metadata.uri
    elif kind == "scalar":
        yield from _files_of_scalar(literal.scalar)


def _files_of_scalar(scalar: literals_pb2.Scalar) -> Iterator[str]:
    kind = scalar.WhichOneof("value")
    if kind == "union":
        yield from _files(scalar.union.value)
    elif kind in ("blob", "schema", "structured_dataset"):
        uri = getattr(scalar, kind).uri
        if uri:
            yield uri
