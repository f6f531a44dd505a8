"""What a fork server imports before it forks, and what its children must set right because of that."""

from __future__ import annotations

import gc
import importlib
import os
import pathlib
import sys
import tempfile
import time
import traceback
from typing import Any

from . import entries, fitness, rehearsing, signals

ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "OPENBLAS_THREAD_TIMEOUT": "20",
}
"""Set while importing: a library's pool of threads would not survive the fork. And the threads that OpenBLAS starts in
a child look out for work for two to the power of this in clock ticks, a third of a millisecond, before they sleep; its
own 28 (`THREAD_TIMEOUT` in OpenMathLib/OpenBLAS) takes a core from the others for as long as a short task takes."""

LAZY = (
    "fsspec.implementations.local",
    "flytekit.core.python_auto_container",
    "flytekit.core.array_node_map_task",
    "flytekit.extras.tasks.shell",
    "threadpoolctl",
)
"""What tasks import on their way beside the modules asked for; one that is absent is no loss."""

LOOP_ENDS_SECONDS = 5.0
"""How long a loop of flytekit's may take to end; nothing runs on it once an import is over."""


class Preloaded:
    """An interpreter with modules in it, ready to be forked."""

    def __init__(self) -> None:
        self.base_env = {name: value for name, value in os.environ.items() if not name.startswith("DAYFLY_")}
        self.module_path = list(sys.path)
        self.bin_dir = os.path.dirname(sys.executable)
        self.handlers = signals.handlers()
        """What signals do in a fresh interpreter that has these modules."""
        self.pools: list[tuple[Any, int]] = []
        self.copied: list[tuple[int, int]] | None = None
        """The memory that short tasks write to, once one has told."""
        os.environ.update({name: value for name, value in ONE_THREAD.items() if name not in self.base_env})

    def load_libraries(self, modules: list[str]) -> None:
        """Import the libraries. Raises `ImportError` and whatever else importing them raises."""
        for name in modules:
            entries.load(name)
        for name in LAZY:
            if name.partition(".")[0] in sys.modules or name == "threadpoolctl":
                try:
                    importlib.import_module(name)
                except ImportError:
                    continue
        rehearsing.rehearse()
        _end_flytekit_loops()
        self._freeze()

    def load_user_modules(self, distribution: str, modules: list[str], env: dict[str, str]) -> str:
        """Import the user's modules; return why they must not be preloaded, empty when all is well."""
        os.environ.update(env)
        paths = [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]
        sys.path[:0] = [*paths, distribution] if distribution else paths
        cwd = os.getcwd()
        try:
            os.chdir(distribution or cwd)
            with fitness.Watch() as watch:
                for name in modules:
                    importlib.import_module(name)
            _end_flytekit_loops()
        except BaseException as error:  # noqa: BLE001 - the user's own code: it fails again in the attempt, where it is reported
            traceback.print_exc()
            return f"importing {', '.join(modules)} raised {type(error).__name__}: {error}"
        finally:
            os.chdir(cwd)
        if objection := watch.objection():
            return f"importing {', '.join(modules)} {objection}"
        self._freeze()
        return ""

    def settle(self, temporary_dir: str) -> None:
        """In a child: give it a life of its own in what the parent has set up."""
        tempfile.tempdir = None
        for library, threads in self.pools:
            library.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or threads))
        numpy_random = sys.modules.get("numpy.random")
        if numpy_random is not None:
            numpy_random.seed()
        contexts = sys.modules.get("flytekit.core.context_manager")
        if contexts is not None:
            _move_sandbox(contexts, temporary_dir)

    def refresh_dask(self) -> None:
        """In a child: let dask read its settings from files and environment again, where the latter has any beside
        those that are told later. It takes milliseconds, which a driver would wait for whose cluster is there already.
        """
        config = sys.modules.get("dask.config")
        told = (value for name, value in os.environ.items() if name.startswith("DASK_"))
        if config is not None and any("{fact:" not in value for value in told):
            config.refresh()

    def tell_dask(self, environ: dict[str, str]) -> None:
        """In a child: give dask the settings among these variables, and read nothing else again."""
        config = sys.modules.get("dask.config")
        if config is not None:
            config.update(config.config, config.collect_env(environ))

    def _freeze(self) -> None:
        self.handlers = signals.handlers()
        self.pools = _thread_pools()
        gc.collect()
        gc.freeze()


def _thread_pools() -> list[tuple[Any, int]]:
    """Return the numeric libraries that were held to one thread, with the number they would have had."""
    threadpoolctl = sys.modules.get("threadpoolctl")
    if threadpoolctl is None:
        return []
    count = len(os.sched_getaffinity(0))
    return [(library, count) for library in threadpoolctl.ThreadpoolController().lib_controllers]


def _end_flytekit_loops() -> None:
    """End the threads that flytekit runs its own coroutines on; every module with a `LaunchPlan` starts one.

    flytekit keeps them by process id: a child makes its own (`_AsyncLoopManager.run_sync` in flytekit/utils/asyn.py).
    """
    asyn = sys.modules.get("flytekit.utils.asyn")
    runners = getattr(getattr(asyn, "loop_manager", None), "_runner_map", {})
    for name, runner in list(runners.items()):
        loop = getattr(runner, "_TaskRunner__loop", None)
        thread = getattr(runner, "_TaskRunner__runner_thread", None)
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(LOOP_ENDS_SECONDS)
            del runners[name]
            # Python has done with a thread a moment before the kernel has.
            until = time.monotonic() + LOOP_ENDS_SECONDS
            while os.path.exists(f"/proc/self/task/{thread.native_id}") and time.monotonic() < until:
                time.sleep(0.001)


def _move_sandbox(contexts: Any, temporary_dir: str) -> None:
    """Point flytekit's scratch folder, made at import, into the group's own."""
    access = contexts.FlyteContextManager.current_context().file_access
    if hasattr(access, "_local_sandbox_dir"):
        access._local_sandbox_dir = pathlib.Path(temporary_dir) / "flytekit"
        access._local_sandbox_dir.mkdir(exist_ok=True)
