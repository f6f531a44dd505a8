"""Any message on any method: each is answered, with a code that was meant, and the server lives on.

`tests/fuzzing/campaign.py` says how many. The counts stand in pytest's report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import grpc
import pytest
from flyteidl.admin import common_pb2, project_pb2
from google.protobuf.descriptor import MethodDescriptor
from hypothesis import given

from dayfly.services import server
from tests.fuzzing import campaign, corpus, messages
from tests.fuzzing.api_process import ApiProcess

METHODS = [method for service in server.SERVICES for method in service.methods]
CALLS = campaign.share(len(METHODS), otherwise=30)
"""Calls of each method."""

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
            self.channel.unary_unary(path)(raw, timeout=campaign.SECONDS)
            code, told = grpc.StatusCode.OK, ""
        except grpc.RpcError as error:
            code, told = error.code(), error.details()
        self.codes[code.name] += 1
        assert code in MEANT, f"{path}: {code.name} {told}\n{raw!r}\n{self.process.log_end()}"
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
        grown = (process.memory_bytes() - running.began_bytes) >> 20
        counts = ", ".join(f"{name} {count}" for name, count in running.codes.most_common())
        peak = process.peak_memory_bytes() >> 20
        campaign.tell(
            pytestconfig, f"{running.codes.total()} fuzzed calls: {counts}; memory +{grown} MiB, peak {peak} MiB"
        )


def path_of(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


@pytest.mark.parametrize("method", METHODS, ids=path_of)
def test_any_message(fuzzed: Fuzzed, method: MethodDescriptor) -> None:
    @campaign.every(CALLS)
    @given(messages.requests(method, fuzzed.known))
    def send(request) -> None:
        fuzzed.send(path_of(method), request.SerializeToString())

    send()


@pytest.mark.parametrize("method", METHODS, ids=path_of)
def test_any_bytes(fuzzed: Fuzzed, method: MethodDescriptor) -> None:
    @campaign.every(-(-CALLS // 3))
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
    projects = call(
        project_pb2.ProjectListRequest(filters="value_in(state,0;1;2;3)"), timeout=campaign.SECONDS
    ).projects
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
    assert fuzzed.process.memory_bytes() - fuzzed.began_bytes < campaign.MEMORY_BYTES
    for message in fuzzed.known.requests["flyteidl.service.AdminService", "CreateExecution"]:
        code = fuzzed.send("/flyteidl.service.AdminService/CreateExecution", message.SerializeToString())
        assert code is grpc.StatusCode.ALREADY_EXISTS
