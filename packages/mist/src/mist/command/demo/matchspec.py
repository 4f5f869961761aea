"""matchspec: evaluates a model against a baseline, task by task, and sends `eval.result`.

Four packages stand around each inference:

- parallel: so many tasks at a time, and results as they are done;
- checkpoint: a task that is done is never done again, whoever is killed;
- retry: a call that fails is made again, a little later;
- circuitbreaker: a model that keeps failing is left alone for a moment. A call that the breaker
  refuses was not made: it waits, and uses up no attempt. So what comes out depends on the
  attempts alone, however long they had to wait.
"""

import asyncio
import itertools
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Final

from mist import trace
from mist.checkpoint import Tracker
from mist.checkpoint import open as open_run
from mist.circuitbreaker import BreakerPool, CircuitOpenError, State
from mist.command.demo.desk import Desk
from mist.command.demo.inference import Inference, ModelError
from mist.command.demo.mail import BREAKER, STOP, BreakerChange
from mist.command.demo.tasks import Task, read_tasks
from mist.errors import Code, MistError
from mist.parallel import Pool, fan_out, stream
from mist.protocol import ChatMessage, DataEntities, EvalResult, EvalRun, InferRequest, MessageType
from mist.retry import Policy, do_with_classifier

CANDIDATE: Final = "sage-1"
BASELINE: Final = "swift-1"

_ATTEMPTS: Final = Policy(max_attempts=4, initial_wait=0.02, max_wait=0.2)
_PATIENCE: Final = Policy(max_attempts=1_000_000, initial_wait=0.01, max_wait=0.1)
_BOTH: Final = Pool(2)


async def run_matchspec(desk: Desk) -> None:
    """Evaluate the dataset that schemaflux tells of."""
    evaluation = Evaluation(desk)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(evaluation.read_inbox())
        await evaluation.run()
        reading.cancel()


class Evaluation:
    """One evaluation of a candidate against a baseline."""

    def __init__(self, desk: Desk) -> None:
        """Begin nothing yet."""
        self.desk = desk
        self.inference = Inference(desk)
        self.entities: asyncio.Future[DataEntities] = asyncio.get_running_loop().create_future()
        self.breakers = BreakerPool(
            threshold=5,
            timeout=0.1,
            half_open_max=4,
            is_failure=_is_verdict,
            on_state_change=self._breaker_changed,
        )

    async def run(self) -> None:
        """Evaluate every task that no earlier run has done, and send the results of all."""
        tasks = read_tasks(Path((await self.entities).path))
        tracker = open_run(self.desk.directory, "checkpoint", wait=True, timeout=10)
        async with tracker:
            counts = {"tasks": len(tasks), "done": len(tracker.completed_steps())}
            tags = {name: str(count) for name, count in counts.items()}
            await self.desk.send(MessageType.EVAL_RUN, EvalRun("exam", tags=tags))
            self.desk.log.info("evaluating", **counts)
            pool = Pool(self.desk.settings.workers)
            to_begin = itertools.takewhile(lambda _: not self.desk.stopping.is_set(), tasks)
            results = stream(pool, to_begin, partial(self.step, tracker))
            async with aclosing(results):
                async for result in results:
                    await self.desk.send(MessageType.EVAL_RESULT, result.unwrap())

    async def step(self, tracker: Tracker, task: Task) -> EvalResult:
        """Evaluate a task, unless its result is there already."""
        return await tracker.step(task.name, partial(self.evaluate, task), EvalResult)

    async def evaluate(self, task: Task) -> EvalResult:
        """Put a task to both models at once, and compare their answers with the right one."""
        with trace.start("matchspec.evaluate", task=task.name, suite=task.suite) as span:
            asking = [partial(self.ask, model=model) for model in (CANDIDATE, BASELINE)]
            answers = await fan_out(_BOTH, task, asking)
            for answer in answers:
                if answer.error and not isinstance(answer.error, ModelError):
                    raise answer.error  # no verdict on a model: the run itself is in trouble
            score, baseline = (float(answer.value == task.expected) for answer in answers)
        self.desk.metrics.counter("tasks_evaluated", suite=task.suite).inc()
        return EvalResult(
            task.suite,
            task.name,
            passed=score == 1,
            score=score,
            baseline=baseline,
            delta=score - baseline,
            duration_ms=round(span.duration_ms()),
            error="; ".join(str(answer.error) for answer in answers if answer.error),
        )

    async def ask(self, task: Task, model: str) -> str:
        """Return what a model answers in the first attempt that does not fail.

        Raises:
            ModelError: All of them have failed.
        """
        numbers = itertools.count(1)

        async def attempt() -> str:
            call = partial(self.infer, task, model, next(numbers))
            through_breaker = partial(self.breakers.do, model, call)
            return await do_with_classifier(
                _PATIENCE, CircuitOpenError, through_breaker, nested="retry"
            )

        return await do_with_classifier(_ATTEMPTS, ModelError, attempt)

    async def infer(self, task: Task, model: str, attempt: int) -> str:
        """Make one call."""
        with trace.start(f"matchspec.infer {model}", attempt=attempt):
            messages = [ChatMessage("user", task.prompt)]
            meta = {"task": task.name, "attempt": str(attempt)}
            return await self.inference.ask(InferRequest(model, messages=messages, meta=meta))

    async def read_inbox(self) -> None:
        """Give each message to whoever waits for it."""
        async for message in self.desk.inbox:
            if message.type == MessageType.DATA_ENTITIES and not self.entities.done():
                self.entities.set_result(message.decode(DataEntities))
            elif message.type == MessageType.INFER_RESPONSE:
                self.inference.answered(message)
            elif message.type == STOP:
                self.desk.stopping.set()
        raise MistError(Code.TRANSPORT, "no answers can come any more")

    def _breaker_changed(self, model: str, old: State, new: State) -> None:
        self.desk.log.warning("breaker", model=model, old=str(old), new=str(new))
        self.desk.send_later(BREAKER, BreakerChange(model, str(old), str(new)))


def _is_verdict(error: Exception) -> bool:
    """Tell an error of the model from trouble of our own."""
    return isinstance(error, ModelError)
