"""Dashboards of clusters whose pods are out of the platform's reach: over the cluster's API, by its own account."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from tests.cluster import conftest, test_dask_views, viewing
from tests.cluster.conftest import Cluster
from tests.cluster.viewing import Viewed
from tests.platforms import launching
from tests.platforms.server import Server

CUT_OFF = Path(__file__).parent / "cut_off"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, account: Path) -> Iterator[Server]:
    """A platform from which no dashboard of a pod can be reached."""
    folder = tmp_path_factory.mktemp("cut-off") / "data"
    path = os.pathsep.join(filter(None, (str(CUT_OFF), os.environ.get("PYTHONPATH"))))
    with conftest.serving(folder, account, DAYFLY_KUBERNETES__DASK="pods", PYTHONPATH=path) as server:
        conftest.register(server, test_dask_views.PROGRAM)
        yield server
    launching.wait_until(lambda: not cluster.left(), "everything to be gone")


def test_a_dashboard_is_shown_whose_pods_are_out_of_reach(server: Server) -> None:
    go = server.folder / "go"
    watched = Viewed(server, launching.launch_task(server, "viewed.watched", text=str(go)), go)
    watched.until_computing()
    link = next(log.uri for log in watched.look().logs if log.name == "Dask dashboard")

    page = viewing.look_at_dashboard(link)
    assert "/proxy/" not in page.text, "links are as the cluster has made them"
    loaded = [urljoin(link, path) for path in re.findall(r'(?:src|href)="([^"#]+)"', page.text)]
    of_platform = [one for one in loaded if one.startswith(f"http://{server.address}/")]
    assert len(of_platform) > 5, loaded
    for one in of_platform:
        assert requests.get(one, timeout=60).status_code == 200, one
    front = requests.get(link.removesuffix("/status") + "/", allow_redirects=False, timeout=60)
    assert front.headers["location"].endswith("/status")

    ask_for_the_api(link)

    server.kill()
    server.start()
    # What the platform knows of a cluster it has from the cluster's first report to it.
    launching.wait_until(lambda: requests.get(link, timeout=60).status_code == 200, "the cluster to be known again")
    viewing.look_at_dashboard(link)

    assert watched.end().error is None
    assert requests.get(link, timeout=60).status_code == 404, "it is gone"


def ask_for_the_api(link: str) -> None:
    """What the platform may ask of the cluster, nobody who looks at a dashboard may ask in its name."""
    asked = requests.Request("GET", link).prepare()
    for way_out in ("..", "%2e%2e", ".%2E"):
        for depth in range(8, 16):
            asked.url = link.removesuffix("/status") + f"/{way_out}" * depth + "/namespaces"
            with requests.Session() as session:
                answer = session.send(asked, timeout=60)
            assert answer.status_code == 404, (asked.url, answer.text)
            assert "no page of this name" in answer.json()["error"], (asked.url, answer.text)
