"""What is said of the database's errors."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa

from dayfly.base import errors
from dayfly.stores import translating


class StatedError(Exception):
    """An error as the Postgres driver raises it."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("what Postgres says")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("database or disk is full", "the disk is full"),
        ("attempt to write a readonly database", "may not be written to"),
        ("unable to open database file", "cannot be opened"),
        ("database is locked", "another process is writing"),
        ("database disk image is malformed", "is damaged"),
        ("file is not a database", "not an SQLite database"),
        ("disk I/O error", "does not read or write"),
        ("something new", "something new"),
    ],
)
def test_errors_are_told_with_the_file_and_a_remedy(said: str, told: str):
    error = sa.exc.OperationalError("SELECT 1", {}, sqlite3.OperationalError(said))
    ours = translating.translate(error, "/data/dayfly.db")

    assert told in ours.message
    assert "/data/dayfly.db" in ours.message
    assert said in ours.message
    assert ours.remedy


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("53100", "its disk is full"),
        ("53300", "no connection left"),
        ("53200", "out of resources"),
        ("25006", "may not be written to"),
        ("28P01", "does not let us in"),
        ("3D000", "no such database"),
        ("42501", "may not do that"),
        ("57P01", "the server is ending"),
        ("40P01", "kept getting in the way"),
        ("XX000", "what Postgres says"),
    ],
)
def test_postgres_states_are_told_with_a_remedy(state: str, told: str):
    ours = translating.translate(sa.exc.DBAPIError("SELECT 1", {}, StatedError(state)), "postgresql://host/db")

    assert isinstance(ours, errors.StoreUnavailable)
    assert told in ours.message
    assert "postgresql://host/db" in ours.message
    assert ours.remedy


def test_only_what_gave_way_to_another_transaction_is_repeated():
    repeated = {
        state for state in ("40001", "40P01", "23505", "57P01") if translating.may_be_repeated(StatedError(state))
    }
    assert repeated == {"40001", "40P01"}
    assert not translating.may_be_repeated(sa.exc.OperationalError("SELECT 1", {}, sqlite3.OperationalError("locked")))


def test_values_that_do_not_fit_are_the_requests_fault():
    ours = translating.translate(sa.exc.DataError("SELECT 1", {}, StatedError("22003")), "postgresql://host/db")
    assert isinstance(ours, errors.InvalidArgument)
    assert "64 bits" in ours.remedy
