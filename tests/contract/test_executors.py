"""What every executor keeps to: one suite for the local one, with real processes, for connectors, and for the one in
memory; and for echoes, as far as these run at all."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import tarfile
import venv
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import msgspec
import pytest
from flyteidl.core import literals_pb2, tasks_pb2

from dayfly import environments
from dayfly.base import errors
from dayfly.base.clock import ManualClock, SystemClock
from dayfly.executors import echo, local
from dayfly.executors.connector import endpoints, hosting
from dayfly.executors.connector.executor import ConnectorExecutor
from dayfly.executors.local.executor import LocalExecutor
from dayfly.model.identifiers import AttemptKey, EntityId
from dayfly.model.phases import FailureKind
from dayfly.ports.executors import TERMINAL, AttemptSpec, Executor, Observation, ObservationKind
from tests.contract import groups
from tests.fakes.blobs import MemoryBlobs
from tests.fakes.connectors import FakeConnectors
from tests.fakes.executor import FakeExecutor

KEY = AttemptKey("p/d/run/n0/0")

RESOLVER = ("--resolver", "flytekit.core.python_auto_container.default_task_resolver", "--")


def make_spec(*argv: str, key: AttemptKey = KEY, **rest: object) -> AttemptSpec:
    plain = AttemptSpec(
        key=key,
        generated_name="run-n0-0",
        task=EntityId(1, "p", "d", "module.task", "v"),
        task_type="python-task",
        template=tasks_pb2.TaskTemplate().SerializeToString(),
        argv=argv,
        env={},
        inputs_uri="memory://store/inputs.pb",
        output_prefix=f"memory://store/{key}",
    )
    return msgspec.structs.replace(plain, **rest)


class Stand(Protocol):
    """An executor, and what tests do to the world behind it."""

    executor: Executor

    def finish(self, key: AttemptKey) -> None: ...
    async def restart(self) -> None: ...


class LocalStand:
    def __init__(self, data: Path, *rules: tuple[str, str]) -> None:
        self.data, self.rules = data, rules
        self.settings = local.LocalSettings(data=data, lease_seconds=20.0, grace_seconds=0.5)
        self.executor = self._make()

    def _make(self) -> LocalExecutor:
        self.groups = local.build_groups(self.settings, SystemClock())
        code = local.build_distributions(self.settings, FolderBlobs())  # type: ignore[arg-type]
        known = environments.build(sys.executable, self.rules)
        return local.build(self.settings, self.groups.share(), known, code.unpack, SystemClock())

    def finish(self, key: AttemptKey) -> None:
        """Let the command of `waiting` go on."""
        (self.data / "run" / "work" / key.replace("/", ".") / "go").touch()

    async def restart(self) -> None:
        await self.groups.abandon()
        self.executor = self._make()


class FakeStand:
    def __init__(self) -> None:
        self.executor = FakeExecutor(ManualClock())

    def finish(self, key: AttemptKey) -> None:
        self.executor.end(key)

    async def restart(self) -> None:
        self.executor = FakeExecutor(ManualClock(), self.executor.world)


class ConnectorStand:
    def __init__(self, data: Path, connectors: FakeConnectors) -> None:
        self.data, self.connectors = data, connectors
        self.executor = self._make()

    def _make(self) -> ConnectorExecutor:
        own = hosting.Host(sys.executable, (), self.data / "connectors.log", {})
        known = endpoints.Endpoints(own, (self.connectors.address,), call_seconds=5.0)
        patience = {"poll_seconds": 0.01, "slowest_poll_seconds": 0.05, "call_seconds": 5.0, "sync_seconds": 5.0}
        return ConnectorExecutor(known, MemoryBlobs(), SystemClock(), **patience)

    def finish(self, key: AttemptKey) -> None:
        self.connectors.done.add(make_spec(key=key).output_prefix)

    async def restart(self) -> None:
        await self.executor.close(grace_seconds=0)
        self.executor = self._make()


class FolderBlobs:
    """As much of `ports.blobs` as unpacking needs: addresses are paths."""

    async def read_stream(self, uri: str) -> AsyncIterator[bytes]:
        path = Path(uri)
        if not await asyncio.to_thread(path.exists):
            raise errors.NotFound(f"There is no {uri}.")
        data = await asyncio.to_thread(path.read_bytes)
        for start in range(0, len(data), 1000):
            yield data[start : start + 1000]


WAITING = ("sh", "-c", "until [ -e go ]; do sleep 0.01; done")


@pytest.fixture(params=["local", "fake", "connector"])
async def stand(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stand]:
    async with FakeConnectors("python-task") as connectors:
        made: Stand = {
            "local": lambda: LocalStand(tmp_path),
            "fake": FakeStand,
            "connector": lambda: ConnectorStand(tmp_path, connectors),
        }[request.param]()
        yield made
        await made.executor.close(grace_seconds=0)
        await groups.until_gone(lambda: groups.of(tmp_path))


here_only = pytest.mark.parametrize("stand", ["local", "fake"], indirect=True)
"""What is done elsewhere needs no command, and goes on where the platform ends."""


async def until(executor: Executor, key: AttemptKey, *kinds: ObservationKind) -> Observation:
    async def look() -> Observation:
        async for seen in executor.watch():
            if seen.key == key and (seen.kind in kinds or (not kinds and seen.kind in TERMINAL)):
                return seen
        raise AssertionError(f"watching ended before {key} was {kinds}")

    return await asyncio.wait_for(look(), groups.PATIENCE_SECONDS)


async def test_an_attempt_runs_and_exits(stand: Stand) -> None:
    await stand.executor.start(make_spec(*WAITING))
    assert (await until(stand.executor, KEY, ObservationKind.RUNNING)).exit_code is None
    stand.finish(KEY)
    seen = await until(stand.executor, KEY)
    assert (seen.kind, seen.exit_code, seen.signal) == (ObservationKind.EXITED, 0, None)


async def test_started_twice_it_runs_once(stand: Stand) -> None:
    handles = [await stand.executor.start(make_spec(*WAITING)) for _ in range(2)]
    assert handles[0] == handles[1]
    await until(stand.executor, KEY, ObservationKind.RUNNING)
    stand.finish(KEY)
    assert (await until(stand.executor, KEY)).kind is ObservationKind.EXITED


@here_only
async def test_without_a_command_it_is_refused(stand: Stand) -> None:
    with pytest.raises(errors.InvalidArgument, match=r"module\.task"):
        await stand.executor.start(make_spec())


async def test_stopped(stand: Stand) -> None:
    handle = await stand.executor.start(make_spec(*WAITING))
    await until(stand.executor, KEY, ObservationKind.RUNNING)
    for _ in range(2):
        await stand.executor.stop(KEY, handle, grace_seconds=5)
    assert (await until(stand.executor, KEY)).kind is ObservationKind.STOPPED
    await stand.executor.stop(KEY, handle, grace_seconds=5)


async def test_taken_back_by_the_next_platform(stand: Stand) -> None:
    handle = await stand.executor.start(make_spec(*WAITING))
    await until(stand.executor, KEY, ObservationKind.RUNNING)
    await stand.restart()
    assert (await stand.executor.recover(KEY, handle)).kind is ObservationKind.RUNNING
    stand.finish(KEY)
    assert (await until(stand.executor, KEY)).kind is ObservationKind.EXITED
    await stand.restart()
    recovered = await stand.executor.recover(KEY, handle)
    if isinstance(stand, ConnectorStand):
        # Who has to ask elsewhere does not keep a platform waiting that starts: the truth follows.
        recovered = await until(stand.executor, KEY)
    assert recovered.kind is ObservationKind.EXITED


async def test_unknown_attempts_are_lost_and_forgetting_them_is_fine(stand: Stand) -> None:
    seen = await stand.executor.recover(KEY, b"")
    assert (seen.kind, seen.failure_kind, seen.recoverable) == (ObservationKind.FAILED, FailureKind.SYSTEM, True)
    await stand.executor.stop(AttemptKey("p/d/other/n0/0"), b"", grace_seconds=0)
    await stand.executor.forget(AttemptKey("p/d/other/n0/0"), b"")


async def test_forgotten_it_may_be_started_again(stand: Stand) -> None:
    for _ in range(2):
        handle = await stand.executor.start(make_spec(*WAITING))
        await until(stand.executor, KEY, ObservationKind.RUNNING)
        stand.finish(KEY)
        await until(stand.executor, KEY)
        await stand.executor.forget(KEY, handle)


@here_only
async def test_closing_interrupts(stand: Stand) -> None:
    await stand.executor.start(make_spec(*WAITING))
    await until(stand.executor, KEY, ObservationKind.RUNNING)
    watching = stand.executor.watch()
    closing = asyncio.create_task(stand.executor.close(grace_seconds=5))
    seen = [one async for one in watching][-1]
    await closing
    assert (seen.kind, seen.code, seen.failure_kind) == (ObservationKind.FAILED, "Interrupted", FailureKind.SYSTEM)
    assert seen.recoverable


# --- what goes on elsewhere, and what needs no time -----------------------------------------------------------------


async def test_what_runs_elsewhere_goes_on_without_a_platform(tmp_path: Path) -> None:
    async with FakeConnectors("python-task") as connectors:
        stand = ConnectorStand(tmp_path, connectors)
        handle = await stand.executor.start(make_spec())
        await until(stand.executor, KEY, ObservationKind.RUNNING)
        watching = stand.executor.watch()
        await stand.restart()
        assert [one.kind async for one in watching] == []
        stand.finish(KEY)
        assert (await stand.executor.recover(KEY, handle)).kind is ObservationKind.RUNNING
        assert (await until(stand.executor, KEY)).kind is ObservationKind.EXITED
        assert len(connectors.created) == 1
        assert connectors.deleted == []
        await stand.executor.close(grace_seconds=0)


def echo_spec(inputs: int, outputs: int, blobs: MemoryBlobs) -> AttemptSpec:
    template = tasks_pb2.TaskTemplate()
    literals = literals_pb2.LiteralMap()
    for name in "ab"[:inputs]:
        template.interface.inputs.variables[name].SetInParent()
        literals.literals[name].scalar.primitive.integer = 7
    for name in "cd"[:outputs]:
        template.interface.outputs.variables[name].SetInParent()
    blobs.stored[make_spec().inputs_uri] = literals.SerializeToString()
    return make_spec(template=template.SerializeToString())


async def test_an_echo_has_ended_when_it_has_started() -> None:
    blobs = MemoryBlobs()
    spec = echo_spec(1, 1, blobs)
    executor = echo.EchoExecutor(blobs, ManualClock())
    handles = [await executor.start(spec) for _ in range(2)]
    assert handles[0] == handles[1]
    assert (await until(executor, KEY)).kind is ObservationKind.EXITED
    outputs = literals_pb2.LiteralMap.FromString(blobs.stored[f"{spec.output_prefix}/outputs.pb"])
    assert outputs.literals["c"].scalar.primitive.integer == 7
    await executor.stop(KEY, handles[0], grace_seconds=0)
    await executor.forget(KEY, handles[0])
    next_one = echo.EchoExecutor(blobs, ManualClock())
    assert (await next_one.recover(KEY, handles[0])).kind is ObservationKind.EXITED
    lost = await next_one.recover(KEY, b"")
    assert (lost.kind, lost.failure_kind, lost.recoverable) == (ObservationKind.FAILED, FailureKind.SYSTEM, True)
    watching = executor.watch()
    await executor.close(grace_seconds=0)
    assert {one.kind async for one in watching} == {ObservationKind.EXITED}


@pytest.mark.parametrize(("inputs", "outputs"), [(2, 2), (1, 0), (0, 1)])
async def test_an_echo_copies_one_input_to_one_output(inputs: int, outputs: int) -> None:
    blobs = MemoryBlobs()
    with pytest.raises(errors.InvalidArgument, match=f"it has {inputs} and {outputs}"):
        await echo.EchoExecutor(blobs, ManualClock()).start(echo_spec(inputs, outputs, blobs))


# --- what only processes do -----------------------------------------------------------------------------------------


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[LocalStand]:
    made = LocalStand(tmp_path)
    yield made
    await made.executor.close(grace_seconds=0)
    await groups.until_gone(lambda: groups.of(tmp_path))


async def test_failures_are_told_in_words(here: LocalStand) -> None:
    await here.executor.start(make_spec("sh", "-c", "seq 30; exit 5"))
    seen = await until(here.executor, KEY)
    assert (seen.exit_code, seen.message) == (5, "ended with exit code 5")
    assert seen.log_tail.splitlines() == [str(number) for number in range(11, 31)]
    assert seen.logs[0].uri == "http://127.0.0.1:30080/api/dayfly/v1/logs/p/d/run/n0/0/driver"
    assert (here.data / "logs" / "p/d/run/n0/0" / "driver.log").exists()


async def test_a_command_needs_no_flytekit_in_its_environment(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    stand = LocalStand(tmp_path / "data", ("bare:*", str(tmp_path / "bare" / "bin" / "python")))
    program = "import sys, importlib.util as found; print(sys.prefix, found.find_spec('flytekit'))"
    await stand.executor.start(make_spec("python", "-c", program, image="bare:1"))
    seen = await until(stand.executor, KEY)
    assert (seen.exit_code, seen.log_tail) == (0, f"{tmp_path / 'bare'} None")
    await stand.executor.close(grace_seconds=0)
    await groups.until_gone(lambda: groups.of(tmp_path))


CODE = """
import os, sys
from pathlib import Path
from flytekit import task

HERE = Path(__file__).parent
IMPORTED_BY = os.getpid()

@task
def double(a: int) -> int:
    (Path.cwd() / "mine").touch()
    print("cwd holds", sorted(os.listdir()), "preloaded", os.getpid() != IMPORTED_BY, "env", os.environ["VERSION"])
    return 2 * a

@task
def broken(a: int) -> int:
    if a:
        raise ValueError("my own mistake")
    return a
"""


def pack(folder: Path, files: dict[str, str]) -> str:
    uri = folder / "fast123.tar.gz"
    with tarfile.open(uri, "w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return str(uri)


def fast_spec(folder: Path, uri: str, task: str, number: int, **env: str) -> AttemptSpec:
    template = tasks_pb2.TaskTemplate()
    template.container.env.add(key="VERSION", value="one")
    inputs = literals_pb2.LiteralMap()
    inputs.literals["a"].scalar.primitive.integer = 21
    (folder / "inputs.pb").write_bytes(inputs.SerializeToString())
    return make_spec(
        *("pyflyte-fast-execute", "--additional-distribution", uri, "--dest-dir", "/tmp", "--", "pyflyte-execute"),
        *("--inputs", str(folder / "inputs.pb"), "--output-prefix", str(folder / f"out{number}")),
        *("--raw-output-data-prefix", str(folder / "raw"), *RESOLVER, "task-module", "my_code", "task-name", task),
        key=AttemptKey(f"p/d/run/n{number}/0"),
        template=template.SerializeToString(),
        env={"VERSION": "one", "FLYTE_INTERNAL_EXECUTION_ID": "run"} | env,
        **({"volatile_env": frozenset(env)} if env else {}),
    )


async def test_fast_registered_code(here: LocalStand) -> None:
    uri = pack(here.data, {"my_code.py": CODE})
    for number, env in enumerate(({}, {}, {"SET_BY_EXECUTION": "1"})):
        spec = fast_spec(here.data, uri, "double", number, **env)
        await here.executor.start(spec)
        seen = await until(here.executor, spec.key)
        log = (here.data / "logs" / spec.key / "driver.log").read_text()
        assert seen.exit_code == 0, log
        outputs = literals_pb2.LiteralMap.FromString((here.data / f"out{number}" / "outputs.pb").read_bytes())
        assert outputs.literals["o0"].scalar.primitive.integer == 42
        assert f"cwd holds ['mine', 'my_code.py'] preloaded {not env} env one" in log
    assert "my_code.py" not in await asyncio.to_thread(os.listdir, "/tmp")


async def test_the_users_own_error_is_written_as_flytekit_writes_it(here: LocalStand) -> None:
    uri = pack(here.data, {"my_code.py": CODE})
    spec = fast_spec(here.data, uri, "broken", 0)
    await here.executor.start(spec)
    assert (await until(here.executor, spec.key)).exit_code == 0
    assert b"my own mistake" in (here.data / "out0" / "error.pb").read_bytes()


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n", 0),
        ("import os\nif 'FLYTE_INTERNAL_EXECUTION_ID' not in os.environ: os._exit(9)\n", 0),
    ],
    ids=["starts threads", "crashes the interpreter"],
)
async def test_code_that_cannot_be_imported_before_a_fork(here: LocalStand, code: str, exit_code: int) -> None:
    uri = pack(here.data, {"my_code.py": code + CODE})
    spec = fast_spec(here.data, uri, "double", 0)
    await here.executor.start(spec)
    assert (await until(here.executor, spec.key)).exit_code == exit_code
    assert "preloaded False" in (here.data / "logs" / spec.key / "driver.log").read_text()


async def test_code_that_does_not_import(here: LocalStand) -> None:
    uri = pack(here.data, {"my_code.py": "import no_such_module\n" + CODE})
    spec = fast_spec(here.data, uri, "double", 0)
    await here.executor.start(spec)
    await until(here.executor, spec.key)
    assert b"No module named 'no_such_module'" in (here.data / "out0" / "error.pb").read_bytes()


async def test_out_of_memory(here: LocalStand) -> None:
    bomb = "import time; held = []\nwhile True: held.append(b'x' * 8388608); time.sleep(0.005)"
    spec = make_spec(sys.executable, "-c", bomb, memory_limit_bytes=120 * 1024 * 1024)
    await here.executor.start(msgspec.structs.replace(spec, cpu_limit=1.0))
    seen = await until(here.executor, KEY)
    assert (seen.kind, seen.failure_kind, seen.code) == (ObservationKind.FAILED, FailureKind.USER, "OOMKilled")
    assert "its limit is 120 MiB" in seen.message
    assert "Resources(mem=" in seen.message
