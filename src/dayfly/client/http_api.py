"""Dayfly's own HTTP API for programs that await, such as the console. `extras` is the same for the command line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from dayfly.base import errors
from dayfly.client import extras

Query = Mapping[str, Any]


def open(url: str) -> HttpApi:
    """Return a way to the server at `http://host:port`. Close it, or use it in `async with`."""
    return HttpApi(url)


class HttpApi:
    """Calls to one server. Every method raises what `extras.ERRORS` says, and `PlatformError` where nobody answers."""

    def __init__(self, url: str) -> None:
        self.url = url
        # No proxy of the environment: the server is the one that was named.
        self._http = httpx.AsyncClient(base_url=url, timeout=extras.CALL_SECONDS, trust_env=False)

    async def __aenter__(self) -> HttpApi:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connections."""
        await self._http.aclose()

    async def get(self, path: str, query: Query | None = None) -> Any:
        """Return what the server answers at a path below `extras.PREFIX`. What is empty in the query is left out."""
        return (await self._answer("GET", extras.PREFIX + path, query)).json()

    async def delete(self, path: str, query: Query | None = None) -> Any:
        """Remove what path and query name; return what the server says of it."""
        return (await self._answer("DELETE", extras.PREFIX + path, query)).json()

    async def follow(self, path: str, query: Query) -> AsyncIterator[tuple[str, Any]]:
        """Yield name and data of server-sent events, until the server ends them."""
        asked = {**_given(query), "follow": "true"}
        try:
            async with self._http.stream("GET", extras.PREFIX + path, params=asked, timeout=None) as answer:
                if answer.is_error:
                    await answer.aread()
                    raise _refused(answer)
                async for event in _events(answer.aiter_lines()):
                    yield event
        except httpx.HTTPError as error:
            raise self._unreached(error) from error

    async def _answer(self, verb: str, path: str, query: Query | None) -> httpx.Response:
        try:
            answer = await self._http.request(verb, path, params=_given(query or {}))
        except httpx.HTTPError as error:
            raise self._unreached(error) from error
        if answer.is_error:
            raise _refused(answer)
        return answer

    def _unreached(self, error: Exception) -> errors.PlatformError:
        return errors.PlatformError(
            f"No server answers at {self.url}: {error or type(error).__name__}.",
            remedy="Start one with `dayfly up`, or name another address.",
        )


def _given(query: Query) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value not in ("", None, [])}


def _refused(answer: httpx.Response) -> errors.DayflyError:
    try:
        told = answer.json()
        return extras.ERRORS.get(told["code"], errors.PlatformError)(told["error"], remedy=told.get("remedy", ""))
    except (ValueError, KeyError, TypeError):
        return errors.PlatformError(f"The server answers {answer.status_code} {answer.reason_phrase}.")


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, Any]]:
    name, data = "message", ""
    async for line in lines:
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data += line[5:].strip()
        elif not line and data:
            yield name, json.loads(data)
            name, data = "message", ""
