"""What is in an exception group."""

from __future__ import annotations


def members(exc: BaseException) -> tuple[BaseException, ...]:
    """The members of a group; nothing for any other exception."""
    if not isinstance(exc, BaseExceptionGroup):
        return ()
    # isinstance cannot tell what is in a group; only exceptions can be.
    group: BaseExceptionGroup[BaseException] = exc  # pyright: ignore[reportUnknownVariableType]
    return group.exceptions


def only_member(exc: BaseException) -> BaseException:
    """The single exception that a group was made for, or `exc` itself."""
    while len(inside := members(exc)) == 1:
        exc = inside[0]
    return exc
