"""Signals, draining and ordered shutdown of a program."""

from mist.lifecycle.drain import DrainGroup
from mist.lifecycle.entry import run, run_async
from mist.lifecycle.errors import LifecycleError, ShutdownTimeout
from mist.lifecycle.event import Event
from mist.lifecycle.report import Report, Step, Straggler
from mist.lifecycle.scope import drain_group, on_shutdown, request_shutdown, shutting_down

__all__ = [
    "DrainGroup",
    "Event",
    "LifecycleError",
    "Report",
    "ShutdownTimeout",
    "Step",
    "Straggler",
    "drain_group",
    "on_shutdown",
    "request_shutdown",
    "run",
    "run_async",
    "shutting_down",
]

for _public in (
    DrainGroup,
    Event,
    LifecycleError,
    Report,
    ShutdownTimeout,
    Step,
    Straggler,
    drain_group,
    on_shutdown,
    request_shutdown,
    run,
    run_async,
    shutting_down,
):
    _public.__module__ = __name__
del _public
