"""What a registry says in the log, once for each subject."""

from __future__ import annotations


class Reports:
    """Warns through the standard library's logger `mist.metrics`, naming the caller's line."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def once(
        self,
        subject: str,
        text: str,
        *args: object,
        depth: int,
        exc_info: BaseException | None = None,
    ) -> None:
        """Log a warning, unless there has been one on the subject.

        Args:
            subject: What it is about.
            text: The message, with %-placeholders.
            args: What to put there.
            depth: How many calls above this one the line is that caused it.
            exc_info: The exception that caused it.
        """
        if subject in self._said:
            return
        self._said.add(subject)
        import logging  # noqa: PLC0415  # most programs never come here

        logging.getLogger("mist.metrics").warning(
            text, *args, exc_info=exc_info, stacklevel=depth + 1
        )
