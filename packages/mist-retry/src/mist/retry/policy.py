"""How often to try, and how long to wait in between: arithmetic and nothing else."""

from __future__ import annotations

from os import urandom

from mist.retry.setting import InvalidSetting, check_number, check_whole

# `typing` would be most of this package's import time, so only type checkers see it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NoReturn, Self


class Policy:
    """How often to try, and how long to wait in between. It never changes.

    The first wait is `initial_wait`; each further one is `multiplier` times as long, up to
    `max_wait`. As in mist-go, `max_wait` caps the growth, not an `initial_wait` beyond it.

    Args:
        max_attempts: attempts in all, the first one included; 1 means no retry.
        initial_wait: seconds before the second attempt.
        max_wait: seconds that no later wait exceeds, nor one that an error asks for with its
            `retry_after`.
        multiplier: by how much each wait exceeds the one before; 1 or more.
        jitter: by what part of itself a wait varies at random, 0 to 1.

    Raises:
        InvalidSetting: one of them makes no sense.
    """

    __slots__ = ("initial_wait", "jitter", "max_attempts", "max_wait", "multiplier")
    __match_args__ = ("max_attempts", "initial_wait", "max_wait", "multiplier", "jitter")

    max_attempts: int
    initial_wait: float
    max_wait: float
    multiplier: float
    jitter: float

    def __init__(
        self,
        max_attempts: int = 3,
        initial_wait: float = 0.1,
        max_wait: float = 5.0,
        multiplier: float = 2.0,
        jitter: float = 0.25,
    ) -> None:
        seconds = "a number of seconds, 0 or more"
        for name, value in (
            (
                "max_attempts",
                check_whole(
                    "max_attempts",
                    max_attempts,
                    1,
                    "a whole number, 1 or more (1 tries once and never again)",
                ),
            ),
            ("initial_wait", check_number("initial_wait", initial_wait, seconds)),
            ("max_wait", check_number("max_wait", max_wait, seconds)),
            (
                "multiplier",
                check_number(
                    "multiplier", multiplier, "a number, 1 or more (1 waits evenly)", least=1.0
                ),
            ),
            (
                "jitter",
                check_number("jitter", jitter, "a part from 0 (none) to 1 (all of it)", most=1.0),
            ),
        ):
            object.__setattr__(self, name, value)

    @property
    def attempts(self) -> int:
        """Attempts in all, the first one included."""
        return self.max_attempts

    def total_max_wait(self) -> float:
        """Seconds that all waits together take, jitter aside: it may add its part of them."""
        total, wait, left = 0.0, self.initial_wait, self.max_attempts - 1
        while left:
            total += wait
            left -= 1
            following = self._after(wait)
            if following == wait:
                total += left * wait
                break
            wait = following
        # Whole nanoseconds, as mist-go counts them: 0.1 + 0.2 is 0.3.
        return round(total, 9)

    def waits(self, random: Callable[[], float] | None = None) -> Iterator[float]:
        """The seconds to wait before each further attempt: one wait fewer than attempts.

        A wait varies by `jitter` around its length, at `max_wait` downwards only: nothing
        exceeds the cap, and still those who wait that long do not all come back at once.

        Args:
            random: gives numbers from 0 up to 1, as `random.Random(seed).random` does; without
                it they come from the operating system.
        """
        draw = _random if random is None else random
        wait = self.initial_wait
        for _ in range(self.max_attempts - 1):
            low = wait * (1 - self.jitter)
            high = min(wait * (1 + self.jitter), max(wait, self.max_wait))
            yield min(low + (high - low) * draw(), high)
            wait = self._after(wait)

    def replace(self, **changes: float) -> Self:
        """A copy with some settings changed, as in `policy.replace(max_attempts=5)`.

        Raises:
            InvalidSetting: there is no such setting, or it makes no sense.
        """
        settings = dict(zip(self.__match_args__, self._settings(), strict=True))
        if unknown := changes.keys() - settings.keys():
            raise InvalidSetting(
                f"a policy has no {', '.join(sorted(unknown))}; it has {', '.join(settings)}"
            )
        return type(self)(**{**settings, **changes})  # type: ignore[arg-type]  # __init__ checks

    __replace__ = replace  # what copy.replace looks for, from Python 3.13 on

    def _after(self, wait: float) -> float:
        return min(wait * self.multiplier, self.max_wait)

    def _settings(self) -> tuple[int, float, float, float, float]:
        return self.max_attempts, self.initial_wait, self.max_wait, self.multiplier, self.jitter

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a policy never changes: use replace({name}=...)")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a policy never changes")

    def __eq__(self, other: object) -> bool:
        return (
            self._settings() == other._settings() if isinstance(other, Policy) else NotImplemented
        )

    def __hash__(self) -> int:
        return hash(self._settings())

    def __repr__(self) -> str:
        pairs = zip(self.__match_args__, self._settings(), strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"

    def __reduce__(self) -> tuple[type[Self], tuple[int, float, float, float, float]]:
        return type(self), self._settings()


def _random() -> float:
    # As random.SystemRandom does it; importing `random` would cost more than all of this package.
    return (int.from_bytes(urandom(7), "big") >> 3) * 2.0**-53


DEFAULT_POLICY = Policy()
"""Three attempts, 0.1 s and 0.2 s apart, give or take a quarter."""

AGGRESSIVE_POLICY = Policy(5, 0.05, 10.0, 2.0, 0.25)
"""Five attempts, 0.05 s to 0.4 s apart, give or take a quarter."""
