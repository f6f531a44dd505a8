"""Projects and domains."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flyteidl.admin import project_pb2

from dayfly.base import errors
from dayfly.ports.definitions import Definitions, Filter, Project
from dayfly.services import naming, paging, refusals
from dayfly.services.settings import ApiSettings

MAX_ID, MAX_PROJECT_NAME, MAX_DESCRIPTION, MAX_LABELS = 63, 64, 300, 16

ACTIVE_STATES = frozenset({project_pb2.Project.ACTIVE, project_pb2.Project.SYSTEM_GENERATED})
"""States in which a project takes new entities and executions."""

_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9\-]*[a-z0-9])?")


async def seed(definitions: Definitions) -> None:
    """Add the project that every Flyte starts with, unless it is there."""
    if await definitions.find_project("flytesnacks") is None:
        try:
            await definitions.create_project(Project("flytesnacks", "flytesnacks", "Default project setup."))
        except errors.AlreadyExists:
            pass  # Another server on the same database was faster.


async def require_active(definitions: Definitions, settings: ApiSettings, project: str, domain: str) -> Project:
    """Return the project. Raise `InvalidArgument` unless it is active and the domain is one of the configured."""
    naming.path_part(project, "project")
    if domain not in settings.domains:
        raise errors.InvalidArgument(
            f"domain {domain!r} is not known.", remedy=f"Known domains are: {', '.join(settings.domains)}."
        )
    found = await definitions.find_project(project)
    if found is None:
        raise errors.InvalidArgument(
            f"project {project!r} is not known.", remedy="Register it first, or use flytesnacks, which is always there."
        )
    if found.state not in ACTIVE_STATES:
        raise refusals.ExplainedInvalid(
            f"project {project!r} is archived.",
            project_pb2.InactiveProject(id=project),
            remedy="Make it active again first.",
        )
    return found


class Projects:
    """RegisterProject, UpdateProject, GetProject, ListProjects, GetDomains."""

    def __init__(self, definitions: Definitions, settings: ApiSettings) -> None:
        self._definitions = definitions
        self._settings = settings

    async def register(self, request: project_pb2.ProjectRegisterRequest) -> project_pb2.ProjectRegisterResponse:
        """Add a project. ALREADY_EXISTS if its id is taken."""
        message = request.project
        if message.domains:
            raise errors.InvalidArgument("A project cannot choose its domains.", remedy="Leave `domains` empty.")
        await self._definitions.create_project(_checked(message))
        return project_pb2.ProjectRegisterResponse()

    async def update(self, request: project_pb2.Project) -> project_pb2.ProjectUpdateResponse:
        """Change name, description, labels or state; empty ones stay as they are. NOT_FOUND."""
        found = await self._get(request.id)
        changed = _checked(
            project_pb2.Project(
                id=found.id,
                name=request.name or found.name,
                description=request.description or found.description,
                labels=request.labels if request.HasField("labels") else {"values": found.labels},
                state=request.state,
            )
        )
        await self._definitions.update_project(changed)
        return project_pb2.ProjectUpdateResponse()

    async def get(self, request: project_pb2.ProjectGetRequest) -> project_pb2.Project:
        """Return one project. NOT_FOUND."""
        return self._message(await self._get(request.id))

    async def list(self, request: project_pb2.ProjectListRequest) -> project_pb2.Projects:
        """Return projects by identifier; archived ones only where a filter names `state`. Limit 0 is all."""
        page = paging.read(request, sort_key="identifier", descending=False, all_at_zero=True)
        if not any(one.field == "state" for one in page.filters):
            shown = tuple(str(int(state)) for state in sorted(ACTIVE_STATES))
            page = paging.narrowed(page, Filter("state", "value_in", shown))
        found = await self._definitions.list_projects(page)
        return project_pb2.Projects(
            projects=[self._message(one) for one in found], token=paging.next_token(page, found)
        )

    async def domains(self, _: project_pb2.GetDomainRequest) -> project_pb2.GetDomainsResponse:
        """Return the domains that every project has."""
        return project_pb2.GetDomainsResponse(domains=self._domains())

    async def _get(self, project: str) -> Project:
        naming.text(project, "project id")
        found = await self._definitions.find_project(project)
        if found is None:
            raise errors.NotFound(f"project {project!r} does not exist.")
        return found

    def _domains(self) -> Sequence[project_pb2.Domain]:
        return [project_pb2.Domain(id=domain, name=domain) for domain in self._settings.domains]

    def _message(self, project: Project) -> project_pb2.Project:
        return project_pb2.Project(
            id=project.id,
            name=project.name,
            domains=self._domains(),
            description=project.description,
            labels={"values": project.labels},
            state=project.state,
        )


def _checked(message: project_pb2.Project) -> Project:
    if len(message.id) > MAX_ID or not _DNS_LABEL.fullmatch(message.id):
        raise errors.InvalidArgument(
            f"The project id {message.id!r} is malformed.",
            remedy="Up to 63 lower-case letters, digits and dashes, a letter or digit at both ends.",
        )
    if len(message.name) > MAX_PROJECT_NAME:
        raise errors.InvalidArgument(
            f"The name of project {message.id!r} is longer than {MAX_PROJECT_NAME} characters."
        )
    if len(message.description) > MAX_DESCRIPTION:
        raise errors.InvalidArgument(f"The description of {message.id!r} is longer than {MAX_DESCRIPTION} characters.")
    given = dict(message.labels.values)
    if len(given) > MAX_LABELS:
        raise errors.InvalidArgument(f"Project {message.id!r} has more than {MAX_LABELS} labels.")
    naming.check_labels(given)
    return Project(message.id, message.name or message.id, message.description, given, message.state)
