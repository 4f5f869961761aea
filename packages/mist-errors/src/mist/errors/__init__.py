"""Error codes that agree on retries, HTTP statuses and exit codes."""

from mist.errors.classify import code_of, is_retryable
from mist.errors.code import Code, exit_code, http_status
from mist.errors.error import MistError, wrap
from mist.errors.problem import PROBLEM_MEDIA_TYPE

__all__ = [
    "PROBLEM_MEDIA_TYPE",
    "Code",
    "MistError",
    "code_of",
    "exit_code",
    "http_status",
    "is_retryable",
    "wrap",
]

for _public in (Code, MistError, code_of, exit_code, http_status, is_retryable, wrap):
    _public.__module__ = __name__
del _public
