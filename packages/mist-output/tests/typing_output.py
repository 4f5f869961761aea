"""What users write, checked by mypy and pyright and never run."""

import sys
from collections.abc import Callable
from typing import Literal, assert_type

from mist.output import OutputError, Progress, Writer, progress

writer = Writer("table", sys.stdout)
writer.json({"n": 1})
writer.table(["name", "n"], (("a", n) for n in range(3)))
writer.write([{"name": "a"}])
writer.error("it broke")
assert_type(writer.format, Literal["json", "table"])

with progress(100, "tasks", stream=sys.stderr, interval=1, clock=lambda: 0.0) as tasks:
    assert_type(tasks, Progress)
    tasks.advance()
    tasks.update(50, total=200)
    assert_type(tasks.done, int)
    assert_type(tasks.total, int | None)

# What takes a callback of done and total takes a progress.
callback: Callable[[int, int], None] = progress()

assert_type(OutputError("no JSON", "$.a").path, str | None)

# Wrong programs do not type-check.
Writer("xml")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
writer.table(["n"], [1, 2])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
tasks.done = 3  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
