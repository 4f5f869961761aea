"""The tasks of the exam, as they stand in the file that schemaflux compiles."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Task:
    """One question.

    Attributes:
        name: What identifies it.
        suite: The suite that it belongs to.
        prompt: The question.
        expected: The right answer.
    """

    name: str
    suite: str
    prompt: str
    expected: str


def read_tasks(path: Path) -> list[Task]:
    """Read a file of entities, one JSON object a line."""
    entities = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [
        Task(each["task"], each["suite"], each["prompt"], str(each["expected"]))
        for each in entities
    ]
