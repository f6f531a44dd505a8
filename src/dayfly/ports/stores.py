"""All that is kept in one database, together: what the API is built over."""

from __future__ import annotations

from typing import Protocol

from dayfly.ports.attributes import Attributes
from dayfly.ports.catalog import Catalog
from dayfly.ports.definitions import Definitions
from dayfly.ports.descriptions import Descriptions
from dayfly.ports.runs import Runs
from dayfly.ports.schedules import Schedules
from dayfly.ports.signals import Signals


class Stores(Protocol):
    """An open database."""

    @property
    def definitions(self) -> Definitions:
        """What users registered."""
        ...

    @property
    def descriptions(self) -> Descriptions:
        """What users wrote of what they registered."""
        ...

    @property
    def runs(self) -> Runs:
        """Executions."""
        ...

    @property
    def schedules(self) -> Schedules:
        """Active launch plans with a schedule."""
        ...

    @property
    def signals(self) -> Signals:
        """What gate nodes wait for."""
        ...

    @property
    def attributes(self) -> Attributes:
        """Matchable attributes."""
        ...

    @property
    def catalog(self) -> Catalog:
        """Cached outputs."""
        ...
