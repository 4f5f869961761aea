"""The decisions of a retry, the same for every driver: whether to go on, when, what to tell."""

from __future__ import annotations

from mist.errors import Code, code_of
from mist.retry.attempt import Attempt, tell
from mist.retry.cancellation import ended_by_cancellation
from mist.retry.deadline import enclosing_deadline
from mist.retry.nesting import around, is_nested
from mist.retry.notes import History, annotate, seconds
from mist.retry.waiting import without_waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
    from contextvars import Token

    from mist.retry.plan import Plan


class Run:
    """One operation and its attempts.

    A driver makes an attempt, calls `end`, and says how it went: `succeeded`, `failed` or
    `interrupted`. After a wait it calls `begin` for the next one.

    Args:
        plan: what to go by.
        now: gives the present time in seconds.
        task: in which the operation runs, if it runs in one.

    Attributes:
        in_attempt: whether an attempt is in progress.
    """

    __slots__ = (
        "_attempts",
        "_cancelling",
        "_history",
        "_nested",
        "_now",
        "_plan",
        "_started",
        "_task",
        "_token",
        "_wait",
        "_waits",
        "in_attempt",
    )

    def __init__(
        self, plan: Plan, now: Callable[[], float], task: asyncio.Task[object] | None = None
    ) -> None:
        self._plan = plan
        self._now = now
        self._task = task
        self._cancelling = 0 if task is None else task.cancelling()
        self._started = now()
        self._nested = False
        self._history: History | None = None
        self._waits: Iterator[float] | None = None
        self._wait: float | None = None
        self._token: Token[Run | None] | None = None
        self._attempts = 0
        self.begin()

    def begin(self) -> None:
        """The next attempt begins; making the run begins the first one."""
        self._wait = None
        self._attempts += 1
        self.in_attempt = True
        # Who does not retry must not keep others from it.
        if self._plan.policy.max_attempts > 1:
            self._token = around.set(self)

    def end(self) -> None:
        """The attempt has ended, in whatever way."""
        self.in_attempt = False
        if self._token is not None:
            try:  # noqa: SIM105  # contextlib would cost each attempt, and be slow to import
                around.reset(self._token)
            except ValueError:
                pass  # a coroutine that nobody finished is closed in a context not its own

    def succeeded(self) -> None:
        """The attempt has led to a result."""
        plan = self._plan
        if plan.budget is not None:
            plan.budget.succeeded()
        if plan.on_attempt is not None:
            tell(plan.on_attempt, Attempt(self._attempts, None, None, self._elapsed(), None))

    def failed(self, error: Exception) -> float | None:
        """The seconds to wait before the next attempt; None if the error is to be raised."""
        if self._history is None:
            self._history = History()
            # Asked as late as this: what surrounded the beginning may have ended since.
            self._nested = is_nested()
        outcome = self._decide(error)
        elapsed = self._elapsed()
        if isinstance(outcome, str):
            wait, verdict = None, outcome
            attempts = "1 attempt" if self._attempts == 1 else f"{self._attempts} attempts"
            self._annotate(error, f"gave up after {attempts} in {seconds(elapsed)}: {verdict}")
        else:
            wait, verdict = outcome, None
            self._history.add(self._attempts, error, wait)
        self._wait = wait
        if self._plan.on_attempt is not None:
            tell(self._plan.on_attempt, Attempt(self._attempts, error, wait, elapsed, verdict))
        return wait

    def interrupted(self, interruption: BaseException) -> None:
        """An attempt, or the wait after it, is cancelled: neither a failure nor a success."""
        if self._history is None:
            return
        if self._wait is None:
            place = f"in attempt {self._attempts}"
        else:
            place = f"while waiting {seconds(self._wait)} for attempt {self._attempts + 1}"
            if self._plan.budget is not None:
                self._plan.budget.put_back()
        self._annotate(interruption, f"interrupted {place}")

    def _decide(self, error: Exception) -> float | str:
        """The seconds to wait, or the reason to give up."""
        if objection := self._objection(error):
            return objection
        full_wait = self._next_wait(error)
        wait = 0.0 if without_waiting.is_on() else full_wait
        if lateness := self._lateness(wait):
            return lateness
        if (budget := self._plan.budget) is not None and not budget.try_take():
            return "the retry budget is used up"
        without_waiting.leave_out(full_wait)
        return wait

    def _objection(self, error: Exception) -> str | None:
        """Why not to go on, however long the wait."""
        if self._nested and self._plan.yields:
            return 'left to the retry around it (nested="retry" retries here as well)'
        if self._is_cancellation(error):
            return "cancelled"
        if objection := self._plan.objection(error):
            return objection
        return None if self._attempts < self._plan.policy.max_attempts else "no attempt is left"

    def _next_wait(self, error: Exception) -> float:
        if self._waits is None:
            self._waits = self._plan.policy.waits()
        return max(next(self._waits), min(_wish(error), self._plan.policy.max_wait))

    def _is_cancellation(self, error: Exception) -> bool:
        """Whether to go on would swallow a cancellation."""
        return code_of(error) == Code.CANCELLED or (
            self._task is not None and ended_by_cancellation(error, self._task, self._cancelling)
        )

    def _lateness(self, wait: float) -> str | None:
        """What the next attempt would come too late for; None if it is in time."""
        now = self._now()
        begin = now + wait
        within = self._plan.within
        if within is not None and begin >= self._started + within:
            end, what = self._started + within, f"the {seconds(within)} it has (`within`) are"
        elif (
            self._task is not None
            and (deadline := enclosing_deadline(self._task, begin)) is not None
        ):
            end, what = deadline, "the asyncio.timeout around it is"
        else:
            return None
        left = seconds(max(0.0, end - now))
        return f"the next attempt would begin in {seconds(wait)}, and {what} over in {left}"

    def _elapsed(self) -> float:
        return self._now() - self._started

    def _annotate(self, error: BaseException, headline: str) -> None:
        # A retry inside another one leaves a note of its own on what may be the same error.
        prefix = "inner retry: " if self._nested else "retry: "
        annotate(
            error, prefix, headline if self._history is None else self._history.below(headline)
        )


def _wish(error: BaseException) -> float:
    """The seconds that an error, or a cause behind it, asks to wait; 0 if it does not."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        wish: object = getattr(link, "retry_after", None)
        if isinstance(wish, (int, float)) and wish > 0:
            return wish
        link = link.__cause__
    return 0.0
