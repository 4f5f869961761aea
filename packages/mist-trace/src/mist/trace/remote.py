"""The context that a trace comes in with."""


class Remote:
    """Where a trace comes from; shared by all spans that go on with it here.

    Attributes:
        trace_id: 32 hex digits.
        parent_id: 16 hex digits.
        sampled: Whether the caller may have recorded the trace.
        tracestate: The members of `tracestate`, as `key=value`, without our own.
    """

    __slots__ = ("parent_id", "sampled", "trace_id", "tracestate")

    def __init__(
        self, trace_id: str, parent_id: str, sampled: bool, tracestate: tuple[str, ...] = ()
    ) -> None:
        self.trace_id = trace_id
        self.parent_id = parent_id
        self.sampled = sampled
        self.tracestate = tracestate
