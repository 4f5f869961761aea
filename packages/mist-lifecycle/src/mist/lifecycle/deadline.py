"""One deadline, divided over what has to be done before it."""


class Deadline:
    """When the parts of a shutdown have to be over, in seconds of the event loop's clock.

    Args:
        began: when the shutdown began.
        drain_timeout: seconds for work in flight.
        shutdown_timeout: seconds for the hooks.
    """

    def __init__(self, began: float, drain_timeout: float, shutdown_timeout: float) -> None:
        self.drain = began + drain_timeout
        self.end = self.drain + shutdown_timeout
        self._shutdown_timeout = shutdown_timeout

    def left(self, now: float) -> float:
        """Seconds until everything has to be over."""
        return max(0.0, self.end - now)

    def share(self, now: float, pending: int) -> float:
        """What one of those who wait for their turn may take: an equal part of what is left.

        Whoever needs less than its part leaves the rest to those after it, and nobody can take
        more: `pending` parts are there when the first begins, and one less for each turn.
        """
        return min(self.left(now), self._shutdown_timeout) / pending

    def drained(self, now: float) -> None:
        """Draining is over: what it left of its time is not spent on hooks."""
        self.end = min(self.end, now + self._shutdown_timeout)
