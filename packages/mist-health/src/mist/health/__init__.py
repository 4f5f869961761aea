"""Liveness and readiness endpoints for MIST tools."""

from mist.health.breaker import breaker_not_open
from mist.health.errors import HealthError, Unhealthy
from mist.health.handler import Handler
from mist.health.report import CheckResult, Report

__all__ = ["CheckResult", "Handler", "HealthError", "Report", "Unhealthy", "breaker_not_open"]

for _public in (CheckResult, Handler, HealthError, Report, Unhealthy, breaker_not_open):
    _public.__module__ = __name__
del _public
