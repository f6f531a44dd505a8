"""Dayfly's own HTTP API, for the command line: plain JSON in and out, refusals turned back into `base.errors`."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

from dayfly.base import errors

PREFIX = "/api/dayfly/v1"

CALL_SECONDS = 30.0
"""A call that takes longer has failed."""

ERRORS: dict[str, type[errors.DayflyError]] = {
    "INVALID_ARGUMENT": errors.InvalidArgument,
    "NOT_FOUND": errors.NotFound,
    "FAILED_PRECONDITION": errors.FailedPrecondition,
    "PERMISSION_DENIED": errors.PermissionDenied,
}
"""By the code in the answer; all others are `PlatformError`."""


def call(address: str, path: str, query: dict[str, Any] | None = None, *, verb: str = "GET") -> Any:
    """Return what `host:port` answers at a path below the prefix. Blocks. What is empty in the query is left out.

    Raise what `ERRORS` says, and `PlatformError` where nobody answers.
    """
    asked = urlencode({name: value for name, value in (query or {}).items() if value})
    request = urllib.request.Request(f"http://{address}{PREFIX}{path}?{asked}", method=verb)
    try:
        with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        raise _translated(refusal) from refusal
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise errors.PlatformError(
            f"No server answers at {address}: {error}.",
            remedy="Start one with `dayfly up`, or name another address.",
        ) from error


def _translated(refusal: urllib.error.HTTPError) -> errors.DayflyError:
    try:
        told = json.load(refusal)
        return ERRORS.get(told["code"], errors.PlatformError)(told["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return errors.PlatformError(f"The server answers {refusal.code} {refusal.reason}.")
