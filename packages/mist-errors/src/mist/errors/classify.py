"""The code of any exception, and whether trying again may help."""

from __future__ import annotations

from mist.errors.code import Code, code_is_retryable, gravity, standard_code
from mist.errors.error import MistError

# Known by name: a program that has met one of these has imported its module, and a program
# that has not should not pay for asyncio.
_CANCELLATIONS = frozenset(
    {("asyncio.exceptions", "CancelledError"), ("concurrent.futures._base", "CancelledError")}
)


def code_of(exc: BaseException) -> str:
    """The code of `exc`.

    It is that of the first `MistError`, or exception whose `code` is one of the standard
    codes, among `exc` and the causes (`__cause__`) behind it. Where there is none, the
    first of these that has a natural code decides: TimeoutError is `timeout`,
    CancelledError (asyncio's and concurrent.futures') and KeyboardInterrupt are
    `cancelled`, ConnectionError is `transport`. Everything else is `internal`.

    An exception group has the code of its gravest member, in this order: internal (and any
    code that is not standard), protocol, auth, validation, conflict, not_found, transport,
    unavailable, timeout, rate_limit, cancelled.
    """
    return _code_of(exc, frozenset())


def is_retryable(exc: BaseException | None) -> bool:
    """Whether another attempt may succeed where `exc` ended the last one.

    A `MistError` that was marked decides, then the code; an exception that carries no code
    is assumed to be transient, except for those that end a program or a task (what is not
    an `Exception`). A group is retryable if all of its members are. None is not.
    """
    return exc is not None and _is_retryable(exc, frozenset())


def _code_of(exc: BaseException, above: frozenset[int]) -> str:
    chain, above = _chain(exc, above)
    for link in chain:
        if (code := _carried_code(link)) is not None:
            return code
        if members := _members(link):
            return min((_code_of(member, above) for member in members), key=gravity)
    return next((code for link in chain if (code := _natural_code(link))), Code.INTERNAL)


def _is_retryable(exc: BaseException, above: frozenset[int]) -> bool:
    chain, above = _chain(exc, above)
    for link in chain:
        if isinstance(link, MistError):
            return link.retryable
        if (code := _carried_code(link)) is not None:
            return code_is_retryable(code)
        if members := _members(link):
            return all(_is_retryable(member, above) for member in members)
    return isinstance(exc, Exception) and _natural_code(exc) != Code.CANCELLED


def _chain(exc: BaseException, above: frozenset[int]) -> tuple[list[BaseException], frozenset[int]]:
    """`exc` and the causes behind it, and the ids of these and of all `above`: circles end."""
    chain: list[BaseException] = []
    seen = set(above)
    link: BaseException | None = exc
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        chain.append(link)
        link = link.__cause__
    return chain, frozenset(seen)


def _members(exc: BaseException) -> tuple[BaseException, ...]:
    """The members of a group; nothing for any other exception."""
    if not isinstance(exc, BaseExceptionGroup):
        return ()
    # isinstance cannot tell what is in a group; only exceptions can be.
    group: BaseExceptionGroup[BaseException] = exc  # pyright: ignore[reportUnknownVariableType]
    return group.exceptions


def _carried_code(exc: BaseException) -> str | None:
    if isinstance(exc, MistError):
        return exc.code
    try:
        code: object = getattr(exc, "code", None)
    except Exception:  # noqa: BLE001  # a property may fail, such as one that warns where that raises
        return None
    # Many a `code` is something else: an exit status, an HTTP status, a database's error id.
    return standard_code(code)


def _natural_code(exc: BaseException) -> Code | None:
    if isinstance(exc, TimeoutError):
        return Code.TIMEOUT
    if isinstance(exc, ConnectionError):
        return Code.TRANSPORT
    if isinstance(exc, KeyboardInterrupt) or not _CANCELLATIONS.isdisjoint(
        (cls.__module__, cls.__name__) for cls in type(exc).__mro__
    ):
        return Code.CANCELLED
    return None
