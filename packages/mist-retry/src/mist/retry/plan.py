"""Everything that is settled about a retry before it begins."""

from __future__ import annotations

from mist.errors import is_retryable
from mist.retry.budget import Budget
from mist.retry.notes import describe
from mist.retry.policy import Policy
from mist.retry.setting import InvalidSetting, check_kind, check_number, check_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal, TypeAlias, TypedDict

    from mist.retry.attempt import Attempt

    Classifier: TypeAlias = (
        type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], object]
    )

    class Options(TypedDict, total=False):
        """What goes with a policy; `do` says what each of them is."""

        budget: Budget | None
        within: float | None
        on_attempt: Callable[[Attempt], object] | None
        nested: Literal["yield", "retry"]


class Plan:
    """A policy, which errors it is for, and what goes with it, all of it checked.

    Attributes:
        yields: whether to leave the retrying to a retry around this one.
        asks_of_success: whether a success leads to anything but its result.

    Raises:
        InvalidSetting: something makes no sense.
    """

    __slots__ = (
        "asks_of_success",
        "budget",
        "classifier",
        "on_attempt",
        "policy",
        "within",
        "yields",
    )

    def __init__(self, policy: Policy, classifier: Classifier, options: Options) -> None:
        if type(policy) is not Policy:  # a call less for nearly everybody
            check_kind("policy", policy, Policy, "a Policy")
        if type(classifier) is not type and classifier is not is_retryable:  # as above
            _check_classifier(classifier)
        self.policy = policy
        self.classifier = classifier
        self.budget: Budget | None = None
        self.within: float | None = None
        self.on_attempt: Callable[[Attempt], object] | None = None
        self.yields = True
        self.asks_of_success = False
        if options:
            self._set(**options)

    def _set(
        self,
        *,
        budget: Budget | None = None,
        within: float | None = None,
        on_attempt: Callable[[Attempt], object] | None = None,
        nested: Literal["yield", "retry"] = "yield",
    ) -> None:
        if budget is not None:
            check_kind("budget", budget, Budget, "a Budget")
        if within is not None:
            check_number("within", within, "a number of seconds, 0 or more")
        if on_attempt is not None:
            check_plain("on_attempt", on_attempt, "a function")
        if nested not in {"yield", "retry"}:
            raise InvalidSetting(f'nested must be "yield" or "retry", got {nested!r}')
        self.budget = budget
        self.within = within
        self.on_attempt = on_attempt
        self.yields = nested == "yield"
        self.asks_of_success = budget is not None or on_attempt is not None

    def objection(self, error: Exception) -> str | None:
        """Why an error of this kind is not to be retried; None if it is."""
        classifier = self.classifier
        if isinstance(error, InvalidSetting):
            return "not retryable"  # a retry set up wrongly somewhere inside stays wrong
        try:
            if isinstance(classifier, (type, tuple)):
                retryable: object = isinstance(error, classifier)
            else:
                retryable = classifier(error)
        except Exception as fault:  # noqa: BLE001  # the operation's own error is the one to raise
            return f"the classifier failed with {describe(fault)}"
        return None if retryable else "not retryable"


def _check_classifier(classifier: object) -> None:
    if not isinstance(classifier, (type, tuple)):
        kinds = "a function, an exception class or a tuple of exception classes"
        check_plain("classifier", classifier, kinds)
