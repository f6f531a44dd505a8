"""Secrets in files: scopes, names, permissions."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dayfly.base import errors
from dayfly.secrets.folder import Name, Scope, SecretFolder


def test_the_narrowest_scope_holds(tmp_path: Path) -> None:
    folder, name = SecretFolder(tmp_path / "s"), Name("db", "Password")
    for scope in (Scope(), Scope("p"), Scope("p", "d")):
        folder.put(scope, name, str(scope).encode())
    assert folder.find("p", "d", name) == b"p/d"
    assert folder.find("p", "other", name) == b"p"
    assert folder.find("q", "d", Name("DB", "password")) == b"everywhere"
    assert folder.find("p", "d", Name("db", "password", "2")) is None
    assert folder.list_all() == [
        (Scope(), Name("db", "password")),
        (Scope("p"), Name("db", "password")),
        (Scope("p", "d"), Name("db", "password")),
    ]


def test_only_the_owner_can_read_them(tmp_path: Path) -> None:
    folder = SecretFolder(tmp_path / "s")
    folder.put(Scope("p", "d"), Name("group", "key", "v1"), b"value")
    (file,) = [path for path in (tmp_path / "s").rglob("*") if path.is_file()]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for parent in file.parents:
        if parent == tmp_path:
            break
        assert stat.S_IMODE(parent.stat().st_mode) == 0o700, parent


def test_a_group_is_listed_and_deleted_to_the_last_folder(tmp_path: Path) -> None:
    folder = SecretFolder(tmp_path / "s")
    folder.put(Scope(), Name("g", "a"), b"1")
    folder.put(Scope("p"), Name("g", "b"), b"2")
    assert folder.keys("p", "d", "g") == {"a", "b"}
    folder.delete(Scope("p"), Name("g", "b"))
    folder.delete(Scope(), Name("g", "a"))
    assert list((tmp_path / "s").iterdir()) == []
    with pytest.raises(errors.NotFound, match="dayfly secret list"):
        folder.delete(Scope(), Name("g", "a"))


@pytest.mark.parametrize("name", [Name("..", "k"), Name("g", ""), Name("g", "a/b"), Name("g", ".x"), Name("g h", "k")])
def test_names_that_are_none(tmp_path: Path, name: Name) -> None:
    with pytest.raises(errors.InvalidArgument, match="cannot be"):
        SecretFolder(tmp_path).put(Scope(), name, b"")


def test_a_value_has_a_size(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidArgument, match="may have"):
        SecretFolder(tmp_path).put(Scope(), Name("g", "k"), b"x" * (1024 * 1024 + 1))
