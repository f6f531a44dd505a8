"""The only callers of chance. Names that must not clash are made here."""

from __future__ import annotations

import secrets
import uuid

EXECUTION_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels, no look-alikes, no dash: clients parse execution names with `[a-zA-Z0-9]+`
(flyteorg/flyte, flyteadmin/pkg/common/executions.go)."""

EXECUTION_NAME_LENGTH = 20
"""Characters of a generated execution name, the leading `a` included."""


def execution_name() -> str:
    """Return a fresh execution name: `a` and 19 random characters."""
    return "a" + "".join(secrets.choice(EXECUTION_ALPHABET) for _ in range(EXECUTION_NAME_LENGTH - 1))


def unique() -> str:
    """Return 32 random hexadecimal characters."""
    return uuid.uuid4().hex


def secret_bytes(length: int = 32) -> bytes:
    """Return `length` bytes fit for a signing key."""
    return secrets.token_bytes(length)
