"""A whole API, without anything that drives executions: real stores and files, one address, in a thread of its own."""

import asyncio
import threading
from contextlib import asynccontextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from tests.platforms import calls_seen

import dayfly.blobs
from dayfly import client, console
from dayfly.base import clock
from dayfly.client import http_api
from dayfly.gateway import app, front, log_files, rest
from dayfly.services import answering, api, measuring, projects, server, settings, signing
from dayfly.stores import database


@asynccontextmanager
async def serving(folder: Path):
    """Serve the API from `folder` and give a `Served`."""
    listener = front.bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    now = clock.SystemClock()
    chosen = settings.ApiSettings(public_url=f"http://127.0.0.1:{port}", version="0.1.0")
    store = await database.open(f"sqlite:///{folder}/dayfly.db", clock=now)
    blobs = dayfly.blobs.open(f"file://{folder}/storage")
    links = signing.SignedLinks(b"secret", chosen.public_url, now)
    registry = CollectorRegistry()
    await projects.seed(store.definitions)
    services = api.build(store, blobs, links, now, chosen)
    measures, bindings = measuring.Measures(registry), api.bindings(services)
    grpc_server = await server.build(bindings, measures, chosen)
    socket = folder / "grpc.sock"
    grpc_server.add_insecure_port(f"unix:{socket}")
    await grpc_server.start()
    own, own_http = client.open(f"unix:{socket}"), http_api.open(chosen.public_url)
    pages = console.build(console.Site(own, own_http, now, chosen.public_url, chosen.version))
    http = app.build(
        blobs=blobs,
        links=links,
        logs_of=log_files.below(folder / "logs"),
        registry=registry,
        version=chosen.version,
        routers=[
            console.entrance(),
            rest.router(
                answering.calls(bindings, server.SERVICES, measures), max_bytes=2**20, public_url=chosen.public_url
            ),
        ],
        mounted={console.ROOT: pages},
    )
    listening = await front.serve("127.0.0.1", port, str(socket), http, listener=listener)
    try:
        yield Served(port, store, blobs, links, services)
    finally:
        calls_seen.note_counters(generate_latest(registry).decode())
        await listening.close(1)
        await pages.close()
        await own_http.close()
        await own.close()
        await grpc_server.stop(None)
        await store.close()


class Served:
    """What a test may want to look at."""

    def __init__(self, port, store, blobs, links, services):
        self.port, self.store, self.blobs, self.links, self.services = port, store, blobs, links, services
        self.address = f"127.0.0.1:{port}"
        self.url = f"http://{self.address}"


class ServedInThread:
    """The same for blocking clients: flytekit's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready = threading.Event()
        self._stop: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.served: Served

    def __enter__(self) -> "ServedInThread":
        self._thread.start()
        self._ready.wait()
        if self._error:
            raise self._error
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        assert not self._thread.is_alive()

    def run(self, work):
        """Await something in the server's loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def _run(self) -> None:
        async def main() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            async with serving(self._folder) as self.served:
                self._ready.set()
                await self._stop.wait()

        try:
            asyncio.run(main())
        except Exception as error:  # noqa: BLE001  handed to the thread that waits
            self._error = error
            self._ready.set()
