"""Open a run."""

import os

from mist.checkpoint.tracker import Tracker


def open(  # noqa: A001  # the contract's name, as in tarfile.open
    dir: str | os.PathLike[str],  # noqa: A002  # the contract's name
    run_id: str,
    *,
    wait: bool = False,
    timeout: float | None = None,
    spill_over: int = 1 << 20,
) -> Tracker:
    """Open a run: a new one, or one that was begun earlier, here or by mist-go, to go on with it.

    The log has been read when this returns, except in an event loop: there it is read by
    `async with`, or by the first step, in a thread.

    Args:
        dir: The directory of the run's files, made with mode 0700 where it is missing. One that
            is there keeps its mode, and the files in it are for their owner alone; whoever else
            may write to it can remove or replace them.
        run_id: 1 to 255 characters of `A-Z a-z 0-9 - _`.
        wait: Whether to wait for the run where somebody else has it open.
        timeout: Seconds to wait at most; None waits for ever.
        spill_over: The size of a result's JSON in bytes above which it gets a file of its own,
            and does not stay in memory.

    Raises:
        InvalidValue: The run id or an option cannot be taken.
        RunInUse: Somebody else has the run open; the error knows which process.
        StorageError: The files cannot be made, read or written.
    """
    return Tracker(dir, run_id, wait=wait, timeout=timeout, spill_over=spill_over)
