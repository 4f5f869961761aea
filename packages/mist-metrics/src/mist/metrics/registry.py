"""Where a program's metrics live."""

from __future__ import annotations

import os
from _thread import RLock  # threading has the same, and takes as long to import as all of this
from time import perf_counter
from weakref import WeakSet

from mist.metrics.counter import Counter
from mist.metrics.errors import MetricError
from mist.metrics.gauge import Gauge
from mist.metrics.histogram import DEFAULT_BUCKETS, Histogram, check_buckets
from mist.metrics.metric import Metric
from mist.metrics.names import as_text, check_labels, check_name, prometheus_series
from mist.metrics.reports import Reports
from mist.metrics.snapshot import Snapshot, keyed

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from mist.metrics.exposition import Exposition
    from mist.metrics.names import Kind, Labels
    from mist.metrics.prometheus import Collector

_OVERFLOW: Labels = (("mist_overflow", "true"),)
_NEW_NAMES = "(new names)"

# So many spellings of each series, with its labels in different orders, are kept for lookups.
_ORDERS = 4

_OWN = {
    "mist_metrics_overflow": "Lookups beyond the limit of series, by the name looked up.",
    "mist_metrics_refused": "Values that were not recorded because they are no finite numbers.",
}

_registries: WeakSet[Registry] = WeakSet()


class _Family:
    """All series of one name."""

    __slots__ = ("bounds", "kind", "name", "series")

    def __init__(self, kind: Kind, name: str, bounds: tuple[float, ...]) -> None:
        self.kind: Kind = kind
        self.name = name
        self.bounds = bounds
        self.series: dict[frozenset[tuple[str, str]], Metric] = {}


class Registry:
    """Hands out metrics by name and labels: the same ones for the same, whatever their order.

    What is recorded never raises and never takes a lock; looking a metric up raises only for a
    mistake in the program, a name or label that breaks a rule. A forked child starts at nothing,
    so that the counts of all processes add up.

    Args:
        max_series: How many series there may be, of all names together. A lookup beyond that
            gives a working metric which all such lookups of its name share: its only label is
            `mist_overflow="true"`. How many lookups that were is the counter
            `mist_metrics_overflow`; the first is logged.
        clock: Tells seconds, for timers.

    Raises:
        MetricError: `max_series` is no whole number above 0.
    """

    def __init__(
        self, *, max_series: int = 10_000, clock: Callable[[], float] = perf_counter
    ) -> None:
        if not isinstance(max_series, int) or max_series < 1:  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
            raise MetricError(f"max_series is a whole number above 0, not {max_series!r}")
        self._max_series = max_series
        self._clock = clock
        self._size = 0
        self._families: dict[str, _Family] = {}
        self._prometheus: dict[str, str] = {}  # each name that is taken in Prometheus, by whom
        self._help: dict[str, str] = {}
        self._before: list[Callable[[], object]] = []
        # What was looked up, by name and labels just as they were given.
        self._counters: dict[tuple[object, ...], Counter] = {}
        self._gauges: dict[tuple[object, ...], Gauge] = {}
        self._histograms: dict[tuple[object, ...], Histogram] = {}
        # What lookups of new names beyond the limit share; no snapshot has it.
        self._spare: dict[Kind, Metric] = {}
        self.after_fork()
        for name, meaning in _OWN.items():
            self._family("counter", name, None)
            self.describe(name, meaning)
        _registries.add(self)

    def counter(self, name: str, /, **labels: object) -> Counter:
        """Return the counter of that name and those labels.

        Args:
            name: ASCII letters, digits and `_ . - / :`, not beginning with a digit.
            labels: Values are text, or become text by `str`.

        Raises:
            MetricError: the name or a label breaks a rule, or the name is taken by another kind.
        """
        try:
            found = self._counters.get((name, *labels.items()))
        except TypeError:  # something unhashable, which has its text all the same
            found = None
        if found is None:
            found = self._find("counter", name, labels, self._counters)
        return found

    def gauge(self, name: str, /, **labels: object) -> Gauge:
        """Return the gauge of that name and those labels.

        Args:
            name: ASCII letters, digits and `_ . - / :`, not beginning with a digit.
            labels: Values are text, or become text by `str`.

        Raises:
            MetricError: the name or a label breaks a rule, or the name is taken by another kind.
        """
        try:
            found = self._gauges.get((name, *labels.items()))
        except TypeError:  # something unhashable, which has its text all the same
            found = None
        if found is None:
            found = self._find("gauge", name, labels, self._gauges)
        return found

    def histogram(
        self, name: str, /, buckets: Iterable[float] = DEFAULT_BUCKETS, **labels: object
    ) -> Histogram:
        """Return the histogram of that name and those labels.

        Args:
            name: ASCII letters, digits and `_ . - / :`, not beginning with a digit.
            buckets: Upper bounds, inclusive, in any order. All series of a name have the same;
                leaving them out takes what the name has already.
            labels: Values are text, or become text by `str`. None can be called `buckets`.

        Raises:
            MetricError: the name or a label breaks a rule, the name is taken by another kind, or
                it has other buckets.
        """
        try:
            found = self._histograms.get((name, *labels.items()))
        except TypeError:  # something unhashable, which has its text all the same
            found = None
        if buckets is DEFAULT_BUCKETS:
            bounds = None
        elif found is not None and isinstance(buckets, tuple) and buckets == found.bounds:
            return found
        else:
            bounds = check_buckets(name, buckets)
        if found is None or bounds is not None:
            found = self._find("histogram", name, labels, self._histograms, bounds)
        return found

    def describe(self, name: str, help: str) -> None:  # noqa: A002  # what Prometheus calls it
        """Say what a metric means, for Prometheus; before or after its first use.

        Raises:
            MetricError: the name breaks a rule.
        """
        self._help[check_name(name)] = as_text(help)

    def before_snapshot(self, update: Callable[[], object]) -> Callable[[], object]:
        """Call a function before every snapshot, to set what is not worth following all the time.

        It should be quick. What it raises is logged once, and costs the snapshot nothing else.

        Returns:
            The function, so that this is a decorator as well.
        """
        self._before.append(update)
        return update

    def add_process_metrics(self) -> None:
        """Measure this process at every snapshot, under the names that Prometheus's clients use.

        These are `process_cpu_ms` (`process_cpu_seconds_total` in Prometheus),
        `process_resident_memory_bytes`, `process_open_fds`, `process_threads`,
        `process_start_time_seconds` and, where an event loop is known, `asyncio_tasks`. What the
        system does not tell is left out; other systems than Linux tell most through psutil,
        where that is installed. Measuring takes some 50 microseconds.
        """
        from mist.metrics.process import ProcessMetrics  # noqa: PLC0415  # loads when it is used

        if not any(isinstance(update, ProcessMetrics) for update in self._before):
            self.before_snapshot(ProcessMetrics(self))

    def snapshot(self) -> Snapshot:
        """Return all metrics as they are now; each for itself is one consistent cut."""
        self._update()
        families = list(self._families.values())
        metrics = [metric for family in families for metric in list(family.series.values())]
        return Snapshot(
            keyed(each.snapshot() for each in metrics if isinstance(each, Counter)),
            keyed(each.snapshot() for each in metrics if isinstance(each, Gauge)),
            keyed(each.snapshot() for each in metrics if isinstance(each, Histogram)),
            dict(self._help),
        )

    def handler(self) -> Exposition:
        """Return an ASGI application that serves the metrics: JSON, or Prometheus by `Accept`."""
        from mist.metrics.exposition import Exposition  # noqa: PLC0415  # loads when it is used

        return Exposition(self.snapshot)

    def collector(self) -> Collector:
        """Return a collector for a registry of prometheus_client, which then has these metrics.

        Raises:
            PrometheusClientMissing: prometheus_client is not installed.
        """
        from mist.metrics.prometheus import Collector  # noqa: PLC0415  # loads prometheus_client

        return Collector(self.snapshot)

    def after_fork(self) -> None:
        """Begin with every metric at nothing, in a forked child."""
        self._lock = RLock()  # another thread may have held the old one when the process forked
        self._updating = RLock()
        self._is_updating = False
        self._reports = Reports()
        for family in self._families.values():
            for metric in family.series.values():
                metric.after_fork()
        for metric in self._spare.values():
            metric.after_fork()

    def _find(
        self,
        kind: Kind,
        name: str,
        labels: dict[str, object],
        cache: dict[tuple[object, ...], Any],
        bounds: tuple[float, ...] | None = None,
    ) -> Any:
        """Return the metric, of the class that belongs to the kind; make it if there is none."""
        name = check_name(name)
        pairs = check_labels(kind, name, labels)
        with self._lock:
            family = self._family(kind, name, bounds)
            metric = family and self._series(family, pairs)
            if metric is not None and all(type(value) is str for value in labels.values()):
                if len(cache) >= _ORDERS * self._max_series:
                    cache.clear()
                cache[(name, *labels.items())] = metric
        if metric is None:
            metric = self._overflow(kind, name, family)
        return metric

    def _family(self, kind: Kind, name: str, bounds: tuple[float, ...] | None) -> _Family | None:
        """Return the family, new if need be; None if it would be one too many."""
        family = self._families.get(name)
        if family is None:
            taken = prometheus_series(kind, name)
            for each in taken:
                other = self._prometheus.get(each, name)
                if other != name:
                    raise MetricError(
                        f"{kind} {name!r} and the metric {other!r} would both be {each!r} in "
                        "Prometheus: rename one of them"
                    )
            if self._size >= self._max_series:
                return None
            family = _Family(kind, name, DEFAULT_BUCKETS if bounds is None else bounds)
            # A signal handler or a finalizer may just have done the same.
            family = self._families.setdefault(name, family)
            self._prometheus.update(dict.fromkeys(taken, name))
        if family.kind != kind:
            raise MetricError(
                f"{name!r} is a {family.kind} already, so the {kind} needs another name"
            )
        if bounds is not None and bounds != family.bounds:
            raise MetricError(
                f"histogram {name!r} has the buckets {family.bounds!r} already, so those "
                f"with {bounds!r} need another name; leave them out to take what there is"
            )
        return family

    def _series(self, family: _Family, labels: Labels) -> Metric | None:
        """Return the family's metric with these labels; None if it would be one too many."""
        key = frozenset(labels)
        metric = family.series.get(key)
        if metric is None and self._size < self._max_series:
            made = self._new(family, labels)
            metric = family.series.setdefault(key, made)
            if metric is made:
                self._size += 1
        return metric

    def _new(self, family: _Family, labels: Labels) -> Metric:
        if family.kind == "histogram":
            return Histogram(family.name, labels, self._refuse, family.bounds, self._clock)
        return (Counter if family.kind == "counter" else Gauge)(family.name, labels, self._refuse)

    def _overflow(self, kind: Kind, name: str, family: _Family | None) -> Metric:
        """Return what all lookups beyond the limit share, and count and report this one."""
        with self._lock:
            if family is not None:
                metric = family.series.setdefault(
                    frozenset(_OVERFLOW), self._new(family, _OVERFLOW)
                )
            else:
                family = _Family(kind, _NEW_NAMES, DEFAULT_BUCKETS)
                metric = self._spare.setdefault(kind, self._new(family, ()))
        self._own("mist_metrics_overflow", family.name).inc()
        self._reports.once(
            "overflow",
            "the registry is full with %d series: new label values of %s %r are recorded together "
            'as mist_overflow="true", and new names not at all; drop the label with the many '
            "values, or raise max_series",
            self._max_series,
            kind,
            name,
            depth=4,
        )
        return metric

    def _refuse(self, metric: Metric, value: object) -> None:
        self._own("mist_metrics_refused", metric.name).inc()
        self._reports.once(
            metric.name, "%r was not recorded: %s takes finite numbers", value, metric, depth=3
        )

    def _own(self, name: str, about: str) -> Counter:
        """Return a counter of the registry about itself, beyond any limit."""
        labels = (("metric", about),)
        with self._lock:
            family = self._families[name]
            metric: Any = family.series.setdefault(frozenset(labels), self._new(family, labels))
        counter: Counter = metric
        return counter

    def _update(self) -> None:
        with self._updating:
            if self._is_updating:  # one of the functions takes a snapshot itself
                return
            self._is_updating = True
            try:
                for update in list(self._before):
                    self._call(update)
            finally:
                self._is_updating = False

    def _call(self, update: Callable[[], object]) -> None:
        try:
            update()
        except Exception as exc:  # noqa: BLE001  # what one function raises costs no metric
            self._reports.once(
                repr(update),
                "%r failed before a snapshot of metrics",
                update,
                depth=1,
                exc_info=exc,
            )


def _after_fork() -> None:
    for registry in list(_registries):
        registry.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
