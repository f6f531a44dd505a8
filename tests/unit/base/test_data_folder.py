import os
from pathlib import Path

import pytest

from dayfly.base import data_folder, errors


def test_a_folder_is_made_locked_and_released(tmp_path: Path) -> None:
    folder = data_folder.open_folder(tmp_path / "a" / "b")
    assert data_folder.find_address(folder.path) is None, "nobody has said where they are"
    folder.announce("127.0.0.1:1")
    assert data_folder.find_address(folder.path) == "127.0.0.1:1"
    with pytest.raises(errors.FailedPrecondition, match=r"process id \d+ at 127\.0\.0\.1:1.*--data"):
        data_folder.open_folder(folder.path)
    folder.close()
    assert data_folder.find_address(folder.path) is None
    data_folder.open_folder(folder.path).close()


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.InvalidArgument, match="file"):
        data_folder.open_folder(tmp_path / "file")


def test_the_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    folder = data_folder.open_folder(tmp_path)
    first = folder.secret()
    assert len(first) == data_folder.SECRET_BYTES
    assert folder.secret() == first
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
    folder.close()


def test_the_client_configuration_points_here(tmp_path: Path) -> None:
    folder = data_folder.open_folder(tmp_path)
    file = folder.write_client_config("127.0.0.1:30080", "http://127.0.0.1:30080")
    assert "endpoint: dns:///127.0.0.1:30080" in file.read_text()
    folder.close()


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    (tmp_path / f".config.yaml.{os.getpid()}").symlink_to("/dev/full")
    folder = data_folder.open_folder(tmp_path)
    with pytest.raises(errors.PlatformError, match=r"config\.yaml cannot be written: No space left.*disk's space"):
        folder.write_client_config("127.0.0.1:1", "http://127.0.0.1:1")
    folder.close()
