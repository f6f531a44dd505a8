"""`dayfly secret`, without a platform."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from dayfly import secrets
from dayfly.base import errors
from dayfly.cli import secret
from dayfly.secrets.folder import Name


def dayfly(*words: object, value: str = "") -> str:
    done = CliRunner().invoke(
        secret.command, [str(word) for word in words], input=value, standalone_mode=False, catch_exceptions=True
    )
    if isinstance(done.exception, errors.DayflyError):
        raise done.exception
    assert done.exception is None, done.exception
    return done.output


def test_set_list_delete(tmp_path: Path) -> None:
    (tmp_path / "value").write_bytes(b"two\n")
    dayfly("set", "db/password", "--data", tmp_path, value="one\n")
    dayfly(
        "set", "db/password@v2", "-p", "shop", "-d", "production", "--data", tmp_path, "--from-file", tmp_path / "value"
    )
    assert dayfly("list", "--data", tmp_path).splitlines() == [
        "db/password  (everywhere)",
        "db/password@v2  (shop/production)",
    ]
    kept = secrets.open_folder(tmp_path)
    assert kept.find("any", "where", Name("db", "password")) == b"one"
    assert kept.find("shop", "production", Name("db", "password", "v2")) == b"two\n"
    dayfly("delete", "db/password", "--data", tmp_path)
    assert dayfly("list", "--data", tmp_path) == "db/password@v2  (shop/production)\n"


def test_a_domain_needs_its_project(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidArgument, match="--project"):
        dayfly("set", "k", "-d", "production", "--data", tmp_path, value="x")
