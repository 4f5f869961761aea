"""What an exception becomes: one line on stderr, and an exit status."""

from __future__ import annotations

from mist.cli.error import UsageError
from mist.cli.group import members
from mist.errors import Code, MistError, code_of

_SHOWN = 3


def one_line(prog: str, exc: BaseException) -> str:
    """The line that a person reads.

    Args:
        prog: what the line starts with, the program and its command.
        exc: what ended the command.
    """
    text = exc.message if isinstance(exc, UsageError) else _coded(exc)
    if _is_unexpected(exc):
        text += " (--debug shows where)"
    return _printable(f"{prog}: {text}") + "\n"


def json_line(exc: BaseException) -> str:
    """The line that a program reads: the wire form of the error, as ASCII."""
    import json  # noqa: PLC0415  # only who asks for JSON needs it

    if not isinstance(exc, MistError):
        exc = MistError(code_of(exc), _message(exc), cause=exc.__cause__)
    wire = exc.to_dict()
    try:
        line = json.dumps(wire, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        # Something in `meta` has no JSON form, and is worth its text.
        wire["meta"] = {str(key): str(value) for key, value in exc.meta.items()}
        line = json.dumps(wire, separators=(",", ":"))
    return line + "\n"


def untold(exc: BaseException, failure: Exception) -> MistError:
    """What is reported of an exception that cannot be asked for its text or code.

    Args:
        exc: what ended the command.
        failure: what asking raised.
    """
    kind, why = type(exc).__name__, type(failure).__name__
    return MistError(Code.INTERNAL, f"{kind} (its text or code raised {why})")


def _coded(exc: BaseException) -> str:
    """`code: message`, of each member where it is a group."""
    if isinstance(exc, MistError):
        return str(exc)
    return _message(exc) if members(exc) else f"{code_of(exc)}: {_message(exc)}"


def _message(exc: BaseException) -> str:
    if inside := members(exc):
        shown = [_coded(member) for member in inside[:_SHOWN]]
        more = len(inside) - len(shown)
        return "; ".join(shown) + (f"; and {more} more" if more else "")
    if str(exc) and not _is_unexpected(exc):
        return str(exc)
    # `KeyError: 'x'`: without its class such a text says nothing.
    return f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__


def _is_unexpected(exc: BaseException) -> bool:
    return code_of(exc) == Code.INTERNAL and not isinstance(exc, MistError)


def _printable(text: str) -> str:
    """The text on one line, with nothing in it that a terminal would obey."""
    line = "; ".join(filter(None, map(str.strip, text.splitlines())))
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in line
    )
