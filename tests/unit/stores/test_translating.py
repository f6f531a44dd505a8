"""What is said of the database's errors."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa

from dayfly.stores import translating


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
