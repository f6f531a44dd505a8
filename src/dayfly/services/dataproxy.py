"""DataProxy: links for uploads and downloads, and data behind short addresses.

An upload's address follows from its content (the base32 of its MD5), so that registering the same code twice gives the
same distribution URL and therefore the same task digest. Source: flyteadmin/dataproxy/service.go in flyteorg/flyte.
"""

from __future__ import annotations

import base64
import hashlib

from flyteidl.admin import node_execution_pb2, task_execution_pb2
from flyteidl.core import literals_pb2
from flyteidl.service import dataproxy_pb2
from google.protobuf import duration_pb2

from dayfly.base import clock, errors, ids
from dayfly.model import layout
from dayfly.ports.blobs import Blobs
from dayfly.ports.definitions import Definitions
from dayfly.ports.links import Grant, Links
from dayfly.ports.runs import NodeRow, Runs
from dayfly.services import flyte_urls, node_executions, projects
from dayfly.services.execution_data import DataReader
from dayfly.services.settings import ApiSettings
from dayfly.services.timestamps import to_timestamp

MD5_BYTES = 16
MAX_PATH = 1024
"""Characters of `filename_root` and `filename` together; S3 keys end there."""


class DataProxy:
    """CreateUploadLocation, CreateDownloadLocation, CreateDownloadLink, GetData."""

    def __init__(
        self,
        definitions: Definitions,
        runs: Runs,
        blobs: Blobs,
        links: Links,
        data: DataReader,
        now: clock.Clock,
        settings: ApiSettings,
    ) -> None:
        self._definitions = definitions
        self._runs = runs
        self._blobs = blobs
        self._links = links
        self._data = data
        self._clock = now
        self._settings = settings

    async def create_upload_location(
        self, request: dataproxy_pb2.CreateUploadLocationRequest
    ) -> dataproxy_pb2.CreateUploadLocationResponse:
        """Return a link to upload one file to. ALREADY_EXISTS if it would replace another file's content."""
        await projects.require_active(self._definitions, self._settings, request.project, request.domain)
        md5 = request.content_md5
        if not md5 and not request.filename_root:
            raise errors.InvalidArgument(
                "content_md5 or filename_root is missing.", remedy="Give at least one of them."
            )
        if md5 and len(md5) != MD5_BYTES:
            raise errors.InvalidArgument(f"content_md5 has {len(md5)} bytes.", remedy=f"An MD5 has {MD5_BYTES}.")
        seconds = self._life_seconds(request.expires_in)
        uri = f"{self._blobs.root}/{_key(request)}"
        if request.filename_root and request.filename:
            await self._refuse_replacing(uri, md5)
        expires_at = clock.Micros(self._clock.now() + int(seconds * clock.SECOND))
        return dataproxy_pb2.CreateUploadLocationResponse(
            signed_url=self._links.sign(Grant("PUT", uri, expires_at, md5)),
            # flytekit takes a file for a local one only where its address has no scheme.
            native_url=layout.without_file_scheme(uri),
            expires_at=to_timestamp(expires_at),
            headers=_headers(md5, request.add_content_md5_metadata),
        )

    async def create_download_location(
        self, request: dataproxy_pb2.CreateDownloadLocationRequest
    ) -> dataproxy_pb2.CreateDownloadLocationResponse:
        """Return a link to a stored file. NOT_FOUND. Deprecated upstream, still served."""
        if not request.native_url:
            raise errors.InvalidArgument("native_url is missing.")
        seconds = self._life_seconds(request.expires_in)
        await self._require_stored(request.native_url)
        url, expires_at = self._data.sign_download(request.native_url, seconds)
        return dataproxy_pb2.CreateDownloadLocationResponse(signed_url=url, expires_at=to_timestamp(expires_at))

    async def create_download_link(
        self, request: dataproxy_pb2.CreateDownloadLinkRequest
    ) -> dataproxy_pb2.CreateDownloadLinkResponse:
        """Return a link to a node's deck. NOT_FOUND without deck, INVALID_ARGUMENT without node, as upstream."""
        if request.artifact_type != dataproxy_pb2.ARTIFACT_TYPE_DECK:
            raise errors.InvalidArgument("Links are made for decks only.", remedy="Set artifact_type to DECK.")
        if not request.HasField("node_execution_id"):
            raise errors.InvalidArgument("node_execution_id is missing.")
        seconds = self._life_seconds(request.expires_in)
        try:
            row = await node_executions.find(self._runs, request.node_execution_id)
        except errors.NotFound as error:
            raise errors.InvalidArgument(error.message) from error
        signed = await self._sign_deck(row, seconds)
        return dataproxy_pb2.CreateDownloadLinkResponse(
            signed_url=signed.signed_url, expires_at=signed.expires_at, pre_signed_urls=signed
        )

    async def get_data(self, request: dataproxy_pb2.GetDataRequest) -> dataproxy_pb2.GetDataResponse:
        """Return what a flyte:// address stands for: a literal map, one literal, or links to a deck."""
        url = flyte_urls.parse(request.flyte_url)
        row = await self._runs.find_node(url.execution, url.node)
        if row is None:
            raise errors.NotFound(f"Execution {url.execution} has no node {url.node!r}.")
        if url.part == "d":
            return dataproxy_pb2.GetDataResponse(
                pre_signed_urls=await self._sign_deck(row, self._settings.link_seconds)
            )
        found = await self._literals(row, url)
        if not url.variable:
            return dataproxy_pb2.GetDataResponse(literal_map=found)
        if url.variable not in found.literals:
            raise errors.NotFound(f"{request.flyte_url} has no variable {url.variable!r}.")
        return dataproxy_pb2.GetDataResponse(literal=found.literals[url.variable])

    async def _literals(self, row: NodeRow, url: flyte_urls.FlyteUrl) -> literals_pb2.LiteralMap:
        uri = row.input_uri
        if url.part == "o":
            uri = node_execution_pb2.NodeExecutionClosure.FromString(row.closure).output_uri
        if url.attempt is not None:
            attempt = await self._runs.find_attempt(url.execution, url.node, url.attempt)
            if attempt is None:
                raise errors.NotFound(f"Node {url.node!r} of execution {url.execution} has no attempt {url.attempt}.")
            closure = task_execution_pb2.TaskExecutionClosure.FromString(attempt.closure)
            uri = closure.output_uri if url.part == "o" else attempt.input_uri
        raw = await self._blobs.find(uri, limit_bytes=self._settings.max_inline_bytes) if uri else None
        if raw is None:
            what = "outputs" if url.part == "o" else "inputs"
            raise errors.NotFound(f"Node {url.node!r} of execution {url.execution} has no {what} yet.")
        return literals_pb2.LiteralMap.FromString(raw)

    async def _sign_deck(self, row: NodeRow, seconds: float) -> dataproxy_pb2.PreSignedURLs:
        uri = node_execution_pb2.NodeExecutionClosure.FromString(row.closure).deck_uri
        if not uri:
            raise errors.NotFound(f"Node {row.node!r} of execution {row.execution} has no deck.")
        await self._require_stored(uri)
        url, expires_at = self._data.sign_download(uri, seconds)
        return dataproxy_pb2.PreSignedURLs(signed_url=[url], expires_at=to_timestamp(expires_at))

    async def _require_stored(self, uri: str) -> None:
        if await self._blobs.stat(uri) is None:
            raise errors.NotFound(f"There is no file {uri}.")

    async def _refuse_replacing(self, uri: str, md5: bytes) -> None:
        stored = await self._blobs.stat(uri)
        if stored is not None and (not md5 or (stored.md5 or await self._md5(uri)) != md5):
            raise errors.AlreadyExists(
                f"{uri} exists already{' with other content' if md5 else ''}.", remedy="Choose another filename_root."
            )

    async def _md5(self, uri: str) -> bytes:
        found = hashlib.md5(usedforsecurity=False)
        async for chunk in self._blobs.read_stream(uri):
            found.update(chunk)
        return found.digest()

    def _life_seconds(self, asked: duration_pb2.Duration) -> float:
        seconds = asked.seconds + asked.nanos / 1e9
        if seconds < 0 or seconds > self._settings.max_link_seconds:
            raise errors.InvalidArgument(
                f"expires_in of {seconds:g} s is not allowed.",
                remedy=f"Links may live up to {self._settings.max_link_seconds:g} s.",
            )
        return seconds or self._settings.link_seconds


def _key(request: dataproxy_pb2.CreateUploadLocationRequest) -> str:
    """Return the blob's place below the root: project, domain, content or chosen folder, file name."""
    folder = request.filename_root or base64.b32encode(request.content_md5).decode()
    name = request.filename or ids.unique()[:20]
    parts = f"{folder}/{name}".split("/")
    if len(f"{folder}/{name}") > MAX_PATH or any(p in ("", ".", "..") or "\\" in p or "\0" in p for p in parts):
        raise errors.InvalidArgument(
            f"The file name {f'{folder}/{name}'[:200]!r} is malformed.", remedy="No empty, `.` or `..` parts."
        )
    return "/".join(("uploads", request.project, request.domain, *parts))


def _headers(md5: bytes, with_metadata: bool) -> dict[str, str]:
    """Return the headers that upstream's object stores ask for; ours accepts uploads with and without them."""
    if not md5:
        return {}
    text = base64.b64encode(md5).decode()
    return {"Content-MD5": text, **({"x-amz-meta-flyteContentMD5": text} if with_metadata else {})}
