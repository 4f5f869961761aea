"""The raw dataset of a run: exam questions that a seed makes, as a person might have typed them."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mist.command.demo.chance import choose, whole

COLUMNS: Final = ("task", "suite", "prompt", "expected", "level")

_WORDS: Final = (
    "lantern", "harbour", "pepper", "violin", "meadow", "copper", "glacier", "parcel", "saddle",
    "thunder", "walnut", "anchor", "bottle", "candle", "domino", "engine",
)  # fmt: skip


def write_dataset(path: Path, tasks: int, seed: int) -> None:
    """Write the CSV file that schemaflux compiles: a line for each task."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_row(seed, number) for number in range(tasks))


def _row(seed: int, number: int) -> Iterator[object]:
    level = whole(1, 3, seed, number, "level")
    suite, prompt, expected = (_sum, _word, _order)[number % 3](seed, number, level)
    # White space as it creeps into files by hand: the compiler is there to take it out.
    yield from (f"t{number:05d}", suite, f" {prompt} ", expected, level if number % 5 else "")


def _sum(seed: int, number: int, level: int) -> tuple[str, str, str]:
    one, other = (whole(1, 10**level, seed, number, part) for part in ("one", "other"))
    return "sums", f"What is {one} + {other}?", str(one + other)


def _word(seed: int, number: int, level: int) -> tuple[str, str, str]:
    words = [choose(_WORDS, seed, number, part) for part in range(level)]
    text = " ".join(words)
    return "spelling", f"Spell backwards: {text}", text[::-1]


def _order(seed: int, number: int, level: int) -> tuple[str, str, str]:
    numbers = [whole(1, 99, seed, number, part) for part in range(level + 2)]
    return "ordering", f"Sort: {_listed(numbers)}", _listed(sorted(numbers))


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
