"""A small service with what production asks for: settings, logs, traces, metrics, probes.

It answers `infer.request` messages with `infer.response` messages, by a stand-in for a model:

    hatch run service --listen 127.0.0.1:8080
    curl 127.0.0.1:8080/readyz

Settings come from a TOML file (`--config`), variables (`SERVICE_MODEL__LATENCY=20ms`) and flags;
`--explain` shows where each came from.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from mist import config, logging, trace
from mist.cli import App, Command
from mist.config import Duration
from mist.errors import Code, MistError, exit_code
from mist.health import Handler, Unhealthy
from mist.metrics import Registry
from mist.protocol import InferRequest, InferResponse, Message, MessageType, ProtocolError
from mist.server import Server

VERSION = "1.0.0"


class ModelSettings(msgspec.Struct):
    """The stand-in for a model."""

    name: str = "stand-in"
    latency: Duration = 0.005
    dollars_per_token: Annotated[float, msgspec.Meta(ge=0)] = 0.000_002


class Settings(msgspec.Struct):
    """Everything that can be set."""

    listen: str = "127.0.0.1:8080"
    log_level: Literal["debug", "info", "warn", "error"] = "info"
    drain_delay: Duration = 3.0
    spans: Path | None = None  # a file that gets a `trace.span` message for each span
    model: ModelSettings = msgspec.field(default_factory=ModelSettings)


class Model:
    """Answers in capitals, and says what that cost."""

    def __init__(self, settings: ModelSettings) -> None:
        self.settings = settings
        self.is_loaded = True

    async def answer(self, request: InferRequest) -> InferResponse:
        """Answer the last message of a chat."""
        with trace.start("model.answer", model=self.settings.name) as span:
            await asyncio.sleep(self.settings.latency)
            question = request.messages[-1].content
            response = InferResponse(
                model=self.settings.name,
                provider="local",
                content=question.upper(),
                tokens_in=len(question.split()),
                tokens_out=len(question.split()),
                cost_usd=2 * len(question.split()) * self.settings.dollars_per_token,
                latency_ms=round(self.settings.latency * 1000),
                finish_reason="stop",
            )
            span.set_attr("tokens_in", response.tokens_in)
            span.set_attr("tokens_out", response.tokens_out)
            span.set_attr("cost_usd", response.cost_usd)
            return response

    def check(self) -> None:
        """Raise where the model cannot answer."""
        if not self.is_loaded:
            raise Unhealthy("not loaded")


class Service:
    """The handlers, and what they share."""

    def __init__(self, model: Model, log: logging.Logger, metrics: Registry) -> None:
        self.model = model
        self.log = log
        self.metrics = metrics
        self.answered = metrics.counter("infer_answered", model=model.settings.name)
        self.latency = metrics.histogram("infer_ms", model=model.settings.name)

    async def infer(self, request: Request) -> Response:
        """Answer one `infer.request`; the caller's trace goes on here."""
        with (
            trace.extract_http(request.scope["headers"], "POST /infer") as span,
            self.latency.time(),
        ):
            message, question = parse(await request.body())
            answer = await self.model.answer(question)
            self.answered.inc()
            span.set_attr("message_id", message.id)
            self.log.info("answered", message_id=message.id, tokens=answer.tokens_out)
            reply = Message.new("infermux", MessageType.INFER_RESPONSE, answer)
            return Response(reply.marshal_with_checksum(), media_type="application/json")


def parse(body: bytes) -> tuple[Message, InferRequest]:
    """Read a message; what is wrong with it is the caller's fault, a 400."""
    try:
        message = Message.unmarshal(body)
        question = message.decode(InferRequest)
    except ProtocolError as exc:
        raise MistError(Code.VALIDATION, str(exc)) from exc
    if not question.messages:
        raise MistError(Code.VALIDATION, "messages: at least one is needed")
    return message, question


def ship_to(path: Path) -> Callable[[list[trace.Span]], None]:
    """Return what appends a batch of spans to a file, one message a line."""

    def ship(spans: list[trace.Span]) -> None:
        lines = b"".join(
            Message.new("tokentrace", MessageType.TRACE_SPAN, span.to_payload()).marshal() + b"\n"
            for span in spans
        )
        with path.open("ab") as file:
            file.write(lines)

    return ship


def serve(settings: Settings) -> None:
    """Serve until a signal comes, and end in order."""
    log = logging.new("service", settings.log_level)
    log.capture_stdlib()
    metrics = Registry()
    metrics.add_process_metrics()
    health = Handler("service", VERSION)
    model = Model(settings.model)
    health.add_check("model", model.check)
    if settings.spans is not None:
        trace.add_sink(trace.BufferedSink(ship_to(settings.spans), interval=0.2))

    service = Service(model, log, metrics)
    server = Server(
        settings.listen,
        logger=log,
        access_log=True,
        readiness=health,
        drain_delay=settings.drain_delay,
    )
    server.handle("POST /infer", service.infer)
    server.handle("GET /healthz", health.liveness())
    server.handle("GET /readyz", health.readiness())
    server.handle("GET /metricsz", metrics.handler())
    server.listen_and_serve()


def run(command: Command, _args: list[str]) -> int:
    """Load the settings and serve, or show the settings."""
    path = command.get_string("config") or None
    try:
        settings = config.load(path, "service", Settings, unknown="error", flags=command)
    except config.ConfigError as exc:
        print(exc, file=sys.stderr)  # a report of several lines: every problem, each with its place
        return exit_code(exc.code)
    if command.get_bool("explain"):
        print(config.explain(settings))
    else:
        serve(settings)
    return 0


command = Command("serve", "Answer infer.request messages over HTTP", run)
command.add_string_flag("config", "", "a TOML file with settings")
command.add_string_flag("listen", "127.0.0.1:8080", "host:port; port 0 is any free one")
command.add_string_flag("log-level", "info", "debug, info, warn or error")
command.add_bool_flag("explain", help="show where each setting comes from, and end")

app = App("service", VERSION)
app.add_command(command)

if __name__ == "__main__":
    app.main()
