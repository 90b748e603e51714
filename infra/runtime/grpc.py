"""What every gRPC method shares: keys from metadata, problems as rich errors, ids in logs, metrics; and the server itself.

Errors follow gRPC's richer error model: `google.rpc.Status` in the trailers, with an ErrorInfo (reason: the stable code)
and a BadRequest (one violation a field).
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any, Final, NoReturn, Protocol, TypeVar
from uuid import uuid4

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status
from prometheus_client import Counter, Histogram

from infra.runtime.auth import Caller
from infra.runtime.errors import Transient
from infra.runtime.http import BODY_LIMIT
from infra.runtime.logging import context as log_context
from infra.runtime.logging import logger
from infra.runtime.problems import Problem, problem
from infra.runtime.services import Services

DOMAIN: Final = "casestream"
CALLS: Final = Counter("grpc_calls", "Calls answered.", ["method", "code"])
SECONDS: Final = Histogram(
    "grpc_call_seconds",
    "From a call to its answer; not of streams.",
    ["method"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
_log = logger("grpc")

_CODES: Final = {
    HTTPStatus.BAD_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: grpc.StatusCode.INVALID_ARGUMENT,
    HTTPStatus.UNPROCESSABLE_ENTITY: grpc.StatusCode.INVALID_ARGUMENT,
    HTTPStatus.UNAUTHORIZED: grpc.StatusCode.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    HTTPStatus.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    HTTPStatus.CONFLICT: grpc.StatusCode.ABORTED,
    HTTPStatus.TOO_MANY_REQUESTS: grpc.StatusCode.RESOURCE_EXHAUSTED,
    HTTPStatus.SERVICE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
}


class Servicer(Protocol):
    """What `unary` and `stream` need of the object whose methods they wrap."""

    services: Services


S = TypeVar("S", bound=Servicer)
Q = TypeVar("Q")
A = TypeVar("A")


def unary(method: Callable[[S, Caller, Q], Awaitable[A]]) -> Callable[[S, Q, Any], Awaitable[A]]:
    """Make a gRPC method of `async method(self, caller, request) -> answer`, which may raise Problem and Transient."""
    name = method.__name__

    @functools.wraps(method)
    async def answer(self: S, request: Q, call: Any) -> A:
        began = time.perf_counter()
        with log_context(correlation_id=str(uuid4())):
            try:
                answered = await method(self, await _caller(self.services, call), request)
            except asyncio.CancelledError:
                CALLS.labels(name, grpc.StatusCode.CANCELLED.name).inc()
                raise
            except Exception as error:  # noqa: BLE001 - each is answered by what it is
                await _refuse(call, name, error)
        CALLS.labels(name, grpc.StatusCode.OK.name).inc()
        SECONDS.labels(name).observe(time.perf_counter() - began)
        return answered

    return answer


def stream(method: Callable[[S, Caller, Q], AsyncIterator[A]]) -> Callable[[S, Q, Any], AsyncIterator[A]]:
    """Make a gRPC method of an asynchronous generator `method(self, caller, request)`."""
    name = method.__name__

    @functools.wraps(method)
    async def answers(self: S, request: Q, call: Any) -> AsyncIterator[A]:
        with log_context(correlation_id=str(uuid4())):
            try:
                async for answer in method(self, await _caller(self.services, call), request):
                    yield answer
            except (asyncio.CancelledError, GeneratorExit):
                CALLS.labels(name, grpc.StatusCode.CANCELLED.name).inc()
                raise
            except Exception as error:  # noqa: BLE001 - each is answered by what it is
                await _refuse(call, name, error)
        CALLS.labels(name, grpc.StatusCode.OK.name).inc()

    return answers


async def _caller(services: Services, call: Any) -> Caller:
    return await services.gate.caller({key.lower(): value for key, value in call.invocation_metadata() or ()})


async def _refuse(call: Any, name: str, error: Exception) -> NoReturn:
    match error:
        case Problem():
            refused = error
        case Transient():
            _log.warning("away", cause=str(error))
            refused = problem(503, "service.unavailable", f"{error}; nothing was done, try again")
        case _:
            _log.error("a call failed", method=name, exc_info=error)
            refused = problem(500, "internal", "something failed here; it was logged")
    code = _code(refused)
    CALLS.labels(name, code.name).inc()
    await call.abort_with_status(rpc_status.to_status(rich(refused)))
    raise AssertionError("abort_with_status returned")


def _code(refused: Problem) -> grpc.StatusCode:
    if any(fault.code.endswith("taken") for fault in refused.faults):
        return grpc.StatusCode.ALREADY_EXISTS
    return _CODES.get(HTTPStatus(refused.status), grpc.StatusCode.INTERNAL)


def rich(refused: Problem) -> status_pb2.Status:
    """Return a problem as `google.rpc.Status`."""
    more = {name: str(value) for name, value in refused.more.items()}
    details: list[Any] = [
        error_details_pb2.ErrorInfo(reason=fault.code, domain=DOMAIN, metadata=more) for fault in refused.faults
    ]
    fields = [
        error_details_pb2.BadRequest.FieldViolation(field=fault.field, description=fault.detail, reason=fault.code)
        for fault in refused.faults
        if fault.field is not None
    ]
    if fields:
        details.append(error_details_pb2.BadRequest(field_violations=fields))
    packed = []
    for detail in details:
        box = Packed()
        box.Pack(detail)
        packed.append(box)
    return status_pb2.Status(code=code_pb2.Code.Value(_code(refused).name), message=str(refused), details=packed)


def server(
    add: Sequence[Callable[[Any], None]], names: Sequence[str], *, host: str, port: int
) -> tuple[grpc.aio.Server, int]:
    """Return a server that is not started, and its port. add: what puts each servicer on it. names: its services.

    Health and reflection come with it. Raises RuntimeError where the port is taken.
    """
    made = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", BODY_LIMIT),
            # Two servers on one port would each get half of the calls.
            ("grpc.so_reuseport", 0),
            ("grpc.max_connection_age_grace_ms", 5_000),
        ]
    )
    for put in add:
        put(made)
    state = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(state, made)
    reflection.enable_server_reflection((*names, health.SERVICE_NAME, reflection.SERVICE_NAME), made)
    bound = made.add_insecure_port(f"{host}:{port}")
    if not bound:
        raise RuntimeError(f"gRPC cannot listen on {host}:{port}")
    return made, bound
