"""What can go wrong with a run, and with the storage under it."""

import errno

_CODES = {
    errno.EACCES: "auth",
    errno.EPERM: "auth",
    errno.EROFS: "auth",
    errno.ENOENT: "not_found",
    errno.EISDIR: "validation",
    errno.ENOTDIR: "validation",
    errno.EEXIST: "validation",
    errno.ELOOP: "validation",
    errno.ENAMETOOLONG: "validation",
    errno.EINVAL: "validation",
    errno.ENOSPC: "unavailable",
    errno.EDQUOT: "unavailable",
    errno.EFBIG: "unavailable",
    errno.EMFILE: "unavailable",
    errno.ENFILE: "unavailable",
    errno.ENOLCK: "unavailable",
}


class CheckpointError(Exception):
    """A run cannot do what is asked of it.

    Attributes:
        code: The standard error code.
    """

    code: str = "internal"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class InvalidValue(CheckpointError, ValueError):
    """A run id, step name, option, input or result that cannot be taken."""

    code = "validation"


class RunInUse(CheckpointError):
    """Another tracker has the run open.

    Attributes:
        holder: The process id of who has it, if it is known.
    """

    code = "conflict"

    def __init__(self, message: str, *, holder: int | None, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.holder = holder

    def __reduce__(self) -> tuple[object, ...]:
        return _in_use, (str(self), self.holder, self.code)


class StorageError(CheckpointError, OSError):
    """The storage under a run does not do its part: it is full, read-only, broken or changed."""

    @classmethod
    def of(cls, exc: OSError, what: str) -> "StorageError":
        """Put what the operating system says into words: what was tried, and why it failed."""
        error = cls(f"{what}: {exc.strerror or exc}", code=_CODES.get(exc.errno or 0, "internal"))
        error.errno = exc.errno
        error.__cause__ = exc
        return error

    def __reduce__(self) -> tuple[object, ...]:
        return _storage_error, (str(self), self.code, self.errno)


def _in_use(message: str, holder: int | None, code: str) -> RunInUse:
    return RunInUse(message, holder=holder, code=code)


def _storage_error(message: str, code: str, number: int | None) -> StorageError:
    error = StorageError(message, code=code)
    error.errno = number
    return error
