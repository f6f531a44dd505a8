"""What an attempt gets of its secrets, and that it is gone afterwards."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from dayfly import secrets
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.secrets import SecretRequest
from dayfly.secrets import delivering
from dayfly.secrets.folder import Name, Scope
from tests.contract.test_executors import KEY, make_spec


async def test_files_and_variables(tmp_path: Path) -> None:
    secrets.open_folder(tmp_path).put(Scope("p"), Name("Db", "Password"), b"kept")
    (tmp_path / "mounted" / "api").mkdir(parents=True)
    (tmp_path / "mounted" / "api" / "key").write_bytes(b"mounted")
    delivery = secrets.build(tmp_path, {"DAYFLY_SECRET_MAIL_V1_TOKEN": "told"}, tmp_path / "mounted")
    spec = make_spec(
        "x",
        env={"A": "1"},
        secrets=(
            SecretRequest("Db", "Password", variable="DB_FILE"),
            SecretRequest("mail", "token", "v1", as_variable=True, variable="TOKEN"),
            SecretRequest("api"),
        ),
    )

    made = await delivery.deliver(spec)

    files = Path(made.env["FLYTE_SECRETS_DEFAULT_DIR"])
    assert (files / "db" / "password").read_bytes() == b"kept"
    assert made.env["DB_FILE"] == str(files / "db" / "password")
    assert (files / "api" / "key").read_bytes() == b"mounted"
    assert {name: Path(path).read_bytes() for name, path in made.env_files.items()} == {
        "_FSEC_MAIL_V1_TOKEN": b"told",
        "TOKEN": b"told",
    }
    assert made.env["A"] == "1"
    written = msgspec.json.encode(made)
    assert not any(value in written for value in (b"kept", b"told"))
    root = tmp_path / "run" / "secrets"
    for path in root.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)

    await delivery.withdraw(KEY)
    await delivery.withdraw(KEY)
    assert list(root.iterdir()) == []


async def test_missing_ones_are_named_with_what_to_do(tmp_path: Path) -> None:
    delivery = secrets.build(tmp_path, {})
    spec = make_spec("x", secrets=(SecretRequest("db", "password"), SecretRequest("all")))
    with pytest.raises(delivering.SecretNotFound) as caught:
        await delivery.deliver(spec)
    assert "module.task:v asks for the secret db/password, all/*" in str(caught.value)
    assert "DAYFLY_SECRET_DB_PASSWORD" in str(caught.value)
    assert "dayfly secret set db/password --project p --domain d" in str(caught.value)
    assert not (tmp_path / "run").exists()


async def test_what_a_killed_platform_left_is_swept(tmp_path: Path) -> None:
    secrets.open_folder(tmp_path).put(Scope(), Name("g", "k"), b"value")
    delivery = secrets.build(tmp_path, {})
    kept, left = AttemptKey("p/d/run/n0/0"), AttemptKey("p/d/run/n1/0")
    for key in (kept, left):
        await delivery.deliver(make_spec("x", key=key, secrets=(SecretRequest("g", "k"),)))
    delivery.sweep([kept])
    assert [folder.name for folder in (tmp_path / "run" / "secrets").iterdir()] == ["p.d.run.n0.0"]
