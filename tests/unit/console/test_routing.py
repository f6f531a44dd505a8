"""From addresses to pages, and pages that cannot be shown: what becomes of what they raise."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from flyteidl.core import identifier_pb2
from starlette import routing as starlette_routing

from dayfly.base import clock, errors
from dayfly.console import addresses, building, pages, routing
from dayfly.console.addresses import Place
from dayfly.console.site import Site, View
from dayfly.model.identifiers import EntityId


class Raises:
    """A module with one page, which raises."""

    def __init__(self, error: Exception) -> None:
        async def build(_: View) -> None:
            raise error

        self.PAGES = (routing.Page("/raises", build),)


@contextlib.asynccontextmanager
async def asking(monkeypatch: pytest.MonkeyPatch, error: Exception) -> AsyncIterator[httpx.AsyncClient]:
    nobody: Any = None
    monkeypatch.setattr(pages, "PAGES", (Raises(error),))
    site = Site(nobody, nobody, clock.ManualClock(), "http://127.0.0.1:1", "1")
    async with building.running(site) as app:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:1") as client:
            yield client


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotFound("There is no run x.", remedy="Look at the list."), 404),
        (errors.InvalidArgument("No.", remedy="Look at the list."), 400),
        (errors.PlatformError("Away.", remedy="Look at the list."), 503),
    ],
)
async def test_a_refusal_is_a_page_with_its_status(monkeypatch, error: errors.DayflyError, status: int) -> None:
    async with asking(monkeypatch, error) as client:
        answer = await client.get("/raises")
    assert answer.status_code == status
    assert error.message in answer.text and "Look at the list." in answer.text


async def test_what_nobody_expected_is_an_incident_without_its_words(monkeypatch) -> None:
    async with asking(monkeypatch, ValueError("the password is x")) as client:
        answer = await client.get("/raises")
    assert answer.status_code == 500
    assert re.search(r"incident [0-9a-f]{12}", answer.text)
    assert "password" not in answer.text


NAME, PLACE = "a/b+c;d", Place("p", "d")


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        (addresses.workflow(PLACE, NAME), {"name": NAME}),
        (addresses.task(PLACE, NAME), {"name": NAME}),
        (
            addresses.version("task", EntityId(identifier_pb2.TASK, "p", "d", NAME, "v/1")),
            {"name": NAME, "version": "v/1"},
        ),
        (addresses.workflow(PLACE, "a/version/b"), {"name": "a/version/b"}),
    ],
)
def test_any_name_has_one_page(address: str, wanted: dict[str, str]) -> None:
    path = unquote(address.removeprefix(addresses.ROOT))
    routes = [starlette_routing.compile_path(page.route)[0] for module in pages.PAGES for page in module.PAGES]
    found = [match.groupdict() for route in routes if (match := route.match(path))]
    assert found == [{"project": "p", "domain": "d", **wanted}]
