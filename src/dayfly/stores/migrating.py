"""Brings a database to the schema of this version, or refuses it. Called by `database.open` before anything else.

A new database gets today's tables at once and an old one Alembic's migrations, which a unit test shows to come to the
same. Alembic is imported only when there is something to migrate: it costs more time than everything else here.
"""

from __future__ import annotations

import pathlib
from typing import Any

import sqlalchemy as sa

from dayfly.base import errors
from dayfly.stores import schema

REVISIONS = tuple(f"{number:04}" for number in range(1, 15))
"""All revisions, oldest first; the last is today's schema."""

HEAD = REVISIONS[-1]

SCRIPTS = pathlib.Path(__file__).parent / "migrations"

_version = sa.table("alembic_version", sa.column("version_num", sa.String(32)))

_ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(hashtext('dayfly migrations'))")
"""Several processes may open a new database at once."""


def migrate(connection: sa.Connection, place: str) -> None:
    """Make the tables, bring them to `HEAD`, or leave them alone.

    Raises `FailedPrecondition` for a database of a newer version, or one that is not Dayfly's.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_ONE_AT_A_TIME)
    found = _find_revision(connection, place)
    if found == HEAD:
        # Written over with itself: a database that cannot be written to is told now, not by the first execution.
        connection.execute(_version.update().values(version_num=HEAD))
    elif found is None:
        schema.metadata.create_all(connection, checkfirst=False)
        _stamp(connection)
    elif found in REVISIONS:
        _upgrade(connection)
    else:
        raise errors.FailedPrecondition(
            f"database {place} has schema revision {found!r}; this version of Dayfly knows up to {HEAD!r}.",
            remedy="Install the newer Dayfly that wrote it, or name another data folder.",
        )


def _find_revision(connection: sa.Connection, place: str) -> str | None:
    tables = sa.inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise errors.FailedPrecondition(
            f"database {place} holds tables that are not Dayfly's: {', '.join(tables[:5])}.",
            remedy="Name another data folder.",
        )
    return connection.execute(sa.select(_version.c.version_num)).scalar_one_or_none() or "none"


def _stamp(connection: sa.Connection) -> None:
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
        "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.execute(_version.insert().values(version_num=HEAD))


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command

    command.upgrade(alembic_config(connection), HEAD)


def alembic_config(connection: sa.Connection) -> Any:
    """Return Alembic's configuration to work on `connection`."""
    from alembic import config

    settings = config.Config()
    settings.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings
