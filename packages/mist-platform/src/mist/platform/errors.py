"""Why a lock could not be had."""

import errno

_CODES = {
    errno.EACCES: "auth",
    errno.EPERM: "auth",
    errno.EROFS: "auth",
    errno.ENOENT: "not_found",
    errno.EEXIST: "validation",
    errno.EISDIR: "validation",
    errno.ENOTDIR: "validation",
    errno.ELOOP: "validation",
    errno.ENAMETOOLONG: "validation",
    errno.EINVAL: "validation",
    errno.ENXIO: "validation",
    errno.ENOSPC: "unavailable",
    errno.EDQUOT: "unavailable",
    errno.EMFILE: "unavailable",
    errno.ENFILE: "unavailable",
    errno.ENOLCK: "unavailable",
}


class LockError(OSError):
    """The file cannot serve as a lock.

    Attributes:
        code: The standard error code: `auth` where a permission is missing or the file system is
            read-only, `validation` where the path cannot be a lock file, `timeout` in
            `LockTimeout`, `unavailable` and `internal` otherwise.
        path: The lock file.
    """

    code: str = "internal"

    def __init__(self, message: str, path: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.path = path
        if code is not None:
            self.code = code

    @classmethod
    def of(cls, exc: OSError, path: str) -> "LockError":
        """Put what the operating system says into words: which file, and why not."""
        error = cls(
            f"cannot lock {path}: {exc.strerror or exc}",
            path,
            code=_CODES.get(exc.errno or 0, "internal"),
        )
        error.errno = exc.errno
        return error

    def __reduce__(self) -> tuple[object, ...]:
        return _revive, (type(self), self.args), vars(self) | {"errno": self.errno}


class LockTimeout(LockError, TimeoutError):
    """Another process or thread held the lock all the time.

    Attributes:
        holder: The process id of who holds it, if it is known.
    """

    code = "timeout"

    def __init__(self, path: str, timeout: float, holder: int | None) -> None:
        who = "another holder" if holder is None else f"process {holder}"
        super().__init__(f"{path} is locked by {who}; gave up after {timeout:g} s", path)
        self.holder = holder


class LockValueError(LockError, ValueError):
    """An argument that no lock can be had with."""

    code = "validation"


def _revive(kind: type[LockError], args: tuple[str, ...]) -> LockError:
    """Make an error that has its text; unpickling sets the rest of its state."""
    error = kind.__new__(kind)
    error.args = args
    return error
