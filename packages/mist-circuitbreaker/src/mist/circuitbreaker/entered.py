"""Which permit belongs to a `with` block of a breaker that many tasks share."""

from __future__ import annotations

from contextvars import ContextVar

from mist.circuitbreaker.circuit import Permit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    # (breaker, its permit, the block around this one)
    Block: TypeAlias = tuple[object, Permit, "Block | None"]

_innermost: ContextVar[Block | None] = ContextVar("mist.circuitbreaker.innermost", default=None)


def remember(breaker: object, permit: Permit) -> None:
    """Note that this context has entered a block of `breaker`."""
    around = _innermost.get()
    # Left by a generator that entered its block here and was closed in another context.
    while around is not None and around[1].is_back:
        around = around[2]
    _innermost.set((breaker, permit, around))


def recall(breaker: object) -> Permit | None:
    """Return the permit of the innermost block of `breaker`, and forget it.

    None means that the block was entered in another context: a generator was closed by another
    task or thread than the one that began it.
    """
    block = _innermost.get()
    if block is not None and block[0] is breaker:
        _innermost.set(block[2])
        return block[1]
    # A block further out: blocks in generators end in any order.
    inner: list[Block] = []
    while block is not None and block[0] is not breaker:
        inner.append(block)
        block = block[2]
    if block is None:
        return None
    around = block[2]
    for owner, permit, _ in reversed(inner):
        around = (owner, permit, around)
    _innermost.set(around)
    return block[1]
