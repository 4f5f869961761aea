"""The middlewares that observe: logging, metrics and tracing.

What they are given is known by its shape alone: the loggers, registries and tracers of the
sibling packages fit, and so do others. A logger, a registry or a tracer that fails never
costs a message: its first failure is reported through the standard library's logger
`mist.transport`, and the message goes on.
"""

import asyncio
import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from time import perf_counter
from typing import Any, Protocol, TypeGuard

from mist.protocol import Message
from mist.transport.errors import EndOfStream, TransportClosed, code_of
from mist.transport.headers import incoming_headers, outgoing_headers
from mist.transport.interface import Transport
from mist.transport.isolation import Isolation
from mist.transport.layer import Layer, Middleware, require


class Logger(Protocol):
    """Takes an event and its fields: `debug(msg, **fields)`, and likewise `warning`."""

    @property
    def debug(self) -> Callable[..., object]: ...  # noqa: D102
    @property
    def warning(self) -> Callable[..., object]: ...  # noqa: D102


class Counter(Protocol):
    """Counts."""

    def inc(self) -> object: ...  # noqa: D102


class Histogram(Protocol):
    """Sorts observations into buckets."""

    def observe(self, value: float, /) -> object: ...  # noqa: D102


class Registry(Protocol):
    """Makes counters and histograms: `counter(name, **labels)`, and likewise `histogram`."""

    @property
    def counter(self) -> Callable[..., Counter]: ...  # noqa: D102
    @property
    def histogram(self) -> Callable[..., Histogram]: ...  # noqa: D102


class Span(Protocol):
    """A timed operation; leaving it as a context manager ends it."""

    def set_attr(self, key: str, value: Any, /) -> object: ...  # noqa: D102


class Tracer(Protocol):
    """Starts spans, `start(operation, **attrs)`, and carries their context in headers.

    It may be an object or a module.
    """

    @property
    def start(self) -> Callable[..., AbstractContextManager[Span]]: ...  # noqa: D102
    @property
    def inject_http(self) -> Callable[[dict[str, str]], object]: ...  # noqa: D102
    @property
    def extract_http(  # noqa: D102
        self,
    ) -> Callable[[Mapping[str, str], str], AbstractContextManager[Span]]: ...


def with_logging(logger: "Logger | logging.Logger | logging.LoggerAdapter[Any]") -> Middleware:
    """Log every message that passes, without its payload, and every failure.

    Messages and the end of a stream are logged at debug level, failures as warnings. The fields
    are `message_id`, `message_type`, `message_source`, of a send its `duration_ms`, and of a
    failure its `code` and `error`.

    Args:
        logger: Has `debug` and `warning` that take keyword fields, as those of mist.logging and
            structlog do; one of the standard library gets the fields in the text and as `extra`.

    Raises:
        TypeError: It is no logger.
    """
    fielded: Logger
    if isinstance(logger, logging.Logger) or _is_adapter(logger):
        fielded = _StandardLogger(logger)
    else:
        require("with_logging", logger, "debug", "warning")
        fielded = logger
    return lambda transport: _Logged(transport, fielded)


def with_metrics(registry: Registry, **labels: str) -> Middleware:
    """Count messages and failures, and time sends.

    The counters are `transport_sent`, `transport_received` and `transport_failed`, the last with
    the labels `op` (`send` or `receive`) and `code`; the histogram is `transport_send_ms`, for
    sends that succeeded. A receive that is cancelled, or finds the stream at its end or the
    transport closed, has not failed.

    Args:
        registry: Has `counter(name, **labels).inc()` and `histogram(name, **labels).observe(ms)`.
        labels: Further labels for all of them, such as `transport="http"`.

    Raises:
        TypeError: It is no registry.
    """
    require("with_metrics", registry, "counter", "histogram")
    return lambda transport: _Measured(transport, registry, labels)


def with_tracing(tracer: Tracer) -> Middleware:
    """Put each send into a span, and continue the trace that a received message came with.

    A send is a span `transport.send`, whose context the message takes along where the transport
    has a place for it. A message that came with a trace context leaves a span
    `transport.receive` in that trace; what handles the message can join it by the same headers,
    which stay in `incoming_headers` until the next receive.

    Args:
        tracer: Has `start`, `inject_http` and `extract_http`, such as the module mist.trace.

    Raises:
        TypeError: It is no tracer.
    """
    require("with_tracing", tracer, "start", "inject_http", "extract_http")
    return lambda transport: _Traced(transport, tracer)


def _describe(message: Message) -> dict[str, Any]:
    return {
        "message_id": message.id,
        "message_type": message.type,
        "message_source": message.source,
    }


def _is_ending(exc: BaseException) -> bool:
    """Tell a receive that has come to its end from one that failed."""
    return isinstance(exc, (EndOfStream, TransportClosed, asyncio.CancelledError))


def _is_adapter(logger: object) -> "TypeGuard[logging.LoggerAdapter[Any]]":
    return isinstance(logger, logging.LoggerAdapter)


class _StandardLogger:
    """Gives a logger of the standard library keyword fields."""

    def __init__(self, logger: "logging.Logger | logging.LoggerAdapter[Any]") -> None:
        self._logger = logger

    def debug(self, msg: str, **fields: Any) -> None:
        self._log(logging.DEBUG, msg, fields)

    def warning(self, msg: str, **fields: Any) -> None:
        self._log(logging.WARNING, msg, fields)

    def _log(self, level: int, msg: str, fields: dict[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            text = " ".join([msg, *(f"{name}={_shown(value)}" for name, value in fields.items())])
            self._logger.log(level, "%s", text, extra=fields)


def _shown(value: object) -> str:
    """Return a value as text that can neither begin a line nor control a terminal."""
    text = str(value)
    return text if text.isprintable() else ascii(text)


class _Logged(Layer):
    def __init__(self, inner: Transport, logger: Logger) -> None:
        super().__init__(inner)
        self._logger = logger
        self._isolated = Isolation("the logger of with_logging").call

    async def send(self, message: Message) -> None:
        started = perf_counter()
        try:
            await self.inner.send(message)
        except BaseException as exc:
            self._isolated(
                self._logger.warning,
                "send failed",
                **_describe(message),
                code=code_of(exc),
                error=str(exc),
            )
            raise
        self._isolated(
            self._logger.debug,
            "sent",
            **_describe(message),
            duration_ms=round((perf_counter() - started) * 1000, 3),
        )

    async def receive(self) -> Message:
        try:
            message = await self.inner.receive()
        except asyncio.CancelledError:
            raise
        except BaseException as exc:
            ending = _is_ending(exc)
            self._isolated(
                self._logger.debug if ending else self._logger.warning,
                "receive ended" if ending else "receive failed",
                code=code_of(exc),
                error=str(exc),
            )
            raise
        self._isolated(self._logger.debug, "received", **_describe(message))
        return message


class _Measured(Layer):
    def __init__(self, inner: Transport, registry: Registry, labels: dict[str, str]) -> None:
        super().__init__(inner)
        self._registry = registry
        self._labels = labels
        self._isolated = Isolation("the registry of with_metrics").call
        self._sent = registry.counter("transport_sent", **labels)
        self._received = registry.counter("transport_received", **labels)
        self._send_ms = registry.histogram("transport_send_ms", **labels)
        self._failed: dict[tuple[str, str], Counter] = {}

    async def send(self, message: Message) -> None:
        started = perf_counter()
        try:
            await self.inner.send(message)
        except BaseException as exc:
            self._isolated(self._count_failure, "send", code_of(exc))
            raise
        self._isolated(self._sent.inc)
        self._isolated(self._send_ms.observe, (perf_counter() - started) * 1000)

    async def receive(self) -> Message:
        try:
            message = await self.inner.receive()
        except BaseException as exc:
            if not _is_ending(exc):
                self._isolated(self._count_failure, "receive", code_of(exc))
            raise
        self._isolated(self._received.inc)
        return message

    def _count_failure(self, op: str, code: str) -> None:
        counter = self._failed.get((op, code))
        if counter is None:
            counter = self._registry.counter("transport_failed", **self._labels, op=op, code=code)
            self._failed[op, code] = counter
        counter.inc()


class _Traced(Layer):
    def __init__(self, inner: Transport, tracer: Tracer) -> None:
        super().__init__(inner)
        self._tracer = tracer
        self._isolated = Isolation("the tracer of with_tracing").call

    async def send(self, message: Message) -> None:
        span = self._isolated(self._tracer.start, "transport.send", **_describe(message))
        with self._entered(span) as entered:
            headers = dict(outgoing_headers.get())
            self._isolated(self._tracer.inject_http, headers)
            token = outgoing_headers.set(headers)
            try:
                await self.inner.send(message)
            except BaseException as exc:
                self._isolated(_set_attrs, entered, {"code": code_of(exc)})
                raise
            finally:
                outgoing_headers.reset(token)

    async def receive(self) -> Message:
        # A transport that carries no headers leaves the variable alone: what an earlier
        # message came with must not be taken for this one's.
        incoming_headers.set({})
        message = await self.inner.receive()
        headers = incoming_headers.get()
        if headers:
            span = self._isolated(self._tracer.extract_http, headers, "transport.receive")
            with self._entered(span) as entered:
                self._isolated(_set_attrs, entered, _describe(message))
        return message

    @contextmanager
    def _entered(
        self, span: AbstractContextManager[Span] | None
    ) -> Generator[Span | None, None, None]:
        """Run the block in a span; None, or a span that fails, is no span."""
        stack = ExitStack()
        entered = self._isolated(_enter, stack, span)
        try:
            yield entered
        except BaseException as exc:
            self._isolated(stack.__exit__, type(exc), exc, exc.__traceback__)
            raise
        self._isolated(stack.close)


def _enter(stack: ExitStack, span: AbstractContextManager[Span] | None) -> Span | None:
    return None if span is None else stack.enter_context(span)


def _set_attrs(span: Span | None, attrs: dict[str, Any]) -> None:
    if span is not None:
        for key, value in attrs.items():
            span.set_attr(key, value)
