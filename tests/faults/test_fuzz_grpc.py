"""Any message on any method: each is answered, with a code that was meant, and the server lives on.

`make test` sends some, always the same; `DAYFLY_FUZZ_CALLS=50000` makes a campaign of it, other ones each time. The
counts stand at the end of pytest's report.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import grpc
import pytest
from flyteidl.admin import common_pb2, project_pb2
from google.protobuf.descriptor import MethodDescriptor
from hypothesis import HealthCheck, Phase, given, settings

from dayfly.services import server
from tests.fuzzing import corpus, messages
from tests.fuzzing.api_process import ApiProcess

METHODS = [method for service in server.SERVICES for method in service.methods]
CAMPAIGN = int(os.environ.get("DAYFLY_FUZZ_CALLS", "0"))
CALLS = -(-CAMPAIGN // len(METHODS)) or 30
"""Calls of each method."""

SECONDS = 10.0
"""Whatever takes longer hangs."""

MEMORY_BYTES = 300 * 1024 * 1024
"""What the server may hold more after all of them than after the first: caches, not leaks."""

MEANT = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
"""INTERNAL and UNKNOWN would be bugs, UNAVAILABLE would be retried, UNAUTHENTICATED would open a browser."""

LISTS = {
    "ListTasks": "eq(project,flytesnacks)",
    "ListWorkflows": "",
    "ListLaunchPlans": "",
    "ListExecutions": "value_in(state,0;1)",
}


class Fuzzed:
    """A server with something in it, the channel to it, and how its answers were."""

    def __init__(self, process: ApiProcess, channel: grpc.Channel, known: corpus.Corpus) -> None:
        self.process, self.channel, self.known = process, channel, known
        self.codes: Counter[str] = Counter()
        self.began_bytes = process.memory_bytes()

    def send(self, path: str, raw: bytes) -> grpc.StatusCode:
        """Send bytes, and hold the answer to what every answer must be."""
        before = self.process.written()
        try:
            self.channel.unary_unary(path)(raw, timeout=SECONDS)
            code, told = grpc.StatusCode.OK, ""
        except grpc.RpcError as error:
            code, told = error.code(), error.details()
        self.codes[code.name] += 1
        assert code in MEANT, f"{path}: {code.name} {told}\n{raw!r}\n{self.process.log.read_text()[-4000:]}"
        if code is not grpc.StatusCode.OK:
            assert self.process.written() == before, f"{path} was refused ({told}) but has written\n{raw!r}"
            assert told, path
        return code


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Fuzzed]:
    folder = tmp_path_factory.mktemp("fuzzed")
    known = corpus.seed(folder)
    with ApiProcess(folder) as process, grpc.insecure_channel(process.address) as channel:
        running = Fuzzed(process, channel, known)
        yield running
        reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            grown = (process.memory_bytes() - running.began_bytes) >> 20
            counts = ", ".join(f"{name} {count}" for name, count in running.codes.most_common())
            peak = process.peak_memory_bytes() >> 20
            reporter.write_line(
                f"\n{running.codes.total()} fuzzed calls: {counts}; memory +{grown} MiB, peak {peak} MiB"
            )


def every(count: int):
    """Return settings for that many examples: in `make test` always the same ones."""
    return settings(
        max_examples=count,
        derandomize=not CAMPAIGN,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


def path_of(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


@pytest.mark.parametrize("method", METHODS, ids=path_of)
def test_any_message(fuzzed: Fuzzed, method: MethodDescriptor) -> None:
    @every(CALLS)
    @given(messages.requests(method, fuzzed.known))
    def send(request) -> None:
        fuzzed.send(path_of(method), request.SerializeToString())

    send()


@pytest.mark.parametrize("method", METHODS, ids=path_of)
def test_any_bytes(fuzzed: Fuzzed, method: MethodDescriptor) -> None:
    @every(-(-CALLS // 3))
    @given(messages.garbage(method, fuzzed.known))
    def send(raw: bytes) -> None:
        fuzzed.send(path_of(method), raw)

    send()


def test_what_was_taken_can_be_read(fuzzed: Fuzzed) -> None:
    """Page through every list of every project: nothing that was accepted makes a later answer fail."""
    admin = "/flyteidl.service.AdminService"
    call = fuzzed.channel.unary_unary(
        f"{admin}/ListProjects",
        request_serializer=project_pb2.ProjectListRequest.SerializeToString,
        response_deserializer=project_pb2.Projects.FromString,
    )
    projects = call(project_pb2.ProjectListRequest(filters="value_in(state,0;1;2;3)"), timeout=SECONDS).projects
    assert "flytesnacks" in [one.id for one in projects]
    for project in projects:
        for domain in project.domains:
            for name, filters in LISTS.items():
                request = common_pb2.ResourceListRequest(
                    id={"project": project.id, "domain": domain.id}, limit=100_000, filters=filters
                )
                assert fuzzed.send(f"{admin}/{name}", request.SerializeToString()) is grpc.StatusCode.OK


def test_the_server_is_alive_and_no_larger(fuzzed: Fuzzed) -> None:
    assert fuzzed.process.is_alive()
    assert fuzzed.process.memory_bytes() - fuzzed.began_bytes < MEMORY_BYTES
    for message in fuzzed.known.requests["flyteidl.service.AdminService", "CreateExecution"]:
        code = fuzzed.send("/flyteidl.service.AdminService/CreateExecution", message.SerializeToString())
        assert code is grpc.StatusCode.ALREADY_EXISTS
