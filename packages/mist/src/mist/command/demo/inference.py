"""Requests and their responses, over messages that go one way each."""

import asyncio
import json

from mist import trace
from mist.command.demo.desk import Desk
from mist.errors import MistError
from mist.protocol import InferRequest, InferResponse, Message, MessageType


class ModelError(MistError):
    """What a model answered is an error; its code tells which."""


class Inference:
    """Asks, and gives each response to whoever waits for it."""

    def __init__(self, desk: Desk) -> None:
        """Ask nothing yet.

        Args:
            desk: Whose requests they are.
        """
        self._desk = desk
        self._waiting: dict[str, asyncio.Future[InferResponse]] = {}

    async def ask(self, request: InferRequest) -> str:
        """Send a request, in the current trace, and wait for what comes back.

        Raises:
            ModelError: That is an error.
        """
        trace.inject_http(request.meta)
        message = Message.new(self._desk.tool, MessageType.INFER_REQUEST, request)
        response = self._waiting[message.id] = asyncio.get_running_loop().create_future()
        try:
            await self._desk.outbox.send(message)
            answer: InferResponse = await response
        finally:
            del self._waiting[message.id]
        if answer.finish_reason == "error":
            error = MistError.from_dict(json.loads(answer.content))
            raise ModelError(error.code, error.message)
        return answer.content

    def answered(self, message: Message) -> None:
        """Take a response; it has the id of its request."""
        waiting = self._waiting.get(message.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(message.decode(InferResponse))
