"""The ways to die that `test_ways_to_die.py` makes for real, and what must be told of each."""

from __future__ import annotations

from typing import NamedTuple

BY_PLATFORM, BY_TASK, NEVER = "yes, by the platform", "as its `retries` say", "no"
"""Whether there is another attempt."""


class Way(NamedTuple):
    """One way to die. Programs are in `programs/`."""

    dies: str
    """For people."""
    task: str
    """Module and name; with a `way` among its inputs, that follows a colon."""
    code: str
    kind: str
    """USER or SYSTEM."""
    again: str
    said: tuple[str, ...]
    """Words of what is told: the true cause, and what to do."""

    @property
    def id(self) -> str:
        """Return a short name, as pytest shows it."""
        return self.task.rpartition(".")[2]


WAYS = (
    # -- waits: first, since they take longest -------------------------------------------------------------------------
    Way(
        "A user aborts it",
        "dying_clusters.is_aborted",
        "NodeAborted",
        "USER",
        NEVER,
        ("Execution aborted: enough of it",),
    ),
    Way(
        "A task waits for ever for a worker with a GPU, until its timeout of 20 s",
        "dying_clusters.waits_for_ever",
        "TimeoutExpired",
        "USER",
        BY_TASK,
        (
            "its timeout of 20 s. The cluster was stuck: 1 task(s), nap-",
            "with GPU=1, and none has that",
            "Ask for such",
        ),
    ),
    Way(
        "All workers are paused for want of memory, until the timeout of 20 s",
        "dying_clusters.workers_paused",
        "TimeoutExpired",
        "USER",
        BY_TASK,
        ("its timeout of 20 s. The cluster was stuck: all 2 workers are paused", "Give each worker more memory"),
    ),
    Way(
        "A task hangs on a worker, until the timeout of 20 s",
        "dying_clusters.hangs",
        "TimeoutExpired",
        "USER",
        BY_TASK,
        ("its timeout of 20 s. When it was stopped, worker-", "was computing nap-", "allow a longer timeout"),
    ),
    Way(
        "The driver waits 15 s for a worker that there is none of",
        "dying.in_driver:wants_no_such_worker",
        "DaskNoWorkerFits",
        "USER",
        NEVER,
        ("wait for a worker with GPU=1, and none has that", "drop the restriction"),
    ),
    Way(
        "Dask's own `no-workers-timeout` passes",
        "dying_clusters.waits_too_long",
        "DaskNoWorkerFits",
        "USER",
        NEVER,
        ("waited 2.00 s for a worker with GPU=1, and none has that", "drop the restriction"),
    ),
    # -- memory and disk -----------------------------------------------------------------------------------------------
    Way(
        "A memory bomb on a worker",
        "dying.on_worker:bomb",
        "DaskWorkerOutOfMemory",
        "USER",
        BY_TASK,
        ("ran out of memory while computing bomb-", "its limit is 380 MiB; 4 workers died of it", "smaller partitions"),
    ),
    Way(
        "A task asks Python for more memory than there is",
        "dying.on_worker:no_memory",
        "OOMKilled",
        "USER",
        BY_TASK,
        ("could not get the memory it asked for on worker-", "(task no_memory-", "Ask for more"),
    ),
    Way(
        "The driver holds more memory than its limit",
        "dying_clusters.driver_out_of_memory",
        "OOMKilled",
        "USER",
        BY_TASK,
        ("The driver ran out of memory", "its limit is 500 MiB", "Resources(mem=...)"),
    ),
    Way(
        "The graph holds more data than the scheduler's limit",
        "dying_clusters.scheduler_out_of_memory",
        "DaskSchedulerOutOfMemory",
        "USER",
        BY_TASK,
        ("The Dask scheduler ran out of memory", "its limit is 400 MiB", "Scheduler(limits=Resources(mem=...))"),
    ),
    Way(
        "The disk that workers spill to is full",
        "dying_clusters.spill_folder_full",
        "DaskDiskFull",
        "SYSTEM",
        BY_PLATFORM,
        ("ran out of memory while computing block-", "could not spill", "No space left on device", "Free space"),
    ),
    Way(
        "The disk that a task writes to is full",
        "dying.on_worker:no_disk",
        "DaskDiskFull",
        "SYSTEM",
        BY_PLATFORM,
        ("The disk is full on worker-", "(task no_disk-", "Free space"),
    ),
    # -- processes that end --------------------------------------------------------------------------------------------
    Way(
        "`os._exit` in a task",
        "dying.on_worker:leave",
        "DaskWorkersLost",
        "USER",
        BY_TASK,
        ("ended with exit code 7 while computing leave-", "os._exit", "run it on one input alone"),
    ),
    Way(
        "`sys.exit` in a task",
        "dying.on_worker:sys_exit",
        "DaskWorkersLost",
        "USER",
        BY_TASK,
        ("ended with exit code 3 while computing sys_exit-", "sys.exit", "run it on one input alone"),
    ),
    Way(
        "A crash in compiled code (SIGSEGV) on a worker",
        "dying.on_worker:crash",
        "DaskWorkersLost",
        "USER",
        BY_TASK,
        ("killed by SIGSEGV (11) (a crash in compiled code) while computing crash-", "run it on one input alone"),
    ),
    Way(
        "SIGKILL of each worker that takes a task",
        "dying.on_worker:killed",
        "DaskWorkersLost",
        "SYSTEM",
        BY_PLATFORM,
        ("killed by SIGKILL (9) while computing killed-", "from outside", "a new attempt may do"),
    ),
    Way(
        "SIGTERM of each worker that takes a task",
        "dying.on_worker:terminated",
        "DaskWorkersLost",
        "SYSTEM",
        BY_PLATFORM,
        ("was asked to end by SIGTERM (15) while computing terminated-", "from outside", "a new attempt may do"),
    ),
    Way(
        "SIGKILL of the scheduler",
        "dying.in_driver:kills_the_scheduler",
        "DaskSchedulerLost",
        "SYSTEM",
        BY_PLATFORM,
        ("The Dask scheduler was killed by SIGKILL (9)", "A new attempt gets a new cluster"),
    ),
    Way(
        "SIGKILL of the driver",
        "dying.in_driver:kills_itself",
        "Interrupted",
        "SYSTEM",
        BY_PLATFORM,
        ("killed by SIGKILL (9)", "from outside", "A new attempt may do"),
    ),
    Way(
        "SIGKILL of the supervisor of all these processes",
        "dying.in_driver:kills_its_supervisor",
        "DaskClusterLost",
        "SYSTEM",
        BY_PLATFORM,
        ("its supervisor was killed", "A new attempt gets a new cluster"),
    ),
    Way(
        "`os._exit` in the driver",
        "dying.in_driver:exits",
        "Interrupted",
        "SYSTEM",
        BY_PLATFORM,
        ("ended with exit code 3", "os._exit", "What to do"),
    ),
    Way(
        "A worker dies that had scattered data",
        "dying.in_driver:loses_data",
        "DaskDataLost",
        "SYSTEM",
        BY_PLATFORM,
        ("died and took scattered data along (list-", "broadcast=True"),
    ),
    # -- connections ---------------------------------------------------------------------------------------------------
    Way(
        "The scheduler's port is closed",
        "dying.in_driver:closes_the_port",
        "DaskConnectionLost",
        "SYSTEM",
        BY_PLATFORM,
        (
            "lost its connection to the Dask cluster, whose scheduler was still there",
            "its port is closed",
            "new attempt",
        ),
    ),
    Way(
        "The driver's connection to the scheduler is cut",
        "dying.in_driver:is_cut_off",
        "DaskConnectionLost",
        "SYSTEM",
        BY_PLATFORM,
        ("lost its connection to the Dask cluster, whose scheduler was still there", "is cut", "new attempt"),
    ),
    Way(
        "The workers' connections to the scheduler are cut",
        "dying.on_worker:loses_its_connection",
        "DaskConnectionLost",
        "SYSTEM",
        BY_PLATFORM,
        ("lost its connection to the scheduler while computing loses_its_connection-", "new attempt"),
    ),
    Way(
        "The task shuts its cluster down and goes on",
        "dying.in_driver:shuts_down",
        "DaskShutDown",
        "USER",
        NEVER,
        ("was shut down while the task still needed it: by client.shutdown()", "client.close()"),
    ),
    # -- what others cannot read ---------------------------------------------------------------------------------------
    Way(
        "A task imports a module that workers lack",
        "dying.on_worker:import_missing",
        "DaskCannotImport",
        "USER",
        NEVER,
        ("cannot import 'no_such_module_at_all', which task import_missing-", "Install it"),
    ),
    Way(
        "A task's function is in a module that workers lack",
        "dying_clusters.module_missing_on_workers",
        "DaskCannotImport",
        "USER",
        NEVER,
        ("Worker worker-", "cannot import 'prices', which task discount-", "Install it"),
    ),
    Way(
        "A task's function is in a module that only the driver has",
        "dying.in_driver:sends_what_the_scheduler_cannot_import",
        "DaskCannotImport",
        "USER",
        NEVER,
        ("The scheduler cannot import 'only_here', which the task graph needs", "register it with the code"),
    ),
    Way(
        "A result that cannot be pickled",
        "dying.on_worker:unpicklable",
        "DaskCannotPickle",
        "USER",
        NEVER,
        ("must be picklable", "type lock", "return plain data"),
    ),
    Way(
        "A function that cannot be pickled",
        "dying.in_driver:sends_a_lock",
        "DaskCannotPickle",
        "USER",
        NEVER,
        ("must be picklable", "sends_a_lock.<locals>.<lambda>", "inside the task"),
    ),
    Way(
        "A result that cannot be unpickled",
        "dying.on_worker:give_sour",
        "DaskCannotUnpickle",
        "USER",
        NEVER,
        ("The driver cannot unpickle a result: ValueError: this was kept by another version", "__setstate__"),
    ),
    Way(
        "An argument that cannot be unpickled",
        "dying.in_driver:sends_what_cannot_be_unpickled",
        "DaskCannotUnpickle",
        "USER",
        NEVER,
        ("The scheduler cannot unpickle the task graph: ValueError: this was kept by", "__setstate__"),
    ),
    # -- versions ------------------------------------------------------------------------------------------------------
    Way(
        "The workers' image has another dask",
        "dying_clusters.image_with_another_dask",
        "DaskVersionMismatch",
        "USER",
        NEVER,
        ("cannot form one Dask cluster", "2024.4.2", "from one lock"),
    ),
    Way(
        "Workers run with a dask of a year before, by a command of their own",
        "dying_clusters.worker_with_another_dask",
        "DaskVersionMismatch",
        "USER",
        NEVER,
        ("worker-", "has dask 2025.4.1 (the scheduler: 20", "misread", "Use one image for all roles"),
    ),
    Way(
        "Workers have another version of the user's package",
        "dying_clusters.package_mismatch",
        "DaskVersionMismatch",
        "USER",
        NEVER,
        ("has another version of 'prices' than the other roles: one without 'discount'", "Use one image"),
    ),
    # -- workers that never are ----------------------------------------------------------------------------------------
    Way(
        "No worker comes within the startup timeout of 2 s",
        "dying_clusters.no_worker_in_time",
        "DaskStartupTimeout",
        "SYSTEM",
        BY_PLATFORM,
        ("0 of 1 were ready after 2 s, though no worker has ended", "startup_timeout="),
    ),
    Way(
        "A setting of Dask makes no sense, so that the scheduler cannot begin",
        "dying_clusters.senseless_setting",
        "DaskSchedulerCannotStart",
        "USER",
        NEVER,
        ("The Dask scheduler cannot begin: it ended with exit code 1", "fast", "Look at DaskCluster(config=...)"),
    ),
    Way(
        "The command that starts workers is not there",
        "dying_clusters.no_such_command",
        "DaskWorkersCannotStart",
        "USER",
        BY_TASK,
        ("its workers end as they begin", "No such file or directory: 'no-such-worker'", "Look at command"),
    ),
    Way(
        "The module that workers preload is not there",
        "dying_clusters.no_such_preload",
        "DaskCannotImport",
        "USER",
        NEVER,
        ("cannot import 'no_such_preload', which it needs to begin", "Install it"),
    ),
    # -- the user's own errors -----------------------------------------------------------------------------------------
    Way(
        "A task raises",
        "dying.on_worker:raising",
        "USER:RuntimeError",
        "USER",
        NEVER,
        ("Task raising-", "raised ValueError('1 is not what was expected') on worker-", "What to do: Look at dying.py"),
    ),
    Way(
        "The driver raises",
        "dying.in_driver:raises",
        "USER:RuntimeError",
        "USER",
        NEVER,
        ("RuntimeError: the driver had enough", "What to do: Look at dying.py"),
    ),
)
