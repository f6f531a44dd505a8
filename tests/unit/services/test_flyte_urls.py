import pytest

from dayfly.base import errors
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.services import flyte_urls
from dayfly.services.flyte_urls import FlyteUrl

RUN = ExecutionId("p", "d", "e")


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("flyte://v1/p/d/e/n0/i", FlyteUrl(RUN, NodeId("n0"), None, "i", "")),
        ("flyte://v1/p/d/e/n0/3/o", FlyteUrl(RUN, NodeId("n0"), 3, "o", "")),
        ("flyte://v1/p/d/e/start-node/o/o0", FlyteUrl(RUN, NodeId("start-node"), None, "o", "o0")),
        ("flyte://v1/p/d/e/n0/3/d", FlyteUrl(RUN, NodeId("n0"), 3, "d", "")),
    ],
)
def test_reads(url, wanted):
    assert flyte_urls.parse(url) == wanted


@pytest.mark.parametrize(
    "url",
    [
        "",
        "flyte://v1/p/d/e/n0",
        "flyte://v2/p/d/e/n0/i",
        "flyte://v1/p/d/e/n0/x",
        "flyte://v1/p/d/e/n0/d/x",
        "s3://b/k",
    ],
)
def test_refuses(url):
    with pytest.raises(errors.InvalidArgument):
        flyte_urls.parse(url)


def test_builds_what_it_reads():
    built = flyte_urls.build(RUN, NodeId("n0"), 1, deck=True)
    assert [flyte_urls.parse(url).part for url in (built.inputs, built.outputs, built.deck)] == ["i", "o", "d"]
    assert flyte_urls.build(RUN, NodeId("n0")).deck == ""
