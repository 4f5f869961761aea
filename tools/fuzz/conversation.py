"""Bytes sent to a server of ours over loopback: what it answers, and what it complains of."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

_PATIENCE = 5.0  # seconds for an answer to bytes after which nothing more comes
_TURNS = 30
_MOST = 1 << 16  # bytes of an answer


class Conversations:
    """An event loop with one server, kept from input to input.

    Args:
        start: Starts the server in the loop, and returns the port that it listens at.
        logger: The logger to which the server must have nothing to say above warnings.
    """

    def __init__(self, start: Callable[[], Awaitable[int]], logger: str) -> None:
        self._start = start
        self._loop: asyncio.AbstractEventLoop | None = None
        self._port = 0
        self._complaints: list[str] = []
        self._logger = logging.getLogger(logger)

    def hold(self, data: bytes) -> bytes:
        """Send some bytes and nothing more; return what the server sends until it closes.

        Raises:
            AssertionError: It does not close, or complains of more than the bytes.
        """
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._loop.set_exception_handler(self._on_exception)
            self._logger.addHandler(_Complaints(self._complaints))
            self._logger.propagate = False
            self._port = self._loop.run_until_complete(self._start())
        answer = self._loop.run_until_complete(self._talk(data))
        complaints = list(self._complaints)
        self._complaints.clear()
        assert not complaints, complaints
        return answer

    def _on_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:  # noqa: ARG002  # asyncio's form
        self._complaints.append(f"{context['message']}: {context.get('exception')!r}")

    async def _talk(self, data: bytes) -> bytes:
        try:
            async with asyncio.timeout(_PATIENCE):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                try:
                    writer.write(data)
                    for _ in range(_TURNS):  # the server, in the same loop, answers meanwhile
                        await asyncio.sleep(0)
                    writer.write_eof()
                    return await _everything(reader)
                finally:
                    writer.close()
        except ConnectionError:  # it has seen enough
            return b""
        except TimeoutError:
            raise AssertionError("the server neither answers nor closes") from None


class _Complaints(logging.Handler):
    def __init__(self, texts: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._texts = texts

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(record.getMessage())


async def _everything(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    while part := await reader.read(_MOST):
        parts.append(part)
    return b"".join(parts)


def statuses(answer: bytes) -> list[int]:
    """Return the statuses of the answers, which are that many as could be found at lines' starts."""
    lines = answer.split(b"\r\n")
    return [int(line.split()[1]) for line in lines if line.startswith(b"HTTP/1.1 ")]
