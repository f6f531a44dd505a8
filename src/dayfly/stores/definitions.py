"""The register in SQL: projects, versions, names. Implements `ports.definitions.Definitions`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa
from flyteidl.core import identifier_pb2

from dayfly.base import errors
from dayfly.base.clock import Clock, Micros
from dayfly.model import identifiers
from dayfly.model.identifiers import EntityId
from dayfly.ports.definitions import Definition, Listed, NamedEntity, Page, Project
from dayfly.ports.descriptions import Description
from dayfly.stores import descriptions, fields, filtering, pages, plan_store, schema, upserting
from dayfly.stores.connections import Connections
from dayfly.stores.kept_definitions import KeptDefinitions
from dayfly.stores.pages import Order

_KIND_TABLES = {
    identifier_pb2.TASK: schema.tasks,
    identifier_pb2.WORKFLOW: schema.workflows,
    identifier_pb2.LAUNCH_PLAN: schema.launch_plans,
}
_LAUNCH_PLAN = int(identifier_pb2.LAUNCH_PLAN)
_LOCK = sa.select(schema.named_entities.c.name).with_for_update()
_VERSION_KEY = ("project", "domain", "name", "version")
_NAME_KEY = ("kind", "project", "domain", "name")
_PROJECT = sa.select(schema.projects).where(schema.projects.c.id == sa.bindparam("wanted"))
_PER_QUERY = 200
"""Identifiers asked for in one statement: databases limit the number of bound values."""


class SqlDefinitions:
    """`Definitions` over a database."""

    def __init__(self, connections: Connections, clock: Clock, kept: KeptDefinitions) -> None:
        self._connections, self._clock, self._kept = connections, clock, kept

    async def find_project(self, project: str) -> Project | None:
        """Return the project, None if unknown."""
        wanted = {"wanted": project}
        row = await self._connections.read(lambda connection: connection.execute(_PROJECT, wanted).one_or_none())
        return None if row is None else _project(row)

    async def create_project(self, project: Project) -> None:
        """Add a project. Raise `AlreadyExists`."""
        values = {**_project_values(project), "id": project.id, "created_at": self._clock.now()}

        def work(connection: sa.Connection) -> None:
            insert = upserting.keeping(connection.dialect.name, schema.projects, ("id",))
            if not connection.execute(insert, values).rowcount:
                raise errors.AlreadyExists(f"project {project.id} exists already.")

        await self._connections.write(work)

    async def update_project(self, project: Project) -> None:
        """Replace a project. Raise `NotFound`."""
        update = schema.projects.update().where(schema.projects.c.id == project.id).values(_project_values(project))

        def work(connection: sa.Connection) -> None:
            if not connection.execute(update).rowcount:
                raise errors.NotFound(f"project {project.id} does not exist.")

        await self._connections.write(work)

    async def list_projects(self, page: Page) -> Listed[Project]:
        """Return projects, by identifier unless sorted otherwise. limit 0 is all."""
        query = sa.select(schema.projects).where(*filtering.conditions(page, fields.PROJECTS))
        number: Any = schema.projects.c.id
        listing = pages.listing(query, page, fields.PROJECTS, Order(number, descending=False), number, ("projects",))
        return await self._connections.read(lambda connection: listing.read(connection, _project))

    async def create(self, definition: Definition, *, description: bytes = b"") -> Definition | None:
        """Add a version, its named entity, and its `description` where one is given. Return None when added, else the
        stored version, with nothing changed."""

        def work(connection: sa.Connection) -> Definition | None:
            entity, dialect = definition.id, connection.dialect.name
            insert = upserting.keeping(dialect, _table(entity.kind), _VERSION_KEY)
            if not connection.execute(insert, _definition_values(definition)).rowcount:
                return _find_many(connection, [entity])[entity]
            if definition.plan is not None:
                plan_store.keep(connection, definition.plan)
            name = {"kind": entity.kind, "project": entity.project, "domain": entity.domain, "name": entity.name}
            connection.execute(upserting.keeping(dialect, schema.named_entities, _NAME_KEY), name)
            if description:
                told = definition.short_description
                descriptions.keep(connection, Description(entity, description, told, definition.created_at))
            return None

        stored = await self._connections.write(work)
        self._kept.keep([definition if stored is None else stored])
        return stored

    async def find(self, entity: EntityId) -> Definition | None:
        """Return one version, None if unknown."""
        return (await self.find_many([entity])).get(entity)

    async def find_many(self, entities: Sequence[EntityId]) -> dict[EntityId, Definition]:
        """Return those of the versions that exist, in one go."""
        found = self._kept.find(entities)
        missing = [entity for entity in entities if entity not in found]
        if missing:
            read = await self._connections.read(lambda connection: _find_many(connection, missing))
            self._kept.keep(read.values())
            found |= read
        return found

    async def list_versions(self, kind: int, project: str, domain: str, name: str, page: Page) -> Listed[Definition]:
        """Return versions, newest first unless sorted otherwise; all names where `name` is empty."""
        table = _table(kind)
        where = [*filtering.conditions(page, fields.VERSIONS[kind])]
        if name:
            where.append(table.c.name == name)
        return await self._list(kind, project, domain, page, where, "versions", name)

    async def list_names(self, kind: int, project: str, domain: str, page: Page) -> Listed[NamedEntity]:
        """Return distinct names with their metadata, by name unless sorted otherwise."""
        table = schema.named_entities
        query = sa.select(table).where(
            table.c.kind == kind,
            table.c.project == project,
            table.c.domain == domain,
            *filtering.conditions(page, fields.NAMES),
        )
        name: Any = table.c.name
        scope = ("names", str(kind), project, domain)
        listing = pages.listing(query, page, fields.NAMES, Order(name, descending=False), name, scope)
        return await self._connections.read(lambda connection: listing.read(connection, _name))

    async def find_name(self, kind: int, project: str, domain: str, name: str) -> NamedEntity | None:
        """Return one name's metadata, None when no version of it exists."""
        query = sa.select(schema.named_entities).where(_is_name(kind, project, domain, name))
        row = await self._connections.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _name(row)

    async def update_name(self, entity: NamedEntity) -> None:
        """Set description and state. Raise `NotFound` when no version exists."""
        is_name = _is_name(entity.kind, entity.project, entity.domain, entity.name)
        update = schema.named_entities.update().where(is_name)
        update = update.values(description=entity.description, state=entity.state)

        def work(connection: sa.Connection) -> None:
            if not connection.execute(update).rowcount:
                kind = identifiers.kind_name(entity.kind)
                place = f"{entity.project}:{entity.domain}"
                raise errors.NotFound(f"{kind} {entity.name} does not exist in {place}.")

        await self._connections.write(work)

    async def set_launch_plan_state(self, entity: EntityId, state: int, at: Micros, *, scheduled: bool = False) -> None:
        """Activate (1; every other version of the name becomes 0, in the same commit) or deactivate (0).

        Where the plan is `scheduled`, its schedule counts from `at`. Raise `NotFound`.
        """
        table = schema.launch_plans
        named = sa.and_(table.c.project == entity.project, table.c.domain == entity.domain, table.c.name == entity.name)

        def work(connection: sa.Connection) -> None:
            # Where transactions run side by side, one at a time says which version of a name is active.
            connection.execute(_LOCK.where(_is_name(_LAUNCH_PLAN, entity.project, entity.domain, entity.name)))
            one = sa.and_(named, table.c.version == entity.version)
            found = connection.execute(sa.select(table.c.state).where(one)).scalar_one_or_none()
            if found is None:
                raise errors.NotFound(f"{entity} does not exist.")
            if state:
                others = table.update().where(named, table.c.version != entity.version, table.c.state != 0)
                connection.execute(others.values(state=0, fired_at=None, updated_at=at))
            if found != state:
                fired_at = at if state and scheduled else None
                connection.execute(table.update().where(one).values(state=state, fired_at=fired_at, updated_at=at))

        await self._connections.write(work)

    async def find_active_launch_plan(self, project: str, domain: str, name: str) -> Definition | None:
        """Return the active version, None when none is."""
        where = [schema.launch_plans.c.name == name, schema.launch_plans.c.state == 1]
        found = await self._list(_LAUNCH_PLAN, project, domain, Page(limit=1), where)
        return found[0] if found else None

    async def list_active_launch_plans(self, project: str, domain: str, page: Page) -> Listed[Definition]:
        """Return all active versions of a project's domain."""
        where = [*filtering.conditions(page, fields.VERSIONS[_LAUNCH_PLAN]), schema.launch_plans.c.state == 1]
        return await self._list(_LAUNCH_PLAN, project, domain, page, where, "active")

    async def _list(
        self,
        kind: int,
        project: str,
        domain: str,
        page: Page,
        where: Iterable[sa.ColumnElement[bool]],
        *scope: str,
    ) -> Listed[Definition]:
        table = _table(kind)
        query = _query(kind).where(table.c.project == project, table.c.domain == domain, *where)
        newest = Order(table.c.created_at, descending=True)
        listing = pages.listing(
            query, page, fields.VERSIONS[kind], newest, table.c.id, (str(kind), project, domain, *scope)
        )
        return await self._connections.read(
            lambda connection: listing.read(connection, lambda row: _definition(kind, row))
        )


def _table(kind: int) -> sa.Table:
    table = _KIND_TABLES.get(kind)
    if table is None:
        raise errors.InvalidArgument(
            f"resource type {kind} is not registered here.", remedy="Known are task, workflow and launch plan."
        )
    return table


def _query(kind: int) -> sa.Select[Any]:
    table = _table(kind)
    if kind != identifier_pb2.WORKFLOW:
        return sa.select(table)
    joined = table.outerjoin(schema.plans, schema.plans.c.digest == table.c.plan_digest)
    return sa.select(table, schema.plans.c.document.label("plan")).select_from(joined)


@lru_cache
def _one(kind: int) -> sa.Select[Any]:
    """Return the statement for one version: made once, since making it takes longer than the database does."""
    return _query(kind).where(*(_table(kind).c[part] == sa.bindparam(f"wanted_{part}") for part in _VERSION_KEY))


def _find_many(connection: sa.Connection, entities: Sequence[EntityId]) -> dict[EntityId, Definition]:
    if len(entities) == 1:
        [entity] = entities
        key = {f"wanted_{part}": getattr(entity, part) for part in _VERSION_KEY}
        row = connection.execute(_one(entity.kind), key).one_or_none()
        return {} if row is None else {entity: _definition(entity.kind, row)}
    found: dict[EntityId, Definition] = {}
    for kind in sorted({entity.kind for entity in entities}):
        columns = sa.tuple_(*(_table(kind).c[part] for part in _VERSION_KEY))
        wanted = [(e.project, e.domain, e.name, e.version) for e in entities if e.kind == kind]
        for at in range(0, len(wanted), _PER_QUERY):
            for row in connection.execute(_query(kind).where(columns.in_(wanted[at : at + _PER_QUERY]))):
                definition = _definition(kind, row)
                found[definition.id] = definition
    return found


def _definition(kind: int, row: Any) -> Definition:
    plan = getattr(row, "plan", None)
    is_launch_plan = kind == _LAUNCH_PLAN
    return Definition(
        id=EntityId(kind, row.project, row.domain, row.name, row.version),
        digest=row.digest,
        document=row.document,
        created_at=row.created_at,
        updated_at=row.updated_at,
        short_description=row.short_description,
        task_type=row.type if kind == identifier_pb2.TASK else "",
        plan=None if plan is None else plan_store.decode(plan),
        state=row.state if is_launch_plan else 0,
        workflow=_workflow(row) if is_launch_plan and row.workflow_name else None,
    )


def _workflow(row: Any) -> EntityId:
    kind = int(identifier_pb2.WORKFLOW)
    return EntityId(kind, row.workflow_project, row.workflow_domain, row.workflow_name, row.workflow_version)


def _definition_values(definition: Definition) -> dict[str, Any]:
    entity = definition.id
    values: dict[str, Any] = {part: getattr(entity, part) for part in _VERSION_KEY}
    for column in ("digest", "document", "created_at", "updated_at", "short_description"):
        values[column] = getattr(definition, column)
    if entity.kind == identifier_pb2.TASK:
        values["type"] = definition.task_type
    elif entity.kind == identifier_pb2.WORKFLOW:
        values["plan_digest"] = definition.plan.digest if definition.plan else ""
    else:
        values["state"] = definition.state
        if definition.workflow is not None:
            values |= {f"workflow_{part}": getattr(definition.workflow, part) for part in _VERSION_KEY}
    return values


def _name(row: Any) -> NamedEntity:
    return NamedEntity(row.kind, row.project, row.domain, row.name, row.description, row.state)


def _project(row: Any) -> Project:
    labels = msgspec.json.decode(row.labels, type=dict[str, str])
    return Project(row.id, row.name, row.description, labels, row.state)


def _project_values(project: Project) -> dict[str, Any]:
    labels = msgspec.json.encode(project.labels).decode()
    return {"name": project.name, "description": project.description, "labels": labels, "state": project.state}


def _is_name(kind: int, project: str, domain: str, name: str) -> sa.ColumnElement[bool]:
    table = schema.named_entities.c
    return sa.and_(table.kind == kind, table.project == project, table.domain == domain, table.name == name)
