"""The error that carries a code."""

from __future__ import annotations

from types import MappingProxyType

from mist.errors.code import Code, code_is_retryable, standard_code
from mist.errors.problem import problem_details

# `typing` would be most of this package's import time, so only type checkers see it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self, overload


class MistError(Exception):
    """A failure with a code that retries, HTTP statuses and exit codes agree on.

    Args:
        code: a `Code`, or any other string, which then counts as 500, exit 1, not retryable.
        message: what went wrong, for a person.
        cause: the exception behind it; becomes `__cause__`, as `raise ... from cause` does.
        meta: what a program may want to know, as strings.
        retry_after: seconds after which another attempt makes sense.

    Two errors are equal when they are of one class and agree in all of these and in the
    retry mark, the causes being compared by their text; the hash is that of code and message.
    Copies and pickles are equal to their original and share nothing with it that can change.
    """

    code: str
    message: str
    retry_after: float | None

    def __init__(
        self,
        code: str,
        message: str,
        *,
        cause: BaseException | None = None,
        meta: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = standard_code(code) or code
        self.message = message
        self.retry_after = retry_after
        self._meta = dict(meta or {})
        self._retry_mark: bool | None = None
        if cause is not None:
            self.__cause__ = cause

    @property
    def meta(self) -> Mapping[str, str]:
        """What a program may want to know; read-only, see `with_meta`."""
        return MappingProxyType(self._meta)

    @property
    def retryable(self) -> bool:
        """Whether another attempt may succeed: as marked, else as the code has it."""
        return code_is_retryable(self.code) if self._retry_mark is None else self._retry_mark

    def with_meta(self, key: str, value: str) -> Self:
        """A copy with one more entry in its meta; this error stays as it is."""
        return self._with(_meta={**self._meta, key: value})

    def retriable(self) -> Self:
        """A copy marked as retryable, whatever its code."""
        return self._with(_retry_mark=True)

    def permanent(self) -> Self:
        """A copy marked as not retryable, whatever its code."""
        return self._with(_retry_mark=False)

    def to_dict(self) -> dict[str, object]:
        """The wire form: `code`, `message`, then `meta` and `cause` (its text) if there are any.

        `retry_after` and the retry mark are not part of it.
        """
        wire: dict[str, object] = {"code": str(self.code), "message": self.message}
        if self._meta:
            wire["meta"] = dict(sorted(self._meta.items()))
        if self.__cause__ is not None:
            wire["cause"] = _text(self.__cause__)
        return wire

    @staticmethod
    def from_dict(wire: Mapping[str, object]) -> MistError:
        """The error that a wire form tells of; its cause comes back as a `RuntimeError`.

        Any string will do as the code. Absent and null members count as empty, members
        that are not ours are ignored.

        Raises:
            MistError: code `protocol`, where `code` is missing or a member has the wrong type.
        """
        if not hasattr(wire, "get"):  # whatever a stranger's JSON was
            raise MistError(
                Code.PROTOCOL, f"error object: expected an object, got {type(wire).__name__}"
            )
        code = _text_member(wire, "code")
        if not code:
            raise MistError(Code.PROTOCOL, "error object: `code` is missing")
        cause = _text_member(wire, "cause")
        return MistError(
            code,
            _text_member(wire, "message"),
            cause=RuntimeError(cause) if cause else None,
            meta=_meta_member(wire),
        )

    def to_problem(self, instance: str | None = None) -> dict[str, object]:
        """Problem details as of RFC 9457, to be sent as `PROBLEM_MEDIA_TYPE`.

        `code`, and `meta` and `retry_after` where there are any, are extension members. The
        cause is left out: it may tell a stranger about the inside of the service.

        Args:
            instance: a URI for this very occurrence.
        """
        return problem_details(self.code, self.message, self._meta, self.retry_after, instance)

    def __str__(self) -> str:
        return _text(self)

    def __repr__(self) -> str:
        parts = [repr(str(self.code)), repr(self.message)]
        if self.__cause__ is not None:
            # By its class only: a chain may be long, or circular.
            parts.append(f"cause=<{type(self.__cause__).__name__}>")
        if self._meta:
            parts.append(f"meta={self._meta!r}")
        if self.retry_after is not None:
            parts.append(f"retry_after={self.retry_after!r}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MistError) or type(other) is not type(self):
            return NotImplemented
        return self._compared() == other._compared()

    def __hash__(self) -> int:
        return hash((self.code, self.message))

    def _compared(self) -> tuple[object, ...]:
        cause = None if self.__cause__ is None else _text(self.__cause__)
        return self.code, self.message, self._meta, self.retry_after, self._retry_mark, cause

    def __copy__(self) -> Self:
        # Not through __init__, whose parameters are a subclass's own affair.
        copy = type(self).__new__(type(self), *self.args)
        copy.__dict__.update(self.__dict__)
        if notes := getattr(self, "__notes__", None):
            copy.__notes__ = list(notes)
        copy.__cause__ = self.__cause__
        copy.__context__ = self.__context__
        copy.__suppress_context__ = self.__suppress_context__
        return copy.with_traceback(self.__traceback__)

    def _with(self, **attributes: object) -> Self:
        copy = self.__copy__()
        copy.__dict__.update(attributes)
        return copy

    def __reduce__(self) -> tuple[object, ...]:
        # Python leaves the cause out of a pickle; here it is half of the error's text.
        cause = None if self.__cause__ is None else _freeze(self.__cause__)
        return _revive, (type(self), self.args, self.__dict__, cause)


if TYPE_CHECKING:

    @overload
    def wrap(code: str, cause: None, message: str) -> None: ...
    @overload
    def wrap(code: str, cause: BaseException, message: str) -> MistError: ...


def wrap(code: str, cause: BaseException | None, message: str) -> MistError | None:
    """An error of this code with `cause` behind it; None where there is no cause."""
    return None if cause is None else MistError(code, message, cause=cause)


def _text(error: BaseException) -> str:
    """`code: message: cause`, as far down as the causes are of our kind; circles end."""
    parts: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while isinstance(link, MistError) and id(link) not in seen:
        seen.add(id(link))
        parts.append(f"{link.code}: {link.message}")
        link = link.__cause__
    if link is not None and id(link) not in seen:
        # TimeoutError() and its like have no text of their own.
        parts.append(str(link) or type(link).__name__)
    return ": ".join(parts)


def _text_member(wire: Mapping[str, object], name: str) -> str:
    value = wire.get(name)
    if value is None:
        return ""
    return _string(value, name)


def _meta_member(wire: Mapping[str, object]) -> dict[str, str]:
    value = wire.get("meta")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _malformed("meta", "an object", value)
    entries: dict[object, object] = value  # pyright: ignore[reportUnknownVariableType]  # JSON
    return {_string(key, "meta"): _string(item, f"meta.{key}") for key, item in entries.items()}


def _string(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise _malformed(path, "a string", value)
    return value


def _malformed(path: str, expected: str, got: object) -> MistError:
    return MistError(
        Code.PROTOCOL,
        f"error object: `{path}` must be {expected}, got {type(got).__name__}",
    )


def _freeze(cause: BaseException) -> tuple[bytes | None, str]:
    """A cause as its pickle, None if it has none, and its text."""
    import pickle  # noqa: PLC0415  # only who pickles errors needs it

    try:
        # Apart from the error's own pickle, so that a cause that cannot be pickled, or cannot
        # be read back, costs its class and not the whole error.
        return pickle.dumps(cause), _text(cause)
    except Exception:  # noqa: BLE001  # anything may go wrong in a foreign __reduce__
        return None, _text(cause)


def _revive(
    cls: type[MistError],
    args: tuple[object, ...],
    attributes: dict[str, object],
    frozen_cause: tuple[bytes | None, str] | None,
) -> MistError:
    """The unpickled, or deeply copied, error."""
    error = cls.__new__(cls, *args)
    error.__dict__.update(attributes)
    if frozen_cause is not None:
        error.__cause__ = _thaw(*frozen_cause)
    return error


def _thaw(pickled: bytes | None, text: str) -> BaseException:
    import pickle  # noqa: PLC0415  # see _freeze

    if pickled is not None:
        try:
            cause = pickle.loads(pickled)  # noqa: S301  # already inside a pickle being loaded
        except Exception:  # noqa: BLE001  # exceptions that pickle but do not load are common
            return RuntimeError(text)
        if isinstance(cause, BaseException):
            return cause
    return RuntimeError(text)
