"""structlog's own logger, on the same stream."""

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import structlog
from structlog.contextvars import merge_contextvars

from mist.logging.context import contextual
from mist.logging.level import Level
from mist.logging.stream import Stream

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, Processor

_LEVELS = {
    "notset": Level.DEBUG,
    "debug": Level.DEBUG,
    "info": Level.INFO,
    "warning": Level.WARN,
    "error": Level.ERROR,
    "critical": Level.ERROR,
}

_Everything: Any = structlog.make_filtering_bound_logger(logging.NOTSET)


class _AtLevelOfStream(_Everything):  # type: ignore[misc]  # structlog makes its classes at run time
    """structlog's filtering logger; what it lets pass, `render` drops by the stream's level."""

    def is_enabled_for(self, level: int) -> bool:
        return level >= self.get_effective_level()

    def get_effective_level(self) -> int:
        stream: Stream = self._logger
        return stream.level


def structlog_logger(
    stream: Stream, processors: "Iterable[Processor]", context: Mapping[str, object]
) -> "FilteringBoundLogger":
    """Return a logger with structlog's interface that writes to a stream."""
    return cast("FilteringBoundLogger", _AtLevelOfStream(stream, processors, {**context}))


def render(stream: Stream, method: str, event_dict: "EventDict") -> bytes:
    """Render an event as a line of the stream; a structlog processor, the last of a chain."""
    level = _LEVELS.get(method, Level.INFO)
    if level < stream.level:
        raise structlog.DropEvent
    event = event_dict.pop("event", "")
    return stream.line(level.name, event, {**contextual.get(), **event_dict})


PROCESSORS: "tuple[Processor, ...]" = (merge_contextvars, render)
