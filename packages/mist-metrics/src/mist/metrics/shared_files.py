"""The files by which workers tell each other what they have counted.

    mutex                 held for a moment by whoever reads or tidies up
    <pid>-<random>.lock   held by a worker for as long as it lives
    <pid>-<random>.json   its metrics, replaced as a whole
    departed.json         what workers that are gone had counted

A run lasts as long as one of its workers lives. Who joins when nobody does begins a new run, and
removes what the one before left behind.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
from collections.abc import Generator, Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from mist.metrics.errors import MetricError
from mist.metrics.file_lock import NO_LINK, FileLock
from mist.metrics.merge import merge
from mist.metrics.snapshot import Snapshot

if TYPE_CHECKING:
    from mist.metrics.merge import Combined

_DEPARTED = "departed.json"
_LONGEST_WAIT = 10.0  # seconds; the mutex is held for milliseconds


class SharedFiles:
    """One worker's access to the files of all.

    Args:
        directory: Where they are; it is made if need be, for this user alone.
        gauges: How gauges combine, as in `merge`.
    """

    def __init__(self, directory: Path, gauges: Mapping[str, Combined]) -> None:
        self._directory = directory
        self._gauges = gauges
        self._thread_mutex = Lock()
        self._mutex = FileLock(directory / "mutex")
        self._life: FileLock | None = None
        self._published = b""

    @property
    def joined(self) -> bool:
        """Whether this is one of the workers, and the others see it.

        They do not where somebody has removed its files, as those do who tidy up old temporary ones.
        """
        return self._life is not None and self._life.path.exists()

    def join(self) -> None:
        """Become one of the workers, perhaps once more; the first one begins a new run."""
        with self._exclusively():
            self.leave()
            living, gone = self._others()
            if living:
                self._absorb(gone)
            else:
                for path in self._directory.glob("*.json"):
                    path.unlink()
                self._remove(gone)
            life = FileLock(self._directory / f"{os.getpid()}-{secrets.token_hex(4)}.lock")
            life.try_acquire()
            self._life = life
            self._published = b""

    def publish(self, snapshot: Snapshot) -> None:
        """Replace what the others know of this worker, if anything has changed or is gone."""
        if self._life is None:
            return
        data, path = snapshot.to_json(), self._life.path.with_suffix(".json")
        if data != self._published or not path.exists():
            _replace(path, data)
            self._published = data

    def leave(self) -> None:
        """Be counted among those that are gone."""
        if self._life is not None:
            self._life.release()

    def disown(self) -> None:
        """In a forked child: leave everything to the parent."""
        self._mutex.disown()
        if self._life is not None:
            self._life.disown()

    def merged(self, own: Snapshot) -> Snapshot:
        """Add to this worker's metrics those of all others."""
        with self._exclusively():
            living, gone = self._others()
            counted = self._counted([*living, *gone], living)
        return self._add(own, counted)

    def _counted(self, names: list[str], living: list[str]) -> dict[str, Snapshot]:
        """Read what workers have published; gauges are those of the living alone."""
        departed, absorbed = self._departed()
        found = {_DEPARTED: departed}
        for name in names:
            if name not in absorbed:
                snapshot = self._read(name)
                if snapshot is not None:
                    found[name] = snapshot if name in living else _without_gauges(snapshot)
        return found

    def _add(self, own: Snapshot, others: Mapping[str, Snapshot]) -> Snapshot:
        total = own
        for name, snapshot in others.items():
            try:
                total = merge([total, snapshot], gauges=self._gauges)
            except MetricError as exc:
                _warn("the metrics of worker %s are left out: %s", name, exc)
        return total

    def _others(self) -> tuple[list[str], list[str]]:
        """Name the workers besides this one, the living and those that are gone."""
        living: list[str] = []
        gone: list[str] = []
        for path in sorted(self._directory.glob("*.lock")):
            if self._life is None or path != self._life.path:
                lock = FileLock(path)
                (gone if lock.try_acquire() else living).append(path.stem)
                lock.release()
        return living, gone

    def _absorb(self, gone: list[str]) -> None:
        """Add what workers that are gone had counted to one file, and remove theirs.

        The file names them, so that nobody counts them twice should this process die halfway.
        """
        if gone:
            counted = self._counted(gone, [])
            total = self._add(counted.pop(_DEPARTED), counted)
            document = {"absorbed": gone, "metrics": json.loads(total.to_json())}
            _replace(self._directory / _DEPARTED, json.dumps(document).encode())
            self._remove(gone)

    def _remove(self, names: list[str]) -> None:
        for name in names:
            for suffix in (".json", ".new", ".lock"):
                (self._directory / (name + suffix)).unlink(missing_ok=True)

    def _departed(self) -> tuple[Snapshot, frozenset[str]]:
        """Read what workers had counted whose files may be gone, and their names."""
        try:
            document = json.loads((self._directory / _DEPARTED).read_bytes())
            metrics = Snapshot.from_json(json.dumps(document["metrics"]))
            return metrics, frozenset(document["absorbed"])
        except FileNotFoundError:
            pass
        except (ValueError, TypeError, KeyError) as exc:
            _warn("the metrics of workers that are gone are left out: %r", exc)
        return Snapshot({}, {}, {}), frozenset()

    def _read(self, name: str) -> Snapshot | None:
        try:
            return Snapshot.from_json((self._directory / f"{name}.json").read_bytes())
        except FileNotFoundError:  # it has not come to publish anything
            return None
        except MetricError as exc:
            _warn("the metrics of worker %s are left out: %s", name, exc)
            return None

    @contextlib.contextmanager
    def _exclusively(self) -> Generator[None]:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._thread_mutex:
            self._mutex.acquire(_LONGEST_WAIT)
            try:
                yield
            finally:
                self._mutex.release()


def _without_gauges(snapshot: Snapshot) -> Snapshot:
    return Snapshot(snapshot.counters, {}, snapshot.histograms)


def _replace(path: Path, data: bytes) -> None:
    new = path.with_suffix(".new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NO_LINK
    with os.fdopen(os.open(new, flags, 0o600), "wb") as file:
        file.write(data)
    new.replace(path)


def _warn(text: str, *args: object) -> None:
    logging.getLogger("mist.metrics").warning(text, *args)
