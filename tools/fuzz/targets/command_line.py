r"""A command line is executed, or is one line on stderr and status 2; nothing is raised.

The input is a word a line; words before the first empty one are variables. What was read, written
out in full as `--name=value ... -- arguments`, is read the same again, without the variables.
"""

import contextlib
import io
import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

from mist.cli import App, Command

TOKENS = (
    "run", "other", "help", "version", "completion", "bash", "--", "--help", "-h", "--no-loud", "-n",
    "--name=", "--count", "--big=9223372036854775808", "--ratio=nan", "--loud=false", "--json", "-v",
    "TOOL_RUN_COUNT=", "TOOL_LEVEL=",
)  # fmt: skip

_WRONG_USAGE = 2
_KINDS = {"name": "string", "count": "int", "big": "int64", "ratio": "float64", "loud": "bool"}


def check(data: bytes) -> None:
    """Hold one input against the invariant."""
    words = data.decode("utf-8", "surrogateescape").replace("\0", "").split("\n")
    variables: dict[str, str] = {}
    if "" in words:
        at = words.index("")
        pairs = [word.partition("=") for word in words[:at]]
        variables = {name: text for name, _, text in pairs if name.startswith("TOOL_")}
        words = words[at + 1 :]
    status, seen, error = _execute(words, variables)
    assert status in (0, _WRONG_USAGE), f"status {status}: {error}"
    if status:
        assert not seen
        assert error.endswith("\n"), "nothing said, or no whole line"
        assert error.count("\n") == 1
        assert error[:-1].isprintable()
        return
    for command, values, args in seen:
        flags = [f"--{name}={text}" for name, text in values.items()]
        again, repeated, error = _execute([command, *flags, "--", *args], {})
        assert again == 0, error
        assert repr(repeated) == repr([(command, values, args)])


def seeds() -> Iterator[bytes]:
    """Give lines as people type them."""
    yield b"run\n--name=x\n-n\ny\n--count\n-3\n--ratio\n1e3\n--no-loud\na\nb\n--\n--c"
    yield b"--level=info\nrun\n--big=1\n-vl"
    yield b"TOOL_RUN_COUNT=7\nTOOL_LEVEL=debug\n\nother\nfile"
    yield from (
        b"help\nrun",
        b"version",
        b"completion\nbash",
        b"run\n--help",
        b"--json\nrn",
        b"--version",
    )


def _execute(
    words: list[str], variables: dict[str, str]
) -> tuple[int, list[tuple[str, dict[str, Any], list[str]]], str]:
    """Return the status, what the commands saw, and what was written to stderr."""
    seen: list[tuple[str, dict[str, Any], list[str]]] = []

    def run(command: Command, args: list[str]) -> None:
        values = {
            name: getattr(command, f"get_{kind}")(name)
            for name, kind in (*_KINDS.items(), ("level", "string"))
            if name in command.flags or name == "level"
        }
        seen.append((command.name, values, args))

    app = _app(run)
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.dict(os.environ, variables, clear=True),
    ):
        status = app.execute(words)
    return status, seen, err.getvalue()


def _app(run: Any) -> App:
    app = App("tool", "1.2.3", env_prefix="TOOL")
    app.add_string_flag("level", "info", choices=("debug", "info"))
    command = Command("run", "has flags of every kind", run)
    command.add_string_flag("name", "nobody", short="n")
    command.add_int_flag("count")
    command.add_int64_flag("big")
    command.add_float64_flag("ratio")
    command.add_bool_flag("loud", default=True, short="l")
    other = Command("other", "has arguments", run)
    other.add_argument("first")
    other.add_argument("rest", arity="*")
    other.add_string_flag("name")
    for each in (command, other):
        app.add_command(each)
    return app
