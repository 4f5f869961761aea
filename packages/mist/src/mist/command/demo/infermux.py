"""infermux: routes each `infer.request` to a model, and answers with an `infer.response`.

The models are stand-ins that run here: they can really add, spell and sort, with mistakes, at a
price and with a latency, and they fail. All of it is drawn by chance from the seed and from what
is asked, so that an answer depends on nothing else: not on time, not on what else is going on.
"""

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Final

from mist import trace
from mist.command.demo.chance import chance
from mist.command.demo.desk import Desk
from mist.command.demo.mail import reply
from mist.errors import Code, MistError
from mist.protocol import InferRequest, InferResponse, Message, MessageType, ProtocolError

_TOKENS_PER_MILLION: Final = 1_000_000


@dataclass(frozen=True)
class Model:
    """A stand-in for a model.

    Attributes:
        name: What it is called.
        accuracy: Share of its answers that are right, 0 to 1.
        pace: What it takes, as a multiple of the latency that was set.
        price_in: US dollars for a million tokens read.
        price_out: US dollars for a million tokens written.
        outage: Of every 250 tasks, the numbers whose first two attempts mostly fail.
    """

    name: str
    accuracy: float
    pace: float
    price_in: float
    price_out: float
    outage: range = range(0)

    def fails(self, rate: float, *call: str) -> bool:
        """Tell whether a call fails: the n-th attempt at a task does, or does not, for ever."""
        _seed, task, attempt = call
        number = int("".join(filter(str.isdecimal, task)) or 0) % 250
        if number in self.outage and attempt in ("1", "2"):
            rate = max(rate, min(0.95, 10 * rate))
        return chance(*call, self.name, "fails") < rate

    def answer(self, prompt: str, seed: str, task: str) -> str:
        """Answer a question, mostly right."""
        right = solve(prompt)
        return right if chance(seed, task, self.name) < self.accuracy else f"not {right}"


MODELS: Final = {
    model.name: model
    for model in (
        Model("sage-1", accuracy=0.93, pace=1.0, price_in=3.0, price_out=15.0),
        Model(
            "swift-1",
            accuracy=0.78,
            pace=0.4,
            price_in=0.25,
            price_out=1.25,
            outage=range(100, 116),
        ),
    )
}


async def run_infermux(desk: Desk) -> None:
    """Answer requests, all at the same time, until no more can come."""
    async with asyncio.TaskGroup() as answers:
        async for message in desk.inbox:
            answers.create_task(_answer(desk, message))


async def _answer(desk: Desk, message: Message) -> None:
    try:
        response = await _infer(desk, message.decode(InferRequest))
    except (MistError, ProtocolError) as exc:
        # The error's own wire form is the content, so that the asker can raise it again.
        error = exc if isinstance(exc, MistError) else MistError(Code.PROTOCOL, str(exc))
        content = json.dumps(error.to_dict())
        response = InferResponse(provider="local", content=content, finish_reason="error")
        desk.log.debug("failed", error=str(error))
    await desk.outbox.send(reply(message, desk.tool, MessageType.INFER_RESPONSE, response))


async def _infer(desk: Desk, request: InferRequest) -> InferResponse:
    """Ask a model; the trace of the asker, whose context is in the request, goes on here."""
    if not request.messages or not {"task", "attempt"} <= request.meta.keys():
        raise MistError(Code.VALIDATION, "a request has messages, and in its meta task and attempt")
    task = request.meta["task"]
    call = (str(desk.settings.seed), task, request.meta["attempt"])
    operation = f"infermux.answer {request.model}"
    with trace.extract_http(request.meta, operation, model=request.model) as span:
        desk.metrics.counter("infer_requests", model=request.model).inc()
        model = MODELS.get(request.model)
        if model is None:
            known = ", ".join(MODELS)
            raise MistError(Code.NOT_FOUND, f"no model is called {request.model!r}; have {known}")
        latency = desk.settings.latency * model.pace * (0.5 + chance(*call, model.name, "latency"))
        await asyncio.sleep(latency)
        if model.fails(desk.settings.fail_rate, *call):
            desk.metrics.counter("infer_failures", model=model.name).inc()
            raise MistError(Code.UNAVAILABLE, f"{model.name} is overloaded")

        prompt = request.messages[-1].content
        content = model.answer(prompt, call[0], task)
        tokens_in, tokens_out = count_tokens(prompt), count_tokens(content)
        cost = (tokens_in * model.price_in + tokens_out * model.price_out) / _TOKENS_PER_MILLION
        span.set_attr("tokens_in", tokens_in)
        span.set_attr("tokens_out", tokens_out)
        span.set_attr("cost_usd", cost)
        return InferResponse(
            model.name, "local", content, tokens_in, tokens_out, cost, round(latency * 1000), "stop"
        )


def solve(prompt: str) -> str:
    """Work out the answer to the kinds of question that the demo asks."""
    question, _, rest = prompt.partition(": ")
    if question == "Spell backwards":
        return rest[::-1]
    numbers = [int(digits) for digits in re.findall(r"\d+", prompt)]
    return ", ".join(map(str, sorted(numbers))) if question == "Sort" else str(sum(numbers))


def count_tokens(text: str) -> int:
    """Count tokens as a rule of thumb has it: four characters each."""
    return -(-len(text) // 4)
