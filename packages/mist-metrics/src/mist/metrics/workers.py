"""One set of metrics for the worker processes of one program."""

from __future__ import annotations

import os

from mist.metrics.errors import MetricError
from mist.metrics.merge import merge
from mist.metrics.registry import Registry

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from collections.abc import Mapping

    from mist.metrics.exposition import Exposition
    from mist.metrics.merge import Combined
    from mist.metrics.prometheus import Collector
    from mist.metrics.publisher import Publisher
    from mist.metrics.shared_files import SharedFiles
    from mist.metrics.snapshot import Snapshot


class WorkerDirectory:
    """Adds up the metrics of all processes that share a directory, whichever of them is asked.

    Each worker that has started publishes its metrics there: at once, every `interval`, and when
    it ends. A worker that is killed loses what it counted since. Counters and histograms of
    workers that are gone still count; their gauges do not. A forked child of a worker that has
    started is a worker of its own; it starts at nothing.

    A run lasts as long as one of its workers lives. The first to start after that begins a new
    one, so that the directory never needs to be cleaned up.

    Args:
        path: A directory for these files alone, on a local file system.
        registry: The metrics of this process.
        interval: Seconds between two publications.
        gauges: How gauges combine, by name: `sum` unless said otherwise, `max` or `min`.

    Raises:
        MetricError: there is no such way to combine gauges, or no such interval.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        registry: Registry,
        *,
        interval: float = 1.0,
        gauges: Mapping[str, Combined] | None = None,
    ) -> None:
        if not interval > 0:
            raise MetricError(f"an interval is more than 0 seconds, not {interval!r}")
        self._path = os.fspath(path)
        self._registry = registry
        self._interval = interval
        self._gauges: dict[str, Combined] = dict(gauges or {})
        merge([], gauges=self._gauges)  # a wrong way to combine is told here, and not at a scrape
        self._publisher: Publisher | None = None

    def start(self) -> None:
        """Join the workers and begin to publish; without effect if this process has.

        Raises:
            OSError: the directory cannot be made or written.
        """
        if self._publisher is None:
            files = self._files()
            files.join()
            files.publish(self._registry.snapshot())
            self._publish_with(files)

    def stop(self) -> None:
        """Publish a last time and leave; without effect if this process has not started.

        A process that ends does so by itself, unless it is killed or leaves by `os._exit`.
        """
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            from mist.metrics.publisher import started  # noqa: PLC0415  # it has been loaded

            started.discard(self)
            publisher.finish()

    def __enter__(self) -> WorkerDirectory:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    async def __aenter__(self) -> WorkerDirectory:
        import asyncio  # noqa: PLC0415  # loads when it is used

        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        import asyncio  # noqa: PLC0415  # loads when it is used

        await asyncio.to_thread(self.stop)

    def snapshot(self) -> Snapshot:
        """Return the metrics of all workers, this process's as they are now.

        Raises:
            OSError: the directory cannot be read.
        """
        publisher = self._publisher
        files = self._files() if publisher is None else publisher.files
        return files.merged(self._registry.snapshot())

    def handler(self) -> Exposition:
        """Return an ASGI application like that of a registry, for the metrics of all workers."""
        from mist.metrics.exposition import Exposition  # noqa: PLC0415  # loads when it is used

        return Exposition(self.snapshot)

    def collector(self) -> Collector:
        """Return a collector like that of a registry, for the metrics of all workers.

        Raises:
            PrometheusClientMissing: prometheus_client is not installed.
        """
        from mist.metrics.prometheus import Collector  # noqa: PLC0415  # loads prometheus_client

        return Collector(self.snapshot)

    def _files(self) -> SharedFiles:
        from pathlib import Path  # noqa: PLC0415  # loads when it is used

        from mist.metrics.shared_files import SharedFiles  # noqa: PLC0415  # as above

        return SharedFiles(Path(self._path), self._gauges)

    def _publish_with(self, files: SharedFiles) -> None:
        from mist.metrics.publisher import Publisher, started  # noqa: PLC0415  # loads when it is used

        started.add(self)
        self._publisher = Publisher(files, self._registry, self._interval)
        self._publisher.start()

    def after_fork(self) -> None:
        """In a forked child: become a worker of its own."""
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.files.disown()
            self._publish_with(self._files())
