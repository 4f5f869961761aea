"""The standard codes, and the one table of what each of them means."""

from enum import StrEnum


class Code(StrEnum):
    """What kind of failure an error is; the value is the code on the wire."""

    INTERNAL = "internal"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    TRANSPORT = "transport"
    PROTOCOL = "protocol"
    VALIDATION = "validation"
    NOT_FOUND = "not_found"
    UNAVAILABLE = "unavailable"
    RATE_LIMIT = "rate_limit"
    AUTH = "auth"
    CONFLICT = "conflict"


# code: (HTTP status, exit code, retryable). 499 is nginx's "client closed request";
# 130 is what a shell reports for a process that SIGINT ended.
_TABLE: dict[str, tuple[int, int, bool]] = {
    Code.INTERNAL: (500, 1, True),
    Code.TIMEOUT: (504, 5, True),
    Code.CANCELLED: (499, 130, False),
    Code.TRANSPORT: (500, 7, True),
    Code.PROTOCOL: (500, 8, False),
    Code.VALIDATION: (400, 2, False),
    Code.NOT_FOUND: (404, 3, False),
    Code.UNAVAILABLE: (503, 6, True),
    Code.RATE_LIMIT: (429, 9, True),
    Code.AUTH: (401, 4, False),
    Code.CONFLICT: (409, 10, False),
}
_UNKNOWN = (500, 1, False)

# Gravest first: what somebody has to repair comes before what passes by itself, and a
# cancellation, mostly the echo of another failure, comes last.
_GRAVITY: dict[str, int] = {
    code: place
    for place, code in enumerate(
        (
            Code.INTERNAL,
            Code.PROTOCOL,
            Code.AUTH,
            Code.VALIDATION,
            Code.CONFLICT,
            Code.NOT_FOUND,
            Code.TRANSPORT,
            Code.UNAVAILABLE,
            Code.TIMEOUT,
            Code.RATE_LIMIT,
            Code.CANCELLED,
        )
    )
}


def standard_code(code: object) -> Code | None:
    """The standard code that `code` is, or None for any other string or object."""
    return Code(code) if isinstance(code, str) and code in _TABLE else None


def gravity(code: str) -> int:
    """The place of `code` in the order of gravity, 0 the gravest, as is an unknown code."""
    return _GRAVITY.get(code, 0)


def http_status(code: str) -> int:
    """The HTTP status that stands for `code`; 500 for an unknown one."""
    return _TABLE.get(code, _UNKNOWN)[0]


def exit_code(code: str) -> int:
    """The process exit status that stands for `code`; 1 for an unknown one."""
    return _TABLE.get(code, _UNKNOWN)[1]


def code_is_retryable(code: str) -> bool:
    """Whether a failure of this code may pass by itself; False for an unknown one."""
    return _TABLE.get(code, _UNKNOWN)[2]
