"""Resumable runs on an append-only step log."""

from mist.checkpoint.errors import CheckpointError, InvalidValue, RunInUse, StorageError
from mist.checkpoint.opening import open  # noqa: A004  # the contract's name, as in tarfile.open
from mist.checkpoint.parallel_map import Outcome, checkpointed_map
from mist.checkpoint.record import Problem, Record, Status, read_records
from mist.checkpoint.run_id import valid_run_id
from mist.checkpoint.tracker import Tracker

__all__ = [
    "CheckpointError",
    "InvalidValue",
    "Outcome",
    "Problem",
    "Record",
    "RunInUse",
    "Status",
    "StorageError",
    "Tracker",
    "checkpointed_map",
    "open",
    "read_records",
    "valid_run_id",
]

for _public in (
    CheckpointError,
    InvalidValue,
    Outcome,
    Problem,
    Record,
    RunInUse,
    Status,
    StorageError,
    Tracker,
    checkpointed_map,
    open,
    read_records,
    valid_run_id,
):
    _public.__module__ = __name__
del _public
