"""Threads that may hang, and that there may be none of."""

import errno
import threading
from collections.abc import Callable


def start_daemon(work: Callable[[], object], name: str) -> None:
    """Start a thread that does not keep the process alive.

    Raises:
        OSError: EAGAIN: the system lets this process have no more threads, or no memory for one.
    """
    try:
        threading.Thread(target=work, name=name, daemon=True).start()
    except RuntimeError as exc:
        raise OSError(errno.EAGAIN, str(exc)) from exc
