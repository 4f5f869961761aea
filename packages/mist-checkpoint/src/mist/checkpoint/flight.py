"""A step that is under way."""

from typing import TYPE_CHECKING, Any

from mist.checkpoint.latch import Latch

if TYPE_CHECKING:
    import asyncio


class Flight(Latch):
    """One run of a step, from its claim to its end, at which the latch opens.

    Whoever asks for the same step meanwhile waits for it, and shares the outcome.

    Attributes:
        step: The step's name.
        inputs: The fingerprint of its inputs, empty where it has none.
        supersedes: Whether the step was completed before, with other inputs.
        loop: The event loop that runs it, None where a thread does.
        is_completed: Whether it ended with a result.
        value: The result.
        error: Why it failed; None too if it was given up, and somebody else may try.
    """

    __slots__ = ("error", "inputs", "is_completed", "loop", "step", "supersedes", "value")

    def __init__(
        self,
        step: str,
        inputs: str,
        *,
        supersedes: bool,
        loop: "asyncio.AbstractEventLoop | None",
    ) -> None:
        super().__init__()
        self.step = step
        self.inputs = inputs
        self.supersedes = supersedes
        self.loop = loop
        self.is_completed = False
        self.value: Any = None
        self.error: Exception | None = None
