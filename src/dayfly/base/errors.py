"""One small tree of errors. Each answers two questions: whose fault is it, and does a retry help?

Adapters translate vendor errors into these and chain the cause; the gRPC and HTTP doors translate these into codes.
"""

from __future__ import annotations


class DayflyError(Exception):
    """Anything Dayfly raises on purpose. `message` names the thing and the place, `remedy` what to do about it."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}" if remedy else message)
        self.message = message
        self.remedy = remedy


class UserError(DayflyError):
    """The request is at fault; repeating it as it is does not help."""


class InvalidArgument(UserError):
    """A field of the request is missing, malformed or contradicts another."""


class NotFound(UserError):
    """What the request names does not exist."""


class AlreadyExists(UserError):
    """What the request would create is there already."""


class FailedPrecondition(UserError):
    """The thing is in a state in which this cannot be done."""


class ResourceExhausted(UserError):
    """The request is larger than a stated limit."""


class PermissionDenied(UserError):
    """The caller may not do this, or a signature does not hold."""


class PlatformError(DayflyError):
    """Ours; a retry is free."""


class StoreUnavailable(PlatformError):
    """The database does not answer, or refuses to write."""


class BlobUnavailable(PlatformError):
    """The object store or file system does not answer, or refuses to write."""


class ExecutorUnavailable(PlatformError):
    """What runs the tasks cannot be reached or started."""


class ExecutorAway(ExecutorUnavailable):
    """It cannot be reached for now, and will be: it is asked again for as long as that takes."""


class VersionClash(PlatformError):
    """Somebody else committed this execution first: reload and step again."""


class IllegalMove(PlatformError):
    """A state machine was asked for a move it does not have. `story` holds the last events of that execution."""

    def __init__(self, machine: str, before: object, after: object, story: tuple[str, ...] = ()) -> None:
        told = "; ".join(story)
        super().__init__(f"{machine} cannot go from {before} to {after}; last events: {told}")
        self.machine, self.before, self.after, self.story = machine, before, after, story
