"""The context that a trace comes in with."""


class TraceContext:
    """Where a trace comes from; all spans that go on with it share one.

    Attributes:
        trace_id: 32 lowercase hex digits.
        parent_id: 16 lowercase hex digits.
        sampled: Whether the caller may have recorded the trace.
        tracestate: The members of `tracestate`, each `key=value`, without our own.
    """

    __slots__ = ("parent_id", "sampled", "trace_id", "tracestate")

    def __init__(
        self,
        trace_id: str,
        parent_id: str,
        *,
        sampled: bool = True,
        tracestate: tuple[str, ...] = (),
    ) -> None:
        self.trace_id = trace_id
        self.parent_id = parent_id
        self.sampled = sampled
        self.tracestate = tracestate

    def __repr__(self) -> str:
        return (
            f"TraceContext({self.trace_id!r}, {self.parent_id!r}, sampled={self.sampled},"
            f" tracestate={self.tracestate!r})"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TraceContext):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash((self.trace_id, self.parent_id))
