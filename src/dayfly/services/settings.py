"""What the API needs to be told; `assembly` fills it in."""

from __future__ import annotations

from dataclasses import dataclass, field

from dayfly.model import resources

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class ApiSettings:
    """Settings of the API."""

    domains: tuple[str, ...] = ("development", "staging", "production")
    """The domains that every project has."""

    max_parallelism: int = 25
    """Task nodes of one execution at once, where neither request nor launch plan says."""

    system_retries: int = 3
    """System failures that are retried per node, beside the user's own attempts."""

    max_request_bytes: int = 64 * MEGABYTE
    """Larger requests are refused; specs of large workflows take several megabytes."""

    max_inline_bytes: int = 15 * MEGABYTE
    """Inputs and outputs up to this come in the answer itself, larger ones by link: flytekit accepts 20 MiB."""

    link_seconds: float = 3600.0
    """How long a signed link lives, where the client does not ask for a time."""

    max_link_seconds: float = 7 * 24 * 3600.0
    """The longest life of a link that a client may ask for."""

    public_url: str = "http://127.0.0.1:30080"
    """Where clients reach the gateway; signed links begin with it. No trailing slash."""

    task_ceiling: resources.Ceiling = field(default_factory=resources.Ceiling)
    """What a task may ask for at most; registering one that asks for more is refused."""

    version: str = "0.0.0"
    """Dayfly's version, as GetVersion tells it with a `v` before."""
