"""TOML documents: from a file or from text, with what is wrong in them placed."""

import os
import re
from typing import Any

from mist.config.origin import Origin
from mist.config.problem import ConfigError, Problem
from mist.config.value import dotted, quoted

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
# tomllib takes memory for a dotted key by the square of its parts, and for each of them anew.
_MOST_PARTS = 64
_LONG_KEY = re.compile(
    r"""(?<![\w-])(?:(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+)"""
    f"{{{_MOST_PARTS}}}"
)
_MOST_BYTES = 4 << 20
_TWICE = ("Cannot overwrite", "Cannot declare", "Duplicate", "Cannot redefine", "Cannot mutate")


def parse_toml(source: str | bytes) -> dict[str, Any]:
    """The tables of a TOML 1.0 document; a byte order mark at its start is skipped.

    Raises:
        ConfigError: It is not TOML; the problem has line and column, and for a key that is there
            twice the line of the first. Or a key has more than 64 parts, which would take more
            memory than there is.
    """
    return parse_document(decode_text(source), "")


def read_document(path: str | os.PathLike[str]) -> str:
    """The text of a file.

    Raises:
        FileNotFoundError: There is none.
        ConfigError: It cannot be read, or is not UTF-8.
    """
    file = os.fspath(path)
    try:
        with open(file, "rb") as stream:  # noqa: PTH123  # pathlib takes long to load
            data = stream.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as exc:
        raise _error(f"cannot be read: {getattr(exc, 'strerror', None) or exc}", file) from exc
    if len(data) > _MOST_BYTES:
        raise _error(f"a configuration has at most {_MOST_BYTES >> 20} MiB", file)
    return decode_text(data, file)


def missing_file(path: str | os.PathLike[str]) -> ConfigError:
    """The error for a file that must be there and is not."""
    return _error(
        "no such file: create it, or load with optional=True to do without", os.fspath(path)
    )


def decode_text(source: str | bytes, file: str = "") -> str:
    """The text of a document, without its byte order mark.

    Args:
        source: the document.
        file: its name, for errors.

    Raises:
        ConfigError: It is not UTF-8.
    """
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        byte = exc.object[exc.start]
        raise _error(f"not UTF-8: byte 0x{byte:02x}; save it as UTF-8", file, line) from exc


def parse_document(text: str, file: str) -> dict[str, Any]:
    """The tables of a document.

    Args:
        text: the document.
        file: its name, for errors; "" for none.

    Raises:
        ConfigError: It is not TOML.
    """
    if long_key := _LONG_KEY.search(text):
        line = text.count("\n", 0, long_key.start()) + 1
        raise _error(f"a key of more than {_MOST_PARTS} parts is nested too deeply", file, line)
    import tomllib  # noqa: PLC0415  # loads when there is a file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise _syntax_error(text, str(exc), file) from exc
    except RecursionError as exc:
        raise _error("nested too deeply", file) from exc
    except (ValueError, ArithmeticError) as exc:
        # A number of more digits than Python converts, or a date beyond its calendar.
        raise _error(f"not TOML: {str(exc).partition(';')[0]}", file) from exc


def _syntax_error(text: str, message: str, file: str) -> ConfigError:
    from mist.config.locate import Locations  # noqa: PLC0415  # only a mistake needs it

    place = _PLACE.search(message)
    reason = _PLACE.sub("", message)
    if reason.startswith(_TWICE):
        for path, first, second in Locations(text).duplicates:
            again = f"duplicate key {quoted(dotted(path))}, first defined on line {first}"
            return _error(again, file, second)
    if place is None or place[1] is None:
        return _error(f"not TOML: {reason} (at the end)", file, text.count("\n") + 1)
    return _error(f"not TOML: {reason}", file, int(place[1]), int(place[2]))


def _error(
    message: str, file: str, line: int | None = None, column: int | None = None
) -> ConfigError:
    origin = Origin("file", file or "TOML", line, column)
    return ConfigError([Problem(path="", message=message, origin=origin)])
