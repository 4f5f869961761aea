"""What can be wrong with a pattern, a handler, an option or an address."""

import errno
import os

from mist.errors import Code, MistError

_CODES = {
    errno.EACCES: Code.AUTH,
    errno.EPERM: Code.AUTH,
    errno.EADDRINUSE: Code.CONFLICT,
    errno.EADDRNOTAVAIL: Code.VALIDATION,
    errno.ENOENT: Code.NOT_FOUND,
    errno.ENAMETOOLONG: Code.VALIDATION,
}

_REMEDIES = {
    errno.EACCES: "choose a port from 1024 on, or grant the process CAP_NET_BIND_SERVICE",
    errno.EADDRINUSE: "stop what listens there, or choose another port; port 0 is any free one",
    errno.EADDRNOTAVAIL: "it is none of this machine's; ':port' is all of them",
}


class ServerError(MistError):
    """A server cannot be set up, or cannot start; the text says why, and what to do."""

    @classmethod
    def from_os_error(cls, exc: OSError, what: str, *, remedied: bool = True) -> "ServerError":
        """Put an operating system's error into words: what was tried, and why it failed."""
        # Not its own text, to which the socket module adds the address once more.
        reason = os.strerror(exc.errno) if exc.errno else type(exc).__name__
        remedy = _REMEDIES.get(exc.errno or 0) if remedied else None
        return cls(
            _CODES.get(exc.errno or 0, Code.INTERNAL),
            f"{what}: {reason}" + (f"; {remedy}" if remedy else ""),
            cause=exc,
        )


class PatternError(ServerError):
    """A pattern is none (code `validation`), or conflicts with another (code `conflict`)."""
