"""Any request on any REST route: each is answered as it was meant, and the server lives on.

By schemathesis, from an OpenAPI document of the routes: what fits it, and what does not. Then right requests of the
corpus with fields changed, as JSON and as protobuf, and broken ones. `tests/fuzzing/campaign.py` says how many; the
counts stand in pytest's report.
"""

from __future__ import annotations

import http.client
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from urllib.parse import urlencode, urlsplit

import pytest
import requests
import schemathesis
from google.protobuf import json_format, message_factory
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import GenerationMode

from dayfly.gateway import rest, routes, transcoding
from tests.fuzzing import campaign, corpus, openapi, rest_requests
from tests.fuzzing.api_process import ApiProcess
from tests.fuzzing.rest_requests import Sent

ROUTES = routes.read_all()
DOCUMENT = schemathesis.openapi.from_dict(openapi.build(ROUTES))
CALLS = campaign.share(len(ROUTES), otherwise=24)
"""Calls of each route, a half of them from the corpus."""

FLOOR = 1400
"""Requests that were certainly made, and half as many that reached a method, which has counted them."""

MEANT = {200, 307, 400, 403, 404, 405, 409, 413, 415, 429}
"""5xx would be bugs; 401 would have somebody log in, where nobody can. 307 adds a slash that was forgotten."""

COUNTED = re.compile(r'^dayfly_rpc_calls_total\{.*rpc="(\w+)"\} (.+)$', re.MULTILINE)


def named(served: Sequence[routes.Route]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("route", served, ids=lambda route: f"{route.verb} {route.path}")


class Fuzzed:
    """A server with something in it, and how its answers were."""

    def __init__(self, process: ApiProcess, known: corpus.Corpus) -> None:
        self.process, self.known = process, known
        self.statuses: Counter[int] = Counter()
        self.began_bytes = process.memory_bytes()

    def send(self, sent: Sent, route: routes.Route | None = None) -> None:
        """Send a request as it is, and hold the answer to what every answer must be."""
        before = self.process.written()
        answer, body = self._ask(sent)
        self.statuses[answer.status] += 1
        story = f"{sent}\n{answer.status} {body[:2000]!r}\n{self.process.log_end()}"
        assert answer.status in MEANT, story
        if answer.status == 307:
            assert urlsplit(answer.headers["Location"]).netloc == self.process.address, story
        elif answer.status != 200:
            assert self.process.written() == before, f"refused, but has written: {story}"
            assert sent.verb == "HEAD" or _message(body), story
        if route is not None and answer.status == 200:
            kind = answer.headers["Content-Type"]
            assert kind == (sent.headers.get("Accept") or rest.JSON), story
            filled = message_factory.GetMessageClass(route.method.output_type)()
            filled.ParseFromString(body) if kind in transcoding.BINARY else json_format.Parse(body, filled)

    def reached(self) -> Counter[str]:
        """Return how many requests reached each method, as the server has counted."""
        _, told = self._ask(Sent("GET", "/metrics", {}, None))
        counted: Counter[str] = Counter()
        for rpc, count in COUNTED.findall(told.decode()):
            counted[rpc] += int(float(count))
        return counted

    def _ask(self, sent: Sent) -> tuple[http.client.HTTPResponse, bytes]:
        # A connection each: drawing what comes next may take longer than the server keeps one that is idle.
        with closing(http.client.HTTPConnection("127.0.0.1", self.process.port, timeout=campaign.SECONDS)) as one:
            one.request(sent.verb, sent.target, sent.body, sent.headers)
            answer = one.getresponse()
            return answer, answer.read()


def _message(body: bytes) -> str:
    told = json.loads(body)
    return str(told.get("message") or told.get("error") or told.get("detail") or "")


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Fuzzed]:
    folder = tmp_path_factory.mktemp("fuzzed")
    known = corpus.seed(folder)
    with ApiProcess(folder) as process:
        running = Fuzzed(process, known)
        yield running
        reached = running.reached().total()
        grown = (process.memory_bytes() - running.began_bytes) >> 20
        counts = ", ".join(f"{status}: {count}" for status, count in running.statuses.most_common())
        campaign.tell(
            pytestconfig,
            f"{running.statuses.total()} fuzzed requests, {reached} of them reached a method; {counts}; "
            f"memory +{grown} MiB, peak {process.peak_memory_bytes() >> 20} MiB",
        )


@named(ROUTES)
def test_what_fits_the_description(fuzzed: Fuzzed, route: routes.Route) -> None:
    send_described(fuzzed, route, GenerationMode.POSITIVE, CALLS // 4)


@named([route for route in ROUTES if route.method.input_type.fields and len(route.segments) < 9])
def test_what_does_not_fit_the_description(fuzzed: Fuzzed, route: routes.Route) -> None:
    # Not the longest paths, which take schemathesis a second each; `test_broken_requests` has them.
    send_described(fuzzed, route, GenerationMode.NEGATIVE, CALLS // 8)


def send_described(fuzzed: Fuzzed, route: routes.Route, mode: GenerationMode, count: int) -> None:
    operation = DOCUMENT[openapi.path_of(route)][route.verb]

    @campaign.every(count)
    @given(operation.as_strategy(generation_mode=mode))
    def send(case: schemathesis.Case) -> None:
        prepared = requests.Request(**case.as_transport_kwargs(base_url="http://here")).prepare()
        body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
        headers = {name: prepared.headers[name] for name in ("Content-Type",) if name in prepared.headers}
        fuzzed.send(Sent(route.verb, prepared.path_url, headers, body), route)

    send()


@named(ROUTES)
def test_right_requests_changed_a_little(fuzzed: Fuzzed, route: routes.Route) -> None:
    @campaign.every(CALLS // 2)
    @given(rest_requests.requests(route, fuzzed.known))
    def send(sent: Sent) -> None:
        fuzzed.send(sent, route)

    send()


@named(ROUTES)
def test_broken_requests(fuzzed: Fuzzed, route: routes.Route) -> None:
    @campaign.every(CALLS // 8)
    @given(rest_requests.garbage(route, fuzzed.known))
    def send(sent: Sent) -> None:
        fuzzed.send(sent, route)

    send()


PATHS = (
    "/api/v1",
    "/api/v1/projects",
    "/me",
    "/data/upload",
    "/data",
    "/logs",
    "/healthcheck",
    "/metrics",
    "/config/v1",
)


@pytest.mark.parametrize("verb", [*rest.VERBS, "OPTIONS"])
def test_any_path(fuzzed: Fuzzed, verb: str) -> None:
    parts = st.sampled_from(("..", ".", "", "%2e%2e", "%2F", "%00", "%FF", "a" * 3000, "flytesnacks", "development"))

    @campaign.every(CALLS)
    @given(st.sampled_from(PATHS), st.lists(parts, max_size=12), st.lists(st.tuples(parts, parts), max_size=3))
    def send(start: str, rest_of_path: list[str], query: list[tuple[str, str]]) -> None:
        fuzzed.send(Sent(verb, "/".join([start, *rest_of_path]) + "?" + urlencode(query), {}, None))

    send()


def test_the_server_is_alive_no_larger_and_has_nothing_to_complain_of(fuzzed: Fuzzed) -> None:
    assert fuzzed.process.is_alive()
    assert fuzzed.process.memory_bytes() - fuzzed.began_bytes < campaign.MEMORY_BYTES
    assert "Traceback" not in fuzzed.process.log.read_text()
    assert fuzzed.statuses.total() > FLOOR
    reached = fuzzed.reached()
    assert reached.total() > FLOOR // 2
    assert reached.keys() == {route.method.name for route in ROUTES}
