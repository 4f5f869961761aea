"""The probes that the README shows for Kubernetes."""

import inspect

import pytest
import yaml

from mist.health import Handler


@pytest.fixture
def container(readme_blocks):
    """The container of the README's YAML."""
    (block,) = readme_blocks("yaml")
    (container,) = yaml.safe_load(block)["containers"]
    return container


@pytest.mark.parametrize(
    ("probe", "path"),
    [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")],
)
def test_each_probe_asks_the_endpoint_that_is_meant_for_it(container, probe, path):
    """Only readiness runs checks: a dependency that is down restarts nothing."""
    (port,) = container["ports"]
    assert container[probe]["httpGet"] == {"path": path, "port": port["name"]}


def test_the_readiness_probe_waits_longer_than_a_check_may_take(container):
    """Or it would never hear which check it is that hangs."""
    check_timeout = inspect.signature(Handler.add_check).parameters["timeout"].default
    assert container["readinessProbe"]["timeoutSeconds"] > check_timeout


def test_a_slow_start_is_not_a_dead_service(container):
    """Startup has a multiple of the time after which liveness gives up."""
    startup, liveness = container["startupProbe"], container["livenessProbe"]
    patience = liveness["periodSeconds"] * liveness["failureThreshold"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 2 * patience
