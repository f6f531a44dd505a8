"""The gRPC server: every bound RPC behind its guard, plus health and reflection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import grpc
from flyteidl.datacatalog import datacatalog_pb2
from flyteidl.service import admin_pb2, auth_pb2, dataproxy_pb2, identity_pb2, signal_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from dayfly.services import answering
from dayfly.services.measuring import Measures
from dayfly.services.settings import ApiSettings

SERVICES: tuple[ServiceDescriptor, ...] = tuple(
    service
    for module in (admin_pb2, dataproxy_pb2, signal_pb2, auth_pb2, identity_pb2, datacatalog_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
)
"""The services of flyteidl that we answer."""

OPTIONS: tuple[tuple[str, int], ...] = (
    # flytekit pings every 30 s, also without calls; a server that minds answers with GOAWAY.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 1000),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", 32 * 1024),
    ("grpc.so_reuseport", 0),
)


async def build(
    bindings: Mapping[str, Mapping[str, answering.Handler]], measures: Measures, settings: ApiSettings
) -> grpc.aio.Server:
    """Return the server, not started and listening nowhere yet."""
    server = grpc.aio.server(options=(*OPTIONS, ("grpc.max_receive_message_length", settings.max_request_bytes)))
    for service in SERVICES:
        server.add_generic_rpc_handlers([_handlers(service, bindings[service.full_name], measures)])
    names = [service.full_name for service in SERVICES]
    await _add_health(server, names)
    reflection.enable_server_reflection(
        [*names, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME], server
    )
    return server


def _handlers(
    service: ServiceDescriptor, handlers: Mapping[str, answering.Handler], measures: Measures
) -> grpc.GenericRpcHandler[bytes, bytes]:
    methods = {}
    for rpc, handler in handlers.items():
        request_type = message_factory.GetMessageClass(service.methods_by_name[rpc].input_type)
        # No (de)serializers: the guard does it, so that undecodable bytes have a proper status too.
        methods[rpc] = grpc.unary_unary_rpc_method_handler(answering.guarded(rpc, request_type, handler, measures))
    return grpc.method_handlers_generic_handler(service.full_name, methods)


async def _add_health(server: grpc.aio.Server, services: Iterable[str]) -> None:
    servicer: Any = health.aio.HealthServicer()  # type: ignore[attr-defined]  # grpc-stubs lacks it
    for service in ("", *services):
        await servicer.set(service, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
