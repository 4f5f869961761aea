"""The live progress of a run on standard error."""

import sys
from typing import Final

from mist.command.demo.mail import BREAKER, HELLO, STOP, BreakerChange
from mist.output import Progress, Writer
from mist.protocol import DataEntities, EvalRun, Message, MessageType, TraceAlert

_SHOWN_CHANGES: Final = 6


class LiveProgress:
    """An observer with a bar for the tasks; breakers and alerts are lines above it."""

    def __init__(self, bar: Progress) -> None:
        """Show nothing yet.

        Args:
            bar: Counts the tasks.
        """
        self._bar = bar
        self._stderr = Writer("table", sys.stderr)
        self._changes = 0

    def __call__(self, message: Message) -> None:
        """Show what there is to show of a message."""
        if message.type == MessageType.EVAL_RESULT:
            self._bar.advance()
        elif message.type == HELLO:
            self.say(f"{message.source}: {message.decode()['url']} (/healthz, /readyz, /metricsz)")
        elif message.type == MessageType.DATA_ENTITIES:
            self.say(f"schemaflux: {message.decode(DataEntities).count} entities compiled")
        elif message.type == MessageType.EVAL_RUN:
            tags = message.decode(EvalRun).tags
            self._bar.update(0, int(tags["tasks"]))
            if tags["done"] != "0":
                self.say(f"matchspec: {tags['done']} of {tags['tasks']} tasks are done already")
        elif message.type == MessageType.TRACE_ALERT:
            alert = message.decode(TraceAlert)
            self.say(f"tokentrace: {alert.level}: {alert.message}")
        elif message.type == STOP:
            self.say("finishing the tasks that have begun; interrupt again to end at once")
        elif message.type == BREAKER:
            self._changed(message.decode(BreakerChange))

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        self._stderr.error(text)

    def _changed(self, change: BreakerChange) -> None:
        self._changes += 1
        if self._changes <= _SHOWN_CHANGES:
            more = "; further changes are in the report" if self._changes == _SHOWN_CHANGES else ""
            self.say(f"matchspec: breaker of {change.name}: {change.old} -> {change.new}{more}")
