"""The package's surface: names, modules, what importing it costs."""

import pickle
import subprocess
import sys
from importlib.resources import files

import pytest

import mist.metrics
from mist.metrics import MetricError, PrometheusClientMissing


def test_all_names_are_public_and_claim_the_package():
    """`__all__` holds exactly the public objects, and each says that it lives in mist.metrics."""
    public = {
        name
        for name, value in vars(mist.metrics).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == "mist.metrics"
    }
    assert public | {"DEFAULT_BUCKETS"} == set(mist.metrics.__all__)


def test_package_is_typed():
    """The marker file that tells type checkers to read the annotations is there."""
    assert files("mist.metrics").joinpath("py.typed").is_file()


def test_counting_loads_nothing_heavy():
    """Until something is exposed, prometheus_client, asyncio, logging and json stay out."""
    script = """
import sys
from mist.metrics import Registry
registry = Registry()
registry.counter("c", a="b").inc()
registry.gauge("g").set(1)
with registry.histogram("h").time():
    pass
registry.snapshot()
print(*{"prometheus_client", "psutil", "asyncio", "logging", "json", "typing"} & set(sys.modules))
"""
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path = {sys.path!r}\n{script}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == []


@pytest.mark.parametrize(
    ("error", "code"),
    [(MetricError("wrong"), "validation"), (PrometheusClientMissing(), "unavailable")],
)
def test_errors_have_a_standard_code_and_survive_pickling(error, code):
    """They agree with exit codes and HTTP statuses by `code`, also from another process."""
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.code) == (type(error), str(error), code)
