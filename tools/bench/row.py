"""What is compared: a row of the table, declared beside its target.

A file of rows holds `ROWS = Rows("<group>")` and adds to it:

    @ROWS.calls("marshal, small", at_most(1.3), against="msgspec Encoder", peers=["msgspec"])
    def marshal() -> Generator[Pair]:
        encoder, message = ...  # set up; what follows the yield tears down
        yield Pair(ours=message.marshal, peer=lambda: encoder.encode(message))

`ROWS.awaits` is the same for an async generator that yields an `AsyncPair`, all in one event loop.
`ROWS.rounds` is for what measures itself (processes, memory): a generator that yields
`(ours, peer)`, one pair of figures for each round, until it is closed.
"""

import enum
import time
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial

from tools.bench.measure import Plan, Rounds, measure_awaits, measure_calls, measure_rounds
from tools.bench.pair import AsyncPair, Pair


class Unit(enum.Enum):
    """What a figure of a row is."""

    SECONDS = "s"
    BYTES = "B"
    PER_SECOND = "/s"

    @property
    def is_rate(self) -> bool:
        """Whether more is better."""
        return self is Unit.PER_SECOND


@dataclass(frozen=True, slots=True)
class Target:
    """How ours must stand to the peer, as one ratio."""

    bound: float
    of_speed: bool

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read what `str` writes.

        Raises:
            ValueError: It is no target.
        """
        sign, _, bound = text.partition(" ")
        if sign not in {">=", "<="} or not bound.endswith("x"):
            raise ValueError(f"{text!r} is no target, such as '<= 1.5x'")
        return cls(float(bound[:-1]), of_speed=sign == ">=")

    def __str__(self) -> str:
        return f"{'>=' if self.of_speed else '<='} {self.bound:g}x"

    def ratio(self, ours: float, peer: float, unit: Unit) -> float:
        """Put ours in relation to the peer, by speed or by cost as the target wants it."""
        return ours / peer if self.of_speed == unit.is_rate else peer / ours

    def met(self, ratio: float) -> bool:
        """Tell whether a ratio is good enough."""
        return ratio >= self.bound if self.of_speed else ratio <= self.bound

    def advantage(self, ratio: float) -> float:
        """Put a ratio so that more is better, as one of speed is already."""
        return ratio if self.of_speed else 1 / ratio


def at_most(bound: float) -> Target:
    """Want ours to cost at most `bound` times what the peer costs."""
    return Target(bound, of_speed=False)


def at_least(bound: float) -> Target:
    """Want ours to be at least `bound` times as fast as the peer."""
    return Target(bound, of_speed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is compared, and how it should turn out."""

    group: str
    name: str
    target: Target
    against: str
    peers: Sequence[str]
    unit: Unit

    @property
    def title(self) -> str:
        """The name among all comparisons."""
        return f"{self.group}: {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Comparison):
    """A comparison that can be measured."""

    measure: Callable[[Plan], Rounds]


class Rows:
    """The rows of one file.

    Every way to add takes the row's `name`, its `target`, what ours is compared `against`, and
    `peers`, the distributions whose versions belong to the result.
    """

    def __init__(self, group: str) -> None:
        self.group = group
        self.rows: list[Row] = []

    def calls(
        self,
        name: str,
        target: Target,
        *,
        against: str,
        peers: Sequence[str] = (),
        per_call: int = 1,
        clock: Callable[[], float] = time.perf_counter,
    ) -> Callable[[Callable[[], Generator[Pair]]], None]:
        """Add a comparison of two functions, timed by `clock`, doing `per_call` things a call."""

        def add(setup: Callable[[], Generator[Pair]]) -> None:
            measure = partial(measure_calls, setup, per_call, clock)
            self._add(
                name, target, against=against, peers=peers, unit=Unit.SECONDS, measure=measure
            )

        return add

    def awaits(
        self,
        name: str,
        target: Target,
        *,
        against: str,
        peers: Sequence[str] = (),
        per_call: int = 1,
        clock: Callable[[], float] = time.perf_counter,
    ) -> Callable[[Callable[[], AsyncGenerator[AsyncPair]]], None]:
        """Add a comparison of two coroutine functions."""

        def add(setup: Callable[[], AsyncGenerator[AsyncPair]]) -> None:
            measure = partial(measure_awaits, setup, per_call, clock)
            self._add(
                name, target, against=against, peers=peers, unit=Unit.SECONDS, measure=measure
            )

        return add

    def rounds(
        self,
        name: str,
        target: Target,
        *,
        against: str,
        unit: Unit,
        peers: Sequence[str] = (),
        rounds: int = 5,
    ) -> Callable[[Callable[[], Generator[tuple[float, float]]]], None]:
        """Add a comparison that measures itself, `rounds` times, in `unit`."""

        def add(measured: Callable[[], Generator[tuple[float, float]]]) -> None:
            measure = partial(measure_rounds, measured, rounds)
            self._add(name, target, against=against, peers=peers, unit=unit, measure=measure)

        return add

    def _add(
        self,
        name: str,
        target: Target,
        *,
        against: str,
        peers: Sequence[str],
        unit: Unit,
        measure: Callable[[Plan], Rounds],
    ) -> None:
        row = Row(
            group=self.group,
            name=name,
            target=target,
            against=against,
            peers=tuple(peers),
            unit=unit,
            measure=measure,
        )
        self.rows.append(row)
