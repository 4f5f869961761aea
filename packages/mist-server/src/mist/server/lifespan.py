"""The lifespan of ASGI applications: what they want to do before and after they serve."""

import asyncio
from collections.abc import Iterable
from typing import Any

from mist.errors import Code
from mist.server.asgi import ASGIApp, Message, Receive, Scope, Send
from mist.server.errors import ServerError

_FAREWELL_SECONDS = 1.0


class Lifespan:
    """The lifespan of one application, run in a task of its own.

    Attributes:
        state: What the application keeps for its requests, as `scope["state"]`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._task: asyncio.Task[None] | None = None
        self._events: asyncio.Queue[str] = asyncio.Queue()
        self._answer: asyncio.Future[Message] | None = None
        self._owes_answer = False
        self._failure: Exception | None = None

    async def start(self) -> None:
        """Let the application start; one that knows no lifespan is left alone.

        Raises:
            ServerError: It says that it cannot.
        """
        self._task = asyncio.create_task(self._run())
        answer = await self._tell(self._task, "startup")
        if answer is not None and answer["type"] == "lifespan.startup.failed":
            await asyncio.wait([self._task])
            raise self._error("the application cannot start", answer)

    async def stop(self) -> None:
        """Let the application end.

        Raises:
            ServerError: It failed to.
        """
        if self._task is None or self._task.done():
            return
        answer = await self._tell(self._task, "shutdown")
        await asyncio.wait([self._task])
        if answer is None or answer["type"] == "lifespan.shutdown.failed":
            raise self._error("the application did not end well", answer)

    async def abandon(self) -> None:
        """Cancel what of the application has not ended, and wait a moment for it to clean up."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=_FAREWELL_SECONDS)

    def _error(self, what: str, answer: Message | None) -> ServerError:
        if isinstance(self._failure, ServerError):
            return self._failure  # of an application within this one
        # What it raised says it best: what it answers may be a whole traceback.
        reason = self._failure or (answer or {}).get("message") or "it gave no reason"
        return ServerError(Code.INTERNAL, f"{what}: {reason}", cause=self._failure)

    async def _tell(self, task: asyncio.Task[None], event: str) -> Message | None:
        """Return the application's answer to an event, or None when it ended without one."""
        answer = self._answer = asyncio.get_running_loop().create_future()
        self._events.put_nowait(event)
        try:
            await asyncio.wait([task, answer], return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            task.cancel()
            await asyncio.wait([task])
            raise
        return answer.result() if answer.done() else None

    async def _run(self) -> None:
        scope: Scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        try:
            await self._app(scope, self._receive, self._send)
        except Exception as exc:  # noqa: BLE001  # most often: "I know only http"
            self._failure = exc

    async def _receive(self) -> Message:
        if self._owes_answer:
            # It takes this for a request: left alone, it would wait for more of it for ever.
            raise RuntimeError("the lifespan goes on when its last event was answered")
        event = await self._events.get()
        self._owes_answer = True
        return {"type": f"lifespan.{event}"}

    async def _send(self, message: Message) -> None:
        if not message["type"].startswith("lifespan."):
            raise RuntimeError(f"this is a lifespan, and {message['type']!r} no answer to it")
        self._owes_answer = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(message)


async def run_lifespans(lifespans: Iterable[Lifespan], receive: Receive, send: Send) -> None:
    """Serve a lifespan by running others: started in order, ended in reverse."""
    started: list[Lifespan] = []
    try:
        await _run_lifespans(lifespans, started, receive, send)
    finally:
        # Where all is well they have ended; where it was cancelled they end as it does.
        for lifespan in reversed(started):
            await lifespan.abandon()


async def _run_lifespans(
    lifespans: Iterable[Lifespan], started: list[Lifespan], receive: Receive, send: Send
) -> None:
    await receive()
    try:
        for lifespan in lifespans:
            await lifespan.start()
            started.append(lifespan)
    except Exception as exc:
        await _stop(started)
        await send({"type": "lifespan.startup.failed", "message": str(exc)})
        raise
    await send({"type": "lifespan.startup.complete"})
    await receive()
    failures = await _stop(started)
    if failures:
        reasons = "; ".join(str(failure) for failure in failures)
        await send({"type": "lifespan.shutdown.failed", "message": reasons})
        raise failures[0]
    await send({"type": "lifespan.shutdown.complete"})


async def _stop(lifespans: list[Lifespan]) -> list[ServerError]:
    failures: list[ServerError] = []
    for lifespan in reversed(lifespans):
        try:
            await lifespan.stop()
        except ServerError as failure:
            failures.append(failure)
    return failures
