"""The counts that were agreed on, for each Python, in a file of the repository."""

import json
import platform
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

BASELINE = Path(__file__).with_name("baseline.toml")

_HEAD = """\
# The instructions of each hot path, by Python. After a change that is worth its price,
# `hatch run instructions --renew` writes the section of the Python it runs on.
"""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What one Python counted.

    Attributes:
        build: the interpreter and what else takes part in the counts; another one's differ.
        counts: instructions of one walk, by path.
    """

    build: str
    counts: Mapping[str, float]


def this_python() -> str:
    """Name the section of the running Python, such as `CPython 3.11`."""
    major, minor, _ = platform.python_version_tuple()
    return f"{platform.python_implementation()} {major}.{minor}"


def this_build() -> str:
    """Name what the running Python's counts depend on, besides the code."""
    return (
        f"{platform.python_version()}, {platform.python_compiler()}, {platform.machine()},"
        f" msgspec {metadata.version('msgspec')}"
    )


def load(path: Path = BASELINE) -> dict[str, Baseline]:
    """Read the baselines by Python; none where there is no file."""
    if not path.exists():
        return {}
    sections = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        name: Baseline(section["build"], section["counts"]) for name, section in sections.items()
    }


def save(baselines: Mapping[str, Baseline], path: Path = BASELINE) -> None:
    """Write the baselines."""
    lines = [_HEAD]
    for python, baseline in sorted(baselines.items()):
        # JSON's strings are TOML's.
        lines += [f"[{json.dumps(python)}]", f"build = {json.dumps(baseline.build)}"]
        lines += [f"counts.{path} = {round(count)}" for path, count in baseline.counts.items()]
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")
