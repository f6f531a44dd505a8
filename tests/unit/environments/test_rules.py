import sys
from pathlib import Path

import pytest
from dask import __version__ as dask_version

from dayfly import environments
from dayfly.base import errors
from dayfly.ports.environments import Environment


def test_the_first_rule_that_fits_counts() -> None:
    known = environments.build("/own", [("ghcr.io/team/*:gpu*", "/gpu"), ("ghcr.io/team/*", "/team")])
    assert known.find("ghcr.io/team/app:gpu-1").python == "/gpu"
    assert known.find("ghcr.io/team/app:1") == Environment("/team", "ghcr.io/team/*")
    assert known.find("cr.flyte.org/flyteorg/flytekit:py3.11-latest").python == "/own"
    assert known.find("").python == "/own"


async def test_versions_are_asked_of_the_interpreter_once(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    known = environments.build(sys.executable)
    told = await known.versions(known.find(""))
    assert told["python"] == ".".join(map(str, sys.version_info[:3]))
    assert told["dask"] == told["distributed"] == dask_version
    assert await known.versions(known.find("")) is told


@pytest.mark.parametrize("text", [None, "#!/bin/sh\nexit 1\n", "#!/bin/sh\necho no versions\n"])
async def test_an_interpreter_that_does_not_run(tmp_path: Path, text: str | None) -> None:
    python = tmp_path / "python"
    if text is not None:
        python.write_text(text)
        python.chmod(0o755)
    known = environments.build(sys.executable, [("*", str(python))])
    with pytest.raises(errors.InvalidArgument, match=r"environment \* does not run"):
        await known.versions(known.find("any"))
