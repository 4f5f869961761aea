"""Sockets to listen with, bound before anything is served, so that a failure names the address."""

import errno
import os
import socket
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from mist.transport.errors import TransportError
from mist.transport.http.address import TCPAddress, UnixAddress

_PROBE_SECONDS = 1.0
_LOCK_SECONDS = 5.0
_LOCK_INTERVAL = 0.01


class Bound:
    """A listening socket, and the file that it may have in the file system.

    Attributes:
        socket: The socket.
    """

    def __init__(self, sock: socket.socket, path: str | None = None) -> None:
        self.socket = sock
        # Absolute, as the working directory may be another one by the time it is removed.
        self._path = None if path is None else Path(path).absolute()
        self._file = None if self._path is None else self._path.lstat()

    def remove(self) -> None:
        """Remove the socket's file, unless it is another's by now.

        The socket still listens: one that was closed already might have been replaced by another
        process at any moment, whose file may have got the same number.
        """
        path, self._path = self._path, None
        if path is None or self._file is None:
            return
        with suppress(OSError):  # it is gone already, or cannot be removed any more
            if os.path.samestat(path.lstat(), self._file):
                path.unlink()

    def close(self) -> None:
        """Listen no more."""
        self.remove()
        self.socket.close()


def bind(address: TCPAddress | UnixAddress, backlog: int) -> Bound:
    """Return a listening socket; blocks while a host name is looked up.

    Args:
        address: Where to listen.
        backlog: How many connections may wait to be accepted.

    Raises:
        TransportError: Code `conflict` when the address is in use; the text names it.
    """
    try:
        if isinstance(address, UnixAddress):
            return Bound(_bind_unix(address.path, backlog), address.path)
        return Bound(_bind_tcp(address.host, address.port, backlog))
    except socket.gaierror as exc:
        raise TransportError(
            f"cannot listen at {address}: no such host: {exc.strerror}", code="validation"
        ) from exc
    except TransportError:
        raise
    except OSError as exc:
        raise TransportError.from_os_error(exc, f"cannot listen at {address}") from exc


def _bind_tcp(host: str, port: int, backlog: int) -> socket.socket:
    if not host and socket.has_dualstack_ipv6():
        return socket.create_server(
            ("", port), family=socket.AF_INET6, backlog=backlog, dualstack_ipv6=True
        )
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # IPv4 first, as most peers of a name such as `localhost` try it first or try nothing else.
    family, _, _, _, where = min(found, key=lambda info: info[0] != socket.AF_INET)
    return socket.create_server(where, family=family, backlog=backlog)


def _bind_unix(path: str, backlog: int) -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):
        raise OSError(errno.EAFNOSUPPORT, "this system's Python has no Unix sockets")
    with _alone_at(path):
        _clear_the_way(path)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.bind(path)
            # Nobody can connect before it listens, so nobody slips in before this.
            Path(path).chmod(stat.S_IRUSR | stat.S_IWUSR)
            sock.listen(backlog)
        except BaseException:
            sock.close()
            raise
        return sock


@contextmanager
def _alone_at(path: str) -> Generator[None, None, None]:
    """Keep other starters out: one that finds a dead socket must not remove what another made.

    It is the directory that is locked, for a lock file would have to stay there for good.
    """
    import fcntl  # noqa: PLC0415  # where there are Unix sockets, it is there as well

    fd = os.open(Path(path).parent, os.O_RDONLY)
    try:
        _lock(fd, path)
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_UN)  # a process forked meanwhile would keep it
        os.close(fd)


def _lock(fd: int, path: str) -> None:
    import fcntl  # noqa: PLC0415  # as above

    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TransportError(
                    f"cannot listen at unix:{path}: another process keeps its directory locked",
                    code="conflict",
                ) from None
            time.sleep(_LOCK_INTERVAL)
        except OSError:
            return  # this file system has no such locks
        else:
            return


def _clear_the_way(path: str) -> None:
    """Remove the socket that a dead process left behind, and nothing else."""
    try:
        mode = Path(path).lstat().st_mode  # what a symbolic link leads to is another's
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise TransportError(
            f"cannot listen at unix:{path}: there is something else at that path", code="conflict"
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_SECONDS)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink(missing_ok=True)
            return
        except FileNotFoundError:
            return  # who listened has just ended
        except (BlockingIOError, TimeoutError):
            pass  # somebody listens, and is busy
    raise TransportError(
        f"cannot listen at unix:{path}: another process listens there", code="conflict"
    )
