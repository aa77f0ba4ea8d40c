"""Metrics in Prometheus format, over HTTP. Only processes that serve metrics import this module."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from dubbing.errors import BadInput
from dubbing.telemetry.counts import MILLION, SEPARATOR, SUM, Spread, Total
from dubbing.telemetry.metrics import SPREADS, TOTALS

Labels: TypeAlias = Mapping[str, str]
Amounts: TypeAlias = Mapping[str, int]
Parts: TypeAlias = tuple[str, ...]


class Metrics(Collector):
    """A collector of the metrics that a function returns at each scrape."""

    def __init__(self, look: Callable[[], Iterable[Metric]]) -> None:
        self._look = look

    def collect(self) -> Iterable[Metric]:
        """Return the metrics."""
        return self._look()


def registry_of(look: Callable[[], Iterable[Metric]]) -> CollectorRegistry:
    """Return a registry of these metrics alone."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Metrics(look))
    return registry


def written(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """Return the metrics in a format that the header ``accept`` allows, and its content type."""
    encode, form = choose_encoder(accept)
    return encode(registry), form


def serve(registry: CollectorRegistry, host: str, port: int) -> Callable[[], None]:
    """Serve metrics in a thread; return a function that stops it.

    Raises BadInput when the port cannot be opened.
    """
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as exc:
        raise BadInput(
            f"no metrics can be served there: {exc.strerror}: choose another port",
            where=f"{host}:{port}",
        ) from exc

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


def counted(
    of: Sequence[tuple[Labels, Amounts]], engines: Iterable[str] = (), only: Iterable[str] = ()
) -> Iterator[Metric]:
    """Yield the counters and histograms of tables of counts.

    of: for each table, labels to add to its samples, and its amounts by the ledger's names.
    engines: engines that the first table shows with 0 before their first count, so that the count
    is visible as an increase.
    only: names of the metrics that the other tables show; by default all.
    """
    tables = [(labels, _by_metric(amounts)) for labels, amounts in of]
    known, shown = sorted(engines), set(only)
    for total in TOTALS:
        yield _total(total, _of_metric(tables, total.name, shown), known)
    for spread in SPREADS:
        yield _spread(spread, _of_metric(tables, spread.name, shown))


def _by_metric(amounts: Amounts) -> dict[str, dict[Parts, int]]:
    """Return the amounts of each metric, by the rest of its name."""
    found: dict[str, dict[Parts, int]] = defaultdict(dict)
    for name, amount in amounts.items():
        metric, *parts = name.split(SEPARATOR)
        found[metric][tuple(parts)] = amount
    return found


def _of_metric(
    tables: Sequence[tuple[Labels, Mapping[str, Mapping[Parts, int]]]], name: str, shown: set[str]
) -> list[tuple[Labels, Mapping[Parts, int]]]:
    return [
        (labels, table.get(name, {}))
        for n, (labels, table) in enumerate(tables)
        if n == 0 or not shown or name in shown
    ]


def _total(
    total: Total, of: Sequence[tuple[Labels, Mapping[Parts, int]]], engines: Sequence[str]
) -> Metric:
    family = CounterMetricFamily(total.name, total.help)
    for n, (labels, amounts) in enumerate(of):
        known = dict.fromkeys(_known(total, engines) if n == 0 else (), 0)
        for parts, amount in sorted((known | dict(amounts)).items()):
            if len(parts) == len(total.labels):
                values = dict(zip(total.labels, parts, strict=True))
                family.add_sample(total.name, {**values, **labels}, amount / total.unit)
    return family


def _known(total: Total, engines: Sequence[str]) -> Iterator[Parts]:
    """Yield the labels of a metric that are known before the first count."""
    first: Sequence[Parts] = [()]
    if total.labels[:1] == ("engine",):
        first = [(engine,) for engine in engines]
    ends: Sequence[Parts] = [(value,) for value in total.values] or [()]
    for begin in first:
        for end in ends:
            if len(begin + end) == len(total.labels):
                yield begin + end


def _spread(spread: Spread, of: Sequence[tuple[Labels, Mapping[Parts, int]]]) -> Metric:
    family = HistogramMetricFamily(spread.name, spread.help)
    bounds = [*map(str, spread.bounds), "+Inf"]
    for labels, amounts in of:
        series: dict[Parts, dict[str, int]] = defaultdict(dict)
        for name, amount in amounts.items():
            if len(name) == len(spread.labels) + 1:
                series[name[:-1]][name[-1]] = amount
        for parts, buckets in sorted(series.items()):
            own = {**dict(zip(spread.labels, parts, strict=True)), **labels}
            count = 0
            for n, bound in enumerate(bounds):
                count += buckets.get(str(n), 0)
                family.add_sample(f"{spread.name}_bucket", {**own, "le": bound}, count)
            family.add_sample(f"{spread.name}_count", own, count)
            family.add_sample(f"{spread.name}_sum", own, buckets.get(SUM, 0) / MILLION)
    return family
