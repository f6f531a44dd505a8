"""flytekit's own client of a test server: registers programs, waits for executions, and walks all of their nodes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from flytekit.configuration import Config
from flytekit.remote import FlyteRemote
from flytekit.remote.executions import FlyteWorkflowExecution

from tests.platforms.launching import DOMAIN, PROJECT, VERSION
from tests.platforms.server import Server

PATIENCE = timedelta(minutes=2)
OFTEN = timedelta(milliseconds=200)


def register(server: Server, program: Path) -> FlyteRemote:
    """Register a program's entities and return a client."""
    done = server.pyflyte("register", "--version", VERSION, program.name, cwd=program.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return connect(server)


def connect(server: Server) -> FlyteRemote:
    """Return a client."""
    return FlyteRemote(Config.auto(config_file=str(server.config)), default_project=PROJECT, default_domain=DOMAIN)


def wait(remote: FlyteRemote, execution: FlyteWorkflowExecution) -> FlyteWorkflowExecution:
    """Return the execution once it has ended, with all nodes that it has."""
    return remote.wait(execution, timeout=PATIENCE, poll_interval=OFTEN, sync_nodes=True)
