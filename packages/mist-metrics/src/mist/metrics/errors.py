"""The errors this package raises."""


class MetricError(ValueError):
    """A name, a label, a bucket or an increment that breaks a rule, which the message names."""

    code: str = "validation"
    """The standard code: what exit and HTTP statuses are derived from."""


class WrongFunctionError(TypeError):
    """A timer is put on a function that it cannot time."""

    code: str = "validation"
    """The standard code: what exit and HTTP statuses are derived from."""


class PrometheusClientMissing(ImportError):
    """A Prometheus format was asked for, and prometheus_client is not installed."""

    code: str = "unavailable"
    """The standard code: what exit and HTTP statuses are derived from."""

    def __init__(self) -> None:
        super().__init__(
            "the Prometheus formats need prometheus_client: install it, "
            "or mist-metrics with its extra `prometheus`"
        )

    def __reduce__(self) -> tuple[type["PrometheusClientMissing"], tuple[()]]:
        return type(self), ()
