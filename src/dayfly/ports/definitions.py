"""What users register: projects, tasks, workflows, launch plans. Superseded, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.identifiers import EntityId
from dayfly.model.plan import Plan


class Project(msgspec.Struct, frozen=True):
    """A project. `state` is flyteidl's Project.ProjectState."""

    id: str
    name: str
    description: str = ""
    labels: dict[str, str] = {}
    state: int = 0


class Definition(msgspec.Struct, frozen=True):
    """One registered version of a task, workflow or launch plan."""

    id: EntityId
    digest: str
    """Stable hash of the document; equal digests mean the same structure."""
    document: bytes
    """Serialized flyteidl.admin.TaskClosure, WorkflowClosure or LaunchPlan (spec and closure), by kind."""
    created_at: Micros
    updated_at: Micros
    short_description: str = ""
    task_type: str = ""
    """Tasks only."""
    plan: Plan | None = None
    """Workflows only."""
    state: int = 0
    """Launch plans only: 1 when active."""
    workflow: EntityId | None = None
    """Launch plans only: what they launch."""


class NamedEntity(msgspec.Struct, frozen=True):
    """All versions of one name. `state` is flyteidl's NamedEntityState."""

    kind: int
    project: str
    domain: str
    name: str
    description: str = ""
    state: int = 0


class Filter(msgspec.Struct, frozen=True):
    """One condition of a list, already checked against the list's fields."""

    field: str
    """Column in snake_case; `entity.field` where a joined table is meant."""
    function: str
    """contains, not_like, gt, gte, lt, lte, eq, ne, value_in, value_not_in."""
    values: tuple[str, ...]


class Page(msgspec.Struct, frozen=True):
    """Which part of a list is wanted. The token that clients see is the offset, and the position behind it."""

    limit: int
    offset: int = 0
    filters: tuple[Filter, ...] = ()
    sort_key: str = "created_at"
    descending: bool = True
    position: str = ""
    """Where the page before this one ended (`Listed.position`); one of another list counts for nothing."""


T = TypeVar("T")


class Listed(list[T]):
    """The rows of a page."""

    def __init__(self, rows: Iterable[T] = (), position: str = "") -> None:
        super().__init__(rows)
        self.position = position
        """Where the page ends, for the next one to begin there; empty where the page is."""


class Definitions(Protocol):
    """The register. Raises `StoreUnavailable`; lists raise `InvalidArgument` for unknown fields or sort keys."""

    async def find_project(self, project: str) -> Project | None:
        """Return the project, None if unknown."""
        ...

    async def create_project(self, project: Project) -> None:
        """Add a project. Raise `AlreadyExists`."""
        ...

    async def update_project(self, project: Project) -> None:
        """Replace a project. Raise `NotFound`."""
        ...

    async def list_projects(self, page: Page) -> Listed[Project]:
        """Return projects; fields: identifier, name, description, labels, state, created_at. limit 0 is all."""
        ...

    async def create(self, definition: Definition, *, description: bytes = b"") -> Definition | None:
        """Add a version, its named entity, and its `description` (`ports.descriptions`) where one is given. Return None
        when added, else the stored version, with nothing changed."""
        ...

    async def find(self, entity: EntityId) -> Definition | None:
        """Return one version, None if unknown."""
        ...

    async def find_many(self, entities: Sequence[EntityId]) -> dict[EntityId, Definition]:
        """Return those of the versions that exist, in one go."""
        ...

    async def list_versions(self, kind: int, project: str, domain: str, name: str, page: Page) -> Listed[Definition]:
        """Return versions; all names where `name` is empty.

        Fields: project, domain, name, version, created_at, updated_at, and by kind: type, short_description, digest,
        state, workflow.name, workflow.version.
        """
        ...

    async def list_names(self, kind: int, project: str, domain: str, page: Page) -> Listed[NamedEntity]:
        """Return distinct names with their metadata; fields: name, project, domain, description, state."""
        ...

    async def find_name(self, kind: int, project: str, domain: str, name: str) -> NamedEntity | None:
        """Return one name's metadata, None when no version of it exists."""
        ...

    async def update_name(self, entity: NamedEntity) -> None:
        """Set description and state. Raise `NotFound` when no version exists."""
        ...

    async def set_launch_plan_state(self, entity: EntityId, state: int, at: Micros, *, scheduled: bool = False) -> None:
        """Activate (1; every other version of the name becomes 0, in the same commit) or deactivate (0).

        Where the plan is `scheduled`, its schedule counts from `at`; activated again, it goes on as it is.
        Raise `NotFound`.
        """
        ...

    async def find_active_launch_plan(self, project: str, domain: str, name: str) -> Definition | None:
        """Return the active version, None when none is."""
        ...

    async def list_active_launch_plans(self, project: str, domain: str, page: Page) -> Listed[Definition]:
        """Return all active versions of a project's domain."""
        ...
