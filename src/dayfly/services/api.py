"""All services together, and which RPC each method answers: the one table that the gRPC server is built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dayfly.base.clock import Clock
from dayfly.ports.blobs import Blobs
from dayfly.ports.links import Links
from dayfly.ports.stores import Stores
from dayfly.services.answering import Handler
from dayfly.services.attributes import Attributes
from dayfly.services.auth import AuthMetadata
from dayfly.services.datacatalog import DataCatalog
from dayfly.services.dataproxy import DataProxy
from dayfly.services.descriptions import Descriptions
from dayfly.services.dynamic_workflows import DynamicWorkflows
from dayfly.services.execution_data import DataReader
from dayfly.services.execution_metrics import ExecutionMetrics
from dayfly.services.executions import Executions
from dayfly.services.identity import Identity
from dayfly.services.launch_plans import LaunchPlans
from dayfly.services.launch_targets import LaunchTargets
from dayfly.services.launching import Launcher
from dayfly.services.named_entities import NamedEntities
from dayfly.services.node_executions import NodeExecutions
from dayfly.services.outside_events import OutsideEvents
from dayfly.services.overrides import Overrides
from dayfly.services.projects import Projects
from dayfly.services.settings import ApiSettings
from dayfly.services.signals import Signals
from dayfly.services.task_executions import TaskExecutions
from dayfly.services.tasks import Tasks
from dayfly.services.version import Version
from dayfly.services.workflows import Workflows

UNSERVED: frozenset[str] = frozenset()
"""RPCs answered with UNIMPLEMENTED, on purpose."""


@dataclass(frozen=True)
class Api:
    """Every service, made."""

    tasks: Tasks
    workflows: Workflows
    launch_plans: LaunchPlans
    executions: Executions
    node_executions: NodeExecutions
    task_executions: TaskExecutions
    metrics: ExecutionMetrics
    outside_events: OutsideEvents
    projects: Projects
    named_entities: NamedEntities
    attributes: Attributes
    descriptions: Descriptions
    version: Version
    dataproxy: DataProxy
    datacatalog: DataCatalog
    signals: Signals
    auth: AuthMetadata
    identity: Identity
    launcher: Launcher
    """No RPC: what starts executions from inside (schedules) uses it too."""


def build(stores: Stores, blobs: Blobs, links: Links, now: Clock, settings: ApiSettings) -> Api:
    """Make all services."""
    definitions, runs = stores.definitions, stores.runs
    overrides = Overrides(stores.attributes)
    data = DataReader(blobs, links, now, settings)
    workflows = Workflows(definitions, now, settings)
    launch_plans = LaunchPlans(definitions, now, settings)
    targets = LaunchTargets(definitions, workflows, launch_plans)
    launcher = Launcher(definitions, runs, blobs, targets, overrides, now, settings)
    return Api(
        tasks=Tasks(definitions, overrides, now, settings),
        workflows=workflows,
        launch_plans=launch_plans,
        executions=Executions(runs, blobs, launcher, data, now),
        node_executions=NodeExecutions(runs, data, DynamicWorkflows(blobs)),
        task_executions=TaskExecutions(runs, data),
        metrics=ExecutionMetrics(runs, definitions),
        outside_events=OutsideEvents(runs),
        projects=Projects(definitions, settings),
        named_entities=NamedEntities(definitions),
        attributes=Attributes(stores.attributes, definitions, settings),
        descriptions=Descriptions(stores.descriptions),
        version=Version(settings),
        dataproxy=DataProxy(definitions, runs, blobs, links, data, now, settings),
        datacatalog=DataCatalog(stores.catalog, now),
        signals=Signals(runs, stores.signals, now),
        auth=AuthMetadata(settings),
        identity=Identity(),
        launcher=launcher,
    )


def bindings(api: Api) -> dict[str, Mapping[str, Handler]]:
    """Return the handlers by service and RPC name."""
    return {
        "flyteidl.service.AdminService": {
            **_definitions(api),
            **_executions(api),
            **_administration(api),
        },
        "flyteidl.service.DataProxyService": {
            "CreateUploadLocation": api.dataproxy.create_upload_location,
            "CreateDownloadLocation": api.dataproxy.create_download_location,
            "CreateDownloadLink": api.dataproxy.create_download_link,
            "GetData": api.dataproxy.get_data,
        },
        "flyteidl.service.SignalService": {
            "GetOrCreateSignal": api.signals.get_or_create,
            "ListSignals": api.signals.list,
            "SetSignal": api.signals.set,
        },
        "flyteidl.service.AuthMetadataService": {
            "GetOAuth2Metadata": api.auth.get_oauth2_metadata,
            "GetPublicClientConfig": api.auth.get_public_client_config,
        },
        "flyteidl.service.IdentityService": {"UserInfo": api.identity.user_info},
        "datacatalog.DataCatalog": _catalog(api),
    }


def _definitions(api: Api) -> dict[str, Handler]:
    return {
        "CreateTask": api.tasks.create,
        "GetTask": api.tasks.get,
        "ListTaskIds": api.named_entities.list_task_ids,
        "ListTasks": api.tasks.list,
        "CreateWorkflow": api.workflows.create,
        "GetWorkflow": api.workflows.get,
        "ListWorkflowIds": api.named_entities.list_workflow_ids,
        "ListWorkflows": api.workflows.list,
        "CreateLaunchPlan": api.launch_plans.create,
        "GetLaunchPlan": api.launch_plans.get,
        "GetActiveLaunchPlan": api.launch_plans.get_active,
        "ListActiveLaunchPlans": api.launch_plans.list_active,
        "ListLaunchPlanIds": api.named_entities.list_launch_plan_ids,
        "ListLaunchPlans": api.launch_plans.list,
        "UpdateLaunchPlan": api.launch_plans.update,
        "GetDescriptionEntity": api.descriptions.get,
        "ListDescriptionEntities": api.descriptions.list,
    }


def _executions(api: Api) -> dict[str, Handler]:
    return {
        "CreateExecution": api.executions.create,
        "RelaunchExecution": api.executions.relaunch,
        "RecoverExecution": api.executions.recover,
        "GetExecution": api.executions.get,
        "UpdateExecution": api.executions.update,
        "GetExecutionData": api.executions.get_data,
        "ListExecutions": api.executions.list,
        "TerminateExecution": api.executions.terminate,
        "GetExecutionMetrics": api.metrics.get,
        "GetNodeExecution": api.node_executions.get,
        "GetDynamicNodeWorkflow": api.node_executions.get_dynamic_workflow,
        "ListNodeExecutions": api.node_executions.list,
        "ListNodeExecutionsForTask": api.node_executions.list_for_task,
        "GetNodeExecutionData": api.node_executions.get_data,
        "GetTaskExecution": api.task_executions.get,
        "ListTaskExecutions": api.task_executions.list,
        "GetTaskExecutionData": api.task_executions.get_data,
        "CreateWorkflowEvent": api.outside_events.of_execution,
        "CreateNodeEvent": api.outside_events.of_node,
        "CreateTaskEvent": api.outside_events.of_task,
    }


def _administration(api: Api) -> dict[str, Handler]:
    return {
        "RegisterProject": api.projects.register,
        "UpdateProject": api.projects.update,
        "GetProject": api.projects.get,
        "ListProjects": api.projects.list,
        "GetDomains": api.projects.domains,
        "ListNamedEntities": api.named_entities.list,
        "GetNamedEntity": api.named_entities.get,
        "UpdateNamedEntity": api.named_entities.update,
        "GetVersion": api.version.get,
        "ListMatchableAttributes": api.attributes.list,
        "UpdateProjectAttributes": api.attributes.update_of_project,
        "GetProjectAttributes": api.attributes.get_of_project,
        "DeleteProjectAttributes": api.attributes.delete_of_project,
        "UpdateProjectDomainAttributes": api.attributes.update_of_domain,
        "GetProjectDomainAttributes": api.attributes.get_of_domain,
        "DeleteProjectDomainAttributes": api.attributes.delete_of_domain,
        "UpdateWorkflowAttributes": api.attributes.update_of_workflow,
        "GetWorkflowAttributes": api.attributes.get_of_workflow,
        "DeleteWorkflowAttributes": api.attributes.delete_of_workflow,
    }


def _catalog(api: Api) -> dict[str, Handler]:
    return {
        "CreateDataset": api.datacatalog.create_dataset,
        "GetDataset": api.datacatalog.get_dataset,
        "ListDatasets": api.datacatalog.list_datasets,
        "CreateArtifact": api.datacatalog.create_artifact,
        "GetArtifact": api.datacatalog.get_artifact,
        "ListArtifacts": api.datacatalog.list_artifacts,
        "UpdateArtifact": api.datacatalog.update_artifact,
        "AddTag": api.datacatalog.add_tag,
        "GetOrExtendReservation": api.datacatalog.get_or_extend_reservation,
        "ReleaseReservation": api.datacatalog.release_reservation,
    }
