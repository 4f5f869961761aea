"""Message identifiers: 128 bits from the operating system, in hexadecimal."""

import os

_BATCH = 256
_ID_BYTES = 16

# One system call fetches the randomness for a whole batch: a call each would cost more than
# everything else that makes a message. `list.pop` is atomic, so threads never share an id.
_ready: list[str] = []

take_ready_id = _ready.pop
"""Return an id fetched earlier; raises IndexError where `new_id` would fetch some."""


def new_id() -> str:
    """Return 32 lowercase hexadecimal digits that no other process or thread will return."""
    try:
        return take_ready_id()
    except IndexError:
        batch = os.urandom(_BATCH * _ID_BYTES).hex(" ", _ID_BYTES).split(" ")
        last = batch.pop()
        _ready.extend(batch)
        return last


if hasattr(os, "register_at_fork"):
    # A child that inherited its parent's batch would hand out the same ids.
    os.register_at_fork(after_in_child=_ready.clear)
