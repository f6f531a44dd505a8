"""Checks of names in requests: identifiers, execution names, labels. Pure; what exists, others ask the register.

Rules: flyteadmin/pkg/manager/impl/validation in flyteorg/flyte; label syntax is Kubernetes'.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from flyteidl.core import identifier_pb2

from dayfly.base import errors
from dayfly.model import identifiers
from dayfly.model.identifiers import EntityId, ExecutionId

MAX_NAME = 255
"""Characters of a project, domain, name or version."""

MAX_EXECUTION_NAME = 63
"""Execution names become DNS labels."""

MAX_ANNOTATION_BYTES = 256 * 1024
"""Kubernetes' limit for all annotations of an object together."""

_EXECUTION_NAME = re.compile(r"[a-z][a-z\-0-9]*")
_LABEL_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.\-]{0,61}[A-Za-z0-9])?")
_LABEL_PREFIX = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9.\-]*[a-z0-9])?")
_PATH_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]*")


def entity(message: identifier_pb2.Identifier, kind: int) -> EntityId:
    """Return the identifier of a task, workflow or launch plan, checked. Raise `InvalidArgument`.

    A missing resource type counts as the one the RPC is for.
    """
    wanted = identifiers.kind_name(kind)
    if message.resource_type not in (kind, identifier_pb2.UNSPECIFIED):
        told = identifiers.kind_name(message.resource_type)
        raise errors.InvalidArgument(f"unexpected resource type {told} for {message.name!r}, expected {wanted}.")
    for part in ("project", "domain", "name", "version"):
        text(getattr(message, part), f"{part} of the {wanted} identifier")
    path_part(message.project, f"project of the {wanted} identifier")
    path_part(message.domain, f"domain of the {wanted} identifier")
    found = identifiers.from_identifier(message)
    return EntityId(kind, found.project, found.domain, found.name, found.version)


def execution(message: identifier_pb2.WorkflowExecutionIdentifier) -> ExecutionId:
    """Return the identifier of an execution, checked. Raise `InvalidArgument`."""
    for part in ("project", "domain", "name"):
        path_part(getattr(message, part), f"{part} of the execution identifier")
    return identifiers.from_execution_identifier(message)


def execution_name(name: str) -> str:
    """Return a client's name for an execution, lower-cased. Raise `InvalidArgument`."""
    lowered = name.lower()
    if len(lowered) > MAX_EXECUTION_NAME:
        raise errors.InvalidArgument(
            f"The execution name {name[:80]!r} has {len(name)} characters.", remedy=f"{MAX_EXECUTION_NAME} are allowed."
        )
    if not _EXECUTION_NAME.fullmatch(lowered):
        raise errors.InvalidArgument(
            f"The execution name {name!r} is malformed.", remedy="Use a letter, then letters, digits and dashes."
        )
    return lowered


def text(value: str, what: str, *, limit: int = MAX_NAME) -> str:
    """Return the text if it is there and has at most `limit` characters. Raise `InvalidArgument` that names `what`."""
    if not value.strip():
        raise errors.InvalidArgument(f"missing {what}.")
    if len(value) > limit:
        raise errors.InvalidArgument(f"The {what} has {len(value)} characters.", remedy=f"{limit} are allowed.")
    if "\0" in value:
        raise errors.InvalidArgument(f"The {what} contains a NUL character.")
    return value


def path_part(value: str, what: str) -> str:
    """Return a text that is fit to be one part of a file's path. Raise `InvalidArgument` that names `what`."""
    if not _PATH_PART.fullmatch(text(value, what)):
        raise errors.InvalidArgument(
            f"The {what}, {value!r}, is malformed.", remedy="Use letters, digits, dots, dashes and underscores."
        )
    return value


def check_labels(values: Mapping[str, str]) -> None:
    """Check Kubernetes label syntax. Raise `InvalidArgument`."""
    for key, value in values.items():
        _key(key, "label")
        if value and not _LABEL_NAME.fullmatch(value):
            raise errors.InvalidArgument(
                f"The label {key!r} has the malformed value {value!r}.",
                remedy="Up to 63 letters, digits, dashes, dots and underscores, a letter or digit at both ends.",
            )


def check_annotations(values: Mapping[str, str]) -> None:
    """Check Kubernetes annotation limits. Raise `InvalidArgument`."""
    for key in values:
        _key(key, "annotation")
    total = sum(len(key.encode()) + len(value.encode()) for key, value in values.items())
    if total > MAX_ANNOTATION_BYTES:
        raise errors.InvalidArgument(f"The annotations take {total} bytes.", remedy=f"At most {MAX_ANNOTATION_BYTES}.")


def _key(key: str, what: str) -> None:
    prefix, slash, name = key.rpartition("/")
    if not _LABEL_NAME.fullmatch(name) or (slash and not _LABEL_PREFIX.fullmatch(prefix)):
        raise errors.InvalidArgument(
            f"The {what} key {key!r} is malformed.",
            remedy="Up to 63 letters, digits, dashes, dots and underscores, perhaps a DNS name and a slash before.",
        )
