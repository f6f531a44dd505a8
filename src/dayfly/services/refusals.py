"""Refusals that carry a message for machines beside the sentence for people: gRPC status details."""

from __future__ import annotations

from google.protobuf.message import Message

from dayfly.base import errors


class Explained(errors.UserError):
    """A refusal with a detail message."""

    def __init__(self, message: str, detail: Message, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.detail = detail


class ExplainedInvalid(Explained, errors.InvalidArgument):
    """INVALID_ARGUMENT with a detail."""


class ExplainedExists(Explained, errors.AlreadyExists):
    """ALREADY_EXISTS with a detail."""


class ExplainedPrecondition(Explained, errors.FailedPrecondition):
    """FAILED_PRECONDITION with a detail."""
