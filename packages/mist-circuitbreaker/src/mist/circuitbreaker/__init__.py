"""Circuit breakers: stop asking what keeps failing, and try again carefully."""

from mist.circuitbreaker.breaker import Breaker
from mist.circuitbreaker.errors import CircuitOpenError, InvalidSettingError, WrongFunctionError
from mist.circuitbreaker.failure import is_failure
from mist.circuitbreaker.pool import BreakerPool
from mist.circuitbreaker.state import State

__all__ = [
    "Breaker",
    "BreakerPool",
    "CircuitOpenError",
    "InvalidSettingError",
    "State",
    "WrongFunctionError",
    "is_failure",
]

for _public in (
    Breaker,
    BreakerPool,
    CircuitOpenError,
    InvalidSettingError,
    State,
    WrongFunctionError,
    is_failure,
):
    _public.__module__ = __name__
del _public
