"""The results of one run as a file of JSON, for other runs, other programs and the chart."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tools.bench.result import Result


class RecordError(Exception):
    """A file is not what a run wrote."""


@dataclass(frozen=True, slots=True)
class Record:
    """The results of a run, and where it ran: `peers` are versions by distribution."""

    python: str
    platform: str
    cpus: int | None
    peers: Mapping[str, str | None]
    results: Sequence[Result]

    @classmethod
    def of(cls, results: Sequence[Result]) -> "Record":
        """Put results of this very process on record."""
        peers = sorted({peer for result in results for peer in result.row.peers})
        return cls(
            python=platform.python_version(),
            platform=f"{platform.system()} {platform.machine()}",
            cpus=os.cpu_count(),
            peers={peer: _version(peer) for peer in peers},
            results=results,
        )

    @classmethod
    def load(cls, path: Path) -> "Record":
        """Read what `text` spelled.

        Raises:
            RecordError: It cannot be read, or is something else.
        """
        try:
            told = json.loads(path.read_bytes())
            return cls(
                python=told["python"],
                platform=told["platform"],
                cpus=told["cpus"],
                peers=told["peers"],
                results=[Result.from_json(row) for row in told["rows"]],
            )
        except OSError as exc:
            raise RecordError(f"cannot read {path}: {exc.strerror}") from exc
        except (KeyError, TypeError, ValueError) as exc:
            raise RecordError(
                f"{path} is not what 'hatch run bench --json' writes: {type(exc).__name__}: {exc}"
            ) from exc

    def text(self) -> str:
        """Spell it as JSON, a row to a line, so that a difference shows which ones changed."""
        head = json.dumps(
            {
                "python": self.python,
                "platform": self.platform,
                "cpus": self.cpus,
                "peers": dict(self.peers),
            },
            indent=2,
        )
        rows = ",\n".join(f"    {json.dumps(result.as_json())}" for result in self.results)
        return f'{head[:-2]},\n  "rows": [\n{rows}\n  ]\n}}\n'


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
