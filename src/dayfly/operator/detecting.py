"""Detects what happens to resources, with kopf. Called by `driving`.

kopf runs in a thread with a loop of its own: where it shares one, it takes the process's signals for itself, and when
it ends it cancels all tasks that it did not find there. It watches, and begins again where a watch breaks; it writes
nothing, and needs no rights but to list and watch the resource.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any

import kopf

from dayfly.base import errors, logs
from dayfly.model import flyte_workflows

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from dayfly.operator.cluster import Told

    Login = Callable[[], Coroutine[Any, Any, dict[str, Any]]]

WATCH_SECONDS = 60
"""How long one watch takes: a connection that broke without a word would be waited on for ever."""

PAUSES_SECONDS = (1, 2, 5)
"""Between the tries to reach an API server that does not answer; its own are of up to 21 s."""

END_SECONDS = 5.0
"""How long the thread may take to end."""

_log = logs.get("operator.kopf")


class KopfDetection:
    """Implements `cluster.Detection`; `login` returns how to reach the API, as `kopf.ConnectionInfo` takes it."""

    def __init__(self, login: Login, namespace: str = "") -> None:
        self._login, self._namespace = login, namespace

    async def run(self, told: Told) -> None:
        """Tell for as long as it is not cancelled. Raise `ExecutorUnavailable` when kopf gives up."""
        stop, ended = threading.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        failures: list[str] = []

        def tell(gone: bool, manifest: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(told, gone, manifest)

        async def log_in() -> dict[str, Any]:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._login(), loop))

        def work() -> None:
            try:
                asyncio.run(self._operate(tell, log_in, stop))
            # kopf's own errors are of many kinds, and none of them is ours to mend.
            except Exception as error:  # noqa: BLE001
                failures.append(f"{type(error).__name__}: {error}")
            if not loop.is_closed():
                loop.call_soon_threadsafe(ended.set)

        thread = threading.Thread(target=work, name="kopf", daemon=True)
        thread.start()
        try:
            await ended.wait()
        finally:
            stop.set()
            await asyncio.to_thread(thread.join, END_SECONDS)
        raise errors.ExecutorUnavailable(f"kopf watches no more: {'; '.join(failures) or 'it has ended'}.")

    async def _operate(self, tell: Told, log_in: Login, stop: threading.Event) -> None:
        _redirect_logs()
        await kopf.operator(
            registry=_registry(tell, log_in),
            settings=_settings(),
            standalone=True,
            clusterwide=not self._namespace,
            namespaces=[self._namespace] if self._namespace else [],
            stop_flag=stop,
        )


def _registry(tell: Told, log_in: Login) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def logged_in(**_: Any) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(**await log_in())

    @kopf.on.event(flyte_workflows.GROUP, flyte_workflows.VERSION, flyte_workflows.PLURAL, id="tell", registry=registry)
    async def seen(event: Any, **_: Any) -> None:
        tell(event["type"] == "DELETED", dict(event["object"]))

    return registry


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False  # Events are written by nobody here, and so need no rights.
    settings.scanning.disabled = True  # The kind is there when it is begun; `driving` sees it go.
    settings.networking.error_backoffs = PAUSES_SECONDS
    settings.watching.server_timeout = WATCH_SECONDS
    settings.watching.client_timeout = WATCH_SECONDS + 10
    settings.process.ultimate_exiting_timeout = None  # It would kill the whole process.
    return settings


class _Forward(logging.Handler):
    """Says what kopf logs in the words of the others."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it, unless it is that kopf leaves the signals alone, or that it goes on trying."""
        told = record.getMessage()
        if not any(words in told for words in ("OS signals are ignored", "will retry")):
            _log.warning(told)


def _redirect_logs() -> None:
    of_kopf = logging.getLogger("kopf")
    if not of_kopf.handlers:
        of_kopf.addHandler(_Forward(logging.WARNING))
    of_kopf.setLevel(logging.WARNING)
    of_kopf.propagate = False
