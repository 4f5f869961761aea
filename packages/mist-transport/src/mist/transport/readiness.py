"""Whether a descriptor can be read or written without waiting for anybody."""

import select
import sys
from typing import Final

# select takes descriptors below this number only, and poll, on some systems, no terminals.
_FD_SETSIZE: Final = 1024


def is_readable(fd: int, timeout: float) -> bool:
    """Wait until a descriptor has something to read, or is at its end.

    Windows cannot tell, and is said to have: there the read itself waits.

    Args:
        fd: The descriptor.
        timeout: How long to wait, in seconds.
    """
    if sys.platform == "win32":
        return True
    if fd < _FD_SETSIZE:
        return bool(select.select([fd], [], [], timeout)[0])
    return _poll(fd, select.POLLIN, timeout)


def is_writable(fd: int, timeout: float) -> bool:
    """Wait until a descriptor takes something, or refuses for good.

    Windows cannot tell, and is said not to.

    Args:
        fd: The descriptor.
        timeout: How long to wait, in seconds.
    """
    if sys.platform == "win32":
        return False
    if fd < _FD_SETSIZE:
        return bool(select.select([], [fd], [], timeout)[1])
    return _poll(fd, select.POLLOUT, timeout)


if sys.platform != "win32":

    def _poll(fd: int, event: int, timeout: float) -> bool:
        poll = select.poll()
        poll.register(fd, event)
        return bool(poll.poll(timeout * 1000))
