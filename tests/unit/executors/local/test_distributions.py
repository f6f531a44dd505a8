import asyncio
import io
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dayfly.base import errors
from dayfly.executors.local import distributions


class Blobs:
    def __init__(self, blobs: dict[str, bytes]) -> None:
        self.blobs = blobs
        self.reads = 0

    async def read_stream(self, uri: str) -> AsyncIterator[bytes]:
        if uri not in self.blobs:
            raise errors.NotFound(f"There is no {uri}.")
        self.reads += 1
        for start in range(0, len(self.blobs[uri]), 100):
            yield self.blobs[uri][start : start + 100]


def pack(*members: tarfile.TarInfo) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        for member in members:
            member.size = 4 if member.isreg() else 0
            tar.addfile(member, io.BytesIO(b"text") if member.isreg() else None)
    return raw.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


GOOD = pack(member("pkg", tarfile.DIRTYPE), member("pkg/code.py"), member("pkg/link.py", tarfile.SYMTYPE, "code.py"))


async def test_unpacked_once(tmp_path: Path) -> None:
    blobs = Blobs({"s3://b/fast1.tar.gz": GOOD})
    code = distributions.Distributions(blobs, tmp_path / "cache")  # type: ignore[arg-type]
    folders = set(await asyncio.gather(*(code.unpack("s3://b/fast1.tar.gz") for _ in range(3))))
    folder = Path(folders.pop())
    assert not folders
    assert (folder / "pkg/link.py").read_text() == "text"
    assert not (folder / "fast1.tar.gz").exists()
    again = distributions.Distributions(blobs, tmp_path / "cache")  # type: ignore[arg-type]
    assert await again.unpack("s3://b/fast1.tar.gz") == str(folder)
    assert blobs.reads == 1


async def test_pickles_lie_there_as_they_are(tmp_path: Path) -> None:
    code = distributions.Distributions(Blobs({"s3://b/x/pkl.gz": b"pickle"}), tmp_path)  # type: ignore[arg-type]
    folder = Path(await code.unpack("s3://b/x/pkl.gz"))
    assert (folder / "pkl.gz").read_bytes() == b"pickle"


@pytest.mark.parametrize("own_filter", [True, False], ids=["Python's filter", "our own"])
@pytest.mark.parametrize(
    "raw",
    [
        b"no archive",
        GOOD[:-30],
        pack(member("../out.py")),
        pack(member("a/../../out.py")),
        pack(member("link", tarfile.SYMTYPE, "/etc/passwd")),
        pack(member("link", tarfile.SYMTYPE, "../../up")),
        pack(member("link", tarfile.LNKTYPE, "../up")),
        pack(member("device", tarfile.CHRTYPE)),
    ],
    # Named, because an archive's bytes hold the time of its making: no two test processes would agree on its name.
    ids=["none", "cut", "above", "above, inside", "link to a file", "link above", "hard link above", "device"],
)
async def test_what_is_broken_or_reaches_out_is_refused(
    tmp_path: Path, raw: bytes, own_filter: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not own_filter:
        monkeypatch.delattr(tarfile, "data_filter")
    code = distributions.Distributions(Blobs({"u.tar.gz": raw}), tmp_path / "cache")  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidArgument, match=r"The code at u\.tar\.gz cannot be unpacked"):
        await code.unpack("u.tar.gz")
    assert list((tmp_path / "cache").iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


async def test_what_is_not_there_and_what_cannot_be_written(tmp_path: Path) -> None:
    code = distributions.Distributions(Blobs({"u.tar.gz": GOOD}), tmp_path / "cache")  # type: ignore[arg-type]
    with pytest.raises(errors.NotFound):
        await code.unpack("missing.tar.gz")
    (tmp_path / "file").touch()
    code = distributions.Distributions(Blobs({"u.tar.gz": GOOD}), tmp_path / "file")  # type: ignore[arg-type]
    with pytest.raises(errors.ExecutorUnavailable, match="Not a directory"):
        await code.unpack("u.tar.gz")
