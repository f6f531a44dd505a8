"""The article's two programs on a real cluster, as they stand there, by unmodified clients."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.conftest import IMAGE, Cluster, register
from tests.platforms import launching, remotes
from tests.platforms.server import Server

ARTICLE = Path(__file__).parents[1] / "clients" / "article"


def test_increment_numbers(server: Server, cluster: Cluster) -> None:
    done = server.pyflyte(
        *("run", "--remote", "--wait", "--image", IMAGE, "--name", "inc"),
        *(ARTICLE / "increment_numbers.py", "increment_numbers", "--list_length", "5"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    remote = remotes.connect(server)
    execution = remote.sync(remote.fetch_execution(name="inc"))
    assert execution.outputs["o0"] == [1, 2, 3, 4, 5]
    launching.wait_until(lambda: not cluster.left(), "the cluster to be gone")


@pytest.mark.filterwarnings("ignore")
def test_train_model(server: Server, cluster: Cluster) -> None:
    register(server, ARTICLE / "train_model.py")
    remote = remotes.connect(server)
    workflow = remote.fetch_workflow(name="train_model.train_model", version=launching.VERSION)
    execution = remote.execute(workflow, inputs={"input_files": ["a", "bcd"]})
    ended = remotes.wait(remote, execution)
    assert ended.error is None
    assert ended.outputs["o0"] == "s3://path-to-model-4"
    launching.wait_until(lambda: not cluster.left(), "the cluster to be gone")
