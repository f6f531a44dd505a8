"""Wrap each handler so that nothing but a chosen status leaves it.

flytekit takes UNKNOWN for "log in again" and opens a browser, and gRPC turns every stray exception, also one of
decoding, into UNKNOWN: so requests arrive here as bytes, and everything is caught here.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple

import grpc
from google.protobuf import any_pb2, message_factory
from google.protobuf.message import DecodeError, Message
from google.rpc import status_pb2

from dayfly.base import errors, ids, logs
from dayfly.ports.calls import Answer, Calls
from dayfly.services import refusals
from dayfly.services.measuring import Measures

log = logs.get("dayfly.services")

Handler = Callable[[Any], Awaitable[Message]]
"""Takes a request message, returns the answer."""

Trailers = tuple[tuple[str, bytes], ...]

CODES: tuple[tuple[type[errors.DayflyError], grpc.StatusCode], ...] = (
    (errors.InvalidArgument, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.NotFound, grpc.StatusCode.NOT_FOUND),
    (errors.AlreadyExists, grpc.StatusCode.ALREADY_EXISTS),
    (errors.FailedPrecondition, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.ResourceExhausted, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.PermissionDenied, grpc.StatusCode.PERMISSION_DENIED),
    (errors.UserError, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.StoreUnavailable, grpc.StatusCode.UNAVAILABLE),
    (errors.BlobUnavailable, grpc.StatusCode.UNAVAILABLE),
    (errors.ExecutorUnavailable, grpc.StatusCode.UNAVAILABLE),
    (errors.VersionClash, grpc.StatusCode.UNAVAILABLE),
    (errors.DayflyError, grpc.StatusCode.INTERNAL),
)
"""First match wins."""

MAX_MESSAGE_BYTES = 6 * 1024
"""Status messages travel as HTTP/2 headers, percent-encoded, and clients accept 32 KiB of those at most (8 KiB where
they set nothing)."""


def code_of(error: errors.DayflyError) -> grpc.StatusCode:
    """Return the status code that stands for the error."""
    return next(code for kind, code in CODES if isinstance(error, kind))


class Answered(NamedTuple):
    """How a call ended."""

    code: grpc.StatusCode
    told: str = ""
    body: bytes = b""
    trailers: Trailers = ()


def answering(
    rpc: str, request_type: type[Message], handler: Handler, measures: Measures
) -> Callable[[bytes], Awaitable[Answered]]:
    """Return the handler as any door calls it: bytes in, and whatever happens told. Raises nothing but cancellation."""

    async def answer(raw: bytes) -> Answered:
        began = time.monotonic()
        answered = Answered(grpc.StatusCode.CANCELLED)  # What it stays when the client hangs up.
        try:
            request = request_type.FromString(raw)
            answered = Answered(grpc.StatusCode.OK, body=(await handler(request)).SerializeToString())
        except DecodeError:
            answered = Answered(grpc.StatusCode.INVALID_ARGUMENT, f"{rpc}: the request cannot be decoded.")
        except errors.DayflyError as error:
            answered = Answered(code_of(error), _shortened(str(error)), trailers=_details(code_of(error), error))
            if isinstance(error, errors.PlatformError):
                log.warning("refused", rpc=rpc, code=answered.code.name, error=str(error), exc_info=True)
        except Exception:  # Everything: a door's outermost loop reports, and the server goes on.
            incident = ids.unique()[:12]
            told = f"{rpc} failed inside the server; its log has the traceback under incident {incident}."
            log.error("handler failed", rpc=rpc, incident=incident, exc_info=True)
            answered = Answered(grpc.StatusCode.INTERNAL, told)
        finally:
            measures.answered(rpc, answered.code.name, time.monotonic() - began)
        return answered

    return answer


def guarded(
    rpc: str, request_type: type[Message], handler: Handler, measures: Measures
) -> Callable[[bytes, Any], Awaitable[bytes]]:
    """Return the handler as gRPC calls it: bytes in, bytes out, errors as statuses."""
    answer = answering(rpc, request_type, handler, measures)

    async def served(raw: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        answered = await answer(raw)
        if answered.code is grpc.StatusCode.OK:
            return answered.body
        await context.abort(answered.code, answered.told, answered.trailers)
        raise AssertionError("abort raises")

    return served


def calls(bindings: Mapping[str, Mapping[str, Handler]], services: Iterable[Any], measures: Measures) -> Calls:
    """Return all methods as plain calls; `services` are the descriptors of those that are bound."""
    answers = {
        (service.full_name, rpc): answering(
            rpc, message_factory.GetMessageClass(service.methods_by_name[rpc].input_type), handler, measures
        )
        for service in services
        for rpc, handler in bindings[service.full_name].items()
    }

    async def call(service: str, method: str, request: bytes) -> Answer:
        answer = answers.get((service, method))
        if answer is None:
            return Answer(grpc.StatusCode.UNIMPLEMENTED.name, f"{service}/{method} is not served.")
        answered = await answer(request)
        return Answer(answered.code.name, answered.told, answered.body)

    return call


def _details(code: grpc.StatusCode, error: errors.DayflyError) -> Trailers:
    if not isinstance(error, refusals.Explained):
        return ()
    detail = any_pb2.Any()
    detail.Pack(error.detail)
    status = status_pb2.Status(code=code.value[0], message=_shortened(str(error)), details=[detail])
    return (("grpc-status-details-bin", status.SerializeToString()),)


def _shortened(text: str) -> str:
    """Cut to what fits a header: what is not plain ASCII counts three times, percent-encoded."""
    budget = MAX_MESSAGE_BYTES
    for at, character in enumerate(text):
        budget -= 1 if " " <= character <= "~" and character != "%" else 3 * len(character.encode("utf-8", "replace"))
        if budget < 0:
            return f"{text[:at]}... ({len(text) - at} more characters)"
    return text
