"""What became of one input."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Result(Generic[T]):
    """What a function made of one input: a value or an error.

    Attributes:
        value: what it returned; None where it failed.
        error: what it raised; None where it succeeded.
        index: the input's place, from 0.
        input: the input itself.
    """

    __slots__ = ("error", "index", "input", "value")

    def __init__(
        self,
        index: int,
        input: Any,  # noqa: A002  # the attribute's name
        value: T | None,
        error: BaseException | None,
    ) -> None:
        self.index = index
        self.input = input
        self.value = value
        self.error = error

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.error is None

    def unwrap(self) -> T:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # None only if T has it

    def __repr__(self) -> str:
        outcome = f"value={self.value!r}" if self.error is None else f"error={self.error!r}"
        return f"Result(index={self.index}, {outcome})"
