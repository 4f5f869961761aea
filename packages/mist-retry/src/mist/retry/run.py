"""The decisions of a retry, the same for every driver: whether to go on, when, what to tell."""

from __future__ import annotations

from mist.errors import Code, code_of
from mist.retry.attempt import Attempt, tell
from mist.retry.cancellation import ended_by_cancellation
from mist.retry.deadline import enclosing_deadline
from mist.retry.nesting import is_nested
from mist.retry.notes import History, annotate, seconds
from mist.retry.waiting import without_waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from mist.retry.plan import Plan


class Run:
    """One operation, of which there is something to tell: a failure, or a success to those who ask.

    It begins with the end of an attempt, so that what succeeds at once need not pay for it. The
    driver says how the attempt went: `succeeded`, `failed` or `interrupted`; and when the wait
    after a failure is over, `begin_again`.

    Args:
        plan: what to go by.
        now: gives the present time in seconds.
        started: when the first attempt began.
        task: in which the operation runs, if it runs in one.
        requests_before: what `task.cancelling()` was then.
    """

    def __init__(
        self,
        plan: Plan,
        now: Callable[[], float],
        started: float,
        task: asyncio.Task[object] | None = None,
        requests_before: int = 0,
    ) -> None:
        self._plan = plan
        self._now = now
        self._started = started
        self._task = task
        self._requests_before = requests_before
        self._nested = is_nested()
        self._waits = plan.policy.waits()
        self._attempts = 1
        self._history = History()
        self._wait: float | None = None

    def succeeded(self) -> None:
        """The attempt has led to a result."""
        if self._plan.budget is not None:
            self._plan.budget.succeeded()
        self._tell(None, None, None)

    def failed(self, error: Exception) -> float | None:
        """The seconds to wait before the next attempt; None if the error is to be raised."""
        outcome = self._decide(error)
        if isinstance(outcome, str):
            attempts = "1 attempt" if self._attempts == 1 else f"{self._attempts} attempts"
            self._annotate(
                error, f"gave up after {attempts} in {seconds(self._elapsed())}: {outcome}"
            )
            self._tell(error, None, outcome)
        else:
            self._wait = outcome
            self._history.add(self._attempts, error, outcome)
            self._tell(error, outcome, None)
        return self._wait

    def begin_again(self) -> None:
        """The wait is over, and the next attempt begins."""
        self._wait = None
        self._attempts += 1

    def interrupted(self, interruption: BaseException) -> None:
        """An attempt, or the wait before it, is cancelled: neither a failure nor a success."""
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
        return max(next(self._waits), min(_wish(error), self._plan.policy.max_wait))

    def _is_cancellation(self, error: Exception) -> bool:
        """Whether to go on would swallow a cancellation."""
        return code_of(error) == Code.CANCELLED or (
            self._task is not None
            and ended_by_cancellation(error, self._task, self._requests_before)
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

    def _tell(self, error: Exception | None, wait: float | None, verdict: str | None) -> None:
        if (hook := self._plan.on_attempt) is not None:
            tell(hook, Attempt(self._attempts, error, wait, self._elapsed(), verdict))

    def _annotate(self, error: BaseException, headline: str) -> None:
        # A retry inside another one leaves a note of its own on what may be the same error.
        prefix = "inner retry: " if self._nested else "retry: "
        annotate(error, prefix, self._history.below(headline))


def _wish(error: BaseException) -> float:
    """The seconds that an error, or a cause behind it, asks to wait; 0 if it does not."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        try:
            wish: object = getattr(link, "retry_after", None)
        except Exception:  # noqa: BLE001  # a foreign property may fail
            wish = None
        if isinstance(wish, (int, float)) and wish > 0:
            return wish
        link = link.__cause__
    return 0.0
