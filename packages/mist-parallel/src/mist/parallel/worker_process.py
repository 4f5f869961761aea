"""What a worker process does before its first input, and with each."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import pickle
import signal
import threading
from collections.abc import Callable
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def prepare() -> None:
    """Leave Ctrl-C to the parent, and end with it.

    A terminal sends Ctrl-C to all processes of a program at once; the parent decides what is to
    be done. Should it be killed, nobody would ever tell the worker to end.
    """
    # Not SIG_IGN: the programs that a worker starts would ignore it as well, and outlive it.
    signal.signal(signal.SIGINT, _stay)
    threading.Thread(target=_end_with_parent, name="mist.parallel watch", daemon=True).start()


def call(fn: Callable[[In], Out], input_: In) -> Out:
    """Call `fn`, and raise only what arrives in the parent.

    An exception that pickles and does not unpickle, such as one with arguments of its own, would
    take the whole executor down with it.
    """
    try:
        return fn(input_)
    except BaseException as exc:
        try:
            pickle.loads(pickle.dumps(exc))  # nosec B301  # noqa: S301  # our own bytes
        except Exception:  # noqa: BLE001  # whatever its methods raise
            raise RuntimeError(f"{type(exc).__qualname__}: {exc} (it does not pickle)") from exc
        raise


def _stay(_number: int, _frame: object) -> None:
    pass


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
