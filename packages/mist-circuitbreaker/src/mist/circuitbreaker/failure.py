"""Which errors speak against what was called."""

from mist.errors import Code, code_of

_CALLERS_OWN = frozenset(
    {Code.VALIDATION, Code.AUTH, Code.NOT_FOUND, Code.CONFLICT, Code.CANCELLED}
)


def is_failure(error: Exception) -> bool:
    """Tell whether an error counts against the circuit, as breakers do unless told otherwise.

    What is the caller's own fault does not (validation, auth, not_found, conflict), nor does a
    cancellation; everything else does, exceptions without a code among them.
    """
    return code_of(error) not in _CALLERS_OWN
