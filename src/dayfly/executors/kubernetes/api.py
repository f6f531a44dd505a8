"""The cluster's API, as far as this platform asks it: objects as plain JSON, errors as ours.

A thin shell: kr8s finds the cluster and the credentials, `streams` asks. Every call may be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import kr8s
import kr8s.asyncio

from dayfly.base import clock, errors
from dayfly.base.clock import Micros
from dayfly.executors.kubernetes import ongoing, starting, streams
from dayfly.model import flyte_workflows
from dayfly.ports.dashboards import Way

if TYPE_CHECKING:
    from dayfly.ports.pod_groups import Manifest

CALL_SECONDS = 30.0

MAX_LOG_LINE_BYTES = 1024 * 1024
"""Of one line of a container's log, which a user's program may never end."""


class Refused(errors.InvalidArgument):
    """Kubernetes refuses the object for good: malformed, forbidden, or of a kind that it does not know."""

    code = "BadTaskSpecification"


class Forbidden(Refused):
    """The platform's service account may not do this."""

    code = "Forbidden"


class NotNow(errors.ExecutorAway):
    """A quota or a rate limit forbids it for now, or the API server is not there; the same may do later."""


class Conflict(NotNow):
    """The object is not as it was thought to be."""


class Expired(errors.ExecutorAway):
    """What a watch was to begin with is too long ago: list anew."""


class Kind(NamedTuple):
    """A kind of object, as its addresses have it."""

    version: str
    plural: str


DASK = "kubernetes.dask.org/v1"

KINDS = {
    "Pod": Kind("v1", "pods"),
    "Service": Kind("v1", "services"),
    "PodTemplate": Kind("v1", "podtemplates"),
    "Namespace": Kind("v1", "namespaces"),
    "Event": Kind("v1", "events"),
    "Deployment": Kind("apps/v1", "deployments"),
    "ReplicaSet": Kind("apps/v1", "replicasets"),
    "DaskJob": Kind(DASK, "daskjobs"),
    "DaskCluster": Kind(DASK, "daskclusters"),
    "DaskWorkerGroup": Kind(DASK, "daskworkergroups"),
    "DaskAutoscaler": Kind(DASK, "daskautoscalers"),
    flyte_workflows.KIND: Kind(flyte_workflows.API_VERSION, flyte_workflows.PLURAL),
}

REVIEWS = Kind("authorization.k8s.io/v1", "selfsubjectaccessreviews")
"""By these the account asks what it may do."""

Count = Callable[[str, str], None]
"""Is told the method and the kind, in lower-case plural, of each call."""


class Api:
    """One cluster. Raises `NotNow` where it does not answer, `ExecutorUnavailable` where none can be found."""

    def __init__(self, kubeconfig: str = "", context: str = "", count: Count = lambda _method, _kind: None) -> None:
        self._kubeconfig, self._context, self._count = kubeconfig, context, count
        self._opened: Any = None
        self._opening = asyncio.Lock()
        self._ongoing = ongoing.Ongoing()
        self._streams = streams.Streams(self._ongoing)
        self._door: Way | None = None

    async def create(self, manifest: Manifest) -> Manifest | None:
        """Create an object, and return it as it is then; None if one of its name is there. Raise `Refused`, `NotNow`,
        `NotFound` for a namespace that is not there."""
        kind = KINDS[manifest["kind"]]
        namespace = manifest["metadata"].get("namespace")
        try:
            return await self._call("POST", kind, namespace, content=json.dumps(manifest))
        except errors.AlreadyExists:
            return None

    async def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """Return an object; None if there is none."""
        try:
            return await self._call("GET", KINDS[kind], namespace, name)
        except errors.NotFound:
            return None

    async def list(self, kind: str, namespace: str, selector: str, *, fields: str = "") -> tuple[list[Manifest], str]:
        """Return all objects of a kind that `selector` selects, and `fields` by what they say, and the version of that
        list; an empty `namespace` is all of them."""
        asked = {"labelSelector": selector, "fieldSelector": fields}
        params = {name: text for name, text in asked.items() if text}
        told = await self._call("GET", KINDS[kind], namespace or None, params=params)
        return told.get("items") or [], told["metadata"].get("resourceVersion", "")

    async def version(self) -> str:
        """Return what Kubernetes calls its version: `v1.20.2`."""
        return await self._ongoing.do(self._version())

    async def serves(self, kind: str) -> bool:
        """Say whether the cluster knows objects of this kind, as far as the account may know."""
        try:
            told = await self._call("GET", Kind(KINDS[kind].version, ""))
        except (errors.NotFound, Forbidden):
            return False
        return any(one.get("name") == KINDS[kind].plural for one in told.get("resources") or [])

    async def may(self, verb: str, kind: str, namespace: str) -> bool:
        """Say whether the account may do this with objects of a kind; an account that may not even ask is told so when
        it does it."""
        group, _, _ = KINDS[kind].version.rpartition("/")
        asked = {"namespace": namespace, "verb": verb, "group": group, "resource": KINDS[kind].plural}
        review = {
            "apiVersion": REVIEWS.version,
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        try:
            told = await self._call("POST", REVIEWS, content=json.dumps(review))
        except (errors.NotFound, Forbidden):
            return True
        return bool((told.get("status") or {}).get("allowed"))

    def plural(self, kind: str) -> str:
        """Return what objects of this kind are called in addresses and rights."""
        return KINDS[kind].plural

    def is_custom(self, kind: str) -> bool:
        """Say whether objects of this kind are none of Kubernetes' own."""
        return "." in KINDS[kind].version.partition("/")[0]

    async def take_finalizers(self, kind: str, namespace: str, name: str) -> None:
        """Let an object go that was deleted and is held back."""
        await self.patch(kind, namespace, name, {"metadata": {"finalizers": None}})

    async def watch(
        self, kind: str, namespace: str, selector: str, since: str, *, seconds: int
    ) -> AsyncIterator[tuple[str, Manifest]]:
        """Yield what happens for so long after that version of a list: (ADDED, MODIFIED or DELETED, object).

        Raise `Expired` where the version is too old.
        """
        params = {
            "labelSelector": selector,
            "watch": "true",
            "resourceVersion": since,
            "timeoutSeconds": str(seconds),
        }
        async for line in self._lines(KINDS[kind], namespace or None, "", params):
            told = json.loads(line)
            if told["type"] == "ERROR":
                message = told["object"].get("message", "a watch was refused")
                raise Expired(message) if told["object"].get("code") == 410 else NotNow(message)
            yield told["type"], told["object"]

    async def delete(
        self, kind: str, namespace: str, name: str, *, grace_seconds: float | None = None, uid: str = ""
    ) -> None:
        """Have an object deleted, and what it owns; one that is not there, or is another than `uid`, is fine."""
        options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = round(grace_seconds)
        if uid:
            options["preconditions"] = {"uid": uid}
        with contextlib.suppress(errors.NotFound, Conflict):
            await self._call("DELETE", KINDS[kind], namespace, name, content=json.dumps(options))

    async def patch(
        self, kind: str, namespace: str, name: str, change: Mapping[str, Any], *, part: str = ""
    ) -> Manifest | None:
        """Merge a change into an object, or into its `part`, and return it; None if it is gone. Raise `Conflict` where
        the change names a version that it has no more."""
        whole = f"{name}/{part}" if part else name
        headers = {"Content-Type": "application/merge-patch+json"}
        try:
            return await self._call("PATCH", KINDS[kind], namespace, whole, content=json.dumps(change), headers=headers)
        except errors.NotFound:
            return None

    async def follow_log(self, namespace: str, pod: str, container: str, since: int = 0) -> AsyncIterator[bytes]:
        """Yield the lines of a container's log until it ends, without their ends, and with the kubelet's stamps in
        front; from a moment in seconds on, if one is given. Of lines without end, only so much is held."""
        params = {"container": container, "follow": "true", "timestamps": "true"}
        if since:
            params["sinceTime"] = f"{clock.to_datetime(Micros(since * clock.SECOND)):%Y-%m-%dT%H:%M:%SZ}"
        async for line in self._lines(KINDS["Pod"], namespace, f"{pod}/log", params, most_bytes=MAX_LOG_LINE_BYTES):
            yield line

    async def login(self) -> dict[str, Any]:
        """Return how another client reaches the cluster, as it is now: address, certificates, token."""
        with _translated("log in"):
            auth = (await self._ongoing.do(self._open())).auth
            await auth.reauthenticate()
        return {
            "server": auth.server,
            "ca_path": auth.server_ca_file,
            "insecure": auth._insecure_skip_tls_verify,
            "token": auth.token,
            "certificate_path": auth.client_cert_file,
            "private_key_path": auth.client_key_file,
        }

    async def door(self, *, anew: bool = False) -> Way:
        """Return how others ask the API for what is no object; `anew` reads the credentials again."""
        with _translated("log in"):
            auth = (await self._open()).auth
            if anew or self._door is None:
                if anew:
                    await auth.reauthenticate()
                tls = (
                    await auth.ssl_context()
                )  # First: it waits for whoever is logging in, who empties all else meanwhile.
                headers = {"Authorization": f"Bearer {auth.token}"} if auth.token else {}
                self._door = Way(str(auth.server), headers, tls, auth.tls_server_name or "", auth.proxy or "")
        return self._door

    async def close(self) -> None:
        """Let go of the connections."""
        await self._ongoing.finish()
        await self._streams.close()
        session = getattr(self._opened, "_session", None)
        self._opened = None
        if session is not None:
            await session.aclose()

    async def _open(self) -> Any:
        async with self._opening:  # Of two connections at once, nobody would close the first.
            if self._opened is None:
                # Of versions older and newer than those kr8s was tried with; what is asked for here all of them have. A
                # filter for the time of this call would end with that of another one beside it.
                warnings.filterwarnings("ignore", "Kubernetes version .* is not supported", UserWarning)
                self._opened = await kr8s.asyncio.api(
                    kubeconfig=self._kubeconfig or None, context=self._context or None
                )
            return self._opened

    async def _call(
        self, method: str, kind: Kind, namespace: str | None = None, name: str = "", **more: Any
    ) -> dict[str, Any]:
        return await self._ongoing.do(self._ask(method, kind, namespace, name, **more))

    async def _ask(self, method: str, kind: Kind, namespace: str | None, name: str, **more: Any) -> dict[str, Any]:
        asked, path = _place(kind, namespace, name)
        more["headers"] = {"Content-Type": "application/json", **more.get("headers", {})}
        with _translated(f"{method} {asked}"):
            auth = (await self._open()).auth
            for last in (False, True):
                self._count(method, kind.plural)
                try:
                    raw = await self._streams.whole(auth, method, path, seconds=CALL_SECONDS, **more)
                except streams.Answered as error:
                    if last or not await self._is_to_be_asked_again(auth, error):
                        raise
                else:
                    break
            answer: dict[str, Any] = json.loads(raw)
            return answer

    async def _version(self) -> str:
        with _translated("GET version"):
            auth = (await self._open()).auth
            self._count("GET", "version")
            raw = await self._streams.whole(auth, "GET", "/version", seconds=CALL_SECONDS)
            return str(json.loads(raw)["gitVersion"])

    async def _lines(
        self, kind: Kind, namespace: str | None, name: str, params: Mapping[str, str], *, most_bytes: int = 0
    ) -> AsyncIterator[bytes]:
        asked, path = _place(kind, namespace, name)
        with _translated(f"GET {asked}"):
            auth = (await self._ongoing.do(self._open())).auth
            self._count("GET", kind.plural)
            try:
                async for line in self._streams.lines(auth, path, params, most_bytes=most_bytes):
                    yield line
            except streams.Answered as error:
                await self._is_to_be_asked_again(auth, error)
                raise  # who follows something asks again in any case

    async def _is_to_be_asked_again(self, auth: Any, refusal: streams.Answered) -> bool:
        """Say whether an API server that has refused something may have been about to start. Raise `NotNow` where it
        is still."""
        if not starting.may_be(refusal.status, str(refusal)):
            return False
        try:
            await self._streams.whole(auth, "GET", starting.READY_PATH, seconds=CALL_SECONDS)
        except streams.Answered as error:
            if not starting.is_over(error.status):
                raise NotNow("Kubernetes is only just starting.") from error
        return True


def _place(kind: Kind, namespace: str | None, name: str) -> tuple[str, str]:
    """Return what is asked for, for people, and as the path of an address."""
    url = f"{kind.plural}/{name}" if name else kind.plural
    root = "apis" if "/" in kind.version else "api"
    parts = (root, kind.version, namespace and f"namespaces/{namespace}", url)
    return f"{namespace or 'all namespaces'}/{url or kind.version}", "/" + "/".join(filter(None, parts))


@contextlib.contextmanager
def _translated(asked: str) -> Iterator[None]:
    """Raise what Kubernetes answers as our own errors."""
    try:
        yield
    except streams.Answered as error:
        raise _error(error.status, error.message, asked) from error
    except kr8s.ServerError as error:  # The first question of all, for its version: one that starts refuses that too.
        raise NotNow(
            f"Kubernetes does not let the platform in: {str(error).rstrip('.')}.",
            remedy="It is asked again; look whether the credentials hold.",
        ) from error
    except (
        kr8s.APITimeoutError,
        kr8s.ConnectionClosedError,
        httpx.HTTPError,
        httpx.StreamError,
        ssl.SSLError,
    ) as error:
        raise NotNow(
            f"Kubernetes does not answer ({asked}): {str(error).rstrip('.') or type(error).__name__}.",
            remedy="It is asked again; look whether it runs, and whether the kubeconfig leads to it.",
        ) from error
    except (OSError, ValueError) as error:
        raise errors.ExecutorUnavailable(
            f"No Kubernetes cluster can be reached: {error}.",
            remedy="Name a kubeconfig in KUBECONFIG or DAYFLY_KUBERNETES__KUBECONFIG.",
        ) from error


_NOT_YET = (
    "is being terminated",
    # What Kubernetes itself has yet to do, which takes a while where its controllers have been away.
    "not yet ready to handle request",
    "status unknown for quota",
    'serviceaccount "default" not found',
)
"""Of refusals that are none, as they do not last."""


def _error(status: int, message: str, asked: str) -> errors.DayflyError:
    told = f"Kubernetes says to {asked}: {message.rstrip('.')}."
    if status == 404:
        return errors.NotFound(told)
    if status == 409 and "already exists" in message:
        return errors.AlreadyExists(told)
    if status == 409:
        return Conflict(told)
    if status == 410:
        return Expired(told)
    if status == 403 and "exceeded quota" in message:
        return NotNow(told, remedy="It is tried again as soon as others have ended.")
    if status == 403 and any(words in message for words in _NOT_YET):
        return NotNow(told)
    if status in (401, 403):
        return Forbidden(told, remedy="Give the platform's account the rights that docs/kubernetes.md names.")
    if status == 429 or status >= 500:
        return NotNow(told)
    return Refused(told)
