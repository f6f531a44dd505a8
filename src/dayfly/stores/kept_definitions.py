"""Versions of tasks and workflows at hand in memory: documents are superseded, never changed, so none is ever stale.

Called by `definitions`. Launch plans are not kept, which can be active at one moment and not at the next, and neither
is what does not exist.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from flyteidl.core import identifier_pb2

from dayfly.model.identifiers import EntityId
from dayfly.ports.definitions import Definition

KEPT_BYTES = 8 * 1024 * 1024
"""Of documents in all, the least recently used dropped first; a workflow's decoded plan takes as much again."""

_UNCHANGING = frozenset({int(identifier_pb2.TASK), int(identifier_pb2.WORKFLOW)})


class KeptDefinitions:
    """A bounded number of versions."""

    def __init__(self, limit_bytes: int = KEPT_BYTES) -> None:
        self._limit_bytes, self._bytes = limit_bytes, 0
        self._kept: OrderedDict[EntityId, Definition] = OrderedDict()

    def find(self, entities: Iterable[EntityId]) -> dict[EntityId, Definition]:
        """Return those that are kept."""
        found = {}
        for entity in entities:
            definition = self._kept.get(entity)
            if definition is not None:
                self._kept.move_to_end(entity)
                found[entity] = definition
        return found

    def keep(self, definitions: Iterable[Definition]) -> None:
        """Keep what is stored, where it cannot change."""
        for definition in definitions:
            if definition.id.kind in _UNCHANGING and definition.id not in self._kept:
                self._kept[definition.id] = definition
                self._bytes += len(definition.document)
        while self._bytes > self._limit_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped.document)
