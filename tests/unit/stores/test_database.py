"""Opening a database: fresh, known, newer, foreign, damaged, out of reach; and what is said when the disk is full."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import autogenerate, command
from alembic import script as scripts
from alembic.migration import MigrationContext

from dayfly.base import errors
from dayfly.base.clock import ManualClock
from dayfly.ports.definitions import Project
from dayfly.stores import connections, database, migrating, schema

CLOCK = ManualClock()


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


async def opened_and_closed(path: Path) -> None:
    opened = await database.open(url_of(path), clock=CLOCK)
    await opened.close()


def test_migrations_come_to_todays_schema():
    with sa.create_engine("sqlite://").connect() as migrated, sa.create_engine("sqlite://").connect() as made:
        migrating.migrate(made, "fresh")
        config = migrating.alembic_config(migrated)
        command.upgrade(config, "head")

        known = [script.revision for script in scripts.ScriptDirectory.from_config(config).walk_revisions()]
        assert tuple(reversed(known)) == migrating.REVISIONS
        context = MigrationContext.configure(migrated, opts={"compare_type": True})
        assert autogenerate.compare_metadata(context, schema.metadata) == []
        query = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
        assert _shape(migrated, query) == _shape(made, query)


def _shape(connection: sa.Connection, query: str) -> list[tuple[str, str, list[str]]]:
    """Return every table and index, without spaces and whatever the order of a table's constraints."""
    shape = []
    for kind, name, sql in connection.exec_driver_sql(query):
        clauses = "".join((sql or "").split()).split("CONSTRAINT")
        shape.append((kind, name, sorted(clause.rstrip(",)") for clause in clauses)))
    return shape


async def test_a_path_may_have_any_characters(tmp_path):
    file = tmp_path / "a folder %41?x#y" / "a.db"
    file.parent.mkdir()
    opened = await database.open(database.url_of(file), clock=CLOCK)
    await opened.close()
    assert file.is_file()


async def test_what_was_written_is_there_after_reopening(tmp_path):
    first = await database.open(url_of(tmp_path / "a.db"), clock=CLOCK)
    await first.definitions.create_project(Project("p", "P"))
    await first.close()
    second = await database.open(url_of(tmp_path / "a.db"), clock=CLOCK)
    assert await second.definitions.find_project("p") == Project("p", "P")
    await second.close()


async def test_a_closed_database_says_so(tmp_path):
    opened = await database.open(url_of(tmp_path / "a.db"), clock=CLOCK)
    await opened.close()
    with pytest.raises(errors.StoreUnavailable, match="closed"):
        await opened.definitions.find_project("p")


async def test_a_newer_database_is_refused(tmp_path):
    path = tmp_path / "a.db"
    await opened_and_closed(path)
    raw = sqlite3.connect(path)
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    raw.close()

    with pytest.raises(errors.FailedPrecondition) as refused:
        await opened_and_closed(path)
    for told in (str(path), "9999", migrating.HEAD, "newer Dayfly"):
        assert told in str(refused.value)


async def test_somebody_elses_database_is_refused(tmp_path):
    path = tmp_path / "a.db"
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE songs (title TEXT)")
    raw.close()

    with pytest.raises(errors.FailedPrecondition, match=r"songs.*another data folder"):
        await opened_and_closed(path)


async def test_what_is_no_database_is_unavailable(tmp_path):
    path = tmp_path / "a.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(errors.StoreUnavailable, match=r"a\.db.*not an SQLite database.*another data folder"):
        await opened_and_closed(path)


async def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(errors.StoreUnavailable, match=r"none/a\.db.*folder exists"):
        await opened_and_closed(tmp_path / "none" / "a.db")


async def test_a_read_only_database_is_said_to_be(tmp_path):
    path = tmp_path / "a.db"
    await opened_and_closed(path)
    with pytest.raises(errors.StoreUnavailable, match=r"may not be written.*Make the file"):
        await database.open(f"sqlite:///file:{path}?mode=ro&uri=true", clock=CLOCK)


@pytest.mark.parametrize("url", ["mysql://host/db", "dayfly.db", ""])
async def test_other_kinds_are_refused(url):
    with pytest.raises(errors.InvalidArgument, match=r"sqlite:///FILE or postgresql://"):
        await database.open(url, clock=CLOCK)


async def test_a_password_is_never_told(tmp_path):
    url = f"postgresql://ann:secret@/dayfly?host={tmp_path}"
    with pytest.raises(errors.StoreUnavailable, match=r"ann:\*\*\*@.*no server listens there") as refused:
        await database.open(url, clock=CLOCK)
    assert "secret" not in str(refused.value)


async def test_a_full_disk_is_told_and_survived(tmp_path):
    path = tmp_path / "a.db"
    await opened_and_closed(path)
    ways = connections.Connections(url_of(path))
    await ways.write(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 1"))
    insert = schema.projects.insert().values(id="p", description="x" * 10_000_000, created_at=0)

    with pytest.raises(errors.StoreUnavailable, match=r"a\.db.*disk is full.*Free some space"):
        await ways.write(lambda connection: connection.execute(insert))

    await ways.write(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 1000000"))
    await ways.write(lambda connection: connection.execute(insert))
    count = sa.select(sa.func.count()).select_from(schema.projects)
    assert await ways.read(lambda connection: connection.execute(count).scalar_one()) == 1
    await ways.close()


async def test_a_transaction_that_raises_leaves_nothing(tmp_path):
    path = tmp_path / "a.db"
    await opened_and_closed(path)
    ways = connections.Connections(url_of(path))

    def half(connection: sa.Connection) -> None:
        connection.execute(schema.projects.insert().values(id="p", created_at=0))
        raise errors.VersionClash("half-way")

    with pytest.raises(errors.VersionClash):
        await ways.write(half)
    assert await ways.read(lambda connection: connection.execute(sa.select(schema.projects)).all()) == []
    await ways.close()
