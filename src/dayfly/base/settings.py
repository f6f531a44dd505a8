"""Every setting, by theme: small frozen dataclasses, read once by `reading_settings`, then passed down.

Set one by its flag (`dayfly up --help`) or by its environment variable: `DAYFLY_<THEME>__<FIELD>`, for instance
`DAYFLY_HOST__CPUS=4`. `docs/settings.md` lists them all, and a test holds it to that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Backend = Literal["local", "kubernetes"]


@dataclass(frozen=True)
class ServerSettings:
    """Where the platform listens and how it names itself."""

    host: str = "127.0.0.1"
    """Address to listen on; loopback unless you say otherwise."""
    port: int = 30080
    """One port for gRPC, HTTP and console links; where Flyte's own sandbox has it."""
    public_url: str = ""
    """What links begin with; `http://<host>:<port>` when empty."""
    max_message_bytes: int = 64 * 1024 * 1024
    """Largest gRPC message or REST body that is taken; flytekit itself takes answers of 20 MiB."""


@dataclass(frozen=True)
class DataSettings:
    """Where everything is kept."""

    folder: Path = field(default_factory=lambda: Path.home() / ".dayfly")
    """Database, files, logs and records of running groups."""
    database: str = ""
    """`postgresql://USER:PASSWORD@HOST/NAME`, or `sqlite:///FILE`; SQLite in `<folder>/dayfly.db` when empty."""
    storage: str = ""
    """Any fsspec address for inputs, outputs and uploads, such as `s3://bucket`; `<folder>/storage` when empty."""
    secrets: str = ""
    """A folder of mounted secrets, `<group>/<key>` in lower case, for those that `dayfly secret` does not keep."""


@dataclass(frozen=True)
class EngineSettings:
    """What holds for executions that say nothing themselves."""

    backend: Backend = "local"
    """Where tasks run: `local`, as processes of this host, or `kubernetes`, as pods."""
    max_parallelism: int = 25
    """Task nodes queued or running at once in one execution; 0 is no limit."""
    system_retries: int = 3
    """System failures that are retried per node, beside the user's own attempts."""
    schedule_catch_up: int = 10
    """Moments of one schedule that were missed while no platform ran and are fired late; older ones are passed over."""
    max_output_bytes: int = 10 * 1024 * 1024
    """Largest outputs.pb a task may write; larger data belongs into files and datasets."""


@dataclass(frozen=True)
class LeaseSettings:
    """How long somebody may be silent."""

    execution_seconds: float = 30.0
    """How long a silent controller keeps an execution before another may take it."""
    group_seconds: float = 60.0
    """How long running tasks and clusters live on without a platform before they end themselves."""
    poll_seconds: float = 1.0
    """How often the controller looks for work that nobody announced."""


@dataclass(frozen=True)
class HostSettings:
    """What tasks on this host may take."""

    cpus: float = 0.0
    """Cores to give out; 0 takes what the machine has."""
    memory_bytes: int = 0
    """Memory to give out; 0 takes what the machine has, less a reserve for the rest."""
    strict_resources: bool = False
    """Fail a task that asks for more than the host has, rather than fit it and say so."""
    max_log_bytes: int = 100 * 1024 * 1024
    """What the log of one process may take on the disk: of a longer one begin and end are kept; 0 is no limit."""
    grace_seconds: float = 10.0
    """From SIGTERM to SIGKILL, when a task is stopped or the platform ends."""
    environments: dict[str, str] = field(default_factory=dict)
    """Image name pattern (`*gpu*`) to the Python interpreter that stands for it."""


@dataclass(frozen=True)
class TasksSettings:
    """What tasks get that say nothing, and what they may ask for; sizes are written as Kubernetes writes them."""

    default_cpu: str = "500m"
    """What a task counts for that asks for no CPU."""
    default_memory: str = "1Gi"
    """What a task counts for that asks for no memory; it is not held to it."""
    max_cpu: str = ""
    """The most that a task may ask for; registering one that asks for more is refused. Empty is no limit."""
    max_memory: str = ""
    """The same for memory."""
    max_ephemeral_storage: str = ""
    """The same for scratch space on disk."""
    max_gpus: int = 0
    """The same for GPUs; 0 is no limit."""
    memory_growth: float = 1.0
    """After running out of memory, a retry asks for this many times as much; 1 asks for the same again."""
    memory_growth_limit: str = ""
    """The most that such a retry asks for; empty is `max_memory`."""


@dataclass(frozen=True)
class NotificationsSettings:
    """How people are told of executions that have ended; see docs/notifications.md."""

    smtp_host: str = ""
    """Mail server; no mail is sent when empty."""
    smtp_port: int = 25
    """Its port: 25, 587 with `starttls`, 465 with `tls`."""
    smtp_security: str = ""
    """`starttls`, `tls`, or nothing for a server on this host."""
    smtp_user: str = ""
    """Name to log in with; no login when empty."""
    smtp_password: str = ""
    """Password to log in with."""
    sender: str = "dayfly@localhost"
    """Whom mail comes from."""
    slack_webhook: str = ""
    """Incoming webhook of Slack; Slack notifications go by mail when empty, as Flyte's do."""
    webhooks: dict[str, str] = field(default_factory=dict)
    """Addresses that get every end as JSON, with the phases they want (`FAILED,ABORTED`); nothing is all of them."""


@dataclass(frozen=True)
class ConnectorsSettings:
    """Tasks that run somewhere else: flytekit's connectors, such as sensors, BigQuery, Snowflake."""

    endpoints: str = ""
    """Connector services that run already, as `host:port,host:port`; each is asked what it knows."""
    modules: str = ""
    """Modules with connectors of your own, `one,two`, loaded beside those of installed flytekitplugins."""
    poll_seconds: float = 1.0
    """After how long a connector is first asked how its task is; then ever more rarely."""
    slowest_poll_seconds: float = 10.0
    """How rarely in the end."""
    call_seconds: float = 30.0
    """How long a connector may take to answer."""
    sync_seconds: float = 600.0
    """How long a connector may take that does its task while it is asked."""


@dataclass(frozen=True)
class DaskSettings:
    """Where Dask clusters come from."""

    cluster_class: str = ""
    """Class with the interface of `distributed.deploy.Cluster`, as `module:Class`; forked processes when empty."""
    cluster_arguments: dict[str, Any] = field(default_factory=dict)
    """What it is made with, in which `{threads}`, `{memory_bytes}` and others stand for what the task asks for."""


@dataclass(frozen=True)
class KubernetesSettings:
    """Pods, where the backend is Kubernetes; see docs/kubernetes.md."""

    kubeconfig: str = ""
    """File that says how to reach the cluster; `KUBECONFIG`, `~/.kube/config` or the pod's own account when empty."""
    context: str = ""
    """Which of its contexts; its current one when empty."""
    platform: str = "dayfly"
    """Tells the objects of several platforms in one cluster apart."""
    namespace: str = "{project}-{domain}"
    """Where an attempt's objects go; one name without braces keeps the platform to that namespace."""
    service_account: str = ""
    """Whom tasks run as that do not say; the namespace's default when empty."""
    image_pull_policy: str = ""
    """`Always`, `IfNotPresent` or `Never`; Kubernetes' own choice when empty."""
    pod_template: dict[str, Any] = field(default_factory=dict)
    """Pod template (`metadata`, `spec`) that every pod is laid over."""
    pod_template_name: str = ""
    """PodTemplate in the attempt's namespace that stands for it where a task names none."""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables of every task, such as how to reach the object store."""
    interruptible: dict[str, Any] = field(default_factory=dict)
    """Laid over the spec of pods that may be interrupted: tolerations, node selector, affinity."""
    safe: dict[str, Any] = field(default_factory=dict)
    """The same for pods that may not."""
    request_share: float = 1.0
    """This much of the CPU and memory that tasks request is kept for them; less lets a small cluster hold more pods."""
    gpu_resource: str = "nvidia.com/gpu"
    """What Kubernetes calls a GPU."""
    accelerator_label: str = "k8s.amazonaws.com/accelerator"
    """Label of nodes that says which accelerator they have."""
    partition_label: str = "k8s.amazonaws.com/gpu-partition-size"
    """Label of nodes that says how theirs are partitioned."""
    workflow_operator: bool = True
    """Whether the platform itself looks after FlyteWorkflow resources; else `dayfly operator` has to."""
    keep_workflows_seconds: float = 3600.0
    """How long the FlyteWorkflow of an execution stays after its end."""
    image_pull_seconds: float = 180.0
    """How long an image may fail to be pulled before the attempt fails; 0 is for ever, here and below."""
    create_container_seconds: float = 180.0
    """The same for a container that cannot be created."""
    unschedulable_seconds: float = 3600.0
    """The same for a pod that no node can take."""
    pending_seconds: float = 1800.0
    """The same for a pod on a node that has not begun for any other reason."""
    dask: str = "auto"
    """Who makes Dask clusters: `job`, the Dask operator, by a DaskJob; `pods`, the platform itself; `auto`, the
    operator where the cluster knows DaskJobs and the platform may make them."""
    operator_seconds: float = 60.0
    """How long a DaskJob may wait for the Dask operator to take it up before the attempt fails; 0 is for ever."""


@dataclass(frozen=True)
class Settings:
    """All themes."""

    server: ServerSettings = ServerSettings()
    data: DataSettings = field(default_factory=DataSettings)
    engine: EngineSettings = EngineSettings()
    lease: LeaseSettings = LeaseSettings()
    host: HostSettings = field(default_factory=HostSettings)
    tasks: TasksSettings = TasksSettings()
    notifications: NotificationsSettings = field(default_factory=NotificationsSettings)
    connectors: ConnectorsSettings = ConnectorsSettings()
    dask: DaskSettings = field(default_factory=DaskSettings)
    kubernetes: KubernetesSettings = field(default_factory=KubernetesSettings)
