"""What registering and reading versions has in common for tasks, workflows and launch plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flyteidl.admin import common_pb2, description_entity_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2
from google.protobuf.message import Message

from dayfly.base import errors
from dayfly.compiler import errors as compile_errors
from dayfly.model import identifiers
from dayfly.model.identifiers import EntityId
from dayfly.ports.definitions import Definition, Definitions
from dayfly.services import differences, naming, paging, refusals


async def create(
    definitions: Definitions,
    definition: Definition,
    compared: Callable[[bytes], Message],
    description: description_entity_pb2.DescriptionEntity | None = None,
) -> None:
    """Store a version, and what was written of it.

    Raise `AlreadyExists` where the same is stored, `InvalidArgument` that tells the differences where it is another.
    `compared` takes out of a stored document what the digest was made of.
    """
    told = b"" if description is None else description.SerializeToString()
    stored = await definitions.create(definition, description=told)
    if stored is None:
        return
    if stored.digest == definition.digest:
        raise _identical(definition)
    raise _different(definition, differences.tell(compared(stored.document), compared(definition.document)))


async def get(definitions: Definitions, message: identifier_pb2.Identifier, kind: int) -> Definition:
    """Return one version. Raise `NotFound`."""
    entity = naming.entity(message, kind)
    found = await definitions.find(entity)
    if found is None:
        raise errors.NotFound(f"{entity} does not exist.", remedy="Register it first, or check project and domain.")
    return found


async def list_versions(
    definitions: Definitions, kind: int, request: common_pb2.ResourceListRequest
) -> tuple[list[Definition], str]:
    """Return a page of versions and the token of the next."""
    naming.path_part(request.id.project, "project")
    naming.path_part(request.id.domain, "domain")
    page = paging.read(request)
    found = await definitions.list_versions(kind, request.id.project, request.id.domain, request.id.name, page)
    return found, paging.next_token(page, found)


def refuse_errors(found: Sequence[compile_errors.CompileError], what: str) -> None:
    """Raise `InvalidArgument` with all compile errors, if there are any."""
    if found:
        raise errors.InvalidArgument(f"{what}: {compile_errors.describe(found)}")


def _identical(definition: Definition) -> errors.DayflyError:
    told = f"{definition.id} is registered already, with the same structure."
    if definition.id.kind != identifier_pb2.WORKFLOW:
        return errors.AlreadyExists(told)
    reason = workflow_pb2.CreateWorkflowFailureReason()
    reason.exists_identical_structure.id.CopyFrom(identifiers.to_identifier(definition.id))
    return refusals.ExplainedExists(told, reason)


def _different(definition: Definition, told: str) -> errors.DayflyError:
    message = f"{definition.id} is registered already, with a different structure: {told}."
    remedy = "Register under a new version."
    if definition.id.kind != identifier_pb2.WORKFLOW:
        return errors.InvalidArgument(message, remedy=remedy)
    reason = workflow_pb2.CreateWorkflowFailureReason()
    reason.exists_different_structure.id.CopyFrom(identifiers.to_identifier(definition.id))
    return refusals.ExplainedInvalid(message, reason, remedy=remedy)


def description_of(
    spec: task_pb2.TaskSpec | workflow_pb2.WorkflowSpec, entity: EntityId
) -> description_entity_pb2.DescriptionEntity | None:
    """Return what a task or workflow is registered with for people to read, None where there is nothing. flytekit sends
    an empty one too, which Flyte keeps."""
    if not spec.HasField("description"):
        return None
    spec.description.id.CopyFrom(identifiers.to_identifier(entity))
    return spec.description
