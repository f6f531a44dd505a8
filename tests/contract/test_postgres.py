"""What Postgres does beside what every store does: several processes, a server that may go away, strict types."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from alembic import autogenerate, command
from alembic.migration import MigrationContext

from dayfly.base import errors
from dayfly.base.clock import ManualClock
from dayfly.ports.definitions import Filter, Page, Project
from dayfly.stores import connections, database, migrating, schema, waking
from tests.contract import databases, stored
from tests.contract.stored import at, execution, launched, new_run, progressed
from tests.contract.test_definitions import launch_plan
from tests.platforms import postgres

CLOCK = ManualClock(at(100))

_COLUMNS = """SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
    WHERE table_schema = 'public' ORDER BY 1, 2"""
_INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
_CONSTRAINTS = """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"""


@pytest.fixture
def url(postgres_server: postgres.Server) -> str:
    postgres_server.execute(databases.EMPTY, databases.SHARED)
    return postgres_server.url(databases.SHARED)


@pytest.fixture
async def two(url: str) -> AsyncIterator[tuple[database.Database, database.Database]]:
    """The same database, opened by two."""
    both = await database.open(url, clock=CLOCK), await database.open(url, clock=CLOCK)
    yield both
    for one in both:
        await one.close()


def driven(url: str) -> sa.Engine:
    return sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)


def test_migrations_come_to_todays_schema(postgres_server: postgres.Server):
    made, migrated = (postgres_server.url(postgres_server.create()) for _ in range(2))
    with driven(made).begin() as connection:
        migrating.migrate(connection, "fresh")
    with driven(migrated).begin() as connection:
        command.upgrade(migrating.alembic_config(connection), "head")
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert autogenerate.compare_metadata(context, schema.metadata) == []
    for query in (_COLUMNS, _INDEXES, _CONSTRAINTS):
        with driven(made).begin() as one, driven(migrated).begin() as other:
            assert one.exec_driver_sql(query).all() == other.exec_driver_sql(query).all()


async def test_two_may_open_a_new_database_at_once(postgres_server: postgres.Server):
    url = postgres_server.url(postgres_server.create())
    for opened in await asyncio.gather(*(database.open(url, clock=CLOCK) for _ in range(3))):
        await opened.close()


async def test_another_process_is_woken(two):
    one, other = two
    await other.runs.wait_until_woken(0)
    waiting = asyncio.create_task(other.runs.wait_until_woken(60))
    await one.runs.create(new_run(), launched())
    await asyncio.wait_for(waiting, 20)
    assert await other.runs.lease_unread("b", lease_seconds=30, limit=5) == [execution()]
    assert await one.runs.lease_unread("a", lease_seconds=30, limit=5) == []


async def test_one_platform_is_alone(url: str, monkeypatch):
    monkeypatch.setattr(waking, "ALONE_SECONDS", 0.1)
    first = await database.open(url, clock=CLOCK, alone=True)
    with pytest.raises(errors.FailedPrecondition, match=r"in use by another platform"):
        await database.open(url, clock=CLOCK, alone=True)
    await first.close()
    monkeypatch.undo()
    await (await database.open(url, clock=CLOCK, alone=True)).close()


async def test_a_connection_that_breaks_is_made_anew(two, postgres_server: postgres.Server):
    one, other = two
    await one.runs.create(new_run(), launched())
    await other.runs.wait_until_woken(0)
    mine = f"application_name = 'dayfly' OR query LIKE 'LISTEN%' AND datname = '{databases.SHARED}'"
    postgres_server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}")
    assert (await one.runs.find_execution(execution())).phase == "UNDEFINED"
    await one.runs.append(execution(), [progressed()])
    # The listener, too: it says so itself once it listens again.
    await asyncio.wait_for(other.runs.wait_until_woken(60), 30)
    await other.runs.wait_until_woken(0)
    waiting = asyncio.create_task(other.runs.wait_until_woken(60))
    await one.runs.append(execution(), [progressed()])
    await asyncio.wait_for(waiting, 20)


async def test_an_abort_and_a_commit_at_once_are_both_kept(two):
    one, other = two
    for number in range(20):
        name = f"e{number}"
        await one.runs.create(new_run(name), launched())
        run, unread = await one.runs.load(execution(name))
        await asyncio.gather(
            one.runs.commit(run, stored.running(), unread, []),
            other.runs.request_abort(execution(name), stored.abort(), principal="bob", cause="changed my mind"),
        )
        row = await one.runs.find_execution(execution(name))
        assert row.phase == "ABORTING"


async def test_versions_activated_at_once_leave_one_active(two):
    plans = [launch_plan(version=f"v{number}") for number in range(4)]
    for plan in plans:
        await two[0].definitions.create(plan)
    for turn in range(10):
        await asyncio.gather(
            *(
                two[at % 2].definitions.set_launch_plan_state(plan.id, 1, stored.at(turn))
                for at, plan in enumerate(plans)
            )
        )
        assert len(await two[0].definitions.list_active_launch_plans("p", "d", Page(10))) == 1


async def test_transactions_in_each_others_way_are_run_again(url: str):
    ways = connections.Connections(url)
    await ways.write(
        lambda c: c.execute(schema.projects.insert(), [{"id": "a", "created_at": 0}, {"id": "b", "created_at": 0}])
    )
    met = asyncio.get_running_loop()
    both = asyncio.Event()
    arrived: list[str] = []

    def renaming(first: str, second: str):
        def work(connection: sa.Connection) -> None:
            update = schema.projects.update().values(name="new")
            connection.execute(update.where(schema.projects.c.id == first))
            arrived.append(first)
            if len(arrived) == 2:
                met.call_soon_threadsafe(both.set)
            if len(arrived) <= 2:
                asyncio.run_coroutine_threadsafe(both.wait(), met).result(20)
            connection.execute(update.where(schema.projects.c.id == second))

        return work

    await asyncio.gather(ways.write(renaming("a", "b")), ways.write(renaming("b", "a")))
    assert len(arrived) >= 3, "one of both was run again, on a busy machine more than once"
    await ways.close()


async def test_what_cannot_be_stored_is_the_requests_fault(two):
    definitions = two[0].definitions
    with pytest.raises(errors.InvalidArgument, match="NUL"):
        await definitions.create_project(Project("a\0b", "name"))
    with pytest.raises(errors.InvalidArgument, match="64 bits"):
        await two[0].runs.list_executions(
            "p", "d", Page(10, filters=(Filter("mode", "eq", ("99999999999999999999",)),))
        )


async def test_a_database_that_is_not_there_is_named(postgres_server: postgres.Server):
    with pytest.raises(errors.StoreUnavailable, match=r"nowhere.*no such database or user"):
        await database.open(postgres_server.url("nowhere"), clock=CLOCK)


async def test_somebody_elses_database_is_refused(postgres_server: postgres.Server):
    name = postgres_server.create()
    postgres_server.execute("CREATE TABLE songs (title TEXT)", name)
    with pytest.raises(errors.FailedPrecondition, match="songs"):
        await database.open(postgres_server.url(name), clock=CLOCK)
