"""What can be set, and the TOML file in which a run keeps it."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from mist import config
from mist.errors import Code, MistError

TRANSPORTS: Final = ("chan", "http", "file", "stdio")

DECISIVE: Final = ("tasks", "fail_rate", "seed")
"""What the results depend on, so that a run is resumed with the same or not at all."""

_MOST_TASKS: Final = 1_000_000
_MOST_WORKERS: Final = 1000
_LONGEST_LATENCY: Final = 60


@dataclass(frozen=True)
class Settings:
    """Everything that can be set.

    Attributes:
        tasks: How many tasks the dataset has.
        fail_rate: Share of the model calls that fail, 0 to 1.
        seed: What every draw depends on.
        workers: How many tasks are evaluated at a time.
        latency: What a call of the larger model takes on average, in seconds.
        transport: What carries the messages between the tools: `chan`, `http`, `file`, `stdio`.
        listen: Where each tool listens, with the transport `http`.
        log_level: The least level that is logged.
    """

    tasks: int = 200
    fail_rate: float = 0.1
    seed: int = 7
    workers: int = 16
    latency: float = 0.04
    transport: str = "chan"
    listen: str = "127.0.0.1:0"
    log_level: str = "info"

    def __post_init__(self) -> None:
        for name, low, high in (
            ("tasks", 1, _MOST_TASKS),
            ("fail_rate", 0, 1),
            ("workers", 1, _MOST_WORKERS),
            ("latency", 0, _LONGEST_LATENCY),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                shown = name.replace("_", "-")
                raise ValueError(f"{shown} is a number from {low} to {high}, got {value}")
        if self.transport not in TRANSPORTS:
            raise ValueError(f"transport is one of {', '.join(TRANSPORTS)}, got {self.transport!r}")


def load_settings(path: Path) -> Settings:
    """Read the settings of a run.

    Raises:
        ConfigError: The file is not what `write_settings` wrote; the text names the lines.
    """
    return config.load(path, "", Settings, env={}, unknown="error")


def write_settings(settings: Settings, path: Path) -> None:
    """Write the file that `load_settings`, and each process of the run, reads.

    All of it or nothing: a run whose settings are lost to a full disk, or to a kill in this moment,
    could not go on.
    """
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in asdict(settings).items()]
    whole = path.with_suffix(".tmp")
    whole.write_text("".join(["# What this run of `mist demo` was started with.\n", *lines]))
    whole.replace(path)


def refuse_other_results(kept: Settings, wanted: Settings, run_id: str) -> None:
    """Refuse to go on with a run under settings that give other results.

    Raises:
        MistError: Code `conflict`; the text names each setting that differs.
    """
    differing = [
        f"--{each.name.replace('_', '-')} is {getattr(kept, each.name)} there"
        f" and {getattr(wanted, each.name)} here"
        for each in fields(Settings)
        if each.name in DECISIVE and getattr(kept, each.name) != getattr(wanted, each.name)
    ]
    if differing:
        raise MistError(
            Code.CONFLICT, f"run {run_id} cannot go on with other results: {'; '.join(differing)}"
        )
