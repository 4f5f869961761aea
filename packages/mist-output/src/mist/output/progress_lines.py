"""Progress where there is no terminal: a line every few seconds and one at the end."""

import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

from mist.output.progress_report import Count
from mist.output.progress_text import count_text, duration_text, rate_text
from mist.output.terminal import encoding_of
from mist.output.text import visible

_RATE_OVER = 6  # intervals that the shown rate is an average of


class ProgressLines:
    """Writes a line whenever a count comes in after the interval has passed.

    Args:
        stream: Where lines go; once it fails, no more are written.
        interval: Seconds between lines.
        clock: Seconds that never go back.
    """

    def __init__(self, stream: TextIO, interval: float, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._interval = interval
        self._clock = clock
        # Reentrant: a signal handler or a finalizer that counts may interrupt who holds it.
        self._lock = threading.RLock()
        self._began = clock()
        self._due = self._began + interval
        self._history = deque([(self._began, 0)], maxlen=_RATE_OVER + 1)

    def advanced(self, count: Count) -> None:
        """Write a line if one is due."""
        if self._clock() >= self._due:
            self._write_due(count)

    def close(self, count: Count, *, interrupted: bool) -> None:
        """Write the last line: all that was done, how long it took, the average rate."""
        seconds = self._clock() - self._began
        words = ["interrupted at" if interrupted else "", count_text(count.done, count.total)]
        words.append(f"in {duration_text(seconds)}")
        if seconds > 0:
            words.append(f"({rate_text(count.done / seconds)})")
        with self._lock:
            self._due = float("inf")
        self._write(count.label, " ".join(filter(None, words)))

    def _write_due(self, count: Count) -> None:
        with self._lock:
            now, done, total = self._clock(), count.done, count.total
            if now < self._due:  # another thread has written it
                return
            self._due = now + self._interval
            self._history.append((now, done))
            then, before = self._history[0]
        parts = [count_text(done, total)]
        rate = (done - before) / (now - then) if now > then else 0.0
        if rate > 0:
            parts.append(rate_text(rate))
            if total is not None and total > done:
                parts.append(f"{duration_text((total - done) / rate)} left")
        self._write(count.label, ", ".join(parts))

    def _write(self, label: str, text: str) -> None:
        line = f"{label}: {text}" if label else text
        try:
            self._stream.write(visible(line, encoding_of(self._stream)) + "\n")
            self._stream.flush()
        except RuntimeError:
            pass  # a signal handler has interrupted a write to the same stream, and must not wait
        except (OSError, ValueError):  # a reader that went away, a closed file
            self._due = float("inf")
